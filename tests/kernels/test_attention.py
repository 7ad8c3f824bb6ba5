"""Compiled attention against the generic bodies, in float64."""

import numpy as np
import pytest

from tallow.kernels.cpu import REASON, compiled
from tallow.ops import attention as ops

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

# (batch, queries, keys, width, values, causal)
SHAPES = [
    ((), 1, 1, 1, 1, False), ((2,), 5, 7, 3, 4, False), ((2, 3), 33, 65, 16, 20, False),
    ((1,), 130, 70, 64, 64, True), ((1,), 70, 130, 8, 33, True), ((2, 2), 64, 64, 64, 64, True),
    ((3,), 40, 300, 13, 5, False),
]  # fmt: skip


RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def wide(x):
    return x if x is None or x.dtype == bool else x.astype(np.float64)


def check(q, k, v, bias, causal, threads=2, keep=None):
    """Result, level and gradients are those of the generic body."""
    how = {"scale": 0.3, "causal": causal}
    out, level = ops.attend.__wrapped__(np, wide(q), wide(k), wide(v), wide(bias), keep, **how)
    g = normal(*out.shape)
    grads = ops.attend_grad.__wrapped__(
        np, wide(g), wide(q), wide(k), wide(v), wide(bias), keep, out, level, **how
    )
    added = np.where(bias, np.float32(0), -np.float32(np.inf)) if _is_bool(bias) else bias
    before = compiled.get_threads()
    try:
        compiled.set_threads(threads)
        got = compiled.attention(q, k, v, added, *how.values(), keep)
        got += compiled.attention_grad(g, q, k, v, got[1], added, *how.values(), keep)
    finally:
        compiled.set_threads(before)
    for mine, expected in zip(got, (out, level, *grads), strict=True):
        assert mine.shape == expected.shape
        size = np.abs(expected[np.isfinite(expected)]).max()
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-5 * size)


def _is_bool(bias):
    return bias is not None and bias.dtype == bool


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_attention(shape, threads):
    batch, queries, keys, width, values, causal = shape
    q, k = normal(*batch, queries, width), normal(*batch, keys, width)
    check(q, k, normal(*batch, keys, values), None, causal, threads)


@pytest.mark.parametrize("shape", [(37, 41), (1, 41), (2, 1, 37, 41), (3, 1, 41)], ids=str)
@pytest.mark.parametrize("kind", ["bool", "float"])
def test_masks(shape, kind):
    q, k, v = normal(2, 3, 37, 8), normal(2, 3, 41, 8), normal(2, 3, 41, 6)
    bias = normal(*shape)
    bias = bias > 0.3 if kind == "bool" else bias
    check(q, k, v, bias, False)


@pytest.mark.parametrize("causal", [False, True])
def test_dropout(causal):
    q, k, v = normal(2, 3, 37, 8), normal(2, 3, 41, 8), normal(2, 3, 41, 6)
    keep = (RNG.random((2, 3, 37, 41)) > 0.3).astype(np.float32) / np.float32(0.7)
    check(q, k, v, None, causal, keep=keep)
    check(q, k, v, normal(37, 41), causal, keep=keep)
    assert compiled.attention(q, k, v, None, 1.0, causal, keep[..., :5]) is NotImplemented


def test_gradients_of_another_layout():
    q, k, v, g = normal(3, 9, 8), normal(3, 7, 8), normal(3, 7, 5), normal(9, 3, 5)
    level = compiled.attention(q, k, v, None, 1.0, False)[1]
    turned = g.transpose(1, 0, 2)
    got = compiled.attention_grad(turned, q, k, v, level, None, 1.0, False)
    for mine, expected in zip(
        got, compiled.attention_grad(turned.copy(), q, k, v, level, None, 1.0, False), strict=True
    ):
        np.testing.assert_array_equal(mine, expected)


def test_queries_that_see_no_key():
    q, k, v = normal(40, 4), normal(5, 4), normal(5, 3)
    bias = np.ones((40, 5), bool)
    bias[3] = bias[37] = False
    check(q, k, v, bias, False)
    out, level = compiled.attention(q, k, v, np.where(bias, 0, -np.inf).astype("f"), 1.0, False)
    assert (out[3] == 0).all() and level[37, 0] == np.inf


def test_heads_of_one_projection():
    x = normal(9, 2, 3 * 4 * 8)  # (L, N, 3 heads' widths)
    q, k, v = (part.reshape(9, 2, 4, 8).transpose(1, 2, 0, 3) for part in np.split(x, 3, axis=2))
    check(q, k, v, None, True)


def test_keys_shared_by_heads():
    q, k, v = normal(2, 3, 9, 8), normal(2, 1, 7, 8), normal(2, 1, 7, 8)
    out, _ = compiled.attention(q, k, v, None, 1.0, False)
    expected, _ = ops.attend.__wrapped__(np, q, k, v, None, None, scale=1.0, causal=False)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)
    level = out[..., :1].copy()
    assert compiled.attention_grad(out, q, k, v, level, None, 1.0, False) is NotImplemented


def test_what_is_declined():
    q, k, v = normal(5, 4), normal(7, 4), normal(7, 3)
    for args in ((q[:, ::2], k[:, ::2], v), (q.astype("d"), k, v), (q[:0], k, v), (q, k[:3], v)):
        assert compiled.attention(*args, None, 1.0, False) is NotImplemented
    assert compiled.attention(q, k, v, normal(5, 6), 1.0, False) is NotImplemented


def test_nan_spreads():
    q, k, v = normal(5, 4), normal(7, 4), normal(7, 3)
    v[2, 1] = np.nan
    out, _ = compiled.attention(q, k, v, None, 1.0, False)
    assert np.isnan(out[:, 1]).all() and not np.isnan(out[:, [0, 2]]).any()
