"""Which operations the compiled kernels do, and how their parameters are passed.

A compiled function returns NotImplemented for arrays that it does not take: other than float32, or
not in row-major order. Then the generic body runs.
"""

import numpy as np

from tallow.autograd import builtin
from tallow.kernels.cpu import compiled
from tallow.kernels.loading import twister_is_known
from tallow.ops import (
    activation,
    attention,
    conv,
    ctc,
    dropout,
    elementwise,
    factor,
    index,
    linalg,
    logic,
    loss,
    norm,
    pool,
    reduce,
    running,
    shape,
    softmax,
    special,
)

# Functions that take what the operation takes

for op in (
    linalg.matmul, linalg.linear,
    conv.conv, conv.conv_grad_input, conv.conv_grad_weight,
    pool.max_pool, pool.max_pool_grad, pool.pool_sum, pool.pool_spread,
    activation.relu, activation.relu_grad, activation.gelu, activation.gelu_grad,
    activation.silu, activation.silu_grad, activation.prelu, activation.prelu_slope,
    activation.hardsigmoid, activation.hardsigmoid_grad,
    activation.hardswish, activation.hardswish_grad,
    elementwise.add, elementwise.sub, elementwise.mul, elementwise.div,
    elementwise.maximum, elementwise.minimum, elementwise.where,
    logic.equal, logic.not_equal, logic.less, logic.less_equal, logic.greater, logic.greater_equal,
    elementwise.exp, elementwise.expm1, elementwise.log, elementwise.log1p,
    elementwise.sqrt, elementwise.rsqrt, elementwise.reciprocal, elementwise.square,
    elementwise.sin, elementwise.cos, elementwise.absolute, elementwise.neg, elementwise.sign,
    elementwise.floor, elementwise.ceil, elementwise.trunc,
    special.erf, special.erfc, special.erfinv,
    elementwise.tanh, elementwise.tanh_grad,
    elementwise.sigmoid, elementwise.sigmoid_grad,
    norm.normalize_by,
    reduce.sum, reduce.mean, reduce.amax, reduce.amin, builtin.sum_to, shape.cat,
    reduce.prod, reduce.vector_norm, reduce.logsumexp,
    reduce.cumsum, reduce.cumprod, reduce.cumprod_grad, running.cumargmax, reduce.argsort,
    index.gather, index.gathered_back, index.scatter, index.scatter_add, shape.tril, shape.triu,
    shape.reshape, shape.permute, shape.swap, index.getitem,
    ctc.ctc, ctc.ctc_grad,
    factor.inv, factor.solve, factor.det, factor.slogdet,
    softmax.softmax, softmax.softmax_grad, softmax.log_softmax, softmax.log_softmax_grad,
):  # fmt: skip
    op.on("cpu")(getattr(compiled, op.op.name))


@elementwise.round_half_even.on("cpu")
def _(x, *, decimals):
    return NotImplemented if decimals else compiled.round(x)


# Copies in another order


@elementwise.copy.on("cpu")
def _(x, *, order="K"):
    return compiled.in_row_order(x) if order == "C" else NotImplemented


@shape.flip.on("cpu")
def _(x, *, axis):
    return compiled.in_row_order(np.flip(x, axis))


# Dropout, from the words of NumPy's generator, if its state is what it is known to be


if twister_is_known():

    @dropout.dropout_keep.on("cpu")
    def _(x, *, shape, p, generator):
        return compiled.random_keep(generator.bits, shape, 1 - p)


@dropout.masked.on("cpu")
def _(x, keep, *, p):
    one = np.float32(1)
    return compiled.masked(x, keep, factor=one / np.float32(1 - p))


# Attention. A mask of bool is added as 0 and -inf.


def _added(bias):
    if bias is None or bias.dtype.kind != "b":
        return bias
    return np.where(bias, np.float32(0), np.float32(-np.inf))


@attention.attend.on("cpu")
def _(q, k, v, bias, keep, *, scale, causal):
    return compiled.attention(q, k, v, _added(bias), scale, causal, keep)


@attention.attend_grad.on("cpu")
def _(g, q, k, v, bias, keep, out, level, *, scale, causal):
    how = (_added(bias), scale, causal)
    if level is None:
        made = compiled.attention(q, k, v, *how)
        if made is NotImplemented:
            return made
        _, level = made
    return compiled.attention_grad(g, q, k, v, level, *how, keep)


# Cross entropy without class weights, of a matrix of scores. A label that is ignored is out of
# range for the compiled function, which then declines.


def _by_rows(losses_of):
    """A kernel for the loss of each row."""

    def kernel(x, label, weight, *, ignore_index, reduction):
        if weight is not None or ignore_index >= 0:
            return NotImplemented
        losses = losses_of(x, label)
        if losses is NotImplemented or reduction == "none":
            return losses
        total = np.add.reduce(losses)
        return total if reduction == "sum" else total / total.dtype.type(len(losses))

    return kernel


