"""Compiled arithmetic against NumPy's."""

import operator

import numpy as np
import pytest

from tallow.autograd.op import Op
from tallow.kernels.cpu import REASON, compiled

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

FUNCTIONS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "maximum": np.maximum, "minimum": np.minimum,
}  # fmt: skip
SHAPES = [
    ((4, 4), (4, 4)), ((), ()), ((1,), (1, 1)), ((100_003,), (100_003,)), ((3, 5, 7), (7,)),
    ((3, 5, 7), (5, 1)), ((3, 5, 7), (1, 5, 1)), ((3, 5, 7), (3, 1, 1)), ((3, 5, 7), (5, 7)),
    ((3, 5, 7), ()), ((3, 5, 7), (1, 1)), ((64, 999), (999,)), ((64, 999), (64, 1)), ((9, 1), (9,)),
    ((2, 1, 3), (3,)), ((64, 999), (1,)),
]  # fmt: skip


def normal(*shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    x.reshape(-1)[1::50] = np.nan
    x.reshape(-1)[2::50] = np.inf
    x.reshape(-1)[3::50] = 0
    return np.asarray(x)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays(name, shapes):
    x, y = normal(*shapes[0]), np.flip(normal(*shapes[1])).copy()
    for a, b in ((x, y), (y, x)):
        with np.errstate(all="ignore"):
            expected = np.asarray(FUNCTIONS[name](a, b))
            got = compiled.first_of(getattr(compiled, name), FUNCTIONS[name])(a, b)
        assert np.array_equal(got, expected, equal_nan=True) and got.shape == expected.shape


@pytest.mark.parametrize("number", [2, -1.5, 0.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_numbers(name, number):
    x = normal(70_001)
    with np.errstate(all="ignore"):
        for a, b in ((x, number), (number, x)):
            got = getattr(compiled, name)(a, b)
            assert np.array_equal(got, FUNCTIONS[name](a, b), equal_nan=True)


def test_what_is_declined():
    x = normal(4, 6)
    others = (
        x.T, x[:, ::2], x[:3], x.astype(np.float64), np.float32(1), np.float64(1), 1e300, 2**60, 1j,
        True, normal(2, 1, 6), np.empty((0, 6), np.float32),
    )  # fmt: skip
    for other in others:
        assert compiled.add(x, other) is NotImplemented
        assert compiled.add(other, x) is NotImplemented
    assert compiled.add(2, 3) is NotImplemented


def test_a_kernel_and_what_is_behind_it():
    def special(x, *, times=1):
        return x * times if x > 0 else NotImplemented

    first = Op.first_of(special, lambda x, *, times=1: ("generic", x, times))
    assert first(3, times=2) == 6 and first(-3, times=2) == ("generic", -3, 2)
    with pytest.raises(TypeError, match="positional"):
        first()
    with pytest.raises(TypeError, match="'>' not supported"):
        first("x")
