"""Norms and reductions whose groups several blocks share, and rows that are not aligned."""

import numpy as np
import pytest
from ml_dtypes import bfloat16

from tallow.kernels.cuda import launch, norm, reduce
from tallow.ops import norm as ops
from tallow.ops import reduce as sums
from tallow.ops import softmax
from tallow.testing.devices import Array

ERRORS = {"float16": 5e-3, "bfloat16": 4e-2, "float32": 2e-5, "float64": 1e-12}


@pytest.fixture(params=["shared", "alone"], autouse=True)
def parts(request, emulated, monkeypatch):
    """Groups of few elements are shared by blocks, or none are; and blocks are small."""
    for made in (norm, reduce):
        monkeypatch.setattr(made, "LEAST", 16 if request.param == "shared" else 1 << 30)
    monkeypatch.setattr(launch, "MOST_THREADS", 64)


def drawn(shape, dtype, seed, view=0):
    """Random numbers, which begin `view` elements after an aligned address."""
    values = np.random.default_rng(seed).normal(1, 2, (np.prod(shape) + view,))
    kind = bfloat16 if dtype == "bfloat16" else dtype
    return values.astype(kind)[view:].reshape(shape)


def close(got, expected, dtype, what=""):
    got = got.host.astype(np.float64)
    assert got.shape == expected.shape, what
    largest = max(1, np.abs(expected).max())
    assert np.abs(got - expected).max() <= ERRORS[dtype] * largest, what


def compared(op, arrays, dtype, results=1, **how):
    """An operation on the device and its body in float64: all results, or the first."""
    library = (np,) if op.op.takes_xp else ()
    wide = [x if x is None or x.dtype == bool else x.astype(np.float64) for x in arrays]
    expected = op.op.body(*library, *wide, **how)
    got = op(*[x if x is None else Array(x) for x in arrays], **how)
    if not isinstance(got, tuple):
        got, expected = (got,), (expected,)
    for i, (mine, right) in enumerate(zip(got, expected, strict=True)):
        close(mine, right, dtype, f"result {i}")


SHAPES = [(3, 2, 8, 8), (5, 3, 7, 7), (9, 4), (2, 1, 301), (300, 2, 3)]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm(shape, dtype):
    axes, factor = (0, *range(2, len(shape))), (1, shape[1], *(1,) * (len(shape) - 2))
    x, g, y = (drawn(shape, dtype, seed) for seed in range(3))
    weight, bias = drawn(shape[1:2], dtype, 3), drawn(shape[1:2], dtype, 4)
    how = {"axes": axes, "eps": 1e-2}
    compared(ops.normalize, (x, weight, bias), dtype, factor=factor, centre=True, **how)
    compared(ops.normalize_relu, (x, weight, bias), dtype, factor=factor, **how)
    compared(ops.normalize_add_relu, (x, y, weight, bias), dtype, factor=factor, **how)
    wide = x.astype(np.float64)
    average, variance = (f(wide, axis=axes, keepdims=True) for f in (np.mean, np.var))
    kind = np.float32 if dtype == "float16" else dtype
    average, variance = average.astype(kind), variance.astype(kind)
    for added in (bias, bias * 0 + 50):  # ReLU stops some, or nothing
        given = (g, x, weight.reshape(factor), added.reshape(factor), average, variance)
        got = ops.normalize_relu_grad(*map(Array, given), **how)
        expected = ops.normalize_relu_grad.op.body(*[p.astype(np.float64) for p in given], **how)
        for mine, right in zip(got, expected, strict=True):
            close(mine, right, dtype)


@pytest.mark.parametrize("dtype", ERRORS)
@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize(
    ("shape", "view"), [((3, 40), 0), ((2, 77), 1), ((5, 600), 0), ((4, 3), 3)]
)
def test_rows(shape, view, centre, dtype):
    x, g = drawn(shape, dtype, 0, view), drawn(shape, dtype, 1)
    weight = drawn(shape[1:], dtype, 2)
    how = {"axes": (1,), "eps": 1e-2, "centre": centre}
    given = (x, weight, weight if centre else None)
    compared(ops.normalize, given, dtype, factor=(1, shape[1]), **how)
    wide = x.astype(np.float64)
    average = wide.mean(1, keepdims=True)
    variance = ((wide - average if centre else wide) ** 2).mean(1, keepdims=True)
    kind = np.float32 if np.dtype(x.dtype).itemsize == 2 else dtype
    given = (g, x, weight[None], average.astype(kind), variance.astype(kind))
    compared(ops.normalize_grad, given, dtype, **how)
    compared(softmax.softmax, (x,), dtype, axis=1)
    compared(softmax.log_softmax, (x,), dtype, axis=1)
    out = softmax.softmax.op.body(np, wide, axis=1).astype(x.dtype)
    compared(softmax.softmax_grad, (g, out), dtype, axis=1)
    compared(softmax.log_softmax_grad, (g, np.log(out + x.dtype.type(1e-2))), dtype, axis=1)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("shape", "axes"), [
    ((1000,), None), ((7, 130), (1,)), ((130, 7), (0,)), ((3, 90, 5), (1,)),
    ((4, 3, 5, 5), (0, 2, 3)), ((90, 1, 150), (0,)), ((2, 300, 4), (0, 1)), ((3, 4, 5, 6), (1, 3)),
])  # fmt: skip
def test_reductions(shape, axes, dtype):
    for x in (drawn(shape, dtype, 0), drawn(shape, dtype, 0, 1)):
        for op in (sums.sum, sums.mean):
            for keepdims in (True, False):
                compared(op, (x,), dtype, axis=axes, keepdims=keepdims)
        for op in (sums.amax, sums.amin):
            compared(op, (x,), dtype, axis=axes)
    x.reshape(-1)[3] = np.nan
    assert np.isnan(sums.amax(Array(x), axis=None).host).all()
    assert np.isnan(sums.amin(Array(x), axis=None).host).all()