loss.cross_entropy.on("cpu")(_by_rows(compiled.cross_entropy))
loss.nll.on("cpu")(_by_rows(compiled.nll))


@loss.nll_grad.on("cpu")
def _(g, label, weight, *, shape, ignore_index, reduction):
    if weight is not None or ignore_index >= 0 or len(shape) != 2 or not shape[0]:
        return NotImplemented
    scale = 1 / shape[0] if reduction == "mean" else 1
    return compiled.nll_grad(np.asarray(g), label, *shape, scale)


@loss.cross_entropy_grad.on("cpu")
def _(g, x, label, weight, *, ignore_index, reduction):
    if weight is not None or ignore_index >= 0 or not len(x):
        return NotImplemented
    scale = 1 / len(x) if reduction == "mean" else 1
    return compiled.cross_entropy_grad(np.asarray(g), x, label, scale)


# Batch norm: over all axes but the second. Layer norm: over the last axes. Group norm: over the
# last axes too, with weights that are one for each channel.


def _is_batch(x, axes):
    return axes == (0, *range(2, x.ndim)) and x.ndim > 1


def _is_last(x, axes):
    return axes == tuple(range(x.ndim - len(axes), x.ndim)) and x.ndim > 0


def _fits(x, axes, factor):
    """True if weights of this shape have an element for each place in `axes`."""
    return factor == (1,) * (x.ndim - len(axes)) + x.shape[-len(axes) :]


def _channels(x, axes, factor):
    """How many channels groups (N, groups, channels, ...) have, one weight for each; 0 if none."""
    if axes != tuple(range(2, x.ndim)) or len(factor) != x.ndim or x.ndim < 3:
        return 0
    channels = factor[2]
    return channels if factor == (1, x.shape[1], channels, *(1,) * (x.ndim - 3)) else 0


def _kept(x, axes):
    """The shape of x with `axes` as 1."""
    return tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))


@norm.normalize_relu_by.on("cpu")
def _(*operands, factor, eps):
    return compiled.normalize_by(*operands, factor=factor, eps=eps, relu=True)


@norm.normalize_relu.on("cpu")
def _(x, weight, bias, *, factor, axes, eps):
    if not _is_batch(x, axes):
        return NotImplemented
    return _with_axes(x, axes, compiled.batch_norm(x, weight, bias, eps, True))


@norm.normalize_relu_grad.on("cpu")
def _(g, x, *others, axes, eps):
    if not _is_batch(x, axes):
        return NotImplemented
    return _in_shape(x, others[0], compiled.batch_norm_grad(g, x, *others, eps, True))


@norm.normalize.on("cpu")
def _(x, weight, bias, *, factor, axes, eps, centre):
    if centre and _is_batch(x, axes):
        made = compiled.batch_norm(x, weight, bias, eps, False)
    elif _is_last(x, axes) and (weight is bias is None or _fits(x, axes, factor)):
        made = compiled.layer_norm(x, weight, bias, _length(x, axes), eps, centre)
    elif centre and (channels := _channels(x, axes, factor)):
        made = compiled.group_norm(x, weight, bias, channels, eps)
    else:
        return NotImplemented
    return _with_axes(x, axes, made)


def _with_axes(x, axes, made):
    """What a norm gives, its mean and variance with all axes; or NotImplemented."""
    if made is NotImplemented:
        return made
    out, average, variance = made
    kept = _kept(x, axes)
    return out, average.reshape(kept), variance.reshape(kept)


def _length(x, axes):
    return int(np.multiply.reduce(x.shape[-len(axes) :]))


@norm.normalize_grad.on("cpu")
def _(g, x, weight, average, variance, *, axes, eps, centre):
    if centre and _is_batch(x, axes):
        made = compiled.batch_norm_grad(g, x, weight, None, average, variance, eps, False)
    elif _is_last(x, axes) and (weight is None or _fits(x, axes, weight.shape)):
        how = (_length(x, axes), eps, centre)
        made = compiled.layer_norm_grad(g, x, weight, average, variance, *how)
    elif centre and weight is not None and (channels := _channels(x, axes, weight.shape)):
        made = compiled.group_norm_grad(g, x, weight, average, variance, channels, eps)
    else:
        return NotImplemented
    return _in_shape(x, weight, made)


def _in_shape(x, weight, made):
    """The gradients of a norm, those of weight and bias in the weight's shape; NotImplemented."""
    if made is NotImplemented:
        return made
    x_grad, *factor_grads = made
    if weight is None:
        factor_grads = [np.add.reduce(part, keepdims=True) for part in factor_grads]
    shape = (1,) * x.ndim if weight is None else weight.shape
    return x_grad, *[part.reshape(shape) for part in factor_grads]
