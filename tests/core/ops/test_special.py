"""Cases of tallow.ops.special."""

import math

import numpy as np
import pytest

from tallow.ops import special as ops
from tallow.testing import Case, checks, given

CASES = [
    Case(
        ops.erf, np.vectorize(math.erf, otypes=[float]),
        given((2, 3)), given(()), given((0, 2)), given(np.linspace(-7, 7, 57)),
        given(np.array([0.46875, -0.46875, 4.0, -4.0, 1e-9, 5.5])),
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


def test_beyond_the_finite():
    x = np.array([np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(ops.erf(x), [1, -1, np.nan])
