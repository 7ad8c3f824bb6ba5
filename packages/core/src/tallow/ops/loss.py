"""Losses with a backward of their own: cross entropy, log likelihood, binary, Huber.

Class losses take scores with classes at axis 1 (axis 0 of a vector) and integer labels. `weight`
holds a factor per class, or None; labels equal to `ignore_index` count nothing. `reduction` is
"none", "sum" or "mean".
"""

import numpy as np

from tallow.autograd.op import op
from tallow.ops.elementwise import clip, log, log1p, maximum, sigmoid
from tallow.ops.index import grid
from tallow.ops.reduce import in_float32, widened
from tallow.ops.softmax import log_softmax, softmax, softmax_grad, total


def class_axis(x):
    return 1 if x.ndim > 1 else 0


def label_factors(xp, label, weight, ignore_index, dtype):
    """How much each label counts (its class's weight, 0 if ignored), and labels safe to index with.

    A negative label that is not the ignored one becomes one too large, so that indexing fails.
    """
    counted = label != ignore_index
    safe = xp.where(counted, xp.where(label < 0, xp.iinfo(xp.int64).max, label), 0)
    factor = counted.astype(dtype)
    return safe, factor if weight is None else factor * weight[safe].astype(dtype)


def reduced(xp, losses, factor, reduction):
    """The losses, their sum, or their mean weighted by `factor`."""
    if reduction == "none":
        return losses
    total = xp.sum(losses)
    return total if reduction == "sum" else total / xp.sum(factor)


def share(xp, g, factor, reduction):
    """What each label's loss contributes to the gradient."""
    return g * factor / xp.sum(factor) if reduction == "mean" else g * factor


@op
def nll(xp, x, label, weight, *, ignore_index, reduction):
    """The negative of x at the labels: (N, C, ...), (N, ...) -> (N, ...), or a scalar."""
    axis, wide = class_axis(x), widened(xp, x)
    safe, factor = label_factors(xp, label, weight, ignore_index, wide.dtype)
    picked = xp.take_along_axis(wide, xp.expand_dims(safe, axis), axis).reshape(label.shape)
    losses = xp.where(factor == 0, xp.zeros_like(picked), -picked * factor)
    return xp.asarray(reduced(xp, losses, factor, reduction)).astype(x.dtype, copy=False)


@op
def nll_grad(xp, g, label, weight, *, shape, ignore_index, reduction):
    """The gradient of `nll` by x, which has `shape`."""
    axis = 1 if len(shape) > 1 else 0
    safe, factor = label_factors(xp, label, weight, ignore_index, widened(xp, g).dtype)
    part = -share(xp, g, factor, reduction)
    out = xp.zeros(shape, g.dtype)
    out[grid(xp, xp.expand_dims(safe, axis), axis)] = xp.expand_dims(part, axis)
    return out


@op
def cross_entropy(xp, x, label, weight, *, ignore_index, reduction):
    """`nll` of log_softmax: x holds unnormalised scores."""
    scores = log_softmax(widened(xp, x), axis=class_axis(x))
    loss = nll(scores, label, weight, ignore_index=ignore_index, reduction=reduction)
    return loss.astype(x.dtype, copy=False)


@op
def cross_entropy_grad(xp, g, x, label, weight, *, ignore_index, reduction):
    """The gradient of `cross_entropy` by x: (softmax - 1 at the label) times the label's share."""
    axis, how = class_axis(x), {"ignore_index": ignore_index, "reduction": reduction}
    hit = nll_grad(g, label, weight, shape=x.shape, **how)
    return hit - softmax(x, axis=axis) * xp.sum(hit, axis=axis, keepdims=True)


cross_entropy.vjp(
    lambda g, x, label, weight, ignore_index, reduction: cross_entropy_grad(
        g, x, label, weight, ignore_index=ignore_index, reduction=reduction
    )
)


@cross_entropy_grad.joint_vjp
def _(v, g, x, label, weight, needs, ignore_index, reduction):
    axis, how = class_axis(x), {"ignore_index": ignore_index, "reduction": reduction}
    chance = softmax(x, axis=axis)
    by_g = nll(v - total(v * chance, axis), label, weight, **how) if needs[0] else None
    shares = total(nll_grad(g, label, weight, shape=x.shape, **how), axis)
    return by_g, -shares * softmax_grad(v, chance, axis=axis) if needs[1] else None


