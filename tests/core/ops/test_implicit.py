"""Cases of tallow.ops.implicit: the slopes of quantiles, by differences of quantiles."""

import numpy as np
import pytest

from tallow.ops import gamma, implicit
from tallow.testing import Case, checks, given

TOLERANCE = 1e6  # of the differences
NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)


def slope(function, a, x):
    """dx/da along function(a, x) = const, by central differences of order 4."""
    h = 1e-3

    def difference(ahead):
        return 8 * (ahead(h) - ahead(-h)) - (ahead(2 * h) - ahead(-2 * h))

    by_a, by_x = difference(lambda h: function(a + h, x)), difference(lambda h: function(a, x + h))
    return -by_a / by_x


def incomplete_beta(a, b, x):
    """The integral of t**(a - 1) (1 - t)**(b - 1) from 0 to x over that to 1, for a, b above 1.

    By t = s**4 and 1 - t = s**4 at the two ends, where a power is not smooth.
    """

    def part(end, p, q):
        s = (NODES + 1) / 2 * np.asarray(end)[..., None] ** 0.25
        inside = 4 * s ** (4 * p[..., None] - 1) * (1 - s**4) ** (q[..., None] - 1)
        return (inside * WEIGHTS).sum(-1) * np.asarray(end) ** 0.25 / 2

    a, b, x = np.broadcast_arrays(a, b, x)
    half = np.full(x.shape, 0.5)
    low, high = part(half, a, b), part(half, b, a)
    left, right = part(np.minimum(x, 0.5), a, b), part(np.minimum(1 - x, 0.5), b, a)
    return np.where(x < 0.5, left, low + high - right) / (low + high)


CASES = [
    Case(implicit.gamma_slope, lambda a, x: slope(gamma.gammainc, a, x),
         given((3, 4), (3, 4)), given((4,), (3, 4)), given((), ()), given((0,), (0,)),
         domain=(0.3, 4.0), tolerance=TOLERANCE),
    Case(implicit.beta_slope, lambda a, b, x: slope(lambda a, x: incomplete_beta(a, b, x), a, x),
         given((3, 4), (3, 4), (3, 4)), given((4,), (), (3, 4)), given((), (), ()),
         domain=(0.3, 0.7), tolerance=TOLERANCE),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


def test_of_large_concentrations():
    """On both sides of where the series ends: nearly 1 + z / (2 sqrt(a)), z the deviation."""
    a = np.array([9_999.0, 10_001.0, 1e8])
    for z in (-2.0, 0.0, 2.0):
        slopes = implicit.gamma_slope(a, a + z * np.sqrt(a) + (z * z - 1) / 3)
        np.testing.assert_allclose(slopes, 1 + z / (2 * np.sqrt(a)), rtol=2e-6)
    a, b = np.array([3000.0]), np.array([4000.0])
    np.testing.assert_allclose(implicit.beta_slope(a, b, a / (a + b)), b / (a + b) ** 2, rtol=1e-3)


def test_in_the_tails():
    """Of small numbers x is (Gamma(a + 1) * p) ** (1 / a), so that dx/da has a closed form."""
    a, x = np.array([0.01, 0.3, 2.0]), np.array([1e-100, 1e-12, 1e-9])
    expected = x / a * (gamma.digamma(a + 1) - np.log(x))
    np.testing.assert_allclose(implicit.gamma_slope(a, x), expected, rtol=1e-8)
