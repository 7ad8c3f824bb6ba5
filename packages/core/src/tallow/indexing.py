"""Reading and writing parts of tensors: `x[key]`, places in the flattened tensor, masks."""

import operator
from numbers import Number

import numpy as np

import tallow.ops.index as ops
from tallow import backend, dtypes
from tallow.autograd import inplace
from tallow.autograd.builtin import in_rows
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
from tallow.promotion import as_tensor_operand, element, give, to_dtype
from tallow.shaping import broadcast_tensors, contiguous
from tallow.shortcuts import indexed
from tallow.tensor import Tensor, wrap

__all__ = [
    "argwhere", "index_put", "masked_fill", "masked_scatter", "masked_select", "nonzero",
    "nonzero_static", "put", "take", "unravel_index",
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
            with backend.at(input.array):
                gathered.append(backend.for_array(input.array).xp.arange(int(part)))
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
            with backend.at(input.array):
                return backend.for_array(input.array).xp.asarray(array)
    raise IndexKindError(
        f"index: expected ints, slices, None, ..., or tensors of ints or bools, got {part!r}"
    )


def _index_array(index):
    """The array that a tensor stands for in a key, or the int or bool for a 0-d one."""
    if index.array.ndim == 0 and index.dtype.category <= dtypes.INTEGER:
        with backend.at(index.array):
            return bool(index.array) if index.dtype in _MASKS else int(index.array)
    if index.dtype is dtypes.uint8:
        with backend.at(index.array):
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


def _is_plain(part):
    """True for what NumPy takes from us as it is: None, an int, or a slice from int to int."""
    if type(part) is int or part is None:
        return True
    if type(part) is not slice or part.step is not None:
        return False
    start, stop = part.start, part.stop
    return (start is None or type(start) is int) and (stop is None or type(stop) is int)


@indexed(ops.getitem)
def getitem(input, key):
    """input[key]: a view for ints, slices, None and ...; a copy where the key holds tensors."""
    if _is_plain(key):
        basic, gathered = (key, ...), None
    elif type(key) is tuple and all(map(_is_plain, key)):
        basic, gathered = (*key, ...), None
    else:
        basic, gathered = parse(input, key)
    try:
        if gathered is None:
            return ops.getitem(input, key=(...,) if basic is None else basic)
        x = input if basic is None else ops.getitem(input, key=basic)
        return ops.take(x, key=gathered)
    except IndexError as error:
        parse(input, key)  # which has more to say of a key that is too long
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
            with backend.at(input.array):
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


def index_put(input, indices, values, accumulate=False):
    """A copy of `input` with `values` put (or added) at a tuple of index tensors."""
    for index in indices:
        if not isinstance(index, Tensor):
            raise TypeMismatchError(
                f"index_put: expected index tensors, got {type(index).__name__}"
            )
    _, key = parse(input, tuple(indices))
    if values.dtype is not input.dtype:
        raise DtypeError(f"index_put: expected values of {input.dtype}, got {describe(values)}")
    try:
        return ops.index_put(input, values, key=key, accumulate=accumulate)
    except IndexError as error:
        raise _out_of_range(input, tuple(indices), error) from None


# The flattened tensor


@backend.there
def take(input, index, *, out=None):
    """Elements of the flattened tensor, in the shape of `index`."""
    places = _flat_places("take", input, index)
    return give(ops.take(reshape(input, shape=(-1,)), key=(places,)), out, "take")


def _flat_places(name, input, index):
    if not isinstance(index, Tensor) or index.dtype is not dtypes.int64:
        raise DtypeError(f"{name}: expected an index of int64, got {describe(index)}")
    size = input.array.size
    if index.array.size and not -size <= index.array.min() <= index.array.max() < size:
        raise OutOfRangeError(f"{name}: expected indices within {size} elements, got others")
    return index.array


@backend.there
def put(input, index, source, accumulate=False):
    """A copy of `input` with `source` put (or added) at elements of the flattened tensor."""
    places = _flat_places("put", input, index).reshape(-1)
    if source.dtype is not input.dtype:
        raise DtypeError(f"put: expected a source of {input.dtype}, got {describe(source)}")
    if source.array.size != places.size:
        raise ShapeError(f"put: expected {places.size} elements in source, got {describe(source)}")
    flat, values = (reshape(x, shape=(-1,)) for x in (input, source))
    result = ops.index_put(flat, values, key=(places,), accumulate=accumulate)
    return reshape(result, shape=input.array.shape)


@backend.there
def unravel_index(indices, shape):
    """The coordinates, one tensor per dim, of places in the flattened form of a shape.

    >>> tallow.unravel_index(tallow.tensor([5]), (2, 3))
    (tensor([1]), tensor([2]))
    """
    if indices.dtype.category != dtypes.INTEGER:
        raise TypeMismatchError(f"unravel_index: expected integers, got {describe(indices)}")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    found, indices = [], to_dtype(indices, dtypes.int64)
    for n in reversed(shape):
        found.append(indices % n)
        indices = indices // n
    return tuple(reversed(found))


# Masks


def _mask(name, input, mask):
    """A mask and the input, expanded to their common shape."""
    if not isinstance(mask, Tensor) or mask.dtype is not dtypes.bool_:
        raise DtypeError(f"{name}: expected a bool mask, got {describe(mask)}")
    if mask.array.shape != input.array.shape:
        input, mask = broadcast_tensors(input, mask)
    return input, mask


def masked_fill(input, mask, value):
    """`input` with `value` (a number or a 0-d tensor) where `mask` is True.

    >>> tallow.zeros(2).masked_fill(tallow.tensor([True, False]), 9)
    tensor([9., 0.])
    """
    if not isinstance(value, Tensor):
        value = element("masked_fill", value, input.dtype)
    elif value.array.ndim:
        raise ShapeError(f"masked_fill: expected a number or a 0-d tensor, got {describe(value)}")
    elif value.dtype.is_complex and not input.dtype.is_complex:
        raise DtypeError(f"masked_fill: expected a real value, got {describe(value)}")
    else:
        value = to_dtype(value, input.dtype)
    input, mask = _mask("masked_fill", input, mask)
    return contiguous(where(mask, value, input))


def masked_select(input, mask, *, out=None):
    """The elements where `mask` is True, as a vector."""
    input, mask = _mask("masked_select", input, mask)
    return give(ops.take(input, key=(mask.array,)), out, "masked_select")


@backend.there
def masked_scatter(input, mask, source):
    """A copy of `input` with the places where `mask` is True filled from `source` in order."""
    if source.dtype is not input.dtype:
        raise DtypeError(
            f"masked_scatter: expected a source of {input.dtype}, got {describe(source)}"
        )
    input, mask = _mask("masked_scatter", input, mask)
    count = int(mask.array.sum())
    if source.array.size < count:
        raise ShapeError(
            f"masked_scatter: expected at least {count} elements in source, got {describe(source)}"
        )
    values = reshape(source, shape=(-1,))[:count]
    return ops.index_put(input, values, key=(mask.array,), accumulate=False)


@backend.there
def nonzero(input, *, as_tuple=False, out=None):
    """The indices of nonzero elements: (n, ndim), or with `as_tuple` one vector per dim."""
    xp = backend.for_array(input.array).xp
    if as_tuple:
        array = input.array if input.array.ndim else input.array.reshape(1)
        return tuple(wrap(in_rows(index)) for index in xp.nonzero(array))
    return give(wrap(xp.argwhere(input.array)), out, "nonzero")


def argwhere(input):
    """The indices of nonzero elements: (n, ndim)."""
    return nonzero(input)


@backend.there
def nonzero_static(input, *, size, fill_value=-1, out=None):
    """The indices of the first `size` nonzero elements, missing ones filled: (size, ndim)."""
    found = nonzero(input).array
    result = backend.for_array(found).xp.full((size, input.array.ndim), fill_value, found.dtype)
    result[: len(found)] = found[:size]
    return give(wrap(result), out, "nonzero_static")
