"""Compiled recurrent layers against the generic bodies and rules, in float64."""

import inspect

import numpy as np
import pytest

from tallow.kernels.cpu import REASON, compiled
from tallow.ops import rnn

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

RNG = np.random.default_rng(0)
LAYERS = {"lstm": (rnn.lstm, 4), "gru": (rnn.gru, 3)}  # op, gates

# (batch sizes of the steps, inputs, hidden, reverse)
SIZES = [
    ((1,), 1, 1, False), ((3, 3), 4, 5, False), ((20, 20, 20), 7, 33, False),
    ((30, 29, 13, 1), 5, 17, False), ((30, 29, 13, 1), 5, 17, True), ((40, 40), 64, 128, True),
]  # fmt: skip


def normal(*shape):
    return (RNG.standard_normal(shape) * 0.5).astype(np.float32)


def wide(x):
    return x.astype(np.float64) if hasattr(x, "dtype") else x


def layer(name, batch_sizes, inputs, hidden):
    """The op, its operands and how many of them are states."""
    op, gates = LAYERS[name]
    states = [normal(batch_sizes[0], hidden) for _ in range(2 if name == "lstm" else 1)]
    weights = [normal(gates * hidden, inputs), normal(gates * hidden, hidden)]
    biases = [normal(gates * hidden), normal(gates * hidden)]
    extra = [None] if name == "lstm" else []
    return op, [normal(sum(batch_sizes), inputs), *states, *weights, *biases, *extra], len(states)


def rules(op):
    """The compiled rule, and the generic one; another backend's may stand before either."""
    found, rule = None, op.op.joint.function
    while hasattr(rule, "generic"):
        if rule.special.__module__ == "tallow.kernels.cpu.recurrent":
            found = rule.special
        rule = rule.generic
    return found, rule


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, sizes, threads):
    batch_sizes, inputs, hidden, reverse = sizes
    op, operands, states = layer(name, batch_sizes, inputs, hidden)
    how = {"batch_sizes": batch_sizes, "reverse": reverse}
    before = compiled.get_threads()
    try:
        compiled.set_threads(threads)
        got = op.op.special["cpu"](*operands, **how)
        assert got is not NotImplemented
        expected = inspect.unwrap(op)(np, *map(wide, operands), **how)
        compare(got, expected)
        check_rule(op, operands, got, expected, states, how)
    finally:
        compiled.set_threads(before)


def check_rule(op, operands, out, wide_out, states, how):
    known = op.op.joint.names
    compiled_rule, generic_rule = rules(op)
    for given in range(1 + states):  # the gradients of some results are not there
        g = [normal(*part.shape) for part in out[: 1 + states]]
        g[:given] = [None] * given
        g += [None] * (len(out) - len(g))
        values = dict(zip(op.op.operands, operands, strict=True)) | how
        values |= {"out": out, "needs": [True] * len(operands)}
        wides = values | {"out": wide_out}
        wides |= {name: wide(x) for name, x in zip(op.op.operands, operands, strict=True)}
        got = compiled_rule(g, *(values[name] for name in known))
        assert got is not NotImplemented
        compare(got, generic_rule([wide(x) for x in g], *(wides[name] for name in known)))


def compare(got, expected):
    for mine, right in zip(got, expected, strict=True):
        if right is not None:
            size = np.abs(right).max()
            np.testing.assert_allclose(mine, right, rtol=1e-4, atol=1e-5 * size)


@pytest.mark.parametrize("name", LAYERS)
def test_what_is_declined(name):
    op, operands, _ = layer(name, (2, 2), 3, 4)
    how = {"batch_sizes": (2, 2), "reverse": False}
    kernel = op.op.special["cpu"]
    assert kernel(*map(wide, operands), **how) is NotImplemented
    operands[1] = operands[1][:1]
    assert kernel(*operands, **how) is NotImplemented
