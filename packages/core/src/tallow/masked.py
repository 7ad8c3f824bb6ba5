"""`tallow.masked`: reductions and normalisations of the elements where a mask is True.

The mask (bool) broadcasts to the input's shape; elements where it is False do not count, as if they
were not there: in a sum they are 0, in a product 1, to the largest element minus infinity. Without
a mask all elements count. `torch.masked`'s masked tensors, which carry their mask, are not here.
"""

from tallow import activations, dtypes, math, ordering, reductions, running
from tallow.creation import full_like, ones_like
from tallow.errors import NotSupportedError, OutOfRangeError, ShapeError, describe
from tallow.info import iinfo
from tallow.left_out import missing
from tallow.linalg import vector_norm
from tallow.promotion import axes_of, floating, to_dtype
from tallow.shaping import broadcast_to

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp",
    "logsumexp", "mean", "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum",
    "var",
]  # fmt: skip


# What does not count


def _spread_mask(name, input, mask):
    """The mask as a bool tensor of the input's shape."""
    if mask.array.ndim > input.array.ndim:
        raise OutOfRangeError(
            f"masked.{name}: expected a mask that broadcasts to {describe(input)}, got "
            f"{describe(mask)}"
        )
    return to_dtype(broadcast_to(mask, input.array.shape), dtypes.bool_)


def _filled(name, input, mask, identity):
    """The input with `identity`, which changes no result, where the mask is False."""
    if mask is None:
        return input
    filling = full_like(input, identity)
    return math.where(_spread_mask(name, input, mask), input, filling)


def _least(dtype):
    """A number that no element of a dtype is below."""
    if dtype.category >= dtypes.FLOATING:
        return -float("inf")
    return False if dtype is dtypes.bool_ else iinfo(dtype).min


def _most(dtype):
    """A number that no element of a dtype is above."""
    if dtype.category >= dtypes.FLOATING:
        return float("inf")
    return True if dtype is dtypes.bool_ else iinfo(dtype).max


def _axes(name, dim, input):
    """The dims of a reduction; no dims, as none given, are all."""
    found = axes_of(f"masked.{name}", None if dim == () else dim, input.array.ndim)
    return tuple(range(input.array.ndim)) if found is None else found


def _summed(input, dtype):
    """The dtype of a sum: int64 of whole numbers."""
    if dtype is None:
        return input.dtype if input.dtype.category >= dtypes.FLOATING else dtypes.int64
    return dtype


# Reductions


