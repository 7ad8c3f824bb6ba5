"""How a random number moves with its distribution's parameter, its quantile being held.

With F the distribution function, dx/da = -(dF/da) / (dF/dx); both are computed from the series of
the incomplete gamma and beta functions and their derivatives term by term.

Reference: Figurnov, Mohamed and Mnih, Implicit reparameterization gradients, NeurIPS 2018.
"""

from tallow.autograd.op import op
from tallow.ops.gamma import _digamma
from tallow.ops.special import in_float64

ENOUGH = 1e-17  # a term of this size, relative to the sum, ends a series
LARGE = 1e4


def _series(xp, ratio, change):
    """The sum of terms t_n, t_0 = 1, and of its derivative: t_n times what n changes sum to.

    t_(n+1) = t_n * ratio(n), and change(n) is the derivative of log ratio(n).
    """
    term = total = xp.ones_like(ratio(0))
    log_slope = slope = xp.zeros_like(total)
    n = 0
    while xp.any(xp.abs(term) * (1 + xp.abs(log_slope)) > ENOUGH * total):
        term = term * ratio(n)
        log_slope = log_slope + change(n)
        total, slope, n = total + term, slope + term * log_slope, n + 1
    return total, slope


@op
@in_float64
def gamma_slope(xp, a, x):
    """dx/da of numbers x of the gamma distribution of concentration a and rate 1."""
    many = a > LARGE
    a_few, x_few = xp.where(many, 1.0, a), xp.where(many, 1.0, x)
    total, slope = _series(xp, lambda n: x_few / (a_few + 1 + n), lambda n: -1 / (a_few + 1 + n))
    exact = -x_few / a_few * (total * (xp.log(x_few) - _digamma(xp, a_few + 1)) + slope)
    root = (x / a) ** (1 / 3)  # Wilson and Hilferty: nearly normal, of mean 1 - 1 / (9 a)
    nearly = root**3 + root**2 * (1.5 * (1 - root) + 1 / (6 * a))
    return xp.where(many, nearly, exact)


@op
@in_float64
def beta_slope(xp, a, b, x):
    """dx/da of numbers x of the beta distribution of concentrations a and b."""
    left = x < xp.clip(a / (a + b), 0.1, 0.9)
    lead, y = xp.where(left, a, b), xp.where(left, x, 1 - x)
    total, slope = _series(
        xp,
        lambda n: y * (a + b + n) / (lead + 1 + n),
        lambda n: 1 / (a + b + n) - left / (lead + 1 + n),
    )
    log_slope = xp.log(x) + _digamma(xp, a + b) - _digamma(xp, a) - left / a
    return xp.where(left, -1, 1) * x * (1 - x) / lead * (total * log_slope + slope)
