"""Special functions that NumPy lacks."""

from math import pi

from tallow.autograd.op import op
from tallow.ops.elementwise import exp

# Coefficients of W. J. Cody, "Rational Chebyshev approximation for the error function", Math. Comp.
# 23 (1969): erf on |x| <= 0.5, and erfc * exp(x*x) on [0.5, 4] and beyond. Highest power first.
_NEAR_TOP = (
    1.85777706184603153e-1,
    3.16112374387056560,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_BOTTOM = (
    1.0,
    2.36012909523441209e1,
    2.44024637934444173e2,
    1.28261652607737228e3,
    2.84423683343917062e3,
)
_MIDDLE_TOP = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_MIDDLE_BOTTOM = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_FAR_TOP = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_BOTTOM = (
    1.0,
    2.56852019228982242,
    1.87295284992346047,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)


def _horner(coefficients, x):
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


@op
def erf(xp, x):
    """The error function, to rounding in float64; narrower types are computed in float64."""
    wide = x.astype(xp.float64)
    size = xp.abs(wide)
    inner = xp.clip(wide, -0.5, 0.5)
    near = inner * _horner(_NEAR_TOP, inner * inner) / _horner(_NEAR_BOTTOM, inner * inner)
    limited = xp.clip(size, 0.46875, 6.0)
    gauss = xp.exp(-limited * limited)
    middle = gauss * _horner(_MIDDLE_TOP, limited) / _horner(_MIDDLE_BOTTOM, limited)
    inverse = 1 / (limited * limited)
    tail = inverse * _horner(_FAR_TOP, inverse) / _horner(_FAR_BOTTOM, inverse)
    far = gauss * (1 / pi**0.5 - tail) / limited
    outer = xp.copysign(1 - xp.where(limited <= 4, middle, far), wide)
    result = xp.where(size <= 0.46875, near, outer)
    return xp.where(xp.isnan(wide), wide, result).astype(x.dtype)


erf.vjp(lambda g, x: g * (exp(-x * x) * (2 / pi**0.5)))
