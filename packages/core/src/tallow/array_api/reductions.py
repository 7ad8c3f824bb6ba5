"""Reductions over one axis, several, or all (None)."""

import tallow
from tallow.array_api.elementwise import promoted

__all__ = [
    "all", "any", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff", "max", "mean",
    "min", "prod", "std", "sum", "var",
]  # fmt: skip


def _axes(x, axis):
    """The axes to reduce, as non-negative ints."""
    if axis is None:
        return tuple(range(x.ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -x.ndim <= a < x.ndim:
            raise IndexError(f"expected an axis from {-x.ndim} to {x.ndim - 1}, got {a}")
    return tuple(a % x.ndim for a in axes)


def _one_by_one(function, x, axis, keepdims):
    """A reduction that tallow does over one dim, over several."""
    axes = _axes(x, axis)
    for a in sorted(axes, reverse=True):
        x = function(x, a, keepdims)
    return x


def _widest(dtype):
    """The dtype in which numbers of another are added up."""
    if dtype is tallow.uint8:
        return tallow.uint64
    return dtype if dtype.is_floating_point or dtype.is_complex else tallow.int64


def _total(function, x, axis, dtype, keepdims):
    kind = _widest(x.dtype) if dtype is None else dtype
    inner = tallow.int64 if kind in (tallow.uint16, tallow.uint32, tallow.uint64) else kind
    return function(x.to(inner), axis, keepdims).to(kind)


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """The sum; integers are added up as int64 (uint8 as uint64) unless `dtype` is given."""

    def over(x, axis, keepdims):
        return x.sum(_axes(x, axis), keepdims) if _axes(x, axis) else x + 0

    return _total(over, x, axis, dtype, keepdims)


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    """The product, in the dtype that a sum would have."""

    def over(x, axis, keepdims):
        return _one_by_one(tallow.prod, x, axis, keepdims)

    return _total(over, x, axis, dtype, keepdims)


def mean(x, /, *, axis=None, keepdims=False):
    axes = _axes(x, axis)
    return x.mean(axes, keepdims) if axes else x + 0


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    return var(x, axis=axis, correction=correction, keepdims=keepdims).sqrt()


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    """The mean of the squares of the differences from the mean, of `correction` elements fewer."""
    axes = _axes(x, axis)
    return x.var(axes, correction=correction, keepdim=keepdims) if axes else x * 0


def max(x, /, *, axis=None, keepdims=False):
    axes = _axes(x, axis)
    return x.amax(axes, keepdims) if axes else x + 0


def min(x, /, *, axis=None, keepdims=False):
    axes = _axes(x, axis)
    return x.amin(axes, keepdims) if axes else x + 0


def all(x, /, *, axis=None, keepdims=False):
    return _one_by_one(tallow.all, x.to(tallow.bool), axis, keepdims)


def any(x, /, *, axis=None, keepdims=False):
    return _one_by_one(tallow.any, x.to(tallow.bool), axis, keepdims)


def count_nonzero(x, /, *, axis=None, keepdims=False):
    return sum(x != 0, axis=axis, keepdims=keepdims)


def _running(function, x, axis, dtype, include_initial, first):
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"expected an axis for {x.ndim} dims, got None")
        axis = 0
    out = function(x, axis, dtype=dtype or _running_dtype(x.dtype))
    if not include_initial:
        return out
    start = tallow.full_like(out.narrow(axis, 0, 1) if out.shape[axis] else out, first)
    if not out.shape[axis]:
        shape = [1 if a == axis % x.ndim else n for a, n in enumerate(out.shape)]
        start = tallow.full(shape, first, dtype=out.dtype, device=out.device)
    return tallow.cat([start, out], axis)


def _running_dtype(dtype):
    kind = _widest(dtype)
    return tallow.int64 if kind is tallow.uint64 else kind


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """Sums up to each element; `include_initial` begins with 0."""
    return _running(tallow.cumsum, x, axis, dtype, include_initial, 0)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """Products up to each element; `include_initial` begins with 1."""
    return _running(tallow.cumprod, x, axis, dtype, include_initial, 1)


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    """Differences of neighbours, `n` times."""
    ends = [y for y in (prepend, append) if y is not None]
    x, *ends = promoted(x, *ends)
    if prepend is not None:
        prepend = ends.pop(0)
    if append is not None:
        append = ends.pop(0)
    return tallow.diff(x, n, axis, prepend, append)
