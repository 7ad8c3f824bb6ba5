"""Activations of neural networks. `sigmoid` and `tanh` are in `elementwise`."""

from math import pi, sqrt

from tallow.autograd.op import op
from tallow.ops.elementwise import exp, sigmoid, tanh, where
from tallow.ops.reduce import in_float32
from tallow.ops.special import erf

# Piecewise linear

relu = op(lambda xp, x: xp.maximum(x, 0), name="relu").vjp(lambda g, out: relu_grad(g, out))


@op
def relu_grad(g, out):
    """g where the output was positive or is NaN, which is to be seen, else 0."""
    return g * ((out > 0) | (out != out))


@op
def add_relu(x, y):
    """max(x + y, 0): the end of a residual block."""
    return relu(x + y)


@op
@in_float32
def leaky_relu(xp, x, *, slope):
    return xp.where(x > 0, x, x * slope)


@op
def prelu(xp, x, weight):
    """max(x, 0) + weight * min(x, 0); the weight is shaped to broadcast."""
    return xp.maximum(x, 0) + weight * xp.minimum(x, 0)


@op
def prelu_slope(xp, x, weight):
    """1 where x > 0, else the weight: the derivative of `prelu` by x."""
    return xp.where(x > 0, xp.ones_like(x), weight)


@op
@in_float32
def hardtanh(xp, x, *, low, high):
    return xp.clip(x, low, high)


@op
def hardtanh_grad(g, x, *, low, high):
    """g strictly inside the limits, else 0."""
    return g * ((x > low) & (x < high))


@op
@in_float32
def hardsigmoid(xp, x):
    """Straight from 0 at -3 to 1 at 3."""
    return xp.clip(x / 6 + 0.5, 0, 1)


@op
@in_float32
def hardswish(xp, x):
    return x * xp.clip(x / 6 + 0.5, 0, 1)


@op
def hardsigmoid_grad(g, x):
    """g / 6 strictly between -3 and 3, else 0."""
    return g * ((x > -3) & (x < 3)) / 6


@op
@in_float32
def hardswish_grad(xp, g, x):
    """g from 3 on, g * (x / 3 + 0.5) between -3 and 3, else 0."""
    return g * xp.where(x >= 3, 1, xp.where(x > -3, x / 3 + 0.5, 0))


@op
def threshold(xp, x, *, limit, value):
    """`value` up to the limit, else x: NaN stays NaN."""
    return xp.where(x <= limit, xp.asarray(value, x.dtype), x)


@op
@in_float32
def hardshrink(xp, x, *, limit):
    """x outside [-limit, limit], else 0."""
    return xp.where(xp.abs(x) <= limit, 0, x)


@op
@in_float32
def softshrink(xp, x, *, limit):
    """x moved towards 0 by the limit, not past it."""
    return x - xp.clip(x, -limit, limit)


relu_grad.vjp(lambda g, out: relu_grad(g, out))
add_relu.vjp(lambda g, out: relu_grad(g, out), lambda g, out: relu_grad(g, out))
leaky_relu.vjp(lambda g, x, slope: where(x > 0, g, g * slope))
prelu.vjp(lambda g, x, weight: g * prelu_slope(x, weight), lambda g, x: where(x > 0, 0, g * x))
prelu_slope.vjp(None, lambda g, x: where(x > 0, 0, g))
hardtanh.vjp(lambda g, x, low, high: hardtanh_grad(g, x, low=low, high=high))
hardtanh_grad.vjp(lambda g, x, low, high: hardtanh_grad(g, x, low=low, high=high))
hardsigmoid.vjp(lambda g, x: hardsigmoid_grad(g, x))
hardsigmoid_grad.vjp(lambda v, x: hardsigmoid_grad(v, x))
hardswish.vjp(lambda g, x: hardswish_grad(g, x))
hardswish_grad.vjp(
    lambda v, x: hardswish_grad(v, x), lambda v, g, x: hardsigmoid_grad(v * g, x) * 2
)
threshold.vjp(lambda g, x, limit: where(x <= limit, 0, g))
hardshrink.vjp(lambda g, out: where(out == 0, 0, g))
softshrink.vjp(lambda g, out: where(out == 0, 0, g))

# Smooth


@op
@in_float32
def elu(xp, x, *, alpha, scale, inner):
    """scale * x above 0, scale * alpha * (exp(inner * x) - 1) below: ELU, SELU and CELU."""
    below = xp.expm1(xp.minimum(x, 0) * inner) * (alpha * scale)
    return xp.where(x > 0, x * scale, below)


@op
@in_float32
def softplus(xp, x, *, beta, threshold):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold."""
    scaled = x * beta
    return xp.where(scaled > threshold, x, xp.logaddexp(scaled, xp.zeros_like(scaled)) / beta)


@op
@in_float32
def logsigmoid(xp, x):
    return -xp.logaddexp(-x, xp.zeros_like(x))


@op
@in_float32
def silu(xp, x):
    """x * sigmoid(x). https://arxiv.org/abs/1702.03118"""
    return x * sigmoid(x)


@op
@in_float32
def silu_grad(xp, g, x):
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@op
@in_float32
def mish(xp, x):
    """x * tanh(softplus(x)). https://arxiv.org/abs/1908.08681"""
    return x * xp.tanh(xp.logaddexp(x, xp.zeros_like(x)))


@op
@in_float32
def gelu(xp, x):
    """x * Phi(x), Phi the standard normal distribution function.

    https://arxiv.org/abs/1606.08415
    """
    return x * (0.5 + 0.5 * erf(x * sqrt(0.5)))


@op
@in_float32
def gelu_grad(xp, g, x):
    return g * (0.5 + 0.5 * erf(x * sqrt(0.5)) + x * _density(x))


def _density(x):
    """The standard normal density."""
    return exp(x * x * -0.5) * sqrt(0.5 / pi)


@op
@in_float32
def gelu_tanh(xp, x):
    """GELU by the approximation 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))."""
    return x * (0.5 + 0.5 * xp.tanh(_gelu_inner(x)))


def _gelu_inner(x):
    return x * (1 + 0.044715 * x * x) * sqrt(2 / pi)


def _elu_rule(g, x, alpha, scale, inner):
    below = exp(where(x > 0, 0, x) * inner) * (alpha * scale * inner)
    return where(x > 0, g * scale, g * below)


def _silu_curvature(x):
    s = sigmoid(x)
    return s * (1 - s) * (2 + x * (1 - 2 * s))


def _mish_rule(g, x):
    t = tanh(softplus(x, beta=1, threshold=20))
    return g * (t + x * (1 - t * t) * sigmoid(x))


def _gelu_tanh_rule(g, x):
    t = tanh(_gelu_inner(x))
    slope = (1 + 3 * 0.044715 * x * x) * sqrt(2 / pi)
    return g * (0.5 + 0.5 * t + 0.5 * x * (1 - t * t) * slope)


elu.vjp(_elu_rule)
softplus.vjp(lambda g, x, beta, threshold: where(x * beta > threshold, g, g * sigmoid(x * beta)))
logsigmoid.vjp(lambda g, x: g * sigmoid(-x))
silu.vjp(lambda g, x: silu_grad(g, x))
silu_grad.vjp(lambda v, x: silu_grad(v, x), lambda v, g, x: v * g * _silu_curvature(x))
mish.vjp(_mish_rule)
gelu.vjp(lambda g, x: gelu_grad(g, x))
gelu_grad.vjp(lambda v, x: gelu_grad(v, x), lambda v, g, x: v * g * _density(x) * (2 - x * x))
gelu_tanh.vjp(_gelu_tanh_rule)