def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of the elements where `mask` is True, along `dim`, or over all.

    >>> x = tallow.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tallow.masked.sum(x, 1, mask=tallow.tensor([[True, False], [True, True]]))
    tensor([1., 7.])
    """
    filled = _filled("sum", input, mask, 0)
    axes = _axes("sum", dim, input)
    return reductions.sum(filled, axes or None, bool(keepdim), dtype=_summed(input, dtype))


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of the elements where `mask` is True, along `dim`, or over all."""
    result = to_dtype(_filled("prod", input, mask, 1), _summed(input, dtype))
    for axis in reversed(_axes("prod", dim, input)):
        result = reductions.prod(result, axis, bool(keepdim))
    return result


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest of the elements where `mask` is True, along `dim`, or of all."""
    filled = _filled("amax", input, mask, _least(input.dtype))
    result = reductions.amax(filled, _axes("amax", dim, input), bool(keepdim))
    return to_dtype(result, dtype or input.dtype)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest of the elements where `mask` is True, along `dim`, or of all."""
    filled = _filled("amin", input, mask, _most(input.dtype))
    result = reductions.amin(filled, _axes("amin", dim, input), bool(keepdim))
    return to_dtype(result, dtype or input.dtype)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The index of the largest element where `mask` is True; in the input's dtype, unless told."""
    filled = _filled("argmax", input, mask, _least(input.dtype))
    return to_dtype(reductions.argmax(filled, dim, bool(keepdim)), dtype or input.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The index of the smallest element where `mask` is True; in the input's dtype, unless told."""
    filled = _filled("argmin", input, mask, _most(input.dtype))
    return to_dtype(reductions.argmin(filled, dim, bool(keepdim)), dtype or input.dtype)


def _count(name, input, dim, keepdim, mask):
    """How many elements count."""
    chosen = ones_like(input, dtype=dtypes.bool_)
    if mask is not None:
        chosen = _spread_mask(name, input, mask)
    return sum(chosen, dim, keepdim=keepdim)


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of the elements where `mask` is True; NaN where there are none."""
    dtype = dtype or input.dtype
    if dtype.category < dtypes.FLOATING:
        raise ShapeError(f"masked.mean: expected a floating or complex dtype, got {dtype}")
    total = sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask)
    return total / _count("mean", input, dim, keepdim, mask)


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The lower median of the elements where `mask` is True along `dim`; NaN where there are none.

    Whole numbers have no NaN: then none may be without elements.
    """
    whole = input.dtype.category < dtypes.FLOATING
    x = to_dtype(input, dtypes.float32) if whole else input
    result = ordering.nanmedian(_filled("median", x, mask, float("nan")), dim, keepdim).values
    if whole and bool(reductions.any(result != result)):
        raise ShapeError("masked.median: expected an element in each row of whole numbers")
    return to_dtype(result, dtype or input.dtype) if whole else result


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log(sum(exp(input))) of the elements where `mask` is True, without overflow."""
    filled = _filled("logsumexp", input, mask, _least(input.dtype))
    result = reductions.logsumexp(filled, _axes("logsumexp", dim, input), keepdim)
    return to_dtype(result, dtype or input.dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(input) + exp(other)), without overflow, each where its own mask is True."""
    x = _filled("logaddexp", input, input_mask, _least(input.dtype))
    y = _filled("logaddexp", other, other_mask, _least(other.dtype))
    return to_dtype(math.logaddexp(x, y), dtype or input.dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The `ord`-norm of the elements where `mask` is True, along `dim`, or of all."""
    filled = _filled("norm", input, mask, float("inf") if ord == -float("inf") else 0)
    axes = _axes("norm", dim, input)
    return vector_norm(filled, ord, axes or None, bool(keepdim), dtype=dtype)


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of the elements where `mask` is True, n - correction in the denominator."""
    if unbiased is not None and correction is not None:
        raise NotSupportedError("masked.var: expected unbiased or correction, got both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    dtype = dtype or floating("masked.var", input).dtype
    count = _count("var", input, dim, True, mask)
    centred = input - sum(input, dim, keepdim=True, dtype=dtype, mask=mask) / count
    squares = centred * centred.conj()
    wide = dtype if dtype.category >= dtypes.FLOATING else dtypes.float32
    total = sum(squares, dim, keepdim=True, dtype=wide, mask=mask)
    free = to_dtype(count, wide.to_real()) - correction
    result = to_dtype(total / math.clamp(free, min=0), dtype)
    return reductions.drop_axes(result, input, _axes("var", dim, input), bool(keepdim))


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation: the square root of `var`."""
    kept = {"correction": correction, "keepdim": keepdim, "dtype": dtype, "mask": mask}
    return math.sqrt(var(input, dim, unbiased, **kept))


# Along a dim, of the input's shape


def cumsum(input, dim, *, dtype=None, mask=None):
    """Running sums along `dim` of the elements where `mask` is True."""
    filled = _filled("cumsum", input, mask, 0)
    return running.cumsum(filled, dim, dtype=dtype or input.dtype)


def cumprod(input, dim, *, dtype=None, mask=None):
    """Running products along `dim` of the elements where `mask` is True."""
    filled = _filled("cumprod", input, mask, 1)
    return running.cumprod(filled, dim, dtype=dtype or input.dtype)


def softmax(input, dim, *, dtype=None, mask=None):
    """exp(input) / sum(exp(input)) along `dim` of the elements where `mask` is True, 0 elsewhere.

    >>> tallow.masked.softmax(tallow.zeros(3), 0, mask=tallow.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    filled = _filled("softmax", input, mask, _least(input.dtype))
    return activations.softmax(filled, dim, dtype or input.dtype)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """log(softmax(input)) along `dim` of the elements where `mask` is True, -inf elsewhere."""
    filled = _filled("log_softmax", input, mask, _least(input.dtype))
    return activations.log_softmax(filled, dim, dtype or input.dtype)


def softmin(input, dim, *, dtype=None, mask=None):
    """softmax(-input) along `dim` of the elements where `mask` is True, 0 elsewhere."""
    filled = _filled("softmin", input, mask, _most(input.dtype))
    return activations.softmax(-filled, dim, dtype or input.dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """The elements where `mask` is True, divided by their `ord`-norm along `dim`; 0 elsewhere."""
    filled = _filled("normalize", input, mask, 0)
    size = norm(input, ord, dim, keepdim=True, dtype=dtype or input.dtype, mask=mask)
    return filled / math.clamp(size, min=eps)


def __getattr__(name):
    raise missing("tallow.masked", name)
