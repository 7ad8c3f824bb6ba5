"""Cases of tallow.ops.reduce."""

import numpy as np
import pytest

from tallow.ops import reduce as ops
from tallow.testing import Case, at_kink, checks, given


def kept(function, **others):
    """A reference for an op that keeps the axes it reduces."""
    return lambda x, axis: function(x, axis=axis, keepdims=True, **others)


def dropped(function):
    return lambda x, axis, keepdims: function(x, axis=axis, keepdims=keepdims)


def ties(x, out, axis):
    same = x == out
    return same / np.sum(same, axis=axis, keepdims=True)


def variance(x, axis, correction):
    return np.var(x, axis=axis, ddof=correction, keepdims=True)


def logsumexp(x, axis):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


def recur(x, factor, axis):
    x, factor = np.moveaxis(x, axis, 0), np.moveaxis(factor, axis, 0)
    out = np.zeros_like(x)
    for i in range(len(x)):
        out[i] = sum(x[j] * np.prod(factor[j + 1 : i + 1], 0) for j in range(i + 1))
    return np.moveaxis(out, 0, axis)


def delay(x, axis, first):
    start = np.full_like(np.take(x, [0], axis), first) if x.shape[axis] else x
    return np.concatenate([start, np.delete(x, -1, axis)], axis) if x.size else x


def deviation(x, axis, correction):
    return np.sqrt(variance(x, axis, correction))


def vector_norm(x, p, axis):
    size = np.abs(x)
    if np.isinf(p):
        return (np.max if p > 0 else np.min)(size, axis=axis, keepdims=True)
    if p == 0:
        return np.count_nonzero(x, axis=axis, keepdims=True).astype(float)
    return np.sum(size**p, axis=axis, keepdims=True) ** (1 / p)


def cumsum(x, axis, reverse=False):
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


def cumprod_grad(g, x, axis):
    """The sum over the products that have the element, each without it."""
    g, x = np.moveaxis(g, axis, 0), np.moveaxis(x, axis, 0)
    out, n = np.zeros_like(x), len(x)
    for i in range(n):
        for j in range(i, n):
            out[i] += g[j] * np.prod(np.delete(x, [i, *range(j + 1, n)], 0), 0)
    return np.moveaxis(out, 0, axis)


def argsort(x, axis, descending, stop=None):
    order = np.argsort(-x if descending else x, axis=axis, kind="stable")
    return np.take(order, range(order.shape[axis])[:stop], axis)


INFINITY = np.array([1.0, np.inf, 2.0])
SUMMED = [
    given((2, 3), axis=(1,), keepdims=False), given((2, 3, 4), axis=(0, 2), keepdims=True),
    given((2, 3), axis=None, keepdims=False), given((), axis=None, keepdims=False),
    at_kink((0, 3), axis=(0,), keepdims=True), at_kink((2, 0), axis=None, keepdims=False),
]  # fmt: skip
KEPT = [
    given((2, 3), axis=(1,)), given((2, 3, 4), axis=(0, 2)), given((2, 3), axis=None),
    given((), axis=None), given((0, 3), axis=(1,)),
]  # fmt: skip
FOUND = [
    given((2, 5), axis=1, keepdims=False), given((2, 3), axis=0, keepdims=True),
    given((2, 3), axis=None, keepdims=False), given((), axis=None, keepdims=False),
]  # fmt: skip
RUNNING = [given((4,), axis=0), given((2, 3), axis=1), given((0, 2), axis=0)]
TRUTH = [
    given((2, 3), axis=(1,), keepdims=False), given((2, 3), axis=None, keepdims=False),
    given((), axis=None, keepdims=False), given((0, 3), axis=(0,), keepdims=True),
    given((2, 3, 2), axis=(0, 2), keepdims=False),
    given(np.zeros((2, 2)), axis=(0,), keepdims=False),
]  # fmt: skip


def exclusive_or(x, *, axis, keepdims):
    return np.bitwise_xor.reduce(x.view(np.uint64), axis, keepdims=keepdims)


