"""Bessel functions of orders 0 and 1, in float64.

Near 0 they are integrals over an angle or a hyperbolic angle, which the trapezoidal rule computes
to rounding; far from 0, Hankel's asymptotic series. Abramowitz and Stegun, Handbook of Mathematical
Functions, chapter 9; Trefethen and Weideman, "The exponentially convergent trapezoidal rule", SIAM
Review 56 (2014).
"""

from math import cos, cosh, factorial, pi, sin

from tallow.autograd.op import op
from tallow.ops.complex import over
from tallow.ops.elementwise import cos as cos_op
from tallow.ops.elementwise import sign
from tallow.ops.gamma import EULER
from tallow.ops.special import horner, in_float64

NEAR = 25.0  # where the series in 1/x take over
ANGLES = [pi * j / 64 for j in range(33)]  # a quarter of the circle
SHARES = [(1 if 0 < j < 32 else 0.5) / 32 for j in range(33)]  # of the mean over the circle
LOGARITHMS = [sum((-1) ** k * cos(2 * k * t) / k for k in range(1, 33)) for t in ANGLES]
STEPS = [0.125 * j for j in range(37)]  # of the hyperbolic angle


def _hankel(order):
    """The coefficients of Hankel's series in 1/x, that of the highest power first."""
    terms = [1.0]
    for k in range(1, 22):
        terms.append(terms[-1] * (4 * order * order - (2 * k - 1) ** 2) / (8 * k))
    return terms[::-1]


HANKEL = {order: _hankel(order) for order in (0, 1)}


def _over_circle(function, weights=SHARES):
    """The sum of function(angle) over ANGLES with weights."""
    return sum(function(t) * weight for t, weight in zip(ANGLES, weights, strict=True))


# J and Y


def _near_j(xp, x, order):
    if order == 0:
        return _over_circle(lambda t: xp.cos(x * sin(t)))
    return _over_circle(lambda t: xp.sin(x * sin(t)) * sin(t))


def _near_y(xp, x, order):
    """Neumann's series in J of even orders, as a sum over the circle; for order 1 its slope."""
    logarithm = xp.log(x / 2) + EULER
    weights = [4 * s * w for s, w in zip(SHARES, LOGARITHMS, strict=True)]
    if order == 0:
        rest = _over_circle(lambda t: xp.cos(x * sin(t)), weights)
        return (2 * logarithm * _near_j(xp, x, 0) - rest) / pi
    rest = _over_circle(lambda t: xp.sin(x * sin(t)) * sin(t), weights)
    return (2 * logarithm * _near_j(xp, x, 1) - 2 * _near_j(xp, x, 0) / x - rest) / pi


def _far(xp, x, order, turned):
    """J, or Y for `turned`, by the phase x - (order / 2 + 1 / 4) pi and the series P and Q."""
    square = -1 / (x * x)
    p = horner(HANKEL[order][1::2], square)
    q = horner(HANKEL[order][0::2], square) / x
    plus, minus = xp.cos(x) + xp.sin(x), xp.sin(x) - xp.cos(x)
    cosine, sine = (plus, minus) if order == 0 else (minus, -plus)
    part = p * sine + q * cosine if turned else p * cosine - q * sine
    return part / xp.sqrt(pi * x)


def _j(xp, x, order):
    size = xp.abs(x)
    near = _near_j(xp, xp.minimum(size, NEAR), order)
    far = _far(xp, xp.clip(size, NEAR, 1e300), order, turned=False)
    value = xp.where(size <= NEAR, near, xp.where(size == xp.inf, 0, far))
    return value * xp.copysign(1, x) if order else value


def _y(xp, x, order):
    near = _near_y(xp, xp.where((x > 0) & (x <= NEAR), x, 1), order)
    far = _far(xp, xp.clip(x, NEAR, 1e300), order, turned=True)
    value = xp.where(x <= NEAR, near, xp.where(x == xp.inf, 0, far))
    return xp.where(x == 0, -xp.inf, xp.where(x < 0, xp.nan, value))


@op
@in_float64
def spherical_j0(xp, x):
    """sin(x) / x, and 1 at 0."""
    value = xp.sin(x) / xp.where(x == 0, 1, x)
    return xp.where(x == 0, 1, xp.where(xp.abs(x) == xp.inf, 0, value))


# I and K; those with an e are scaled by exp(-|x|), or by exp(x)


