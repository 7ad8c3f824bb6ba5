"""The gamma function's family, in float64: logarithm, derivatives, incomplete integrals.

Formulas: Abramowitz and Stegun, Handbook of Mathematical Functions, chapters 6 and 23.
"""

from math import factorial, log, pi

from tallow.autograd.op import op
from tallow.ops.elementwise import exp
from tallow.ops.elementwise import log as log_op
from tallow.ops.special import erfc_of, horner, in_float64

FAR = 1e6  # from here on the incomplete gamma functions are nearly a normal distribution
EULER = 0.5772156649015329
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798,
    -174611 / 330,
)  # fmt: skip


def _hurwitz(s, q):
    """The sum of (q + k)**-s over k from 0, for q of 2 or more: Euler and Maclaurin's formula."""
    total = 0.0
    for k in range(10):
        total = total + (q + k) ** -s
    a = q + 10
    power = a**-s
    total = total + power * a / (s - 1) + power / 2
    rising = s * power / a
    for k, b in enumerate(BERNOULLI, 1):
        total = total + b / factorial(2 * k) * rising
        rising = rising * (s + 2 * k - 1) * (s + 2 * k) / (a * a)
    return total


# Coefficients, that of the highest power first: of log Gamma(2 + z) in z, and in 1 / x**2 of what
# Stirling's formula and its derivative leave over
NEAR_TWO = [*((-1) ** k * _hurwitz(k, 2.0) / k for k in range(29, 1, -1)), 1 - EULER, 0.0]
STIRLING = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI, 1)][::-1]
DIGAMMA = [-b / (2 * k) for k, b in enumerate(BERNOULLI, 1)][::-1]


def _sin_pi(xp, x):
    """sin(pi x), exact at whole numbers."""
    rest = x - xp.round(x)
    return xp.where(xp.round(x) % 2 == 0, 1, -1) * xp.sin(pi * rest)


def _stirling_rest(x):
    """log Gamma(x) - ((x - 1/2) log(x) - x + log(2 pi) / 2), for x of 8 or more."""
    return horner(STIRLING, 1 / (x * x)) / x


def _positive_lgamma(xp, x):
    small = xp.minimum(x, 8.0)
    down = xp.where(small < 0.5, small * (small + 1), xp.where(small < 1.5, small, 1))
    z = small - xp.where(small < 0.5, 0, xp.where(small < 1.5, 1, 2))
    up = xp.ones_like(x)
    for _ in range(6):
        above = z > 0.5
        z = xp.where(above, z - 1, z)
        up = xp.where(above, up * (z + 2), up)
    near = horner(NEAR_TWO, z) + xp.log(up) - xp.log(down)
    large = xp.maximum(x, 8.0)
    far = (large - 0.5) * xp.log(large) - large + log(2 * pi) / 2 + _stirling_rest(large)
    return xp.where(x < 8, near, xp.where(x == xp.inf, x, far))


@op
@in_float64
def lgamma(xp, x):
    """log |Gamma(x)|; inf at 0 and the negative integers."""
    size = xp.abs(x)
    right = _positive_lgamma(xp, xp.where(size == 0, 1, size))
    left = xp.log(pi / xp.abs(x * _sin_pi(xp, x))) - right
    pole = (x <= 0) & (x == xp.floor(x)) | (x == -xp.inf)
    return xp.where(pole, xp.inf, xp.where(x > 0, right, left))


def _digamma(xp, x):
    """The derivative of log Gamma; NaN at the negative integers, -inf at 0 and inf at -0."""
    right = xp.where(x < 0, 1 - x, x)
    total = xp.zeros_like(x)
    for _ in range(10):
        small = right < 10
        total = xp.where(small, total - 1 / right, total)
        right = xp.where(small, right + 1, right)
    inverse = 1 / (right * right)
    total = total + xp.log(right) - 0.5 / right + inverse * horner(DIGAMMA, inverse)
    rest = x - xp.round(x)
    total = xp.where(x < 0, total - pi / xp.tan(pi * rest), total)
    total = xp.where((x < 0) & (x == xp.floor(x)), xp.nan, total)
    return xp.where(x == 0, xp.copysign(xp.inf, -x), total)


def _positive_zeta(s, q):
    return q**-s + (q + 1) ** -s + _hurwitz(s, q + 2)


def _zeta(xp, s, q):
    """Hurwitz's zeta function, the sum of (q + k)**-s over k from 0."""
    left = (q < 0) & (q > -xp.inf)
    right = _positive_zeta(s, xp.where((q > 0) & (q < xp.inf), q, 1))
    fraction = xp.where(left & (q != xp.floor(q)), q - xp.floor(q), 0.5)
    mirrored = _positive_zeta(s, 1 - fraction) - _positive_zeta(s, 1 - xp.where(left, q, 0))
    total = _positive_zeta(s, fraction) + xp.where(s % 2 == 0, 1, -1) * mirrored
    total = xp.where(left, total, xp.where(q == xp.inf, 0, right))
    total = xp.where((q <= 0) & (s != xp.floor(s)), xp.nan, total)
    total = xp.where((q <= 0) & (q == xp.floor(q)) | (s == 1), xp.inf, total)
    return xp.where((s < 1) | (s != s) | (q != q), xp.nan, total)


