"""The distribution of angles."""

import math

from tallow.autograd import no_grad
from tallow.distributions import constraints
from tallow.distributions.distribution import Distribution
from tallow.distributions.utils import lazy_property
from tallow.dtypes import float64
from tallow.math import cos, where
from tallow.random import rand
from tallow.special import i0e, i1e


class VonMises(Distribution):
    """Angles (radians) of a density in proportion to exp(concentration * cos(x - loc)).

    Reference: Best and Fisher, Efficient simulation of the von Mises distribution, Applied
    Statistics 28 (1979).
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    mean = property(lambda self: self.loc)
    mode = property(lambda self: self.loc)

    def __init__(self, loc, concentration, validate_args=None):
        self._set(validate_args, loc=loc, concentration=concentration)

    @lazy_property
    def variance(self):
        return 1 - i1e(self.concentration) / i0e(self.concentration)

    def _log_prob(self, value):
        k = self.concentration
        return k * (cos(value - self.loc) - 1) - math.log(2 * math.pi) - i0e(k).log()

    def sample(self, sample_shape=()):
        with no_grad():
            loc, k = self.loc.to(float64), self.concentration.to(float64)
            tau = 1 + (1 + 4 * k**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            r = where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))
            angle = _wrapped(loc, k, r, self._extended_shape(sample_shape))
            return ((angle + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)


def _wrapped(loc, k, r, shape):
    """Angles around 0 by rejection from a wrapped Cauchy distribution; all are drawn each time."""
    x = done = loc.new_zeros(shape)
    done = done != 0
    while not done.all():
        u1, u2, u3 = rand((3, *shape), dtype=loc.dtype, device=loc.device).unbind()
        z = cos(math.pi * u1)
        f = (1 + r * z) / (r + z)
        c = k * (r - f)
        accepted = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
        x = where(accepted, (u3 - 0.5).sign() * f.acos(), x)
        done = done | accepted
    return x
