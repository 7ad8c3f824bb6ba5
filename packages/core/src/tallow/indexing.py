"""Reading and writing parts of tensors: `x[key]`, gather, scatter, masks."""

import numpy as np

import tallow.ops.index as ops
from tallow import backend, dtypes
from tallow.autograd import inplace
from tallow.autograd.modes import state
from tallow.errors import DtypeError, OutOfRangeError, ShapeError, TypeMismatchError, describe
from tallow.ops.elementwise import where
from tallow.ops.shape import reshape
from tallow.promotion import as_tensor_operand, axis_of, pair, to_dtype
from tallow.shaping import expand
from tallow.tensor import Tensor, wrap

__all__ = [
    "gather", "index_add", "index_copy", "index_fill", "index_put", "index_select", "masked_fill",
    "masked_scatter", "masked_select", "nonzero", "scatter", "scatter_add", "searchsorted", "take",
    "take_along_dim",
]  # fmt: skip

_BASIC = (int, slice, type(None), type(...))


def _normalise(key):
    """A key as a tuple, tensors as arrays; and whether it is basic (gives a view)."""
    key = key if isinstance(key, tuple) else (key,)
    basic = True
    parts = []
    for part in key:
        if isinstance(part, Tensor):
            part = _index_array(part)
        elif isinstance(part, list | range | tuple):
            part = np.asarray([_index_array(p) if isinstance(p, Tensor) else p for p in part])
            part = part.astype(np.int64) if part.size == 0 else part
        elif isinstance(part, np.integer):
            part = int(part)
        if isinstance(part, bool) or not isinstance(part, _BASIC):
            basic = False
            if not isinstance(part, bool) and not hasattr(part, "dtype"):
                raise TypeMismatchError(
                    "index: expected ints, slices, None, ..., or tensors of ints or bools, got "
                    f"{part!r}"
                )
        elif isinstance(part, slice):
            part = _checked_slice(part)
        parts.append(part)
    return tuple(parts), basic


def _index_array(index):
    """The array (or, for a 0-d integer, the int) that a tensor stands for in a key."""
    if index.dtype.category > dtypes.INTEGER:
        raise TypeMismatchError(
            f"index: expected a tensor of integers or bools, got {describe(index)}"
        )
    if index.dtype is dtypes.uint8:
        return index.array.astype(bool)
    return (
        int(index.array)
        if index.array.ndim == 0 and index.dtype is not dtypes.bool_
        else index.array
    )


def _checked_slice(part):
    values = [v.item() if isinstance(v, Tensor) else v for v in (part.start, part.stop, part.step)]
    if values[2] is not None and values[2] <= 0:
        raise TypeMismatchError(
            f"index: expected a slice step above 0, got {values[2]}; use .flip(dim)"
        )
    return slice(*values)


def _out_of_range(input, key, error):
    shown = key[0] if len(key) == 1 else key
    return OutOfRangeError(
        f"index: expected an index within {describe(input)}, got {shown!r}; {error}"
    )


def getitem(input, key):
    """input[key]: a view for ints, slices, None and ...; a copy where the key holds tensors."""
    key, basic = _normalise(key)
    try:
        return ops.getitem(input, key=key) if basic else ops.take(input, key=key)
    except IndexError as error:
        raise _out_of_range(input, key, error) from None


def setitem(input, key, value):
    """input[key] = value, differentiable in the value and in what remains of input."""
    key, basic = _normalise(key)
    if not isinstance(value, Tensor | int | float | bool | complex):
        value = (
            as_tensor_operand("index", value)
            if not isinstance(value, list)
            else wrap(np.array(value))
        )
    recording = state.enabled and (input.requires_grad or getattr(value, "requires_grad", False))
    try:
        if recording:
            inplace.check(input, "index assignment", True)
            value = to_dtype(value, input.dtype) if isinstance(value, Tensor) else value
            out = ops.setitem(inplace.snapshot(input), _trimmed(value, input, key), key=key)
            inplace.assign(input, out, "index assignment")
        else:
            array = value.array if isinstance(value, Tensor) else value
            input.array[key] = _trimmed(array, input, key)
            inplace.bump(input, "index assignment")
    except IndexError as error:
        raise _out_of_range(input, key, error) from None
    except ValueError as error:
        if "broadcast" not in str(error):
            raise
        target = input.array[key].shape
        raise ShapeError(
            f"index assignment: expected a value that broadcasts to {target}, got {describe(value)}"
        ) from None


def _trimmed(value, input, key):
    """A value without leading dims of size 1 that the region lacks: NumPy would refuse them."""
    if not getattr(value, "ndim", 0):
        return value
    ndim = input.array[key].ndim
    shape = tuple(value.shape)
    extra = len(shape) - ndim
    if extra > 0 and all(n == 1 for n in shape[:extra]):
        return reshape(value, shape=shape[extra:])
    return value


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
    key, _ = _normalise(tuple(indices))
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


def searchsorted(sorted_sequence, input, *, right=False, side=None):
    """Where to insert elements into a sorted vector so that it stays sorted."""
    side = side or ("right" if right else "left")
    sequence, values = pair(
        "searchsorted", sorted_sequence, as_tensor_operand("searchsorted", input)
    )
    xp = backend.for_array(sequence.array).xp
    return wrap(xp.asarray(xp.searchsorted(sequence.array, values.array, side=side)))
