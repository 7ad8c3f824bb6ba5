"""The normal distribution and others of a location and a scale."""

import math

from tallow.creation import full_like, ones_like, zeros_like
from tallow.distributions import constraints
from tallow.distributions.distribution import Distribution, ExponentialFamily
from tallow.distributions.gamma import Chi2
from tallow.distributions.transformed_distribution import TransformedDistribution
from tallow.distributions.transforms import AbsTransform, AffineTransform, ExpTransform
from tallow.distributions.uniform import Uniform
from tallow.distributions.utils import EULER, broadcast_all
from tallow.info import finfo
from tallow.math import atan, erf, erfinv, log, log1p, tan, where

LOC_SCALE = {"loc": constraints.real, "scale": constraints.positive}


class _LocationScale(Distribution):
    """A symmetric density around `loc` of a width in proportion to `scale`."""

    arg_constraints = LOC_SCALE
    support = constraints.real
    has_rsample = True
    mean = property(lambda self: self.loc)
    mode = property(lambda self: self.loc)

    def __init__(self, loc, scale, validate_args=None):
        self._set(validate_args, loc=loc, scale=scale)

    def _standard(self, value):
        return (value - self.loc) / self.scale


class Normal(_LocationScale, ExponentialFamily):
    """The normal distribution of a mean and a standard deviation.

    >>> normal = tallow.distributions.Normal(tallow.tensor([0.0, 1.0]), 2.0)
    >>> normal.log_prob(tallow.tensor(1.0))
    tensor([-1.7371, -1.6121])
    """

    _mean_carrier_measure = 0
    stddev = property(lambda self: self.scale)
    variance = property(lambda self: self.scale.pow(2))

    def rsample(self, sample_shape=()):
        return self.loc + self.loc.new_empty(self._extended_shape(sample_shape)).normal_() * (
            self.scale
        )

    def _log_prob(self, value):
        square = (value - self.loc) ** 2
        return -square / (2 * self.scale**2) - self.scale.log() - math.log(2 * math.pi) / 2

    def _cdf(self, value):
        return 0.5 * (1 + erf(self._standard(value) / math.sqrt(2)))

    def icdf(self, value):
        return self.loc + self.scale * erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self):
        return 0.5 + 0.5 * math.log(2 * math.pi) + log(self.scale)

    @property
    def _natural_params(self):
        return self.loc / self.scale.pow(2), -0.5 * self.scale.pow(2).reciprocal()

    def _log_normalizer(self, x, y):
        return -0.25 * x.pow(2) / y + 0.5 * log(-math.pi / y)


