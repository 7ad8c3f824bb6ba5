"""The error function's family and other special functions, in float64."""

from functools import wraps
from math import pi, sqrt

from tallow.autograd.op import op
from tallow.ops.complex import over
from tallow.ops.elementwise import cos, exp, log, log1p, where


def in_float64(formula):
    """Decorator: computed in float64, and rounded to the dtype of the operands."""

    @wraps(formula)
    def rounded(xp, *arrays, **fixed):
        dtype = next(x for x in arrays if hasattr(x, "dtype")).dtype
        wide = (x.astype(xp.float64, copy=False) if hasattr(x, "dtype") else x for x in arrays)
        return formula(xp, *wide, **fixed).astype(dtype, copy=False)

    return rounded


def horner(coefficients, x):
    """The polynomial with these coefficients, that of the highest power first."""
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


# W. J. Cody, "Rational Chebyshev approximation for the error function", Math. Comp. 23 (1969):
# erf on |x| <= 0.46875, and erfc * exp(x*x) up to 4 and beyond. Highest power first.
NEAR_TOP = (
    1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
    3.20937758913846947e3,
)  # fmt: skip
NEAR_BOTTOM = (
    1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
    2.84423683343917062e3,
)  # fmt: skip
MIDDLE_TOP = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
    2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
    1.23033935479799725e3,
)  # fmt: skip
MIDDLE_BOTTOM = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
    1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
    1.23033935480374942e3,
)  # fmt: skip
FAR_TOP = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
FAR_BOTTOM = (
    1.0, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip
LIMIT = 0.46875


def _near_erf(xp, x):
    """erf where |x| <= LIMIT."""
    x = xp.clip(x, -LIMIT, LIMIT)
    return x * horner(NEAR_TOP, x * x) / horner(NEAR_BOTTOM, x * x)


def _scaled_erfc(xp, size):
    """exp(x*x) * erfc(x) of x >= LIMIT."""
    x = xp.clip(size, LIMIT, 4)
    middle = horner(MIDDLE_TOP, x) / horner(MIDDLE_BOTTOM, x)
    x = xp.maximum(size, 4)
    inverse = 1 / (x * x)
    tail = inverse * horner(FAR_TOP, inverse) / horner(FAR_BOTTOM, inverse)
    return xp.where(size <= 4, middle, (1 / sqrt(pi) - tail) / x)


def _gauss(xp, x):
    """exp(-x*x), x*x being split so that the exponent keeps its digits."""
    x = xp.minimum(xp.abs(x), 40)
    head = xp.trunc(x * 16) / 16
    return xp.exp(-head * head) * xp.exp(-(x - head) * (x + head))


@op
@in_float64
def erf(xp, x):
    """The error function."""
    size = xp.abs(x)
    far = xp.copysign(1 - _gauss(xp, size) * _scaled_erfc(xp, size), x)
    return xp.where(size <= LIMIT, _near_erf(xp, x), far)


def erfc_of(xp, x):
    """1 - erf(x), accurate where that is tiny."""
    size = xp.abs(x)
    tail = _gauss(xp, size) * _scaled_erfc(xp, size)
    return xp.where(size <= LIMIT, 1 - _near_erf(xp, x), xp.where(x < 0, 2 - tail, tail))


def _erfcx(xp, x):
    """exp(x*x) * erfc(x)."""
    size = xp.abs(x)
    scaled = _scaled_erfc(xp, size)
    near = (1 - _near_erf(xp, x)) / _gauss(xp, x)
    left = xp.where(x < -27, xp.inf, 2 / _gauss(xp, xp.maximum(x, -27)) - scaled)
    return xp.where(size <= LIMIT, near, xp.where(x < 0, left, scaled))


# M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied
# Statistics 37 (1988). Highest power first.
CENTRE_TOP = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
    4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
    1.3314166789178437745e2, 3.3871328727963666080,
)  # fmt: skip
CENTRE_BOTTOM = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
    2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
    4.2313330701600911252e1, 1.0,
)  # fmt: skip
SIDE_TOP = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
    1.27045825245236838258, 3.64784832476320460504, 5.76949722146069140550,
    4.63033784615654529590, 1.42343711074968357734,
)  # fmt: skip
SIDE_BOTTOM = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
    1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940,
    2.05319162663775882187, 1.0,
)  # fmt: skip
TAIL_TOP = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
    2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580,
    5.46378491116411436990, 6.65790464350110377720,
)  # fmt: skip
TAIL_BOTTOM = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
    7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
    5.99832206555887937690e-1, 1.0,
)  # fmt: skip


