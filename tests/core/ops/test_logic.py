"""Cases of tallow.ops.logic."""

import math

import numpy as np
import pytest

from tallow.ops import logic as ops
from tallow.testing import Case, checks, draw, given

ONE = [given((2, 3)), given(()), given((0, 2)), given(np.array([np.inf, -np.inf, np.nan, -0.0]))]
WHOLE = ONE[:3]
TWO = [
    given((2, 3), (2, 3)), given((2, 3), (3,)), given((), ()), given((0, 3), (3,)),
    given((2, 2), 1),
    given(np.array([1.0, 0.0, 2.0]), np.array([1.0, 2.0, 0.0])),
]  # fmt: skip
SHIFTS = [
    given(draw((6,), -9, 9), draw((6,), 0, 3)), given(draw((2, 3), 0, 9), draw((3,), 0, 3)),
    given((0,), (0,)),
]  # fmt: skip


def truth(op, reference, examples, dtypes):
    return Case(op, reference, *examples, dtypes=dtypes, gives=bool)


def whole(op, reference, examples, dtypes="i"):
    return Case(op, reference, *examples, dtypes=dtypes, domain=(0, 9))


CASES = [
    truth(ops.equal, np.equal, TWO, "bifc"),
    truth(ops.not_equal, np.not_equal, TWO, "bifc"),
    truth(ops.less, np.less, TWO, "bif"),
    truth(ops.less_equal, np.less_equal, TWO, "bif"),
    truth(ops.greater, np.greater, TWO, "bif"),
    truth(ops.greater_equal, np.greater_equal, TWO, "bif"),
    truth(ops.isnan, np.isnan, ONE, "fc"),
    truth(ops.isinf, np.isinf, ONE, "fc"),
    truth(ops.isfinite, np.isfinite, ONE, "fc"),
    truth(ops.isposinf, np.isposinf, ONE, "f"),
    truth(ops.isneginf, np.isneginf, ONE, "f"),
    truth(ops.isreal, np.isreal, WHOLE, "bifc"),
    truth(ops.signbit, np.signbit, ONE, "f"),
    Case(
        ops.isclose, lambda x, y, **how: np.isclose(x, y, **how),
        given((2, 3), (2, 3), rtol=0.5, atol=0.1, equal_nan=False),
        given(np.array([1.0, np.nan, np.inf]), np.array([1.5, np.nan, np.inf]), rtol=0.5, atol=0.1,
              equal_nan=True), given((), (), rtol=0.0, atol=0.0, equal_nan=False),
        dtypes="fc", gives=bool,
    ),
    truth(ops.logical_and, np.logical_and, TWO, "bifc"),
    truth(ops.logical_or, np.logical_or, TWO, "bifc"),
    truth(ops.logical_xor, np.logical_xor, TWO, "bifc"),
    truth(ops.logical_not, np.logical_not, WHOLE, "bifc"),
    whole(ops.bitwise_and, np.bitwise_and, TWO, "bi"),
    whole(ops.bitwise_or, np.bitwise_or, TWO, "bi"),
    whole(ops.bitwise_xor, np.bitwise_xor, TWO, "bi"),
    Case(ops.bitwise_not, lambda x: ~x, *WHOLE, dtypes="b"),
    whole(ops.left_shift, np.left_shift, SHIFTS),
    whole(ops.right_shift, np.right_shift, SHIFTS),
    whole(ops.gcd, np.vectorize(math.gcd, otypes=[int]), TWO),
    whole(ops.lcm, np.vectorize(math.lcm, otypes=[int]), TWO),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "i4", "i8"])
def test_bits_inverted(kind):
    x = np.array([0, 1, 5, 100], kind)
    assert (ops.bitwise_not(x) + x == np.array(-1).astype(kind)).all()