class Laplace(_LocationScale):
    """exp(-|x - loc| / scale) / (2 scale)."""

    variance = property(lambda self: 2 * self.scale.pow(2))
    stddev = property(lambda self: 2**0.5 * self.scale)

    def rsample(self, sample_shape=()):
        u = self.loc.new_empty(self._extended_shape(sample_shape))
        u.uniform_(finfo(u.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * log1p(-u.abs())

    def _log_prob(self, value):
        return -log(2 * self.scale) - (value - self.loc).abs() / self.scale

    def _cdf(self, value):
        x = self._standard(value)
        return 0.5 - 0.5 * x.sign() * (-x.abs()).expm1()

    def icdf(self, value):
        x = value - 0.5
        return self.loc - self.scale * x.sign() * log1p(-2 * x.abs())

    def entropy(self):
        return 1 + log(2 * self.scale)


class Cauchy(_LocationScale):
    """Half as high at loc + scale as at loc; without mean (NaN) and variance (inf)."""

    mean = property(lambda self: self._constant(math.nan, self.loc))
    variance = property(lambda self: self._constant(math.inf, self.loc))

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        return self.loc + self.loc.new_empty(shape).cauchy_() * self.scale

    def _log_prob(self, value):
        return -math.log(math.pi) - self.scale.log() - (self._standard(value) ** 2).log1p()

    def _cdf(self, value):
        return atan(self._standard(value)) / math.pi + 0.5

    def icdf(self, value):
        return tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self):
        return math.log(4 * math.pi) + self.scale.log()


class StudentT(_LocationScale):
    """Student's t of `df` degrees of freedom, moved to `loc` and scaled."""

    arg_constraints = {"df": constraints.positive, **LOC_SCALE}

    def __init__(self, df, loc=0.0, scale=1.0, validate_args=None):
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        Distribution.__init__(self, self.df.shape, validate_args=validate_args)

    mean = property(lambda self: where(self.df > 1, self.loc, math.nan))

    @property
    def variance(self):
        finite = where(self.df > 2, self.df, 3.0)
        variance = self.scale.pow(2) * finite / (finite - 2)
        return where(self.df > 2, variance, where(self.df > 1, math.inf, math.nan))

    def rsample(self, sample_shape=()):
        normal = self.df.new_empty(self._extended_shape(sample_shape)).normal_()
        return self.loc + self.scale * (
            normal * (self._chi2.rsample(sample_shape) / self.df).rsqrt()
        )

    def _half_log_beta(self):
        """log of the beta function of df / 2 and 1/2."""
        return (0.5 * self.df).lgamma() + math.lgamma(0.5) - (0.5 * (self.df + 1)).lgamma()

    def _log_prob(self, value):
        norm = self.scale.log() + 0.5 * self.df.log() + self._half_log_beta()
        return -0.5 * (self.df + 1) * log1p(self._standard(value) ** 2 / self.df) - norm

    def entropy(self):
        rise = (0.5 * (self.df + 1)).digamma() - (0.5 * self.df).digamma()
        return (
            self.scale.log()
            + 0.5 * (self.df + 1) * rise
            + 0.5 * self.df.log()
            + self._half_log_beta()
        )


class Gumbel(TransformedDistribution):
    """The largest of many: the distribution function is exp(-exp(-(x - loc) / scale))."""

    arg_constraints = LOC_SCALE
    support = constraints.real

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        limits = finfo(self.loc.dtype)
        low, high = (full_like(self.loc, x) for x in (limits.tiny, 1 - limits.eps))
        transforms = [
            ExpTransform().inv,
            AffineTransform(loc=0, scale=-ones_like(self.scale)),
            ExpTransform().inv,
            AffineTransform(loc=loc, scale=-self.scale),
        ]
        super().__init__(Uniform(low, high, validate_args), transforms, validate_args)

    mode = property(lambda self: self.loc)
    stddev = property(lambda self: math.pi / math.sqrt(6) * self.scale)
    variance = property(lambda self: self.stddev.pow(2))
    mean = property(lambda self: self.loc + self.scale * EULER)

    def _log_prob(self, value):
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def entropy(self):
        return self.scale.log() + (1 + EULER)


class LogNormal(TransformedDistribution):
    """exp of a normal number of mean `loc` and standard deviation `scale`."""

    arg_constraints = LOC_SCALE
    support = constraints.positive
    loc = property(lambda self: self.base_dist.loc)
    scale = property(lambda self: self.base_dist.scale)

    def __init__(self, loc, scale, validate_args=None):
        super().__init__(Normal(loc, scale, validate_args), ExpTransform(), validate_args)

    mean = property(lambda self: (self.loc + self.scale.pow(2) / 2).exp())
    mode = property(lambda self: (self.loc - self.scale.square()).exp())

    @property
    def variance(self):
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self):
        return self.base_dist.entropy() + self.loc


class _Half(TransformedDistribution):
    """|x| of a symmetric distribution around 0."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    scale = property(lambda self: self.base_dist.scale)

    def __init__(self, scale, validate_args=None):
        super().__init__(self._whole(0, scale, False), AbsTransform(), validate_args)

    mode = property(lambda self: zeros_like(self.scale))

    def _log_prob(self, value):
        return where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def _cdf(self, value):
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value):
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self):
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(_Half):
    """|x| of a normal number of mean 0 and standard deviation `scale`."""

    _whole = Normal
    mean = property(lambda self: self.scale * math.sqrt(2 / math.pi))
    variance = property(lambda self: self.scale.pow(2) * (1 - 2 / math.pi))


class HalfCauchy(_Half):
    """|x| of a Cauchy number around 0."""

    _whole = Cauchy
    mean = property(lambda self: self._constant(math.inf, self.scale))
    variance = property(lambda self: self.base_dist.variance)
