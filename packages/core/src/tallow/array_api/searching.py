"""Where elements are, their order, and which there are."""

from typing import NamedTuple

import tallow
from tallow.array_api.elementwise import promoted

__all__ = [
    "argmax", "argmin", "argsort", "nonzero", "searchsorted", "sort", "take", "take_along_axis",
    "unique_all", "unique_counts", "unique_inverse", "unique_values",
]  # fmt: skip


def argmax(x, /, *, axis=None, keepdims=False):
    return _position(tallow.argmax, x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False):
    return _position(tallow.argmin, x, axis, keepdims)


def _position(function, x, axis, keepdims):
    found = function(x, axis, keepdims and axis is not None)
    return found.reshape((1,) * x.ndim) if keepdims and axis is None else found


def nonzero(x, /):
    """The indices of elements other than 0, a vector for each axis."""
    return tallow.nonzero(x, as_tuple=True)


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    """Where the elements of x2 would be put into x1, which is sorted."""
    x1, x2 = promoted(x1, x2)
    return tallow.searchsorted(x1, x2, side=side, sorter=sorter)


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    return tallow.argsort(x, dim=axis, descending=descending, stable=stable)


def sort(x, /, *, axis=-1, descending=False, stable=True):
    return tallow.sort(x, dim=axis, descending=descending, stable=stable).values


def take(x, indices, /, *, axis=None):
    """The slices of x at a vector of indices along an axis; None for a vector x."""
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: expected an axis for {x.ndim} dims, got None")
        axis = 0
    return tallow.index_select(x, axis, indices % x.shape[axis] if x.shape[axis] else indices)


def take_along_axis(x, indices, /, *, axis=-1):
    """Elements of x at indices along an axis; both broadcast elsewhere."""
    size = x.shape[axis]
    return tallow.take_along_dim(x, tallow.where(indices < 0, indices + size, indices), axis)


class UniqueAll(NamedTuple):
    """The different elements, where each comes first, how to build x from them, how often."""

    values: tallow.Tensor
    indices: tallow.Tensor
    inverse_indices: tallow.Tensor
    counts: tallow.Tensor


class UniqueCounts(NamedTuple):
    """The different elements, and how often each comes."""

    values: tallow.Tensor
    counts: tallow.Tensor


class UniqueInverse(NamedTuple):
    """The different elements, and how to build x from them."""

    values: tallow.Tensor
    inverse_indices: tallow.Tensor


def _each_nan(x):
    """The different elements with inverse and counts, each NaN by itself, as the standard says."""
    order = tallow.argsort(x.reshape(-1), stable=True)
    row = x.reshape(-1)[order]
    fresh = tallow.ones(len(row), dtype=tallow.bool, device=x.device)
    fresh[1:] = row[1:] != row[:-1]
    group = fresh.to(tallow.int64).cumsum(0) - 1
    first = fresh.nonzero()[:, 0]
    inverse = tallow.empty_like(group).scatter(0, order, group).reshape(x.shape)
    counts = tallow.bincount(group, minlength=len(first))
    return UniqueAll(row[first], order[first], inverse, counts)


def unique_all(x, /):
    return _each_nan(x)


def unique_counts(x, /):
    found = _each_nan(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x, /):
    found = _each_nan(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x, /):
    return _each_nan(x).values