nll.vjp(
    lambda g, label, weight, shapes, ignore_index, reduction: nll_grad(
        g, label, weight, shape=shapes[0], ignore_index=ignore_index, reduction=reduction
    )
)
nll_grad.vjp(
    lambda v, label, weight, ignore_index, reduction: nll(
        v, label, weight, ignore_index=ignore_index, reduction=reduction
    )
)

# On the CPU nearly every training step has a matrix of scores, labels that all count, and no
# weights


def is_plain(x, label, weight, ignore_index):
    """True if x is a matrix and every label a class that counts once."""
    return (
        weight is None
        and x.ndim == 2
        and x.dtype.itemsize > 2
        and label.dtype == np.int64
        and label.size > 0
        and not 0 <= ignore_index < x.shape[1]
        and np.maximum.reduce(label.view(np.uint64))
        < x.shape[1]  # a negative label is huge when unsigned
    )


@cross_entropy.on("cpu")
def _(x, label, weight, *, ignore_index, reduction):
    if not is_plain(x, label, weight, ignore_index):
        return NotImplemented
    scores = x - np.maximum.reduce(x, axis=1, keepdims=True)
    picked = scores[np.arange(len(x)), label]
    losses = np.log(np.add.reduce(np.exp(scores, out=scores), axis=1)) - picked
    if reduction == "none":
        return losses
    total = np.add.reduce(losses)
    return total if reduction == "sum" else total / total.dtype.type(len(x))


@cross_entropy_grad.on("cpu")
def _(g, x, label, weight, *, ignore_index, reduction):
    if not is_plain(x, label, weight, ignore_index):
        return NotImplemented
    share = g / g.dtype.type(len(x)) if reduction == "mean" else g
    chance = x - np.maximum.reduce(x, axis=1, keepdims=True)
    np.exp(chance, out=chance)
    factor = share / np.add.reduce(chance, axis=1)
    chance *= factor[:, None]
    chance[np.arange(len(x)), label] -= share
    return chance


# Between two tensors, element by element


@op
@in_float32
def logistic_loss(xp, x, y):
    """-(y log(s) + (1 - y) log(1 - s)) with s = sigmoid(x), without overflow."""
    return xp.maximum(x, 0) - x * y + xp.log1p(xp.exp(-xp.abs(x)))


@op
def binary_cross_entropy(xp, x, y):
    """-(y log(x) + (1 - y) log(1 - x)), the logarithms at least -100."""
    return (y - 1) * xp.maximum(xp.log1p(-x), -100) - y * xp.maximum(xp.log(x), -100)


@op
def squared_error(x, y):
    difference = x - y
    difference *= difference
    return difference


@op
@in_float32
def smooth_l1(xp, x, y, *, beta):
    """The Huber loss over beta: d*d / (2 beta) for d = |x - y| below beta, else d - beta / 2."""
    distance = xp.abs(x - y)
    near = xp.minimum(distance, beta)
    return near * near * (0.5 / beta) + (distance - near)


@op
def kl_divergence(xp, x, y):
    """y * (log(y) - x), and 0 where y is 0."""
    return y * (xp.log(xp.where(y == 0, 1, y)) - xp.where(y == 0, 0, x))


logistic_loss.vjp(lambda g, x, y: g * (sigmoid(x) - y), lambda g, x: -g * x)
binary_cross_entropy.vjp(
    lambda g, x, y: g * (x - y) / maximum(x * (1 - x), 1e-12),
    lambda g, x: g * (maximum(log1p(-x), -100) - maximum(log(x), -100)),
)
squared_error.vjp(lambda g, x, y: g * (2 * (x - y)), lambda g, x, y: g * (2 * (y - x)))
kl_divergence.vjp(lambda g, y: -g * y, lambda g, x, y: g * (log(y) + 1 - x))
smooth_l1.vjp(
    lambda g, x, y, beta: g * clip((x - y) / beta, low=-1, high=1),
    lambda g, x, y, beta: g * clip((y - x) / beta, low=-1, high=1),
)
