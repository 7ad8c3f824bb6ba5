"""Reductions of torch's namespace: sums, means, extremes, norms, running totals, sorting."""

from typing import NamedTuple

import tallow.ops.elementwise as elementwise
import tallow.ops.logic as logic
import tallow.ops.reduce as ops
from tallow import backend, dtypes
from tallow.errors import ArgumentError, DtypeError, OutOfRangeError, describe
from tallow.ops.index import gather
from tallow.ops.shape import reshape
from tallow.promotion import axes_of, axis_of, floating, give, pair, to_dtype
from tallow.tensor import Tensor, wrap

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "bincount", "count_nonzero",
    "cumprod", "cumsum", "logsumexp", "max", "mean", "median", "min", "norm", "prod", "sort", "std",
    "std_mean", "sum", "topk", "unique", "var", "var_mean",
]  # fmt: skip


class MinMax(NamedTuple):
    """Values along a dim and their positions."""

    values: Tensor
    indices: Tensor


def _drop(result, input, axes, keepdim):
    """A reduction that kept its axes, without them unless `keepdim`."""
    if keepdim:
        return result
    shape = input.array.shape
    rest = () if axes is None else tuple(n for i, n in enumerate(shape) if i not in axes)
    return reshape(result, shape=rest)


def _summable(input, dtype):
    if dtype is not None:
        return to_dtype(input, dtype)
    return input if input.dtype.category >= dtypes.FLOATING else to_dtype(input, dtypes.int64)


def sum(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The sum over all elements, or along `dim` (an int or several). Integers and bool give int64.

    >>> import tallow
    >>> tallow.sum(tallow.ones(2, 3), dim=1)
    tensor([3., 3.])
    """
    axes = axes_of("sum", dim, input.array.ndim)
    return give(ops.sum(_summable(input, dtype), axis=axes, keepdims=keepdim), out, "sum")


def mean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The mean over all elements, or along `dim`, of a floating or complex tensor."""
    if dtype is not None:
        input = to_dtype(input, dtype)
    if input.dtype.category < dtypes.FLOATING:
        raise DtypeError(
            f"mean: expected a floating-point tensor, got {describe(input)}; use .float() first"
        )
    axes = axes_of("mean", dim, input.array.ndim)
    return give(ops.mean(input, axis=axes, keepdims=keepdim), out, "mean")


def prod(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The product over all elements, or along one dim."""
    axes = axes_of("prod", dim, input.array.ndim)
    return give(ops.prod(_summable(input, dtype), axis=axes, keepdims=keepdim), out, "prod")


def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """The variance, with n - correction in the denominator (correction 1 unless told)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    axes = axes_of("var", dim, input.array.ndim)
    result = ops.variance(floating("var", input), axis=axes, correction=correction)
    return give(_drop(result, input, axes, keepdim), out, "var")


def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """The standard deviation: the square root of `var`."""
    return give(
        elementwise.sqrt(var(input, dim, unbiased, keepdim, correction=correction)), out, "std"
    )


def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(variance, mean)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, dim, keepdim)


def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(standard deviation, mean)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, dim, keepdim)


def logsumexp(input, dim, keepdim=False, *, out=None):
    """log(sum(exp(input))) along `dim`, without overflow."""
    axes = axes_of("logsumexp", dim, input.array.ndim)
    result = ops.logsumexp(floating("logsumexp", input), axis=axes)
    return give(_drop(result, input, axes, keepdim), out, "logsumexp")


