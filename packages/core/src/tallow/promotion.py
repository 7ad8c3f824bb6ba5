"""Operands in, arrays of one dtype out: PyTorch's type promotion for public functions.

Python numbers stay Python numbers where the tensor's dtype absorbs them; NumPy (and CuPy) then
treat them as weak, which is the same rule.
"""

from functools import wraps
from numbers import Number

import numpy as np

from tallow import backend, dtypes
from tallow.autograd.builtin import cast
from tallow.autograd.inplace import assign
from tallow.errors import (
    ArgumentError,
    DtypeError,
    GradientError,
    OutOfRangeError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.ops.elementwise import convert
from tallow.tensor import Tensor, wrap


def result_type(*operands):
    """The dtype that an operation on these tensors and numbers gives.

    >>> tallow.result_type(tallow.ones(2, dtype=tallow.int64), 1.5)
    tallow.float32
    """
    with_dims = zero_dim = number = None
    for x in operands:
        if not isinstance(x, Tensor):
            number = _join(number, dtypes.of_number(x))
        elif x.array.ndim:
            with_dims = _join(with_dims, x.dtype)
        else:
            zero_dim = _join(zero_dim, x.dtype)
    return dtypes.combine(dtypes.combine(with_dims, zero_dim), number)


def _join(a, b):
    return b if a is None else dtypes.promote_types(a, b)


def can_cast(from_, to):
    """True if a result of dtype `from_` may be written into a tensor of dtype `to`."""
    return from_.category <= to.category


def to_dtype(x, dtype):
    """x in another dtype, differentiable where both are floating or complex; x if it has it."""
    if x.array.dtype == dtype.numpy:
        return x
    if x.dtype.category >= dtypes.FLOATING and dtype.category >= dtypes.FLOATING:
        return cast(x, dtype=dtype.numpy)
    return convert(x, dtype=dtype.numpy)


def number(x):
    """A Python number for a Python or NumPy number."""
    return x.item() if isinstance(x, np.generic) else x


def pair(name, x, y):
    """Two operands, at least one a tensor, in one dtype: tensors are converted, numbers stay."""
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        if x.array.dtype is y.array.dtype:
            return x, y
        target = result_type(x, y)
        return to_dtype(x, target), to_dtype(y, target)
    if isinstance(x, Tensor) and (type(y) in (float, int) or isinstance(y, Number)):
        if x.array.dtype.kind != "f" or type(y) not in (float, int):  # else nothing changes
            x, y = _with_number(x, number(y))
        return x, y
    if isinstance(y, Tensor) and isinstance(x, Number):
        y, x = _with_number(y, number(x))
        return x, y
    x, y = as_operand(name, x), as_operand(name, y)
    if isinstance(x, Number) and isinstance(y, Number):
        x = as_tensor_operand(name, x)
    return pair(name, x, y)


def _with_number(x, y):
    dtype, kind = x.dtype, dtypes.of_number(y)
    if kind.category > dtype.category:
        dtype = dtypes.combine(dtype, kind)
        x = to_dtype(x, dtype)
    if dtype.category == dtypes.BOOL:
        y = bool(y)
    elif dtype.category == dtypes.INTEGER:
        y = y if 0 <= y <= 127 else wrapped(y, x.array.dtype)
    elif dtype is dtypes.bfloat16 and isinstance(y, float):
        y = wrap(np.asarray(y, x.array.dtype))  # NumPy's own rule would give float32
    return x, y


def wrapped(n, dtype):
    """An int modulo the range of an integer dtype, as PyTorch takes those that are out of it."""
    try:
        return int(np.asarray(n).astype(dtype))
    except (OverflowError, TypeError):
        raise ArgumentError(f"expected a number of 64 bits, got {n}") from None


def element(name, value, dtype):
    """A number as the NumPy scalar that a tensor of `dtype` holds; DtypeError if none can."""
    value = number(value)
    if isinstance(value, complex) and not dtype.is_complex:
        raise DtypeError(f"{name}: expected a real number for {dtype}, got {value}")
    if dtype.category == dtypes.INTEGER:
        limits = np.iinfo(dtype.numpy)
        if not -limits.max - 1 <= value <= limits.max:
            raise DtypeError(f"{name}: expected a number in the range of {dtype}, got {value}")
        value = int(value)
    return np.asarray(value).astype(dtype.numpy)[()]


def floating_pair(name, x, y):
    """`pair`, with integers and bool as the default floating dtype."""
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        x, y = pair(name, x, y)
        return floating(name, x), floating(name, y)
    if not isinstance(x, Tensor) and not isinstance(y, Tensor):
        x = as_tensor_operand(name, x)
    x, y = (floating(name, v) if isinstance(v, Tensor) else v for v in (x, y))
    return pair(name, x, y)


def floating_tensors(name, x, y):
    """`floating_pair`, with a number as a 0-d tensor."""
    x, y = floating_pair(name, x, y)
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        return x, y
    like = (x if isinstance(x, Tensor) else y).array
    xp = backend.for_array(like).xp
    with backend.at(like):
        return tuple(
            v if isinstance(v, Tensor) else wrap(xp.asarray(v, like.dtype)) for v in (x, y)
        )


def as_operand(name, x):
    """A tensor, also for a NumPy array, or a Python number; TypeMismatchError for anything else."""
    if isinstance(x, Tensor | Number | np.bool_):
        return number(x)
    if isinstance(x, np.ndarray):
        return wrap(x)
    raise TypeMismatchError(f"{name}: expected a tensor or a number, got {type(x).__name__}")


def as_tensor_operand(name, x):
    """A tensor; a number becomes a 0-d one."""
    x = as_operand(name, x)
    return x if isinstance(x, Tensor) else wrap(np.asarray(x, dtypes.of_number(number(x)).numpy))


def floating(name, x):
    """The tensor x, integers and bool as the default floating dtype."""
    if not isinstance(x, Tensor):
        raise TypeMismatchError(f"{name}: expected a tensor, got {type(x).__name__}")
    if x.array.dtype.kind == "f":
        return x
    return x if x.dtype.category >= dtypes.FLOATING else to_dtype(x, dtypes.get_default_dtype())


def common(name, tensors):
    """Several tensors in their common dtype."""
    return promoted([x if isinstance(x, Tensor) else as_tensor_operand(name, x) for x in tensors])


def promoted(tensors):
    """Tensors, at least one, in their common dtype."""
    first = tensors[0].array.dtype
    for x in tensors:
        if x.array.dtype is not first:
            target = result_type(*tensors)
            return [to_dtype(x, target) for x in tensors]
    return tensors


def give(result, out, name):
    """`result`, written into `out` where the caller gave one."""
    if out is None:
        return result
    if result.requires_grad:
        raise GradientError(
            f"{name}: expected operands that require no gradients with out, got some that do; call "
            "without out, or under no_grad()"
        )
    if not can_cast(result.dtype, out.dtype):
        raise DtypeError(f"{name}: expected out to hold {result.dtype}, got {describe(out)}")
    if out.array.shape != result.array.shape:
        if out.array.size:
            raise ArgumentError(
                f"{name}: expected out of shape {tuple(result.array.shape)}, got {describe(out)}"
            )
        out.array = result.array.astype(out.array.dtype)
        return out
    return assign(out, result, name)


def axis_of(name, dim, ndim):
    """A dim as a non-negative axis; else OutOfRangeError. 0-d tensors have dims 0 and -1."""
    if not isinstance(dim, int):
        dim = _as_index(name, dim)
    limit = ndim or 1
    if not -limit <= dim < limit:
        raise OutOfRangeError(
            f"{name}: expected a dim between {-limit} and {limit - 1} for a tensor with {ndim} "
            f"dimensions, got {dim}"
        )
    return dim + limit if dim < 0 else dim


def _as_index(name, value):
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        raise TypeMismatchError(f"{name}: expected an int, got {type(value).__name__}") from None


def axes_of(name, dim, ndim):
    """A dim or several as a tuple of axes; None for all of them, and for those of a 0-d tensor."""
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim + ndim if dim < 0 else dim,)
    dims = (dim,) if not isinstance(dim, tuple | list) else tuple(dim)
    axes = tuple(axis_of(name, d, ndim) for d in dims)
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: expected each dim once, got {dims}")
    return axes if axes and ndim else None


def sizes_of(name, sizes, given=None):
    """A shape from `f(2, 3)`, `f((2, 3))` or (`given`) `f(size=(2, 3))`, as a tuple of ints."""
    if given is not None:
        sizes = (given,)
    for n in sizes:
        if type(n) is not int:
            break
    else:
        return tuple(sizes)
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        (sizes,) = sizes
    return tuple([n if type(n) is int else _as_index(name, n) for n in sizes])


NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function):
    """The function, which takes `axis` and `keepdims` for `dim` and `keepdim`, as PyTorch's do.

    Its attribute `positional` is what to call where no arguments have names.
    """

    @wraps(function)
    def call(*args, **kwargs):
        if not kwargs:
            return function(*args)
        kwargs = {NUMPY_NAMES.get(name, name): value for name, value in kwargs.items()}
        return function(*args, **kwargs)

    call.positional = function
    return call


def shape_of(name, sizes):
    """`sizes_of`, none of them negative."""
    shape = sizes_of(name, sizes)
    if min(shape, default=0) < 0:
        raise ShapeError(f"{name}: expected sizes of 0 or more, got {shape}")
    return shape
