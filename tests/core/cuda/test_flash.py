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


def compared(q, k, v, bias, *, drops=None, causal=False, scale=0.4, error=1e-5, grads=True):
    """Values and gradients by the kernels, and by the bodies on whole matrices."""
    how = {"scale": scale, "causal": causal}
    forward, back = ops.attend, ops.attend_grad
    if drops is not None:
        how["drops"], forward, back = drops, ops.attend_dropping, ops.attend_dropping_grad
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    g = drawn((*batch, q.shape[-2], v.shape[-1]), q.dtype, 7)
    there = [x if x is None else Array(x) for x in (q, k, v, bias, None)]
    out, level = forward(*there, **how)
    got = [out, level]
    if grads:
        got += back(Array(g), *there, out, level, **how)
    kinds = [x if x is None or x.dtype == bool else x.astype(np.float64) for x in (q, k, v, bias)]
    out, level = forward.op.body(*_library(forward), *kinds, None, **how)
    expected = [out, level]
    if grads:
        g = g.astype(np.float64)
        expected += back.op.body(*_library(back), g, *kinds, None, None, None, **how)
    for mine, right in zip(got, expected, strict=True):
        assert mine.dtype == (np.float32 if right is expected[1] else q.dtype)
        if mine.ndim == 5 and mine.shape[2] == 1:  # shared by several heads
            right = right.sum(2, keepdims=True)
        assert mine.shape == right.shape
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
    ((1,), 140, 72, 64, 40), ((1,), 33, 40, 128, 128),
])  # fmt: skip
def test_shapes(batch, queries, keys, width, out_width, causal, drops, dtype):
    kind = bfloat16 if dtype == "bfloat16" else dtype
    q, k = drawn((*batch, queries, width), kind, 0), drawn((*batch, keys, width), kind, 1)
    v = drawn((*batch, keys, out_width), kind, 2)
    compared(q, k, v, None, causal=causal, drops=drops, error=ERRORS[dtype])


@pytest.mark.parametrize("causal", [True, False])
def test_keys_shared_by_several_heads(causal):
    q, k = drawn((2, 2, 3, 5, 16), "float16", 0), drawn((2, 2, 1, 70, 16), "float16", 1)
    v, error = drawn((2, 2, 1, 70, 16), "float16", 2), ERRORS["float16"]
    for drops in (None, DROPS):
        compared(q, k, v, None, causal=causal, drops=drops, error=error)
    compared(q, k, v, drawn((3, 5, 70), "float16", 3), error=error)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_views(dtype, monkeypatch):
    """Heads within rows, as models have them, are read in place; so is what is not aligned."""
    monkeypatch.setattr(flash, "in_order", _of_own_results)
    whole = drawn((2, 9, 3, 4, 16), dtype, 0)  # images, length, q k v, heads, width
    q, k, v = (whole[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
    compared(q, k, v, None, causal=True, error=ERRORS[dtype])
    q, k, v = (drawn((2, 6, 19), dtype, n)[..., 1:17] for n in range(3))
    compared(q, k, v, None, error=ERRORS[dtype])
    compared(drawn((6, 16), dtype, 0), q, v, None, error=ERRORS[dtype], grads=False)
    monkeypatch.undo()
    monkeypatch.setattr(attention, "multiply", None)
    compared(*(x.transpose(0, 2, 1)[:, :, ::2] for x in (q, k, v)), None, error=ERRORS[dtype])


def _of_own_results(x):
    assert x is None or x.flags.c_contiguous
    return x


def test_gradients_without_results_of_the_kernel():
    q, k, v, g = (Array(drawn((1, 9, 8), "float16", n)) for n in range(4))
    how = {"scale": 1.0, "causal": True}
    given = ops.attend(q, k, v, None, None, **how)
    made = [ops.attend_grad(g, q, k, v, None, None, *x, **how) for x in (given, (None, None))]
    assert all((x.host == y.host).all() for x, y in zip(*made, strict=True))


def test_infinite_values_stay():
    q, k, v = (drawn((1, 5, 8), "float32", n) for n in range(3))
    v[0, 3, :2] = np.inf, np.nan
    out = ops.attend(*map(Array, (q, k, v)), None, None, scale=1.0, causal=False)[0].host
    assert (out[..., 0] == np.inf).all() and np.isnan(out[..., 1]).all()
    assert np.isfinite(out[..., 2:]).all()


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
    assert not flash.takes(*[Array(double.astype("f4"))] * 3, np.zeros((2, 2)))
