"""Reading and writing parts of tensors: `x[key]`, gather, scatter, masks."""

import operator
from numbers import Number

import numpy as np

import tallow.ops.index as ops
from tallow import backend, dtypes
from tallow.autograd import inplace
from tallow.autograd.modes import state
from tallow.errors import (
    ArgumentError,
    DtypeError,
    IndexKindError,
    OutOfRangeError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.ops.elementwise import fill, where
from tallow.ops.shape import reshape
from tallow.promotion import as_tensor_operand, axis_of, element, to_dtype
from tallow.shaping import expand
from tallow.tensor import Tensor, wrap

__all__ = [
    "gather", "index_add", "index_copy", "index_fill", "index_put", "index_select", "masked_fill",
    "masked_scatter", "masked_select", "nonzero", "scatter", "scatter_add", "take",
    "take_along_dim",
]  # fmt: skip

FULL = slice(None)
_SEQUENCES = (list, tuple, range, str)


def parse(input, key):
    """A key as two: a basic one (ints, slices, None), and one of full slices and arrays.

    The second is to gather by from what the first gives; either is None if it has nothing to do.
    Ints next to arrays are taken first, as PyTorch does (NumPy broadcasts them with the arrays).
    """
    parts = [_part(input, part) for part in _tuple(key)]
    rest = input.array.ndim - sum(_consumed(part) for part in parts)
    if rest < 0 or sum(part is ... for part in parts) > 1:
        raise IndexKindError(f"index: expected a key for {describe(input)}, got {_shown(key)}")
    basic, gathered, axis = [], [], 0
    for part in parts:
        if part is ...:
            basic += [FULL] * rest
            gathered += [FULL] * rest
            axis += rest
        elif type(part) is int:
            basic.append(part)
            axis += 1
        elif part is None or type(part) is slice:
            basic.append(part)
            gathered.append(FULL)
            axis += part is not None
        elif part is True or part is False:
            basic.append(None)
            gathered.append(np.arange(int(part)))
        else:
            _check_mask(input, axis, part)
            basic += [FULL] * _consumed(part)
            gathered.append(part)
            axis += _consumed(part)
    gathers = any(part is not FULL for part in gathered)
    moves = any(part is not FULL for part in basic)
    return (*basic, ...) if moves else None, tuple(gathered) if gathers else None


def _tuple(key):
    """The parts of a key. A list that holds sequences, slices or tensors counts as a tuple."""
    if type(key) is list and len(key) < 32:
        nested = (*_SEQUENCES, slice, Tensor, np.ndarray, type(None), type(...))
        return key if any(isinstance(part, nested) for part in key) else (key,)
    return key if isinstance(key, tuple) else (key,)


def _part(input, part):
    """A part of a key as an int, a slice, None, ..., True, False, or an array of ints or bool."""
    if part is None or part is ... or part is True or part is False or type(part) is int:
        return part
    if isinstance(part, slice):
        return _slice(part)
    if isinstance(part, Tensor):
        return _index_array(part)
    if isinstance(part, np.integer):
        return int(part)
    if isinstance(part, list | tuple | range | np.ndarray):
        array = np.asarray(part)
        array = array.astype(np.int64) if array.size == 0 else array
        if array.dtype.kind in "biu":
            return backend.for_array(input.array).xp.asarray(array)
    raise IndexKindError(
        f"index: expected ints, slices, None, ..., or tensors of ints or bools, got {part!r}"
    )


def _index_array(index):
    """The array that a tensor stands for in a key, or the int or bool for a 0-d one."""
    if index.array.ndim == 0 and index.dtype.category <= dtypes.INTEGER:
        return bool(index.array) if index.dtype in _MASKS else int(index.array)
    if index.dtype is dtypes.uint8:
        return index.array.astype(bool)
    if index.dtype not in (dtypes.int64, dtypes.int32, dtypes.bool_):
        raise IndexKindError(
            f"index: expected a tensor of int64, int32 or bool, got {describe(index)}"
        )
    return index.array


_MASKS = (dtypes.bool_, dtypes.uint8)


def _slice(part):
    try:
        start, stop, step = (
            v if v is None or type(v) is int else operator.index(v)
            for v in (part.start, part.stop, part.step)
        )
    except TypeError:
        raise TypeMismatchError(f"index: expected ints in a slice, got {part}") from None
    if step is not None and step <= 0:
        raise ArgumentError(f"index: expected a slice step above 0, got {step}; use .flip(dim)")
    return FULL if start is stop is step is None else slice(start, stop, step)


def _consumed(part):
    """How many dims of the input a part of a key speaks of."""
    if part is None or part is ... or part is True or part is False:
        return 0
    return part.ndim if hasattr(part, "dtype") and part.dtype.kind == "b" else 1


def _check_mask(input, axis, part):
    shape = input.array.shape[axis : axis + part.ndim]
    if part.dtype.kind == "b" and part.shape != shape:
        raise OutOfRangeError(
            f"index: expected a mask of shape {shape} for dim {axis} of {describe(input)}, got "
            f"{part.shape}"
        )


def _shown(key):
    return ", ".join(
        describe(part) if hasattr(part, "dtype") else "..." if part is ... else repr(part)
        for part in _tuple(key)
    )


def _out_of_range(input, key, error):
    return OutOfRangeError(
        f"index: expected an index within {describe(input)}, got {_shown(key)}; {error}"
    )


def getitem(input, key):
    """input[key]: a view for ints, slices, None and ...; a copy where the key holds tensors."""
    basic, gathered = parse(input, key)
    try:
        if gathered is None:
            return ops.getitem(input, key=(...,) if basic is None else basic)
        x = input if basic is None else ops.getitem(input, key=basic)
        return ops.take(x, key=gathered)
    except IndexError as error:
        raise _out_of_range(input, key, error) from None


def setitem(input, key, value):
    """input[key] = value, differentiable in the value and in what remains of input."""
    basic, gathered = parse(input, key)
    value = _assigned(input, value, gathered)
    try:
        if state.enabled and (input.requires_grad or getattr(value, "requires_grad", False)):
            _record_assignment(input, basic, gathered, value)
        else:
            inplace.check(input, "index assignment", False)
            inplace.check_memory(input, "index assignment")
            region = input.array if basic is None else input.array[basic]
            region[... if gathered is None else gathered] = getattr(value, "array", value)
            inplace.bump(input, "index assignment")
    except IndexError as error:
        raise _out_of_range(input, key, error) from None
    except ValueError:
        raise ShapeError(
            f"index assignment: expected a value that broadcasts to {tuple(input[key].shape)}, got "
            f"{describe(value)}"
        ) from None


def _assigned(input, value, gathered):
    """What is assigned, in the dtype of `input`, without dims of size 1 in front."""
    if not isinstance(value, Tensor | Number | np.ndarray | np.generic):
        raise TypeMismatchError(
            f"index assignment: expected a tensor or a number, got {type(value).__name__}"
        )
    if not isinstance(value, Tensor | np.ndarray):
        return element("index assignment", value, input.dtype)
    value = as_tensor_operand("index assignment", value)
    if gathered is not None and value.dtype is not input.dtype and value.array.size != 1:
        raise DtypeError(
            f"index assignment: expected a value of {input.dtype}, got {describe(value)}; convert "
            "it with .to(dtype)"
        )
    shape = value.array.shape
    ones = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    value = reshape(value, shape=shape[ones:]) if ones else value
    return to_dtype(value, input.dtype)


def _record_assignment(input, basic, gathered, value):
    region = input if basic is None else ops.getitem(input, key=basic)
    inplace.check(region, "index assignment", True)
    if gathered is None:
        changed = fill(region, value)
    else:
        changed = ops.index_put(region, value, key=gathered, accumulate=False)
    inplace.assign(region, changed, "index assignment")


# Gather and scatter


def _index_of(name, index):
    if not isinstance(index, Tensor) or index.dtype not in (dtypes.int64, dtypes.int32):
        raise DtypeError(f"{name}: expected an index of dtype int64, got {describe(index)}")
    return index.array


def _check_index(name, input, axis, index):
    """Raise unless every index names an element of input's axis, counted from its start."""
    size = input.array.shape[axis] if input.array.ndim else 1
    if index.size and (index.min() < 0 or index.max() >= size):
        wrong = index[(index < 0) | (index >= size)].reshape(-1)[0]
        raise OutOfRangeError(
            f"{name}: expected indices between 0 and {size - 1} in dim {axis}, got {int(wrong)}"
        )


def _fits(name, input, axis, index):
    if index.ndim != input.array.ndim:
        raise ShapeError(
            f"{name}: expected an index with {input.array.ndim} dimensions like the input, got "
            f"{index.ndim}"
        )
    for i, (n, m) in enumerate(zip(index.shape, input.array.shape, strict=True)):
        if i != axis and n > m:
            raise ShapeError(
                f"{name}: expected an index of at most {m} in dim {i}, got {tuple(index.shape)}"
            )


def gather(input, dim, index, *, sparse_grad=False, out=None):
    """Elements picked along `dim`: out[i][j] = input[index[i][j]][j] for dim 0.

    >>> import tallow
    >>> x = tallow.tensor([[1, 2], [3, 4]])
    >>> tallow.gather(x, 1, tallow.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    axis = axis_of("gather", dim, input.array.ndim)
    index = _index_of("gather", index)
    _fits("gather", input, axis, index)
    _check_index("gather", input, axis, index)
    return ops.gather(input, axis=axis, index=index)


def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """A copy of `input` with `src` (a tensor or a number) written where `gather` would read.

    `reduce` "add" or "multiply" combines with what is there.
    """
    axis = axis_of("scatter", dim, input.array.ndim)
    positions = _index_of("scatter", index)
    _check_index("scatter", input, axis, positions)
    src = value if src is None else src
    if isinstance(src, Tensor) and src.dtype is not input.dtype:
        raise DtypeError(f"scatter: expected src of {input.dtype}, got {describe(src)}")
    if reduce == "add":
        return ops.scatter_add(input, src, axis=axis, index=positions)
    if reduce == "multiply":
        return ops.scatter(input, gather(input, dim, index) * src, axis=axis, index=positions)
    return ops.scatter(input, src, axis=axis, index=positions)


def scatter_add(input, dim, index, src):
    """A copy of `input` with `src` added where `gather` would read, once per occurrence."""
    axis = axis_of("scatter_add", dim, input.array.ndim)
    index = _index_of("scatter_add", index)
    _check_index("scatter_add", input, axis, index)
    return ops.scatter_add(input, src, axis=axis, index=index)


def index_select(input, dim, index, *, out=None):
    """The slices along `dim` that a 1-d index names."""
    axis = axis_of("index_select", dim, input.array.ndim)
    index = _index_of("index_select", index).reshape(-1)
    _check_index("index_select", input, axis, index)
    return ops.take(input, key=(slice(None),) * axis + (index,))


def _along(axis, index):
    return (slice(None),) * axis + (index,)


def index_add(input, dim, index, source, *, alpha=1):
    """A copy of `input` with alpha * source added to the slices that a 1-d index names."""
    axis = axis_of("index_add", dim, input.array.ndim)
    index = _index_of("index_add", index)
    _check_index("index_add", input, axis, index)
    source = source if alpha == 1 else source * alpha
    return ops.index_put(input, source, key=_along(axis, index), accumulate=True)


def index_copy(input, dim, index, source):
    """A copy of `input` with the slices that a 1-d index names replaced by those of `source`."""
    axis = axis_of("index_copy", dim, input.array.ndim)
    index = _index_of("index_copy", index)
    _check_index("index_copy", input, axis, index)
    return ops.index_put(input, source, key=_along(axis, index), accumulate=False)


def index_fill(input, dim, index, value):
    """A copy of `input` with the slices that a 1-d index names filled with a number."""
    axis = axis_of("index_fill", dim, input.array.ndim)
    return ops.index_put(
        input, value, key=_along(axis, _index_of("index_fill", index)), accumulate=False
    )


def index_put(input, indices, values, accumulate=False):
    """A copy of `input` with `values` put (or added) at a tuple of index tensors."""
    _, key = parse(input, tuple(indices))
    return ops.index_put(input, values, key=key, accumulate=accumulate)


def take(input, index):
    """Elements of the flattened tensor."""
    return ops.take(reshape(input, shape=(-1,)), key=(_index_of("take", index),))


def take_along_dim(input, indices, dim=None):
    """Elements picked along `dim`, index and input broadcasting in the other dims."""
    if dim is None:
        return gather(reshape(input, shape=(-1,)), 0, reshape(indices, shape=(-1,)))
    axis = axis_of("take_along_dim", dim, input.array.ndim)
    xp = backend.for_array(input.array).xp
    shape = xp.broadcast_shapes(
        *(s[:axis] + (1,) + s[axis + 1 :] for s in (input.array.shape, indices.array.shape))
    )
    picked = shape[:axis] + (indices.array.shape[axis],) + shape[axis + 1 :]
    whole = shape[:axis] + (input.array.shape[axis],) + shape[axis + 1 :]
    return gather(expand(input, *whole), dim, expand(indices, *picked))


# Masks


def _mask(name, mask):
    if not isinstance(mask, Tensor) or mask.dtype is not dtypes.bool_:
        raise DtypeError(f"{name}: expected a bool mask, got {describe(mask)}")
    return mask


def masked_fill(input, mask, value):
    """`input` with `value` (a number or a 0-d tensor) where `mask` is True.

    >>> import tallow
    >>> tallow.zeros(2).masked_fill(tallow.tensor([True, False]), 9)
    tensor([9., 0.])
    """
    mask = _mask("masked_fill", mask)
    if isinstance(value, Tensor):
        value = to_dtype(value, input.dtype)
    elif input.dtype.category < dtypes.FLOATING:
        value = input.array.dtype.type(value).item()
    return where(mask, value, input)


def masked_select(input, mask, *, out=None):
    """The elements where `mask` is True, as a vector."""
    xp = backend.for_array(input.array).xp
    x, mask = xp.broadcast_arrays(input.array, _mask("masked_select", mask).array)
    if x.shape != input.array.shape:
        input = expand(input, *x.shape)
    return ops.take(input, key=(mask,))


def masked_scatter(input, mask, source):
    """A copy of `input` with the places where `mask` is True filled from `source` in order."""
    mask = expand(_mask("masked_scatter", mask), *input.array.shape).array
    count = int(mask.sum())
    if source.array.size < count:
        raise ShapeError(
            f"masked_scatter: expected at least {count} elements in source, got {describe(source)}"
        )
    values = reshape(source, shape=(-1,))[:count]
    return ops.index_put(input, values, key=(mask,), accumulate=False)


def nonzero(input, *, as_tuple=False, out=None):
    """The indices of nonzero elements: (n, ndim), or with `as_tuple` one vector per dim."""
    array = input.array if input.array.ndim or not as_tuple else input.array.reshape(1)
    xp = backend.for_array(array).xp
    if as_tuple:
        return tuple(wrap(index) for index in xp.nonzero(array))
    return wrap(xp.argwhere(array))