def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The p-norm of all elements, or along `dim`; "fro" and 2 are the Euclidean norm."""
    axes = axes_of("norm", dim, input.array.ndim)
    x = floating("norm", input if dtype is None else to_dtype(input, dtype))
    if x.dtype.is_complex:
        x = elementwise.absolute(x)
    if p in ("fro", 2, None):
        result = ops.vector_norm(x, p=2, axis=axes)
    elif p == float("inf"):
        result = ops.amax(elementwise.absolute(x), axis=axes)
    elif p == float("-inf"):
        result = ops.amin(elementwise.absolute(x), axis=axes)
    elif p == 0:
        nonzero = to_dtype(logic.not_equal(x, 0), x.dtype)
        result = ops.sum(nonzero, axis=axes, keepdims=True)
    else:
        powers = elementwise.power(elementwise.absolute(x), p)
        result = elementwise.power(ops.sum(powers, axis=axes, keepdims=True), 1 / p)
    return give(_drop(result, x, axes, keepdim), out, "norm")


# Extremes


def _not_empty(name, input, dim):
    size = input.array.size if dim is None else input.array.shape[dim] if input.array.ndim else 1
    if size == 0:
        raise OutOfRangeError(
            f"{name}: expected at least one element to reduce, got {describe(input)}"
        )


def amax(input, dim=(), keepdim=False, *, out=None):
    """The largest element, or along `dim`; ties share the gradient evenly."""
    axes = axes_of("amax", None if dim == () else dim, input.array.ndim)
    _not_empty("amax", input, None)
    return give(_drop(ops.amax(input, axis=axes), input, axes, keepdim), out, "amax")


def amin(input, dim=(), keepdim=False, *, out=None):
    """The smallest element, or along `dim`; ties share the gradient evenly."""
    axes = axes_of("amin", None if dim == () else dim, input.array.ndim)
    _not_empty("amin", input, None)
    return give(_drop(ops.amin(input, axis=axes), input, axes, keepdim), out, "amin")


def _extreme(name, reduce_all, arg, pairwise):
    """`max` and `min`: of all elements, along a dim with positions, or of two tensors."""

    def function(input, dim=None, keepdim=False, *, other=None, out=None):
        if isinstance(dim, Tensor) or other is not None:
            return give(pairwise(*pair(name, input, dim if other is None else other)), out, name)
        if dim is None:
            return reduce_all(input)
        axis = axis_of(name, dim, input.array.ndim)
        _not_empty(name, input, axis)
        if input.array.ndim == 0:
            return MinMax(elementwise.copy(input), arg(input, axis=None, keepdims=False))
        indices = arg(input, axis=axis, keepdims=True)
        values = gather(input, axis=axis, index=indices.array)
        return MinMax(
            _drop(values, input, (axis,), keepdim), _drop(indices, input, (axis,), keepdim)
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The {name}imum of all elements; with `dim`, (values, indices) along it; with a second "
        f"tensor, the elementwise {name}imum."
    )
    return function


max = _extreme("max", amax, ops.argmax, elementwise.maximum)
min = _extreme("min", amin, ops.argmin, elementwise.minimum)


def _position(name, op):
    def function(input, dim=None, keepdim=False):
        axis = None if dim is None or not input.array.ndim else axis_of(name, dim, input.array.ndim)
        _not_empty(name, input, axis)
        return op(input, axis=axis, keepdims=keepdim)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The index (int64) of the {name[3:]}imum, of the flattened tensor or along `dim`."
    )
    return function


argmax = _position("argmax", ops.argmax)
argmin = _position("argmin", ops.argmin)


def _truth(name, op, doc):
    def function(input, dim=None, keepdim=False, *, out=None):
        axes = axes_of(name, dim, input.array.ndim)
        result = op(input, axis=axes, keepdims=keepdim)
        if input.dtype is dtypes.uint8:
            result = to_dtype(result, dtypes.uint8)
        return give(result, out, name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


any = _truth("any", ops.any, "True if any element is nonzero, overall or along `dim`.")
all = _truth("all", ops.all, "True if all elements are nonzero, overall or along `dim`.")


def count_nonzero(input, dim=None):
    """How many elements are nonzero, overall or along `dim`."""
    return ops.count_nonzero(input, axis=axes_of("count_nonzero", dim, input.array.ndim))


# Running totals and order


def cumsum(input, dim, *, dtype=None, out=None):
    """The running sum along `dim`."""
    axis = axis_of("cumsum", dim, input.array.ndim)
    x = _summable(input, dtype)
    return give(ops.cumsum(x, axis=axis) if x.array.ndim else elementwise.copy(x), out, "cumsum")


def cumprod(input, dim, *, dtype=None, out=None):
    """The running product along `dim`."""
    axis = axis_of("cumprod", dim, input.array.ndim)
    x = _summable(input, dtype)
    return give(ops.cumprod(x, axis=axis) if x.array.ndim else elementwise.copy(x), out, "cumprod")


def argsort(input, dim=-1, descending=False, stable=False):
    """The indices that sort `input` along `dim`; equal elements keep their order."""
    axis = axis_of("argsort", dim, input.array.ndim)
    if not input.array.ndim:
        return ops.argmax(input, axis=None, keepdims=False)
    return ops.argsort(input, axis=axis, descending=descending)


def sort(input, dim=-1, descending=False, stable=False, *, out=None):
    """(values, indices), sorted along `dim`.

    >>> import tallow
    >>> tallow.sort(tallow.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    indices = argsort(input, dim, descending)
    if not input.array.ndim:
        return MinMax(elementwise.copy(input), indices)
    axis = axis_of("sort", dim, input.array.ndim)
    return MinMax(gather(input, axis=axis, index=indices.array), indices)


def topk(input, k, dim=-1, largest=True, sorted=True, *, out=None):
    """(values, indices) of the k largest (or smallest) elements along `dim`, in order."""
    axis = axis_of("topk", dim, input.array.ndim)
    size = input.array.shape[axis] if input.array.ndim else 1
    if not 0 <= k <= size:
        raise OutOfRangeError(
            f"topk: expected k between 0 and {size}, the size of dim {dim}, got {k}"
        )
    values, indices = sort(input, dim, largest)
    if not input.array.ndim:
        return MinMax(values, indices)
    region = (slice(None),) * axis + (slice(k),)
    return MinMax(values[region], indices[region])


def median(input, dim=None, keepdim=False):
    """The middle element (the lower of two); with `dim`, (values, indices) along it."""
    if dim is None:
        if not input.array.size:
            raise ArgumentError("median: expected at least one element, got none")
        flat = reshape(input, shape=(-1,))
        return sort(flat).values[(flat.array.size - 1) // 2]
    axis = axis_of("median", dim, input.array.ndim)
    if not input.array.ndim:
        return sort(input)
    values, indices = sort(input, dim)
    position = (input.array.shape[axis] - 1) // 2
    middle = (slice(None),) * axis + (slice(position, position + 1),)
    return MinMax(
        _drop(values[middle], input, (axis,), keepdim),
        _drop(indices[middle], input, (axis,), keepdim),
    )


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements in order; also each element's index among them, and their counts."""
    xp = backend.for_array(input.array).xp
    axis = None if dim is None else axis_of("unique", dim, input.array.ndim)
    values, inverse, counts = xp.unique(
        input.array, return_inverse=True, return_counts=True, axis=axis
    )
    results = [values]
    if return_inverse:
        results.append(inverse.reshape(input.array.shape if axis is None else -1))
    if return_counts:
        results.append(counts)
    wrapped = tuple(wrap(array) for array in results)
    return wrapped[0] if len(wrapped) == 1 else wrapped


def bincount(input, weights=None, minlength=0):
    """How often each non-negative int occurs in a 1-d tensor, or the sum of its weights."""
    if input.array.ndim != 1 or input.dtype.category != dtypes.INTEGER:
        raise DtypeError(f"bincount: expected a 1-d tensor of integers, got {describe(input)}")
    if input.array.size and input.array.min() < 0:
        raise ArgumentError("bincount: expected non-negative integers, got a negative one")
    weights = None if weights is None else weights.array
    return wrap(backend.for_array(input.array).xp.bincount(input.array, weights, minlength))
