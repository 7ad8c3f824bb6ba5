"""Cases of tallow.ops.special, gamma and bessel.

References are textbook formulas: the standard library's functions, and integrals by the rule of
Gauss and Legendre.
"""

import math

import numpy as np
import pytest

from tallow.ops import bessel, gamma, special
from tallow.testing import Case, at_kink, checks, draw, given

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)

erf, erfc, lgamma = (np.vectorize(f, otypes=[float]) for f in (math.erf, math.erfc, math.lgamma))


def integral(function, low, high, *arrays, pieces=40):
    """The integral of function(t, *arrays) over t from low to high."""
    edges = np.linspace(low, high, pieces + 1)
    arrays = [np.asarray(x, float)[..., None] for x in arrays]
    total = 0.0
    for left, right in zip(edges, edges[1:], strict=False):
        t = (left + right) / 2 + (right - left) / 2 * NODES
        total = total + (function(t, *arrays) * WEIGHTS).sum(-1) * (right - left) / 2
    return total


def inverse(function, low, high):
    """The inverse of an increasing function, by bisection."""

    def solve(y):
        a, b = np.full_like(y, low), np.full_like(y, high)
        for _ in range(80):
            middle = (a + b) / 2
            above = function(middle) > y
            a, b = np.where(above, a, middle), np.where(above, middle, b)
        return (a + b) / 2

    return solve


def ndtr(x):
    return erfc(-x / math.sqrt(2)) / 2


def polygamma(x, n):
    if n == 0:
        return np.log(x) + integral(
            lambda t, x: (1 / t + 1 / np.expm1(-t)) * np.exp(-x * t), 0, 90, x
        )
    kernel = integral(lambda t, x: t**n * np.exp(-x * t) / -np.expm1(-t), 0, 90, x)
    return (-1) ** (n + 1) * kernel


def zeta(s, q):
    terms = sum((q + k) ** -s for k in range(5000))
    return terms + (q + 5000) ** (1 - s) / (s - 1) + (q + 5000) ** -s / 2


def gammainc(a, x):
    part = integral(lambda u, a, x: (u * x) ** (a - 1) * np.exp(-u * x) * x, 0, 1, a, x)
    return part / np.exp(lgamma(a))


def bessel_j(order):
    return lambda x: (
        integral(lambda t, x: np.cos(order * t - x * np.sin(t)), 0, math.pi, x) / math.pi
    )


def bessel_y(order):
    def reference(x):
        wave = integral(lambda t, x: np.sin(x * np.sin(t) - order * t), 0, math.pi, x)
        tail = integral(
            lambda t, x: (np.exp(order * t) + (-1) ** order * np.exp(-order * t))
            * np.exp(-x * np.sinh(t)), 0, 8, x,
        )  # fmt: skip
        return (wave - tail) / math.pi

    return reference


def bessel_i(order, scaled=False):
    def reference(x):
        value = integral(lambda t, x: np.exp(x * np.cos(t)) * np.cos(order * t), 0, math.pi, x)
        return value / math.pi * (np.exp(-np.abs(x)) if scaled else 1)

    return reference


def bessel_k(order, scaled=False):
    def reference(x):
        value = integral(lambda t, x: np.exp(-x * np.cosh(t)) * np.cosh(order * t), 0, 9, x)
        return value * (np.exp(x) if scaled else 1)

    return reference


ONE = [given((2, 3)), given(()), given((0, 2))]
TWO = [given((2, 3), (2, 3)), given((2, 1), (3,)), given((), ()), given((0, 3), (3,))]
DEGREES = [
    given(draw((2, 3), 3, 12), (2, 3)), given(draw((2, 1), 3, 12), (3,)),
    given(draw((), 3, 12), ()),
]  # fmt: skip


def case(op, reference, *more, **traits):
    return Case(op, reference, *ONE, *more, **traits)


def values(*numbers):
    return given(np.array(numbers))