def _scaled_i(xp, x, order):
    size = xp.abs(x)
    small = xp.minimum(size, NEAR)
    wave = xp.sinh if order else xp.cosh
    near = xp.exp(-small) * _over_circle(lambda t: wave(small * cos(t)) * cos(order * t))
    large = xp.maximum(size, NEAR)
    far = horner(HANKEL[order], -1 / large) / xp.sqrt(2 * pi * large)
    value = xp.where(size <= NEAR, near, far)
    return value * xp.copysign(1, x) if order else value


def _scaled_k(xp, x, order):
    small = xp.where((x > 0) & (x < 1), x, 1)
    logarithm = xp.log(small / 2) + EULER
    quarter = small * small / 4
    harmonic = [sum(1 / j for j in range(1, k + 1)) for k in range(16)]
    if order == 0:
        terms = [h / factorial(k) ** 2 for k, h in enumerate(harmonic)][::-1]
        near = horner(terms, quarter) - logarithm * _plain_i(xp, small, 0)
    else:
        terms = [
            (h + h + 1 / (k + 1)) / (factorial(k) * factorial(k + 1))
            for k, h in enumerate(harmonic)
        ][::-1]
        near = 1 / small + logarithm * _plain_i(xp, small, 1) - small / 4 * horner(terms, quarter)
    middle = xp.clip(x, 1, NEAR)
    integral = sum(
        xp.exp(-middle * (cosh(t) - 1)) * (cosh(order * t) / (8 if t else 16)) for t in STEPS
    )
    large = xp.maximum(x, NEAR)
    far = horner(HANKEL[order], 1 / large) * xp.sqrt(pi / (2 * large))
    value = xp.where(x < 1, near * xp.exp(small), xp.where(x <= NEAR, integral, far))
    return xp.where(x == 0, xp.inf, xp.where(x < 0, xp.nan, value))


def _plain_i(xp, x, order):
    value = _scaled_i(xp, x, order) * xp.exp(xp.abs(x))
    return xp.where(xp.abs(x) == xp.inf, x**order * xp.inf, value)


def _plain_k(xp, x, order):
    return _scaled_k(xp, x, order) * xp.exp(-x)


# The functions and their slopes


@op
def over_argument(xp, y, x):
    """y / x, and 1/2 at 0, where y is J1 or I1 of x."""
    return xp.where(x == 0, x.dtype.type(0.5), y / x)


j0 = op(in_float64(lambda xp, x: _j(xp, x, 0)), name="j0").vjp(lambda g, x: -g * j1(x))
j1 = op(in_float64(lambda xp, x: _j(xp, x, 1)), name="j1").vjp(
    lambda g, x, out: g * (j0(x) - over_argument(out, x))
)
y0 = op(in_float64(lambda xp, x: _y(xp, x, 0)), name="y0").vjp(lambda g, x: -g * y1(x))
y1 = op(in_float64(lambda xp, x: _y(xp, x, 1)), name="y1").vjp(
    lambda g, x, out: g * (y0(x) - out / x)
)
spherical_j0.vjp(lambda g, x, out: g * over(cos_op(x) - out, x))
i0 = op(in_float64(lambda xp, x: _plain_i(xp, x, 0)), name="i0").vjp(lambda g, x: g * i1(x))
i0e = op(in_float64(lambda xp, x: _scaled_i(xp, x, 0)), name="i0e").vjp(
    lambda g, x, out: g * (i1e(x) - sign(x) * out)
)
i1 = op(in_float64(lambda xp, x: _plain_i(xp, x, 1)), name="i1").vjp(
    lambda g, x, out: g * (i0(x) - over_argument(out, x))
)
i1e = op(in_float64(lambda xp, x: _scaled_i(xp, x, 1)), name="i1e").vjp(
    lambda g, x, out: g * (i0e(x) - sign(x) * out - over_argument(out, x))
)
k0 = op(in_float64(lambda xp, x: _plain_k(xp, x, 0)), name="k0").vjp(lambda g, x: -g * k1(x))
k0e = op(in_float64(lambda xp, x: _scaled_k(xp, x, 0)), name="k0e").vjp(
    lambda g, x, out: g * (out - k1e(x))
)
k1 = op(in_float64(lambda xp, x: _plain_k(xp, x, 1)), name="k1").vjp(
    lambda g, x, out: -g * (k0(x) + out / x)
)
k1e = op(in_float64(lambda xp, x: _scaled_k(xp, x, 1)), name="k1e").vjp(
    lambda g, x, out: g * (out - k0e(x) - out / x)
)
over_argument.vjp(
    lambda g, x: over(g, x),
    lambda g, y, x: -over(g * y, x * x),
)
