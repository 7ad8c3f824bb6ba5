"""Functions about order: sorting, ranks and quantiles, distinct elements, places in a sequence."""

import numpy as np

import tallow.ops.elementwise as elementwise
import tallow.ops.reduce as ops
from tallow import backend, dtypes, return_types
from tallow.autograd.builtin import in_rows
from tallow.elementwise import named
from tallow.errors import (
    DtypeError,
    NotSupportedError,
    OutOfRangeError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.ops.index import gather
from tallow.ops.running import median as median_op
from tallow.ops.shape import cut, reshape
from tallow.promotion import axis_of, give, numpy_names, pair
from tallow.reductions import drop_axes, give_all, not_empty
from tallow.shaping import movedim, ravel
from tallow.tensor import Tensor, wrap

__all__ = [
    "argsort", "bucketize", "isin", "kthvalue", "median", "mode", "msort", "nanmedian",
    "nanquantile", "quantile", "searchsorted", "sort", "topk", "unique", "unique_consecutive",
]  # fmt: skip


# Sorting


@numpy_names
def argsort(input, dim=-1, descending=False, stable=False):
    """The indices that sort along `dim`; equal elements keep their order, NaN is largest."""
    return _order("argsort", input, dim, descending)


def _order(name, input, dim, descending=False, stop=None):
    """The indices that sort along `dim`, or the first `stop` of them."""
    axis = axis_of(name, dim, input.array.ndim)
    if not input.array.ndim:
        return ops.argmax(input, axis=None, keepdims=False)
    return ops.argsort(input, axis=axis, descending=descending, stop=stop)


@numpy_names
def sort(input, dim=-1, descending=False, stable=False, *, out=None):
    """(values, indices), sorted along `dim`.

    >>> tallow.sort(tallow.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    indices = _order("sort", input, dim, descending)
    return give_all(return_types.sort, _picked(input, dim, indices), out, "sort")


def _picked(input, dim, indices):
    """The elements at positions along `dim`, and the positions."""
    if not input.array.ndim:
        return elementwise.copy(input), indices
    axis = axis_of("sort", dim, input.array.ndim)
    return gather(input, axis=axis, index=indices.array), indices


def msort(input, *, out=None):
    """Sorted along dim 0."""
    return give(sort(input, 0).values, out, "msort")


@numpy_names
def topk(input, k, dim=-1, largest=True, sorted=True, *, out=None):
    """(values, indices) of the k largest (or smallest) elements along `dim`, in order."""
    axis = axis_of("topk", dim, input.array.ndim)
    size = input.array.shape[axis] if input.array.ndim else 1
    if not 0 <= k <= size:
        raise ShapeError(f"topk: expected k from 0 to {size}, the size of dim {dim}, got {k}")
    order = _order("topk", input, dim, largest, k)
    return give_all(return_types.topk, _picked(input, dim, order), out, "topk")


# Ranks


def _at_rank(input, axis, order, rank, keepdim):
    """The elements of a rank (an int, or an array of one per slice) in an order along an axis."""
    xp = backend.for_array(order.array).xp
    if isinstance(rank, int):
        position = in_rows(cut(order, axis=axis, start=rank, stop=rank + 1).array)
    else:
        position = xp.take_along_axis(order.array, rank, axis)
    values = gather(input, axis=axis, index=position)
    return [drop_axes(x, input, (axis,), keepdim) for x in (values, wrap(position))]


@numpy_names
@backend.there
def kthvalue(input, k, dim=-1, keepdim=False, *, out=None):
    """(values, indices) of the k-th smallest elements along `dim`, counted from 1."""
    axis = axis_of("kthvalue", dim, input.array.ndim)
    size = input.array.shape[axis] if input.array.ndim else 1
    if not size:
        raise OutOfRangeError(f"kthvalue: expected elements along dim {dim}, got {describe(input)}")
    if not 1 <= k <= size:
        raise ShapeError(f"kthvalue: expected k from 1 to {size}, the size of dim {dim}, got {k}")
    order = _order("kthvalue", input, dim, stop=k)
    if not input.array.ndim:
        return give_all(return_types.kthvalue, _picked(input, dim, order), out, "kthvalue")
    return give_all(
        return_types.kthvalue, _at_rank(input, axis, order, k - 1, keepdim), out, "kthvalue"
    )


def _median(name, skip_nan):
    kind = getattr(return_types, name)

    @backend.there
    def function(input, dim=None, keepdim=False, *, out=None):
        if input.dtype is dtypes.bool_ or input.dtype.is_complex:
            raise NotSupportedError(f"{name}: expected real numbers, got {describe(input)}")
        if dim is None:
            return give(median_op(input, skip_nan=skip_nan), out, name)
        axis = axis_of(name, dim, input.array.ndim)
        order = argsort(input, dim)
        if not input.array.ndim:
            return give_all(kind, _picked(input, dim, order), out, name)
        not_empty(name, input, (axis,))
        rank = (input.array.shape[axis] - 1) // 2
        if input.dtype.category == dtypes.FLOATING:
            xp = backend.for_array(input.array).xp
            missing = xp.isnan(input.array).sum(axis=axis, keepdims=True)
            size = input.array.shape[axis]
            valid = xp.where(missing == size, size, size - missing)
            if skip_nan:
                rank = (valid - 1) // 2
            else:  # the first NaN
                rank = xp.where(missing > 0, valid % size, rank)
        return give_all(kind, _at_rank(input, axis, order, rank, keepdim), out, name)

    nans = "ignoring NaN" if skip_nan else "NaN if there is one"
    doc = f"The middle element, the lower of two, {nans}; with `dim`, (values, indices) along it."
    return numpy_names(named(function, name, doc))


median = _median("median", False)
nanmedian = _median("nanmedian", True)


@numpy_names
@backend.there
def mode(input, dim=-1, keepdim=False, *, out=None):
    """(values, indices) of the most frequent elements along `dim`, of several the smallest."""
    axis = axis_of("mode", dim, input.array.ndim)
    order = argsort(input, dim)
    if not input.array.ndim:
        return give_all(return_types.mode, _picked(input, dim, order), out, "mode")
    not_empty("mode", input, (axis,))
    xp = backend.for_array(input.array).xp
    ranked = xp.moveaxis(xp.take_along_axis(input.array, order.array, axis), axis, -1)
    places = xp.arange(ranked.shape[-1])
    differs = ranked[..., 1:] != ranked[..., :-1]
    first = xp.ones(ranked.shape, bool)
    first[..., 1:] = differs
    start = xp.maximum.accumulate(xp.where(first, places, 0), axis=-1)
    rank = xp.argmax(places - start, axis=-1)[..., None]  # the end of the first longest run
    picked = _at_rank(input, axis, order, xp.moveaxis(rank, -1, axis), keepdim)
    return give_all(return_types.mode, picked, out, "mode")


# Quantiles


@backend.there
def _quantile(name, input, q, dim, keepdim, interpolation, skip_nan):
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise DtypeError(f"{name}: expected float32 or float64, got {describe(input)}")
    if not input.array.size:
        raise ShapeError(f"{name}: expected at least one element, got {describe(input)}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ShapeError(
            f"{name}: expected interpolation 'linear', 'lower', 'higher', 'midpoint' or 'nearest', "
            f"got {interpolation!r}"
        )
    q = _levels(name, input, q)
    xp = backend.for_array(input.array).xp
    whole = dim is None or not input.array.ndim
    x = ravel(input) if whole else input
    axis = 0 if whole else axis_of(name, dim, input.array.ndim)
    ranked = movedim(sort(x, axis).values, axis, -1)  # (..., n)
    n = ranked.array.shape[-1]
    missing = xp.isnan(ranked.array).sum(axis=-1, keepdims=True)
    last = xp.maximum(n - 1 - missing, 0) if skip_nan else xp.full(missing.shape, n - 1)
    rank = ravel(q) * wrap(last.astype(ranked.array.dtype))  # (..., levels)
    if not skip_nan:
        rank = elementwise.where(wrap(missing > 0), wrap(xp.asarray(n - 1, rank.array.dtype)), rank)
    result = movedim(_interpolated(ranked, rank, interpolation), -1, 0)  # (levels, ...)
    shape = input.array.shape
    kept = [1 if whole or i == axis else n for i, n in enumerate(shape)]
    rest = kept if keepdim else [] if whole else kept[:axis] + kept[axis + 1 :]
    return reshape(result, shape=(*q.array.shape, *rest))


def _levels(name, input, q):
    """The levels as a tensor, checked."""
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise ShapeError(f"{name}: expected q from 0 to 1, got {q}")
        return wrap(np.asarray(q, input.dtype.numpy)).to(input.device)
    if q.dtype is not input.dtype or q.array.ndim > 1:
        raise DtypeError(
            f"{name}: expected q as {input.dtype} with at most one dim, got {describe(q)}"
        )
    if q.array.size and not ((q.array >= 0) & (q.array <= 1)).all():
        raise ShapeError(f"{name}: expected q from 0 to 1, got others")
    return q


def _interpolated(ranked, rank, interpolation):
    """Elements of sorted slices (..., n) at fractional ranks (..., levels)."""
    array = rank.array
    xp = backend.for_array(array).xp
    if interpolation == "nearest":
        array = xp.round(array)
    below, above = xp.floor(array), xp.ceil(array)
    last = array.ndim - 1

    def at(places):
        return gather(ranked, axis=last, index=places.astype(xp.int64))

    if interpolation in ("lower", "nearest"):
        return at(below)
    if interpolation == "higher":
        return at(above)
    low, high = at(below), at(above)
    if interpolation == "midpoint":
        return (low + high) / 2
    return elementwise.lerp(low, high, rank - wrap(below))


@numpy_names
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """The elements below which a share q lies, of all elements or along `dim`.

    q is a number from 0 to 1, or a vector of them, which then is the first dim of the result.
    `interpolation` says what lies between two elements.

    >>> tallow.quantile(tallow.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    result = _quantile("quantile", input, q, dim, keepdim, interpolation, False)
    return give(result, out, "quantile")


@numpy_names
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """`quantile` of the elements that are not NaN."""
    result = _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
    return give(result, out, "nanquantile")


# Distinct elements


def _results(values, inverse, counts, return_inverse, return_counts):
    """The values, with the other two where they are asked for."""
    arrays = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    tensors = tuple(wrap(array) for array in arrays)
    return tensors if len(tensors) > 1 else tensors[0]


@backend.there
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements in order; also each element's index among them, and their counts.

    With `dim` the distinct slices along it, in the order of their elements.
    """
    xp = backend.for_array(input.array).xp
    axis = None if dim is None else axis_of("unique", dim, input.array.ndim)
    if (
        axis is not None
        and not input.array.size
        and 0 in input.array.shape[:axis] + input.array.shape[axis + 1 :]
    ):
        raise ShapeError(f"unique: expected slices with elements, got {describe(input)}")
    how = {"return_inverse": return_inverse, "return_counts": return_counts}
    found = xp.unique(input.array, axis=axis, equal_nan=False, **how)
    if not return_inverse:
        return tuple(map(wrap, found)) if return_counts else wrap(found)
    values, inverse, *counts = found
    inverse = inverse.reshape(input.array.shape if axis is None else -1)
    return wrap(values), wrap(inverse), *map(wrap, counts)


@backend.there
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements (or slices along `dim`) without those equal to the one before."""
    xp = backend.for_array(input.array).xp
    axis = 0 if dim is None else axis_of("unique_consecutive", dim, input.array.ndim)
    array = input.array.reshape(-1) if dim is None else input.array
    rows = xp.moveaxis(array, axis, 0).reshape(array.shape[axis], -1 if array.size else 1)
    first = xp.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    starts = xp.flatnonzero(first)
    counts = xp.diff(xp.append(starts, len(rows)))
    inverse = xp.cumsum(first) - 1
    inverse = inverse.reshape(input.array.shape) if dim is None else inverse
    return _results(xp.take(array, starts, axis), inverse, counts, return_inverse, return_counts)


def _beside(x, like):
    """A number as a 0-d tensor on the device of another; a tensor as it is."""
    if isinstance(x, Tensor):
        return x
    return wrap(backend.for_array(like.array).xp.asarray(x, dtypes.of_number(x).numpy))


@backend.there
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """True for each element that is among `test_elements`."""
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeMismatchError("isin: expected at least one tensor, got two numbers")
    x = _beside(elements, test_elements).array
    y = _beside(test_elements, elements).array
    xp = backend.for_array(x).xp
    return wrap(xp.asarray(xp.isin(x, y, assume_unique=assume_unique, invert=invert)))


# Places in a sorted sequence


@backend.there
def searchsorted(
    sorted_sequence, input, *, out_int32=False, right=False, side=None, out=None, sorter=None
):
    """Where to insert numbers into a sorted last dim so that it stays sorted.

    (n,), (...) -> (...), or (..., n), (..., m) -> (..., m). A number goes before its equals, or
    with `right` (or side "right") after them. `sorter` is the order that sorts the sequence.
    """
    if side not in (None, "left", "right"):
        raise ShapeError(f"searchsorted: expected side 'left' or 'right', got {side!r}")
    if right and side == "left":
        raise ShapeError("searchsorted: expected one side, got right=True and side='left'")
    sequence, values = pair("searchsorted", sorted_sequence, _beside(input, sorted_sequence))
    shape = sequence.array.shape
    if not shape or (len(shape) > 1 and shape[:-1] != values.array.shape[:-1]):
        raise ShapeError(
            "searchsorted: expected a vector, or dims that agree but for the last, got "
            f"{describe(sorted_sequence)} and {describe(values)}"
        )
    xp = backend.for_array(sequence.array).xp
    rows, wanted = sequence.array, values.array
    if sorter is not None:
        if sorter.array.shape != shape:
            raise ShapeError(
                f"searchsorted: expected a sorter of shape {shape}, got {describe(sorter)}"
            )
        rows = xp.take_along_axis(rows, sorter.array, -1)
    side = "right" if right or side == "right" else "left"
    if len(shape) == 1:
        found = xp.asarray(xp.searchsorted(rows, wanted, side=side))
    else:
        found = xp.empty(wanted.shape, xp.int64)
        for place in xp.ndindex(shape[:-1]):
            found[place] = xp.searchsorted(rows[place], wanted[place], side=side)
    result = wrap(found.astype(xp.int32 if out_int32 else xp.int64))
    return give(result, out, "searchsorted")


def bucketize(input, boundaries, *, out_int32=False, right=False, out=None):
    """The index of the bucket each number is in: boundaries[i - 1] < x <= boundaries[i].

    With `right`: boundaries[i - 1] <= x < boundaries[i].
    """
    if boundaries.array.ndim != 1:
        raise ShapeError(f"bucketize: expected a vector of boundaries, got {describe(boundaries)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)