CASES = [
    Case(
        ops.xor_bits, exclusive_or,
        given((2, 3), axis=(0,), keepdims=False), given((2, 3, 5), axis=(1, 2), keepdims=True),
        given((), axis=(), keepdims=False), given((0, 2), axis=(0,), keepdims=False),
        dtypes=("i8", "i4", "f8", "f4"), gives="u8",
    ),
    Case(ops.sum, dropped(np.sum), *SUMMED, dtypes="ifc", tolerance=2),
    Case(ops.mean, dropped(np.mean), *SUMMED, dtypes="fc", tolerance=2),
    Case(
        ops.prod, dropped(np.prod),
        given((2, 3), axis=(1,), keepdims=False), given((4,), axis=None, keepdims=False),
        given((2, 3), axis=None, keepdims=False), given((), axis=None, keepdims=False),
        given((0, 3), axis=(0,), keepdims=True),
        given(np.array([2.0, 0, 3]), axis=(0,), keepdims=True),
        given(np.array([2.0, 0, 0]), axis=(0,), keepdims=False), dtypes="ifc", tolerance=8,
    ),
    Case(ops.amax, kept(np.max), *KEPT, at_kink(np.array([1.0, 3, 3]), axis=None), dtypes="bif"),
    Case(ops.amin, kept(np.min), *KEPT, at_kink(np.array([[1.0, 1, 3]]), axis=(1,)), dtypes="bif"),
    Case(
        ops.ties, ties,
        given(np.array([1.0, 3, 3]), np.array([3.0]), axis=(0,)),
        given(np.array([[1.0, 3], [2, 0]]), np.array([[1.0, 2]]), axis=(0,))
    ),
    Case(
        ops.variance, variance,
        given((2, 3), axis=(1,), correction=1), given((2, 3, 2), axis=(0, 2), correction=0),
        given((4,), axis=None, correction=2), given((0, 3), axis=(1,), correction=1),
        dtypes="fc", tolerance=8,
    ),
    Case(ops.logsumexp, logsumexp, 
        *KEPT, at_kink((0, 3), axis=(0,)), at_kink(INFINITY, axis=None), tolerance=4,
    ),
    Case(
        ops.deviation, deviation,
        given((2, 3), axis=(1,), correction=1), given((2, 3, 2), axis=(0, 2), correction=0),
        at_kink(np.ones(3), axis=(0,), correction=1), dtypes="fc", tolerance=8,
    ),
    Case(
        ops.vector_norm, vector_norm,
        *(given((2, 3), p=p, axis=(1,)) for p in (0, 0.5, 1, 2, 3, -1, np.inf, -np.inf)),
        given((4,), p=2, axis=None), given((2, 3, 2), p=2.5, axis=(0, 2)),
        at_kink(np.zeros(3), p=2, axis=(0,)), at_kink(np.zeros(3), p=3, axis=(0,)),
        kinks=(0,), dtypes="fc", tolerance=8,
    ),
    Case(
        ops.cumsum, cumsum,
        *RUNNING, given((2, 3), axis=1, reverse=True), dtypes="ifc", tolerance=8,
    ),
    Case(
        ops.cumprod, lambda x, axis: np.cumprod(x, axis),
        *RUNNING, given(np.array([2.0, 0, 3, 0, 1]), axis=0), dtypes="ifc", tolerance=8,
    ),
    Case(
        ops.cumprod_grad, cumprod_grad,
        given((4,), (4,), axis=0), given((2, 3), (2, 3), axis=1),
        given((4,), np.array([2.0, 0, 3, 0]), axis=0), dtypes="fc", tolerance=8,
    ),
    Case(
        ops.delay, delay,
        given((4,), axis=0, first=1), given((2, 3), axis=1, first=0),
        given((0, 2), axis=0, first=1),
        dtypes="ifc",
    ),
    Case(
        ops.recur, recur,
        given((4,), (4,), axis=0), given((2, 3), (2, 3), axis=1), given((0, 2), (0, 2), axis=0),
        dtypes="ifc", tolerance=8,
    ),
    Case(ops.argmax, dropped(np.argmax), *FOUND, dtypes="bif", gives=np.int64),
    Case(ops.argmin, dropped(np.argmin), *FOUND, dtypes="bif", gives=np.int64),
    Case(
        ops.argsort, argsort,
        given((2, 5), axis=1, descending=False), given((4, 2), axis=0, descending=True),
        given(np.array([1.0, 2, 1, 2]), axis=0, descending=True),
        given((2, 40), axis=1, descending=True, stop=3),
        given((4, 2), axis=0, descending=False, stop=0),
        given((0,), axis=0, descending=False),
        dtypes="if", gives=np.int64,
    ),
    Case(ops.any, dropped(np.any), *TRUTH, dtypes="bifc", gives=bool),
    Case(ops.all, dropped(np.all), *TRUTH, dtypes="bifc", gives=bool),
    Case(
        ops.count_nonzero, lambda x, axis: np.count_nonzero(x, axis),
        given((2, 3), axis=(1,)), given((2, 3), axis=None), given((), axis=None),
        given((0, 2), axis=(0,)),
        dtypes="bifc", gives=np.int64,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