@op
@in_float64
def polygamma(xp, x, *, n):
    """The derivative of order n of digamma."""
    if n == 0:
        return _digamma(xp, x)
    return (-1) ** (n + 1) * float(factorial(n)) * _zeta(xp, xp.full_like(x, n + 1), x)


lgamma.vjp(lambda g, x: g * digamma(x))
digamma = op(in_float64(_digamma), name="digamma").vjp(lambda g, x: g * polygamma(x, n=1))
polygamma.vjp(lambda g, x, n: g * polygamma(x, n=n + 1))
zeta = op(in_float64(_zeta), name="zeta").vjp(None, lambda g, s, q: g * (-s * zeta(s + 1, q)))

# Incomplete gamma functions


def _prefix(xp, a, x):
    """x**a exp(-x) / Gamma(a + 1), without losing digits where a and x are large."""
    large = xp.maximum(a, 8.0)
    part = (x - large) / large
    exponent = large * (xp.log1p(part) - part) - _stirling_rest(large)
    scaled = xp.exp(exponent) / xp.sqrt(2 * pi * large)
    small = xp.minimum(a, 8.0)
    plain = xp.exp(small * xp.log(x) - x - _positive_lgamma(xp, small + 1))
    return xp.where(a < 8, plain, scaled)


def _lower_series(xp, a, x):
    """P(a, x) / prefix: the sum of x**n / ((a + 1) ... (a + n)), for x up to about a."""
    total = term = xp.ones_like(x)
    n = 0
    while xp.any(term > total * 1e-17):
        n += 1
        term = term * x / (a + n)
        total = total + term
    return total


def _upper_fraction(xp, a, x):
    """Q(a, x) / (a * prefix), for x above a: Legendre's continued fraction as Lentz computes it."""
    b = x + 1 - a
    c, d = xp.full_like(x, 1e300), 1 / b
    total, change, n = d, xp.full_like(x, 2.0), 0
    while xp.any(xp.abs(change - 1) > 4e-16) and n < 100_000:
        n += 1
        numerator, b = n * (a - n), b + 2
        d = 1 / (numerator * d + b)
        c = numerator / c + b
        change = c * d
        total = xp.where(xp.abs(change - 1) > 4e-16, total * change, total)
    return total


def _far(xp, a, x):
    """P(a, x) and Q(a, x) for large a: DLMF 8.12.3, of whose expansion one term then suffices."""
    part = (x - a) / a
    near = xp.abs(part) < 1e-4
    small = xp.where(near, part, 0)
    series = small * small * (0.5 - small * (1 / 3 - small * (0.25 - small / 5)))
    half = xp.where(near, series, part - xp.log1p(part))
    eta = xp.copysign(xp.sqrt(2 * half), part)
    wide = 1 / xp.where(near, 1, part) - 1 / xp.where(near, 1, eta)
    first = xp.where(near, small / 12 - 1 / 3, wide)
    rest = xp.exp(-a * half) / xp.sqrt(2 * pi * a) * first
    place = eta * xp.sqrt(a / 2)
    return erfc_of(xp, -place) / 2 - rest, erfc_of(xp, place) / 2 + rest


def _incomplete(xp, a, x):
    """P(a, x) and Q(a, x): whichever is smaller is computed, the other is what remains to 1."""
    a, x = xp.broadcast_arrays(a, x)
    good = (a > 0) & (x > 0) & (a < xp.inf) & (x < xp.inf)
    far = good & (a > FAR)
    left = good & ~far & (x < a + 1)
    right = good & ~far & ~left
    small_a, small_x = xp.where(left, a, 1), xp.where(left, x, 0.5)
    big_a, big_x = xp.where(right, a, 1), xp.where(right, x, 3)
    lower = _prefix(xp, small_a, small_x) * _lower_series(xp, small_a, small_x)
    upper = _prefix(xp, big_a, big_x) * big_a * _upper_fraction(xp, big_a, big_x)
    upper = xp.where(right, upper, 1 - lower)
    lower = xp.where(left, lower, 1 - upper)
    if xp.any(far):
        far_lower, far_upper = _far(xp, xp.where(far, a, 1), xp.where(far, x, 1))
        lower, upper = xp.where(far, far_lower, lower), xp.where(far, far_upper, upper)
    none = (x == 0) & (a > 0) | (a == xp.inf) & (x < xp.inf) & (x >= 0)
    whole = (x == xp.inf) & (a >= 0) & (a < xp.inf) | (a == 0) & (x > 0)
    lower = xp.where(good, lower, xp.where(none, 0, xp.where(whole, 1, xp.nan)))
    upper = xp.where(good, upper, xp.where(none, 1, xp.where(whole, 0, xp.nan)))
    return lower, upper


@op
@in_float64
def gammainc(xp, a, x):
    """P(a, x): the integral of t**(a - 1) exp(-t) / Gamma(a) over t from 0 to x."""
    return _incomplete(xp, a, x)[0]


@op
@in_float64
def gammaincc(xp, a, x):
    """Q(a, x) = 1 - P(a, x), the integral from x to infinity."""
    return _incomplete(xp, a, x)[1]


def _density(a, x):
    return exp((a - 1) * log_op(x) - x - lgamma(a))


gammainc.vjp(None, lambda g, a, x: g * _density(a, x))
gammaincc.vjp(None, lambda g, a, x: -g * _density(a, x))
