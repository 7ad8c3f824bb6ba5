"""Distributions of fractions: numbers from 0 to 1, and several that sum to 1."""

import math

from tallow.creation import ones_like, zeros_like
from tallow.distributions import constraints
from tallow.distributions.distribution import ExponentialFamily
from tallow.distributions.normal import LOC_SCALE, Normal
from tallow.distributions.sampling import standard_dirichlet
from tallow.distributions.transformed_distribution import TransformedDistribution
from tallow.distributions.transforms import (
    AffineTransform,
    PowerTransform,
    StickBreakingTransform,
)
from tallow.distributions.uniform import Uniform
from tallow.distributions.utils import EULER, broadcast_all
from tallow.errors import ArgumentError
from tallow.joining import stack
from tallow.math import clamp, log, where, xlogy
from tallow.nn.functional import one_hot

CONCENTRATIONS = {"concentration1": constraints.positive, "concentration0": constraints.positive}


class Dirichlet(ExponentialFamily):
    """K fractions that sum to 1, of a density in proportion to the product of x ** (a - 1).

    `concentration` is (..., K).
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration, validate_args=None):
        if concentration.dim() < 1:
            raise ArgumentError(
                "Dirichlet: expected concentration of one dim or more, got a 0-d tensor"
            )
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args)

    def rsample(self, sample_shape=()):
        return standard_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def _log_prob(self, value):
        return xlogy(self.concentration - 1, value).sum(-1) - self._log_normalizer(
            self.concentration
        )

    mean = property(lambda self: self.concentration / self.concentration.sum(-1, True))

    @property
    def mode(self):
        peaks = clamp(self.concentration - 1, min=0.0)
        mode = peaks / peaks.sum(-1, True)
        corner = one_hot(mode.argmax(-1), mode.shape[-1]).to(mode)
        return where((self.concentration < 1).all(-1, keepdim=True), corner, mode)

    @property
    def variance(self):
        a, total = self.concentration, self.concentration.sum(-1, True)
        return a * (total - a) / (total.pow(2) * (total + 1))

    def entropy(self):
        a, total = self.concentration, self.concentration.sum(-1)
        spread = (total - a.shape[-1]) * total.digamma() - ((a - 1) * a.digamma()).sum(-1)
        return self._log_normalizer(a) + spread

    _natural_params = property(lambda self: (self.concentration,))

    def _log_normalizer(self, x):
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()


class Beta(ExponentialFamily):
    """Density in proportion to x ** (concentration1 - 1) * (1 - x) ** (concentration0 - 1)."""

    arg_constraints = CONCENTRATIONS
    support = constraints.unit_interval
    has_rsample = True
    concentration1 = property(lambda self: self._dirichlet.concentration[..., 0])
    concentration0 = property(lambda self: self._dirichlet.concentration[..., 1])

    def __init__(self, concentration1, concentration0, validate_args=None):
        both = stack(broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(both, validate_args)
        super().__init__(both.shape[:-1], validate_args=validate_args)

    mode = property(lambda self: self._dirichlet.mode[..., 0])
    mean = property(lambda self: self._dirichlet.mean[..., 0])
    variance = property(lambda self: self._dirichlet.variance[..., 0])

    def rsample(self, sample_shape=()):
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def _log_prob(self, value):
        return self._dirichlet.log_prob(stack([value, 1 - value], -1))

    def entropy(self):
        return self._dirichlet.entropy()

    _natural_params = property(lambda self: (self.concentration1, self.concentration0))

    def _log_normalizer(self, x, y):
        return x.lgamma() + y.lgamma() - (x + y).lgamma()


class Kumaraswamy(TransformedDistribution):
    """Like `Beta`, with the distribution function 1 - (1 - x**concentration1)**concentration0."""

    arg_constraints = CONCENTRATIONS
    support = constraints.unit_interval

    def __init__(self, concentration1, concentration0, validate_args=None):
        a, b = self.concentration1, self.concentration0 = broadcast_all(
            concentration1, concentration0
        )
        transforms = [
            PowerTransform(exponent=b.reciprocal()),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(exponent=a.reciprocal()),
        ]
        base = Uniform(zeros_like(a), ones_like(a), validate_args)
        super().__init__(base, transforms, validate_args)

    def _moment(self, n):
        a, b = 1 + n / self.concentration1, self.concentration0
        return b * (a.lgamma() + b.lgamma() - (a + b).lgamma()).exp()

    mean = property(lambda self: self._moment(1))
    variance = property(lambda self: self._moment(2) - self.mean**2)

    @property
    def mode(self):
        a, b = self.concentration1, self.concentration0
        log_mode = b.reciprocal() * (-b).log1p() - (-b * a).log1p()
        return where((b < 1) | (a < 1), math.nan, log_mode).exp()

    def entropy(self):
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + EULER
        return 1 - b.reciprocal() + (1 - a.reciprocal()) * harmonic - log(a) - log(b)


class LogisticNormal(TransformedDistribution):
    """K + 1 fractions that sum to 1, from K normal numbers by `StickBreakingTransform`."""

    arg_constraints = LOC_SCALE
    support = constraints.simplex
    loc = property(lambda self: self.base_dist.base_dist.loc)
    scale = property(lambda self: self.base_dist.base_dist.scale)

    def __init__(self, loc, scale, validate_args=None):
        base = Normal(loc, scale, validate_args)
        if not base.batch_shape:
            base = base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args)
