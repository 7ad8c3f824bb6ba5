"""Cases of tallow.ops.activation and tallow.ops.softmax."""

import math

import numpy as np
import pytest

from tallow.ops import activation, softmax
from tallow.testing import Case, checks, given

ONE = [given((2, 3)), given(()), given((0, 2))]
ERF = np.vectorize(math.erf, otypes=[float])


def unary(op, reference, *more, examples=ONE, **traits):
    return Case(op, reference, *examples, *more, **traits)


def with_parameters(*several):
    """An example for each set of parameters, and one without elements."""
    return [given((3, 4), **params) for params in several] + [given((0, 2), **several[0])]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normal(x):
    """The standard normal distribution function."""
    return (1 + ERF(x / 2**0.5)) / 2


def density(x):
    return np.exp(-x * x / 2) / (2 * np.pi) ** 0.5


def elu(x, alpha, scale, inner):
    return scale * np.where(x > 0, x, alpha * (np.exp(inner * np.minimum(x, 0)) - 1))


def gelu_tanh(x):
    return x / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))


def silu_grad(g, x):
    return g * (sigmoid(x) + x * sigmoid(x) * sigmoid(-x))


PAIR = [given((2, 3), (2, 3)), given((), ()), given((0, 2), (0, 2))]

CASES = [
    unary(activation.relu, lambda x: np.where(x > 0, x, 0), kinks=(0,), dtypes="if"),
    unary(activation.relu_grad, lambda g, out: np.where(out > 0, g, 0), examples=PAIR),
    Case(activation.add_relu, lambda x, y: np.maximum(x + y, 0),
         *PAIR, given((2, 3, 4), (3, 1)), given((3, 4), (1, 1))),
    Case(activation.leaky_relu, lambda x, slope: np.where(x > 0, x, slope * x),
         *with_parameters({"slope": 0.1}, {"slope": -2.0}), kinks=(0,)),
    Case(activation.prelu, lambda x, weight: np.where(x > 0, x, weight * x),
         given((2, 3, 4), (3, 1)), given((4,), (1,)), given((), ()), given((0, 2), (2,)),
         kinks=(0,)),
    Case(activation.prelu_slope, lambda x, weight: np.where(x > 0, 1, weight),
         given((2, 3, 4), (3, 1)), given((4,), (1,)), given((), ()), given((0, 2), (2,)),
         kinks=(0,)),
    Case(activation.hardtanh, lambda x, low, high: np.minimum(np.maximum(x, low), high),
         *with_parameters({"low": -0.5, "high": 0.7}), kinks=(-0.5, 0.7)),
    Case(activation.hardtanh_grad, lambda g, x, low, high: g * ((low < x) & (x < high)),
         given((3, 4), (3, 4), low=-0.5, high=0.7),
         given((2,), np.array([0.5, 1.0]), low=0, high=1)),
    unary(activation.hardsigmoid, lambda x: np.clip((x + 3) / 6, 0, 1), domain=(-5, 5),
          kinks=(-3, 3)),
    Case(activation.hardsigmoid_grad, lambda g, x: g / 6 * (np.abs(x) < 3),
         *PAIR, given((3,), np.array([-4.0, 2.9, 3.1]))),
    Case(activation.hardswish_grad,
         lambda g, x: g * np.where(x >= 3, 1, np.where(x > -3, x / 3 + 0.5, 0)),
         *PAIR, given((3,), np.array([-4.0, 2.9, 3.1]))),
    unary(activation.hardswish, lambda x: x * np.clip((x + 3) / 6, 0, 1), domain=(-5, 5),
          kinks=(-3, 3)),
    Case(activation.threshold, lambda x, limit, value: np.where(x > limit, x, value),
         *with_parameters({"limit": 0.2, "value": 20.0}), kinks=(0.2,), dtypes="f"),
    Case(activation.hardshrink, lambda x, limit: np.where(np.abs(x) > limit, x, 0),
         *with_parameters({"limit": 0.5}, {"limit": 0.0}), kinks=(-0.5, 0, 0.5)),
    Case(activation.softshrink, lambda x, limit: np.sign(x) * np.maximum(np.abs(x) - limit, 0),
         *with_parameters({"limit": 0.5}), kinks=(-0.5, 0.5)),
    Case(activation.elu, elu,
         *with_parameters({"alpha": 0.7, "scale": 1.1, "inner": 1},
                          {"alpha": 2.0, "scale": 1, "inner": 0.5}),
         kinks=(0,), tolerance=4),
    Case(activation.softplus, lambda x, beta, threshold: np.where(
             beta * x > threshold, x, np.log(1 + np.exp(beta * x)) / beta),
         *with_parameters({"beta": 1.5, "threshold": 20}, {"beta": 1, "threshold": 1}), kinks=(1,),
         tolerance=4),
    unary(activation.logsigmoid, lambda x: -np.log(1 + np.exp(-x)),
          given(np.array([-600.0, 600.0])), tolerance=4),
    unary(activation.silu, lambda x: x * sigmoid(x), tolerance=4),
    Case(activation.silu_grad, silu_grad, *PAIR, tolerance=4),
    unary(activation.mish, lambda x: x * np.tanh(np.log(1 + np.exp(x))), tolerance=4),
    unary(activation.gelu, lambda x: x * normal(x), tolerance=4),
    Case(activation.gelu_grad, lambda g, x: g * (normal(x) + x * density(x)), *PAIR, tolerance=4),
    unary(activation.gelu_tanh, gelu_tanh, tolerance=4),
]  # fmt: skip


def softmax_of(x, axis):
    weights = np.exp(x)
    return weights / weights.sum(axis=axis, keepdims=True)


def softmax_grad(g, out, axis):
    return out * (g - (g * out).sum(axis=axis, keepdims=True))


def log_softmax_grad(g, out, axis):
    return g - np.exp(out) * g.sum(axis=axis, keepdims=True)


ALONG = [
    given((2, 3), axis=1),
    given((2, 3, 4), axis=0),
    given((3,), axis=0),
    given((0, 3), axis=1),
]
ALONG_PAIR = [given(*example.inputs * 2, **example.params) for example in ALONG]
LARGE = given(np.array([[1000.0, 1001.0], [-1000.0, -1001.0]]), axis=1)


def shifted_softmax(x, axis):
    return softmax_of(x - x.max(axis=axis, keepdims=True, initial=-1e9), axis)


CASES += [
    Case(softmax.softmax, shifted_softmax, *ALONG, LARGE, tolerance=4),
    Case(softmax.softmax_grad, softmax_grad, *ALONG_PAIR, tolerance=8),
    Case(softmax.log_softmax, lambda x, axis: np.log(shifted_softmax(x, axis)), *ALONG,
         tolerance=8),
    Case(softmax.log_softmax_grad, log_softmax_grad, *ALONG_PAIR, domain=(-2, 0), tolerance=8),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
