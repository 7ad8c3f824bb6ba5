"""Attention where no kernel of `flash` fits: some rows of the scores at a time."""

import numpy as np
import pytest

import tallow
from tallow.kernels.cuda import attention
from tallow.kernels.cuda.launch import Source
from tallow.kernels.cuda.launch import wide as wide_dtype
from tallow.nn import functional as F
from tallow.ops import attention as ops
from tallow.testing.devices import Array

DROPS = (0.3, 5, 12)


@pytest.fixture(autouse=True)
def few(emulated, monkeypatch):
    """Few scores at a time; gives the sizes of what kernels were given."""
    sizes, launch = [], Source.__call__

    def noting(self, kernel, like, blocks, threads, *args, **room):
        sizes.extend(x.size for x in args if isinstance(x, Array))
        launch(self, kernel, like, blocks, threads, *args, **room)

    monkeypatch.setattr(attention, "SCORES", 60)
    monkeypatch.setattr(Source, "__call__", noting)
    return sizes


def drawn(shape, dtype, seed):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("drops", [None, DROPS], ids=["kept", "dropped"])
@pytest.mark.parametrize(("batch", "groups", "width", "dtype"), [
    ((2,), (2,), 8, "float64"), ((1, 2), (1, 2), 200, "float32"), ((2, 3), (2, 1), 8, "float64"),
    ((2, 3), (2, 1), 8, "float32"), ((2,), (2,), 140, "float16"),
    ((2, 3), (1, 3), 8, "float32"),
])  # fmt: skip
def test_rows_at_a_time(batch, groups, width, dtype, causal, drops, few):
    queries, keys = 9, 11
    q, g = drawn((*batch, queries, width), dtype, 0), drawn((*batch, queries, 5), dtype, 1)
    k, v = drawn((*groups, keys, width), dtype, 2), drawn((*groups, keys, 5), dtype, 3)
    how, forward, back = {"scale": 0.3, "causal": causal}, ops.attend, ops.attend_grad
    if drops is not None:
        how["drops"], forward, back = drops, ops.attend_dropping, ops.attend_dropping_grad
    there = [*map(Array, (q, k, v)), None, None]
    out, level = forward(*there, **how)
    got = [out, level, *back(Array(g), *there, out, level, **how)]
    wide = [x.astype(np.float64) for x in (q, k, v)]
    expected = forward(*wide, None, None, **how)
    expected = [*expected, *back(g.astype(np.float64), *wide, None, None, None, None, **how)]
    kinds = q.dtype, wide_dtype(q.dtype), q.dtype
    for mine, right, kind in zip(got[:3], expected[:3], kinds, strict=True):
        assert mine.shape == right.shape and mine.dtype == kind
    for mine, right, shape in zip(got[2:], expected[2:], (q.shape, k.shape, v.shape), strict=True):
        assert mine.shape == shape
        if right.shape != shape:  # the bodies leave sums over what was broadcast to the engine
            axes = tuple(i for i, n in enumerate(groups) if n < batch[i])
            right = right.reshape(batch + shape[-2:]).sum(axes, keepdims=True)
        error = 2e-2 if dtype == "float16" else 1e-5
        assert np.abs(mine.host - right).max() <= error * max(1, np.abs(right).max())
    assert np.abs(out.host - expected[0]).max() <= (1e-2 if dtype == "float16" else 1e-6)
    assert max(few) < np.prod(batch) * max(queries * keys, keys * width + 1)


def test_grouped_queries_with_dropout():
    q, k, v = (tallow.rand(1, n, 6, 4, dtype=tallow.float64) for n in (4, 2, 2))
    found = []
    for grouped in (True, False):
        tallow.manual_seed(3)
        inputs = [x.to("standin").requires_grad_() for x in (q, k, v)]
        mine = inputs if grouped else [
            inputs[0], *(x.repeat_interleave(2, 1) for x in inputs[1:])
        ]  # fmt: skip
        out = F.scaled_dot_product_attention(*mine, dropout_p=0.4, enable_gqa=grouped)
        out.square().sum().backward()
        found.append([out.detach().cpu(), *(x.grad.cpu() for x in inputs)])
    for one, other in zip(*found, strict=True):
        assert tallow.allclose(one, other)
