"""From one dtype or device to another, and out of tallow: `to`, `numpy`, `item`, `tolist`."""

import numpy as np

from tallow import backend, dtypes
from tallow.autograd.modes import state
from tallow.device import device as device_type
from tallow.elementwise import named
from tallow.errors import (
    ArgumentError,
    DtypeError,
    GradientError,
    TypeMismatchError,
    describe,
)
from tallow.layout import preserve_format
from tallow.ops.elementwise import copy as copy_op
from tallow.ops.shape import reshape
from tallow.ops.transfer import transfer
from tallow.promotion import to_dtype
from tallow.shaping import contiguous, storage_offset
from tallow.tensor import Tensor, wrap

METHODS = ["as_subclass", "cpu", "cuda", "item", "numpy", "to", "tolist", "type_as"]


def to(input, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """The tensor in another dtype, on another device, or both; itself where nothing changes.

    Call as `to(dtype)`, `to(device)`, `to(device, dtype)` or `to(other_tensor)`. `non_blocking`: a
    copy of pinned memory to a GPU is not waited for.

    >>> tallow.ones(1).to(tallow.float64).dtype
    tallow.float64
    """
    for arg in args:
        if isinstance(arg, dtypes.dtype | type):
            dtype = arg
        elif isinstance(arg, str | device_type | int) and not isinstance(arg, bool):
            device = arg
        elif isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif arg is not None and not isinstance(arg, bool):
            raise TypeMismatchError(
                f"to: expected a dtype, a device or a tensor, got {type(arg).__name__}"
            )
    result = input if dtype is None else to_dtype(input, dtypes.given("to", dtype))
    if device is not None:
        where = device_type(device)
        here = input.device
        if where.type != here.type or (where.index is not None and where.index != here.index):
            how = {"source": here, "target": where, "non_blocking": bool(non_blocking)}
            result = transfer(result, **how)
    if copy and result is input:
        result = copy_op(result)
    return arranged(result, memory_format)


def arranged(input, memory_format):
    """The tensor with its memory in an order; None and `preserve_format` leave it."""
    kept = memory_format is None or memory_format is preserve_format
    return input if kept else contiguous(input, memory_format)


def _method(name):
    target = dtypes.BY_NAME[name]

    def function(input, memory_format=None):
        return arranged(to_dtype(input, target), memory_format)

    return named(function, name, f"The tensor as {target.name}.")


CASTS = {
    name: _method(name)
    for name in "half float double bfloat16 short int long bool cfloat cdouble".split()
} | {"byte": _method("uint8"), "char": _method("int8")}


def cpu(input, memory_format=None):
    """The tensor on the CPU."""
    return to(input, device="cpu")


def cuda(input, device=None, non_blocking=False, memory_format=None):
    """The tensor on a CUDA device (the current one unless told)."""
    where = "cuda" if device is None else device_type(device)
    return to(input, device=where, non_blocking=non_blocking)


def type_as(input, other):
    """The tensor in the dtype of another."""
    return to_dtype(input, other.dtype)


def as_subclass(input, cls):
    """The tensor, with its memory and its history, as an object of a subclass of Tensor."""
    same = reshape(input, shape=input.array.shape)
    made = wrap(same.array, same._requires_grad, cls)
    made.node, made.alias = same.node, same.alias
    return made


def view_dtype(input, dtype):
    """The same memory read as another dtype; the last dim holds more elements, or fewer."""
    array, size = input.array, dtype.itemsize
    if size != array.itemsize and (
        not array.ndim
        or array.strides[-1] != array.itemsize
        or array.shape[-1] * array.itemsize % size
    ):
        raise DtypeError(
            f"view: expected neighbours in the last dim that fill elements of {size} bytes, for "
            f"{dtype}, got {describe(input)} with strides {input.stride()}"
        )
    offset = storage_offset(input)
    if any(n * array.itemsize % size for n in (offset, *input.stride()[:-1])):  # a GPU reads none
        raise DtypeError(
            f"view: expected rows that begin at whole elements of {size} bytes, for {dtype}, got "
            f"{describe(input)} with strides {input.stride()} from element {offset} of its memory"
        )
    return wrap(array.view(dtype.numpy))


def numpy(input, *, force=False):
    """The NumPy array of a CPU tensor, sharing memory; `force`: of any, without its history."""
    if not force:
        if input.requires_grad and state.enabled:
            raise GradientError(
                "numpy: expected a tensor without gradients, got one that requires them; use "
                ".detach()"
            )
        if input.device.type != "cpu":
            raise TypeMismatchError(
                f"numpy: expected a CPU tensor, got one on {input.device}; use .cpu()"
            )
    return backend.for_array(input.array).to_host(input.array)


def array_protocol(input, dtype=None, copy=None):
    """NumPy's `__array__`: what `numpy.asarray(tensor)` calls."""
    array = numpy(input)
    if dtype is not None and np.dtype(dtype) != array.dtype:
        return array.astype(dtype)
    return array.copy() if copy else array


def item(input):
    """The Python number in a tensor with one element."""
    if input.array.size != 1:
        raise ArgumentError(
            f"item: expected a tensor with one element, got {describe(input)}; use .tolist()"
        )
    value = _element(input)
    return value if isinstance(value, bool | int | float | complex) else float(value)


def real_item(name, input):
    """`item` of a real tensor, or of a complex one whose imaginary part is 0."""
    value = item(input)
    if isinstance(value, complex):
        if value.imag:
            raise ArgumentError(f"{name}: expected a real number, got {value}; use .real")
        return value.real
    return value


def tolist(input):
    """Nested lists of Python numbers (a number for a 0-d tensor)."""
    array = backend.for_array(input.array).to_host(input.array)
    return (array.astype(np.float32) if input.dtype is dtypes.bfloat16 else array).tolist()


def truth(input):
    """bool(tensor): the truth of its one element."""
    if input.array.size != 1:
        raise ArgumentError(
            f"bool: expected a tensor with one element, got {describe(input)}; use .any() or .all()"
        )
    return bool(_element(input))


def _element(input):
    """The one element, for which the host waits."""
    array = input.array
    return (array if type(array) is np.ndarray else backend.for_array(array).to_host(array)).item()


def index(input):
    """operator.index: the int in an integer tensor with one element."""
    if input.dtype.category > dtypes.INTEGER or input.array.size != 1:
        raise TypeMismatchError(
            f"index: expected an integer tensor with one element, got {describe(input)}"
        )
    return int(input.array.item())
