"""Counts, histograms and covariances."""

from tallow import backend, dtypes, return_types
from tallow.complex_parts import complex, conj, imag, real
from tallow.diagonals import diagonal
from tallow.errors import NotSupportedError, ShapeError, describe
from tallow.ops.elementwise import clip, sqrt
from tallow.promotion import floating, give
from tallow.reductions import give_all, sum
from tallow.shaping import reshape, squeeze
from tallow.tensor import Tensor, wrap

__all__ = ["bincount", "corrcoef", "cov", "histc", "histogram", "histogramdd"]


@backend.there
def bincount(input, weights=None, minlength=0):
    """How often each non-negative int occurs in a vector, or the sum of its weights."""
    if input.dtype.category != dtypes.INTEGER:
        raise NotSupportedError(f"bincount: expected integers, got {describe(input)}")
    if input.array.ndim != 1 or (input.array.size and input.array.min() < 0):
        raise ShapeError(f"bincount: expected a vector of numbers >= 0, got {describe(input)}")
    if minlength < 0:
        raise ShapeError(f"bincount: expected a minlength of 0 or more, got {minlength}")
    if weights is not None and weights.array.shape != input.array.shape:
        raise ShapeError(f"bincount: expected a weight for each element, got {describe(weights)}")
    xp = backend.for_array(input.array).xp
    index = input.array.astype(xp.int64)
    if weights is None:
        return wrap(xp.bincount(index, minlength=minlength))
    totals = xp.bincount(index, weights.array.astype(xp.float64), minlength)
    return wrap(
        totals.astype(weights.array.dtype if weights.dtype is dtypes.float32 else xp.float64)
    )


def _real(name, input):
    if input.dtype.category != dtypes.FLOATING:
        raise NotSupportedError(f"{name}: expected a floating tensor, got {describe(input)}")
    return input.array


def _limits(name, array, low, high):
    """The ends of a histogram: those given, or where both are 0 the data's."""
    if low == high == 0:
        low, high = (float(array.min()), float(array.max())) if array.size else (0, 1)
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        raise ShapeError(f"{name}: expected a finite range, got from {low} to {high}")
    if low > high:
        raise ShapeError(f"{name}: expected a range from low to high, got {low} and {high}")
    return low, high


@backend.there
def histc(input, bins=100, min=0, max=0, *, out=None):
    """How many elements are in each of `bins` equal intervals from min to max.

    Without limits (or 0 and 0) those of the data; what lies outside is not counted.
    """
    if bins <= 0:
        raise ShapeError(f"histc: expected at least one bin, got {bins}")
    array = _real("histc", input)
    low, high = _limits("histc", array, min, max)
    if low == high:
        low, high = low - 1, high + 1
    xp = backend.for_array(array).xp
    counts, _ = xp.histogram(array.astype(xp.float64), bins, (low, high))
    return give(wrap(counts.astype(array.dtype)), out, "histc")


@backend.there
def histogram(input, bins, *, range=None, weight=None, density=False, out=None):
    """(hist, bin_edges): how many elements, or what weight, lies in each bin.

    `bins` is a number of equal bins over `range` (from the smallest to the largest element unless
    told), or a tensor of edges. With `density` the integral over all bins is 1.
    """
    array = _real("histogram", input)
    xp = backend.for_array(array).xp
    if isinstance(bins, Tensor):
        edges, limits = bins.array, None
    else:
        if bins <= 0:
            raise ShapeError(f"histogram: expected at least one bin, got {bins}")
        edges, limits = bins, _limits("histogram", array, *(range or (0, 0)))
    weights = None if weight is None else weight.array
    counts, edges = xp.histogram(array, edges, limits, weights=weights, density=density)
    parts = wrap(counts.astype(array.dtype)), wrap(edges.astype(array.dtype))
    return give_all(return_types.histogram, parts, out, "histogram")


@backend.there
def histogramdd(input, bins, *, range=None, weight=None, density=False):
    """(hist, bin_edges) of points (..., d) in d dimensions; `bins` as in `histogram`, per dim."""
    array = _real("histogramdd", input)
    xp = backend.for_array(array).xp
    points = array.reshape(-1, array.shape[-1])
    if not isinstance(bins, int):
        if len(bins) != points.shape[1]:
            raise ShapeError(
                f"histogramdd: expected bins for each of {points.shape[1]} dims, got {len(bins)}"
            )
        bins = [b.array if isinstance(b, Tensor) else b for b in bins]
    limits = None if range is None else list(zip(range[::2], range[1::2], strict=True))
    weights = None if weight is None else weight.array.reshape(-1)
    counts, edges = xp.histogramdd(points, bins, limits, weights=weights, density=density)
    return return_types.histogramdd(
        wrap(counts.astype(array.dtype)), tuple(wrap(e.astype(array.dtype)) for e in edges)
    )


# Covariance


@backend.there
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariances of variables, in rows, over observations, in columns: (n, m) -> (n, n).

    `fweights` (integers) says how often each observation was made, `aweights` how much it counts.
    """
    if input.array.ndim > 2 or input.dtype is dtypes.bool_:
        raise ShapeError(f"cov: expected numbers in at most two dims, got {describe(input)}")
    x = floating("cov", input if input.array.ndim == 2 else reshape(input, 1, -1))
    count = x.array.shape[1]
    for name, weights, whole in (("fweights", fweights, True), ("aweights", aweights, False)):
        if weights is not None:
            _check_weights(name, weights, whole, count)
    weights = (
        fweights if aweights is None else aweights if fweights is None else fweights * aweights
    )
    total = count if weights is None else sum(weights)
    spent = correction if aweights is None else correction * sum(weights * aweights) / total
    free = total - spent
    centred = x - sum(x if weights is None else x * weights, 1, keepdim=True) / total
    weighted = centred if weights is None else centred * weights
    product = centred @ conj(weighted).mT
    return squeeze(product / (free if free > 0 else 0 * total))


def _check_weights(name, weights, whole, count):
    kind = dtypes.INTEGER if whole else dtypes.FLOATING
    if weights.dtype.category != kind or weights.array.shape != (count,):
        raise ShapeError(
            f"cov: expected {'integer' if whole else 'floating'} {name} for {count} observations, "
            f"got {describe(weights)}"
        )
    if (weights.array < 0).any():
        raise ShapeError(f"cov: expected {name} of 0 or more, got a negative one")


def corrcoef(input):
    """The correlations of variables, in rows, over observations, in columns: (n, m) -> (n, n)."""
    covariance = cov(input)
    if not covariance.array.ndim:
        return covariance / covariance
    spread = diagonal(covariance)
    spread = sqrt(real(spread) if covariance.dtype.is_complex else spread)
    result = covariance / reshape(spread, -1, 1) / reshape(spread, 1, -1)
    if not result.dtype.is_complex:
        return clip(result, low=-1, high=1)
    return complex(*(clip(part, low=-1, high=1) for part in (real(result), imag(result))))
