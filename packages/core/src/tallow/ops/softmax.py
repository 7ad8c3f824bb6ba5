"""Softmax and its logarithm along one axis. Half precision is summed in float32."""

from tallow.autograd.builtin import in_rows
from tallow.autograd.op import op
from tallow.ops.elementwise import exp
from tallow.ops.reduce import in_float32, sum


def shifted(xp, x, axis):
    """x less its maximum along an axis, so that exp cannot overflow."""
    return x - xp.max(x, axis=axis, keepdims=True) if x.size else x


@op
@in_float32
def softmax(xp, x, *, axis):
    out = xp.exp(shifted(xp, in_rows(x), axis))
    out /= xp.sum(out, axis=axis, keepdims=True)
    return out


@op
@in_float32
def softmax_grad(xp, g, out, *, axis):
    """out * (g - sum(g * out)): the gradient of softmax from its output."""
    weighted = g * out
    weighted -= out * xp.sum(weighted, axis=axis, keepdims=True)
    return weighted


@op
@in_float32
def log_softmax(xp, x, *, axis):
    out = shifted(xp, in_rows(x), axis)
    return out - xp.log(xp.sum(xp.exp(out), axis=axis, keepdims=True))


@op
@in_float32
def log_softmax_grad(xp, g, out, *, axis):
    """g - softmax * sum(g): the gradient of log_softmax from its output."""
    return g - xp.exp(out) * xp.sum(g, axis=axis, keepdims=True)


def total(x, axis):
    return sum(x, axis=(axis,), keepdims=True)


softmax.vjp(lambda g, out, axis: softmax_grad(g, out, axis=axis))
softmax_grad.vjp(
    lambda v, out, axis: softmax_grad(v, out, axis=axis),
    lambda v, g, out, axis: v * (g - total(g * out, axis)) - g * total(v * out, axis),
)
log_softmax.vjp(lambda g, out, axis: log_softmax_grad(g, out, axis=axis))
log_softmax_grad.vjp(
    lambda v, out, axis: v - total(v * exp(out), axis),
    lambda v, g, out, axis: -exp(out) * v * total(g, axis),
)
