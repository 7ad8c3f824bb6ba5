"""Dropout: random zeros in training, PyTorch's on the CPU; the identity in evaluation.

On CUDA the zeros are others, drawn from the device's generator.
"""

from math import sqrt

from tallow.autograd.inplace import assign
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.ops.dropout import kept, masked, masked_sum
from tallow.ops.shape import inverse, permute

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
]  # fmt: skip

# For inputs of mean 0 and variance 1: minus the limit of SELU at -inf, which dropped elements are
# set to.
ALPHA = 1.7580993408473766


def _check(name, p):
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: expected a probability p between 0 and 1, got {p}")


def _drop(input, p, shape, inplace):
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    out = masked(input, _keep(input, shape, p), p=p)
    return assign(input, out, "dropout_") if inplace else out


def _keep(input, shape, p):
    """What is kept, drawn in the order of the elements in memory, as PyTorch does."""
    array = input.array
    if shape != array.shape or array.flags.c_contiguous:
        return kept(input, shape=shape, p=p)
    order = sorted(range(array.ndim), key=array.strides.__getitem__, reverse=True)
    drawn = tuple(shape[axis] for axis in order)
    keep = kept(input, shape=drawn, p=p)
    return permute(keep, axes=inverse(order))


def dropout(input, p=0.5, training=True, inplace=False):
    """Each element is 0 with probability p, else divided by 1 - p. Outside training, the input.

    Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.

    >>> tallow.nn.functional.dropout(tallow.ones(3), p=0.0)
    tensor([1., 1., 1.])
    """
    _check("dropout", p)
    if not training or p == 0 or not input.array.size:
        return input
    return _drop(input, p, input.array.shape, inplace)


def dropout_sum(input, other, p, training):
    """`dropout(input, p, training) + other`, in one pass over memory."""
    _check("dropout", p)
    if not training or p in (0, 1) or not input.array.size or not _alike(input, other):
        return other + dropout(input, p, training)
    return masked_sum(input, _keep(input, input.array.shape, p), other, p=p)


def _alike(x, y):
    """True if neither broadcasts to the other, nor is converted."""
    return x.array.shape == y.array.shape and x.array.dtype == y.array.dtype


def _drop_features(name, input, p, training, inplace, dims, unbatched):
    """Dropout of whole channels; `unbatched` is how many dims an input without a batch has."""
    _check(name, p)
    if input.array.ndim not in dims:
        expected = " or ".join(map(str, dims))
        raise ShapeError(
            f"{name}: expected input with {expected} dimensions, got {describe(input)}"
        )
    if not training or p == 0 or not input.array.size:
        return input
    kept = 1 if input.array.ndim == unbatched else 2
    shape = input.array.shape[:kept] + (1,) * (input.array.ndim - kept)
    return _drop(input, p, shape, inplace)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, L) or (C, L)."""
    return _drop_features("dropout1d", input, p, training, inplace, (2, 3), 2)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, H, W); (N, C, L) is taken as such, as in PyTorch."""
    return _drop_features("dropout2d", input, p, training, inplace, (3, 4), 0)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return _drop_features("dropout3d", input, p, training, inplace, (4, 5), 4)


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean 0 and variance 1, for SELU. https://arxiv.org/abs/1706.02515"""
    _check("alpha_dropout", p)
    return _alpha(input, p, training, inplace, input.array.shape)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """`alpha_dropout` of whole channels of (N, C, ...)."""
    _check("feature_alpha_dropout", p)
    shape = input.array.shape
    return _alpha(input, p, training, inplace, shape[:2] + (1,) * (len(shape) - 2))


def _alpha(input, p, training, inplace, shape):
    if not training or p == 0 or not input.array.size:
        return input
    if p == 1:
        result = input * 0
    else:
        scale = 1 / sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
        keep = _keep(input, shape, p).to(input.dtype)
        result = input * (keep * scale) + ((keep - 1) * (ALPHA * scale) + ALPHA * scale * p)
    return input.copy_(result) if inplace else result
