"""Attention without scores in memory, on the processor: against the bodies in float64."""

import numpy as np
import pytest
from ml_dtypes import bfloat16

import tallow
from tallow.kernels.cuda import attention, flash
from tallow.nn import functional as F
from tallow.ops import attention as ops
from tallow.testing.devices import Array

ERRORS = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-5}
DROPS = (0.3, 5, 12)


@pytest.fixture(autouse=True)
def only(emulated, monkeypatch):
    """Nothing but the kernels of `flash` is there to compute with."""
    monkeypatch.setattr(attention, "multiply", None)


def drawn(shape, dtype, seed):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def compared(q, k, v, bias, *, drops=None, causal=False, scale=0.4, error=1e-5):
    """Values and gradients by the kernels, and by the bodies on whole matrices."""
    how = {"scale": scale, "causal": causal}
    forward, back = ops.attend, ops.attend_grad
    if drops is not None:
        how["drops"], forward, back = drops, ops.attend_dropping, ops.attend_dropping_grad
    g = drawn((*q.shape[:-1], v.shape[-1]), q.dtype, 7)
    there = [x if x is None else Array(x) for x in (q, k, v, bias, None)]
    out, level = forward(*there, **how)
    got = [out, level, *back(Array(g), *there, level, **how)]
    kinds = [x if x is None or x.dtype == bool else x.astype(np.float64) for x in (q, k, v, bias)]
    out, level = forward.op.body(*_library(forward), *kinds, None, **how)
    expected = [out, level]
    expected += back.op.body(*_library(back), g.astype(np.float64), *kinds, None, None, **how)
    for mine, right in zip(got, expected, strict=True):
        assert mine.shape == right.shape and mine.dtype == q.dtype
        mine = mine.host.astype(np.float64)
        assert (np.isinf(mine) == np.isinf(right)).all()
        finite = np.isfinite(right)
        difference = np.abs(mine[finite] - right[finite]).max()
        assert difference <= error * max(1, np.abs(right[finite]).max())


def _library(made):
    return (np,) if made.op.takes_xp else ()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("drops", [None, DROPS], ids=["kept", "dropped"])
@pytest.mark.parametrize(("batch", "queries", "keys", "width", "out_width"), [
    ((2,), 5, 7, 8, 3), ((1, 2), 40, 33, 20, 64), ((1,), 3, 140, 65, 100), ((1,), 150, 9, 16, 16),
])  # fmt: skip
def test_shapes(batch, queries, keys, width, out_width, causal, drops, dtype):
    kind = bfloat16 if dtype == "bfloat16" else dtype
    q, k = drawn((*batch, queries, width), kind, 0), drawn((*batch, keys, width), kind, 1)
    v = drawn((*batch, keys, out_width), kind, 2)
    compared(q, k, v, None, causal=causal, drops=drops, error=ERRORS[dtype])


@pytest.mark.parametrize("shape", [(6, 10), (3, 1, 6, 10), (2, 1, 1, 1, 10), (1, 3, 2, 6, 1)])
@pytest.mark.parametrize("kind", ["added", "bool"])
def test_biases(shape, kind):
    q, k, v = (drawn((2, 3, 2, n, 4), "float32", n) for n in (6, 10, 10))
    bias = drawn(shape, "float32", 3) * 2
    bias = bias > -0.5 if kind == "bool" else bias
    if kind == "bool":
        bias[..., -1, :] = bias[..., :1].any() and shape[-2] == 1  # a query that sees nothing
    compared(q, k, v, bias, drops=DROPS)
    compared(*(x.reshape(1, *x.shape) for x in (q, k, v)), bias)


def test_large_scores_and_hidden_ones():
    q, k, v = (drawn((1, n, 8), "float32", n) for n in (40, 300, 300))
    compared(q * 30, k * 30, v, None, error=1e-4)
    bias = np.zeros((40, 300), np.float32)
    bias[:, :200] = -np.inf
    bias[5] = -np.inf
    compared(q, k, v, bias)


def test_dropout_makes_no_mask():
    """Its memory would be that of all weights, in one of these."""
    q, k, v = (tallow.rand(2, 20, 4).to("standin").requires_grad_() for _ in range(3))
    results = []
    for _ in range(2):
        tallow.manual_seed(3)
        out = F.scaled_dot_product_attention(q, k, v, dropout_p=0.5)
        out.sum().backward()
        results.append([out.tolist(), *(x.grad.tolist() for x in (q, k, v))])
        for x in (q, k, v):
            x.grad = None
    assert results[0] == results[1]
    tallow.manual_seed(4)
    assert F.scaled_dot_product_attention(q, k, v, dropout_p=0.5).tolist() != results[0][0]
    zero = tallow.zeros(1, 200, 4).to("standin")
    ones = tallow.ones(1, 1000, 4).to("standin")
    tallow.manual_seed(0)
    mean = F.scaled_dot_product_attention(zero, ones * 0, ones, dropout_p=0.3)
    assert abs(mean.mean().item() - 1) < 5e-3 and mean.std().item() > 1e-3


def test_what_it_does_not_do():
    wide, double = np.zeros((1, 2, 200), "float32"), np.zeros((1, 2, 8))
    assert not flash.takes(wide, wide, wide, None) and not flash.takes(double, double, double, None)
    assert not flash.takes(*[double.astype("f4")] * 3, np.zeros((2, 2)))