def _quantile(xp, centred, tail):
    """The normal quantile of p, from p - 1/2 and the smaller of p and 1 - p."""
    r = 0.180625 - centred * centred
    centre = centred * horner(CENTRE_TOP, r) / horner(CENTRE_BOTTOM, r)
    depth = xp.sqrt(-xp.log(tail))
    r = xp.minimum(depth, 5) - 1.6
    side = horner(SIDE_TOP, r) / horner(SIDE_BOTTOM, r)
    r = xp.maximum(depth, 5) - 5
    far = xp.where(tail == 0, xp.inf, horner(TAIL_TOP, r) / horner(TAIL_BOTTOM, r))
    outer = xp.copysign(xp.where(depth <= 5, side, far), centred)
    return xp.where(xp.abs(centred) <= 0.425, centre, outer)


@op
@in_float64
def ndtri(xp, p):
    """The normal quantile: the x with Phi(x) = p."""
    return _quantile(xp, p - 0.5, xp.minimum(p, 1 - p))


@op
@in_float64
def erfinv(xp, x):
    """The inverse of erf."""
    return _quantile(xp, x / 2, (1 - xp.abs(x)) / 2) / sqrt(2)


@op
@in_float64
def ndtr(xp, x):
    """Phi(x), the normal distribution function."""
    return 0.5 * erfc_of(xp, x * -sqrt(0.5))


@op
@in_float64
def log_ndtr(xp, x):
    """log Phi(x), accurate in both tails."""
    t = x * sqrt(0.5)
    left = xp.log(_erfcx(xp, -xp.minimum(t, 0)) / 2) - xp.minimum(t, 0) ** 2
    return xp.where(x < -1, left, xp.log1p(-erfc_of(xp, xp.maximum(t, -1)) / 2))


SLOPE = 2 / sqrt(pi)

erf.vjp(lambda g, x: g * (exp(-x * x) * SLOPE))
erfc = op(in_float64(erfc_of), name="erfc").vjp(lambda g, x: g * (exp(-x * x) * -SLOPE))
erfcx = op(in_float64(_erfcx), name="erfcx").vjp(lambda g, x, out: g * (2 * x * out - SLOPE))
erfinv.vjp(lambda g, out: g * (exp(out * out) / SLOPE))
ndtri.vjp(lambda g, out: g * (exp(out * out / 2) * sqrt(2 * pi)))
ndtr.vjp(lambda g, x: g * (exp(-x * x / 2) / sqrt(2 * pi)))
log_ndtr.vjp(lambda g, x: g / erfcx(x * -sqrt(0.5)) * sqrt(2 / pi))

# Logarithms with limits at 0


@op
def xlogy(xp, x, y):
    """x * log(y), and 0 where x is 0."""
    return xp.where((x == 0) & (y == y), 0, x * xp.log(y))


@op
def xlog1py(xp, x, y):
    """x * log(1 + y), and 0 where x is 0."""
    return xp.where((x == 0) & (y == y), 0, x * xp.log1p(y))


@op
@in_float64
def entropy(xp, x):
    """-x * log(x), 0 at 0 and -inf below."""
    return xp.where(x < 0, -xp.inf, xp.where(x == 0, 0, -x * xp.log(x)))


@op
def logit(xp, x):
    """log(x / (1 - x)), the inverse of the logistic function."""
    return xp.log(x / (1 - x))


@op
def sinc(xp, x):
    """sin(pi x) / (pi x), and 1 at 0."""
    wide = x if x.dtype.kind == "c" else x.astype(xp.float64, copy=False)
    return xp.sinc(wide).astype(x.dtype, copy=False)


def _logit_rule(g, x):
    return where((x < 0) | (x > 1), float("nan"), g / (x * (1 - x)))


xlogy.vjp(
    lambda g, x, y: where((x == 0) & (y <= 0), 0, g * log(y)),
    lambda g, x, y: g * x / y,
)
xlog1py.vjp(
    lambda g, x, y: where((x == 0) & (y <= -1), 0, g * log1p(y)),
    lambda g, x, y: g * x / (y + 1),
)
entropy.vjp(lambda g, x: g * (-1 - log(x)))
logit.vjp(_logit_rule)
sinc.vjp(lambda g, x, out: g * over(cos(x * pi) - out, x))