CASES = [
    case(special.erf, erf, values(*np.linspace(-7, 7, 57)), values(0.46875, -4.0, 1e-9, 5.5)),
    case(special.erfc, erfc, values(*np.linspace(-7, 26, 57)), values(0.46875, -4.0, 1e-9, 5.5)),
    case(special.erfcx, lambda x: np.exp(x * x) * erfc(x), values(*np.linspace(-2, 5, 15))),
    case(special.erfinv, inverse(erf, -7, 7), domain=(-0.99, 0.99)),
    case(special.ndtr, ndtr, values(-20.0, -5.0, 5.0)),
    case(special.ndtri, inverse(ndtr, -40, 9), values(0.05, 0.95), domain=(0.01, 0.99)),
    case(special.log_ndtr, lambda x: np.log(ndtr(x)), values(-30.0, -5.0, 5.0)),
    case(special.entropy, lambda x: -x * np.log(x), domain=(0.1, 3)),
    case(special.logit, lambda x: np.log(x / (1 - x)), domain=(0.05, 0.95)),
    case(special.sinc, np.sinc, at_kink(np.array([2.0, -2.0, 0.0])), domain=(0.1, 2), tolerance=16),
    Case(special.xlogy, lambda x, y: x * np.log(y), *TWO, domain=(0.2, 3)),
    Case(special.xlog1py, lambda x, y: x * np.log1p(y), *TWO, domain=(0.2, 3)),
    case(gamma.lgamma, lgamma, values(*np.linspace(0.05, 30, 80)), values(-0.5, -3.3, -20.7),
         domain=(0.3, 12), tolerance=4),
    case(gamma.digamma, lambda x: polygamma(x, 0), domain=(0.8, 15), tolerance=4),
    Case(gamma.polygamma, polygamma, given((2, 3), n=1), given((), n=2), given((3,), n=4),
         given((0, 2), n=1), domain=(0.8, 6), tolerance=16),
    Case(gamma.zeta, zeta, given(draw((2, 3), 2, 6), (2, 3)), given(draw((3, 1), 2, 6), (2,)),
         given(draw((), 2, 6), ()), domain=(0.8, 6), tolerance=16),
    Case(gamma.gammainc, gammainc, *DEGREES, domain=(0.5, 15), tolerance=16),
    Case(gamma.gammaincc, lambda a, x: 1 - gammainc(a, x), *DEGREES, domain=(0.5, 8), tolerance=64),
    case(bessel.j0, bessel_j(0), values(*np.linspace(-40, 40, 81))),
    case(bessel.j1, bessel_j(1), values(*np.linspace(-40, 40, 81))),
    case(bessel.y0, bessel_y(0), values(*np.linspace(1, 40, 40)), domain=(0.5, 5), tolerance=4),
    case(bessel.y1, bessel_y(1), values(*np.linspace(1, 40, 40)), domain=(0.5, 5), tolerance=4),
    case(bessel.i0, bessel_i(0), values(*np.linspace(-9, 9, 19))),
    case(bessel.i1, bessel_i(1), values(*np.linspace(-9, 9, 19))),
    case(bessel.i0e, bessel_i(0, True), values(*np.linspace(-40, 40, 80)), kinks=(0,)),
    case(bessel.i1e, bessel_i(1, True), values(*np.linspace(-40, 40, 80)), kinks=(0,)),
    case(bessel.k0, bessel_k(0), values(*np.linspace(0.5, 9, 18)), domain=(0.3, 4)),
    case(bessel.k1, bessel_k(1), values(*np.linspace(0.5, 9, 18)), domain=(0.3, 4)),
    case(bessel.k0e, bessel_k(0, True), values(*np.linspace(0.5, 9, 18)), domain=(0.3, 4)),
    case(bessel.k1e, bessel_k(1, True), values(*np.linspace(0.5, 9, 18)), domain=(0.3, 4)),
    case(bessel.spherical_j0, lambda x: np.sin(x) / x, values(-30.0, 1e-5), domain=(0.1, 9)),
    Case(bessel.over_argument, lambda y, x: y / x, *TWO, domain=(0.5, 2)),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


INF = np.inf


@pytest.mark.parametrize(
    ("op", "given", "expected"),
    [
        (special.erf, [INF, -INF, np.nan], [1, -1, np.nan]),
        (special.erfc, [INF, -INF, np.nan, 27.5], [0, 2, np.nan, 0]),
        (special.erfcx, [INF, -30, np.nan, 0], [0, INF, np.nan, 1]),
        (special.erfinv, [1, -1, 1.5, np.nan, 0], [INF, -INF, np.nan, np.nan, 0]),
        (special.ndtri, [0, 1, 0.5, -0.1, 1.1], [-INF, INF, 0, np.nan, np.nan]),
        (special.log_ndtr, [INF, -INF, 40], [0, -INF, 0]),
        (special.entropy, [0, -1, 1], [0, -INF, 0]),
        (gamma.lgamma, [0, -2, INF, -INF, np.nan, 1, 2], [INF, INF, INF, INF, np.nan, 0, 0]),
        (gamma.digamma, [0.0, -0.0, -2, INF, np.nan], [-INF, INF, np.nan, INF, np.nan]),
        (bessel.y0, [0, -1, INF], [-INF, np.nan, 0]),
        (bessel.k1, [0, -1, INF], [INF, np.nan, 0]),
        (bessel.i1, [0, INF, -INF], [0, INF, -INF]),
        (bessel.spherical_j0, [0, INF], [1, 0]),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_at_the_ends(op, given, expected):
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(op(np.array(given, float)), expected)


def test_relative_accuracy():
    """Where a value is tiny, its digits are right nevertheless."""
    z = 1e-9
    euler, slope = 0.5772156649015329, math.pi**2 / 12
    assert special.erfc(np.array(10.0)) == pytest.approx(math.erfc(10), rel=1e-14)
    assert special.erfinv(np.array(1e-200)) == pytest.approx(math.sqrt(math.pi) / 2e200, rel=1e-14)
    assert gamma.lgamma(np.array(1 + 2**-30)) == pytest.approx(
        -euler * 2**-30 + slope * 2**-60, rel=1e-13
    )
    assert gamma.gammainc(np.array(20.0), np.array(z)) == pytest.approx(
        z**20 / math.factorial(20), rel=1e-7
    )
    assert bessel.i1e(np.array(z)) == pytest.approx(z / 2, rel=1e-8)
    assert bessel.k0(np.array(700.0)) == pytest.approx(4.670135987183e-306, rel=1e-9)


def test_far_from_zero():
    """The series in 1 / x, where narrow dtypes would overflow or vanish."""
    x = np.linspace(20, 40, 41)
    for name, reference in [("i0", bessel_i(0)), ("i1", bessel_i(1))]:
        np.testing.assert_allclose(getattr(bessel, name)(x), reference(x), rtol=1e-13)
    for order in (0, 1):
        np.testing.assert_allclose(getattr(bessel, f"k{order}")(x), bessel_k(order)(x), rtol=1e-11)
        np.testing.assert_allclose(
            getattr(bessel, f"k{order}e")(x), bessel_k(order, True)(x), rtol=1e-11
        )
    p = np.array([1e-100, 1e-12, 1e-5])
    np.testing.assert_allclose(special.ndtri(p), inverse(ndtr, -40, 9)(p), rtol=1e-13)


def test_incomplete_gamma_of_large_arguments():
    """Near the mean of many degrees of freedom: half, and a third of a standard deviation off."""
    a = np.array([1e4, 1e6])
    lower = gamma.gammainc(a, a)
    np.testing.assert_allclose(lower, 0.5 + 1 / (3 * np.sqrt(2 * np.pi * a)), rtol=1e-6)
    np.testing.assert_allclose(lower + gamma.gammaincc(a, a), 1, rtol=1e-14)
