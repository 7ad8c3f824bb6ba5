"""Cases of tallow.ops.implicit, against differences of SciPy's quantile functions."""

import pytest
from scipy import special as scipy

from tallow.ops import implicit as ops
from tallow.testing import Case, checks, draw, given

STEP = 1e-4


def gamma_slope(a, x):
    q, step = scipy.gammainc(a, x), STEP * a
    return (scipy.gammaincinv(a + step, q) - scipy.gammaincinv(a - step, q)) / (2 * step)


def beta_slope(a, b, x):
    q, step = scipy.betainc(a, b, x), STEP * a
    return (scipy.betaincinv(a + step, b, q) - scipy.betaincinv(a - step, b, q)) / (2 * step)


PART = draw((7,), 0.1, 0.9)
CASES = [
    Case(ops.gamma_slope, gamma_slope, given((5,), (5,)), given((), ()), given((0,), (0,)),
         domain=(0.5, 4), orders=0, tolerance=1e6),
    Case(ops.beta_slope, beta_slope, given((7,), (7,), PART), domain=(0.5, 4), orders=0,
         tolerance=1e6),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
