"""Compiled reductions, comparisons, choices and joins against NumPy's."""

import numpy as np
import pytest

from tallow.autograd import builtin
from tallow.kernels.cpu import REASON, compiled
from tallow.ops import logic, reduce

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

RNG = np.random.default_rng(0)
COMPARISONS = [
    logic.equal, logic.not_equal, logic.less, logic.less_equal, logic.greater, logic.greater_equal,
]  # fmt: skip


def normal(*shape):
    return np.asarray(RNG.standard_normal(shape).astype(np.float32))


def special(*shape):
    """Numbers with NaN, infinities and equal ones among them."""
    x = np.asarray(normal(*shape).round(1))
    x.reshape(-1)[1::50] = np.nan
    x.reshape(-1)[2::50] = np.inf
    x.reshape(-1)[3::50] = -np.inf
    return x


REDUCED = [
    ((), None), ((1,), None), ((7,), (0,)), ((4, 4), None), ((4, 4), (0,)), ((4, 4), (1,)),
    ((300_001,), None), ((3, 5, 7), (1,)), ((3, 5, 7), (0, 2)), ((3, 5, 7, 9), (0, 2)),
    ((3, 5, 7, 9), (1, 2)), ((700, 33), (0,)), ((33, 700), (1,)), ((2, 1, 90_000), (2,)),
    ((1, 90_001, 2), (1,)), ((9, 70, 3, 1), (1, 3)), ((200, 999), (0,)), ((5, 1, 3), (1,)),
]  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("shape", "axis"), REDUCED, ids=str)
def test_reductions(shape, axis, threads):
    x = normal(*shape)
    wide = x.astype(np.float64)
    before = compiled.get_threads()
    try:
        compiled.set_threads(threads)
        for keepdims in (False, True):
            for name in ("sum", "mean"):
                got = getattr(compiled, name)(x, axis=axis, keepdims=keepdims)
                expected = getattr(np, name)(wide, axis=axis, keepdims=keepdims)
                assert got.dtype == np.float32 and got.shape == expected.shape
                np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5 * x.size**0.5)
        for name in ("amax", "amin"):
            got = getattr(compiled, name)(x, axis=axis)
            np.testing.assert_array_equal(got, getattr(np, name)(x, axis=axis, keepdims=True))
    finally:
        compiled.set_threads(before)


@pytest.mark.parametrize("axis", [None, (0,), (1,)])
def test_nan_and_infinities(axis):
    x = special(40, 55)
    for name in ("amax", "amin"):
        got, expected = getattr(compiled, name)(x, axis=axis), getattr(np, name)
        np.testing.assert_array_equal(got, expected(x, axis=axis, keepdims=True))
    with np.errstate(invalid="ignore"):
        expected = x.sum(axis=axis)
    np.testing.assert_allclose(compiled.sum(x, axis=axis, keepdims=False), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("shape", "to"),
    [((3, 5), (5,)), ((3, 5), (1, 5)), ((3, 5), (3, 1)), ((3, 5), ()), ((2, 3, 5), (3, 1)),
     ((2, 3, 1, 5), (1, 3, 1, 1)), ((64, 99, 7), (7,))],
    ids=str,
)  # fmt: skip
def test_sums_of_what_broadcasting_repeats(shape, to):
    x = normal(*shape)
    expected = builtin.sum_to.__wrapped__(np, x.astype(np.float64), shape=to)
    got = compiled.sum_to(x, shape=to)
    assert got.shape == to
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_reductions_that_are_declined():
    x = normal(3, 5, 7, 2, 4)
    assert compiled.sum(x, axis=(1, 3), keepdims=False) is NotImplemented
    for other in (x.astype(np.float64), x.T, normal(0, 3)):
        assert compiled.sum(other, axis=None, keepdims=False) is NotImplemented
        assert compiled.amax(other, axis=None) is NotImplemented
    for shape in ((5, 7, 2, 3), (1,) * 6, x.shape):
        assert compiled.sum_to(x, shape=shape) is NotImplemented


def test_means_keep_their_gradient():
    x = normal(3, 4)
    assert reduce.mean(x, axis=(1,), keepdims=True).shape == (3, 1)


@pytest.mark.parametrize("op", COMPARISONS, ids=lambda op: op.op.name)
@pytest.mark.parametrize("shape", [(), (4, 4), (3, 0), (70_003,)], ids=str)
def test_comparisons(op, shape):
    x, y, kernel = special(*shape), special(*shape), getattr(compiled, op.op.name)
    for other in (y, 0, 0.1, float("nan"), -float("inf")):
        got = kernel(x, other)
        assert got.dtype == bool
        np.testing.assert_array_equal(got, op.__wrapped__(x, other))
    for other in (x.astype(np.float64), 1e300, True, normal(2, 1, 3)):
        assert kernel(x, other) is NotImplemented


@pytest.mark.parametrize("shape", [(), (4, 4), (3, 0), (70_003,)], ids=str)
def test_choices(shape):
    x, y = special(*shape), special(*shape)
    condition = np.asarray(RNG.random(shape) > 0.4)
    for a, b in ((x, y), (x, 0), (-1.5, y), (x, float("nan"))):
        got = compiled.where(condition, a, b)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, np.where(condition, a, b))
    for declined in ((condition, 1, 2), (condition[None], x, y), (x, x, y), (condition, x, 1e300)):
        assert compiled.where(*declined) is NotImplemented


@pytest.mark.parametrize(
    ("shapes", "axis"),
    [([(4, 4), (4, 4)], 0), ([(4, 4), (4, 4)], 1), ([(3,)], 0), ([(2, 3, 5), (2, 1, 5)], 1),
     ([(2, 0), (2, 3)], 1), ([(300, 70), (300, 5), (300, 99)], 1), ([(0, 3), (0, 3)], 0)],
    ids=str,
)  # fmt: skip
def test_joins(shapes, axis):
    parts = [special(*shape) for shape in shapes]
    np.testing.assert_array_equal(compiled.cat(*parts, axis=axis), np.concatenate(parts, axis))


def test_joins_that_are_declined():
    x = normal(3, 4)
    for parts in ((x, x.T), (x, x[:, ::2]), (x, x.astype(np.float64)), (x, normal(4))):
        assert compiled.cat(*parts, axis=0) is NotImplemented


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_means_are_sums_divided(axis):
    """By a division: 12 of 120 are a tenth, not twelve times a rounded 1/120."""
    x = np.zeros((120, 120), np.float32)
    x[:12] = x[:, :12] = 1
    expected = x.sum(axis) / np.float32(x.size if axis is None else 120)
    found = reduce.mean(x, axis=(0, 1) if axis is None else (axis,), keepdims=False)
    assert np.array_equal(found, expected)
