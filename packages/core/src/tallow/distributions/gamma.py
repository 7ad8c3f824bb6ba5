"""The gamma distribution and others of positive numbers."""

import math

from tallow.creation import ones_like, zeros_like
from tallow.distributions import constraints
from tallow.distributions.distribution import Distribution, ExponentialFamily
from tallow.distributions.sampling import standard_gamma
from tallow.distributions.transformed_distribution import TransformedDistribution
from tallow.distributions.transforms import AffineTransform, ExpTransform, PowerTransform
from tallow.distributions.utils import EULER, broadcast_all
from tallow.info import finfo
from tallow.math import clamp, igamma, log, log1p, where, xlogy
from tallow.tensor import Tensor

GAMMA = {"concentration": constraints.positive, "rate": constraints.positive}


class Gamma(ExponentialFamily):
    """Density in proportion to x ** (concentration - 1) * exp(-rate * x)."""

    arg_constraints = GAMMA
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    mean = property(lambda self: self.concentration / self.rate)
    mode = property(lambda self: clamp((self.concentration - 1) / self.rate, min=0))
    variance = property(lambda self: self.concentration / self.rate.pow(2))

    def __init__(self, concentration, rate, validate_args=None):
        self._set(validate_args, concentration=concentration, rate=rate)

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        value = standard_gamma(self.concentration.expand(shape)) / self.rate
        value.detach().clamp_(min=finfo(value.dtype).tiny)
        return value

    def log_prob(self, value):
        return super().log_prob(_like(value, self.rate))

    def _log_prob(self, value):
        return (
            xlogy(self.concentration, self.rate)
            + xlogy(self.concentration - 1, value)
            - self.rate * value
            - self.concentration.lgamma()
        )

    def _cdf(self, value):
        return igamma(self.concentration, self.rate * value)

    def entropy(self):
        a = self.concentration
        return a - log(self.rate) + a.lgamma() + (1 - a) * a.digamma()

    _natural_params = property(lambda self: (self.concentration - 1, -self.rate))

    def _log_normalizer(self, x, y):
        return (x + 1).lgamma() + (x + 1) * log(-y.reciprocal())


def _like(value, parameter):
    """A number as a tensor of a parameter's dtype."""
    return value if isinstance(value, Tensor) else parameter.new_tensor(value)


class Chi2(Gamma):
    """The sum of the squares of `df` standard normal numbers."""

    arg_constraints = {"df": constraints.positive}
    df = property(lambda self: self.concentration * 2)

    def __init__(self, df, validate_args=None):
        super().__init__(0.5 * df, 0.5, validate_args)

    def _parameter_dims(self):
        return dict.fromkeys(GAMMA, 0)


class Exponential(ExponentialFamily):
    """Density rate * exp(-rate * x)."""

    arg_constraints = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0
    mean = property(lambda self: self.rate.reciprocal())
    mode = property(lambda self: zeros_like(self.rate))
    stddev = property(lambda self: self.rate.reciprocal())
    variance = property(lambda self: self.rate.pow(-2))

    def __init__(self, rate, validate_args=None):
        self._set(validate_args, rate=rate)

    def rsample(self, sample_shape=()):
        return self.rate.new_empty(self._extended_shape(sample_shape)).exponential_() / self.rate

    def _log_prob(self, value):
        return self.rate.log() - self.rate * value

    def _cdf(self, value):
        return 1 - (-self.rate * value).exp()

    def icdf(self, value):
        return -log1p(-value) / self.rate

    def entropy(self):
        return 1 - log(self.rate)

    _natural_params = property(lambda self: (-self.rate,))

    def _log_normalizer(self, x):
        return -log(-x)


class InverseGamma(TransformedDistribution):
    """1 / x of a gamma number x."""

    arg_constraints = GAMMA
    support = constraints.positive
    concentration = property(lambda self: self.base_dist.concentration)
    rate = property(lambda self: self.base_dist.rate)

    def __init__(self, concentration, rate, validate_args=None):
        base = Gamma(concentration, rate, validate_args)
        super().__init__(base, PowerTransform(-base.rate.new_ones(())), validate_args)

    @property
    def mean(self):
        a = self.concentration
        return where(a > 1, self.rate / (a - 1), math.inf)

    mode = property(lambda self: self.rate / (self.concentration + 1))

    @property
    def variance(self):
        a = self.concentration
        return where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def entropy(self):
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()


class FisherSnedecor(Distribution):
    """The quotient of two chi-squared numbers, each divided by its degrees of freedom."""

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1, df2, validate_args=None):
        df1, df2 = broadcast_all(df1, df2)
        self._gamma1, self._gamma2 = Gamma(df1 * 0.5, df1), Gamma(df2 * 0.5, df2)
        self._set(validate_args, df1=df1, df2=df2)

    @property
    def mean(self):
        n = where(self.df2 > 2, self.df2, math.nan)
        return n / (n - 2)

    @property
    def mode(self):
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return where(self.df1 > 2, mode, math.nan)

    @property
    def variance(self):
        m, n = self.df1, where(self.df2 > 4, self.df2, math.nan)
        return 2 * n.pow(2) * (m + n - 2) / (m * (n - 2).pow(2) * (n - 4))

    def rsample(self, sample_shape=()):
        x, y = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        tiny = finfo(y.dtype).tiny
        return clamp(x / clamp(y, min=tiny), min=tiny)

    def _log_prob(self, value):
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        norm = (a + b).lgamma() - a.lgamma() - b.lgamma()
        return norm + a * ratio.log() + (a - 1) * log(value) - (a + b) * log1p(ratio * value)


class Weibull(TransformedDistribution):
    """scale * x ** (1 / concentration) of an exponential number x."""

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive
    concentration_reciprocal = property(lambda self: self.concentration.reciprocal())

    def __init__(self, scale, concentration, validate_args=None):
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(ones_like(self.scale), validate_args)
        power = PowerTransform(exponent=self.concentration_reciprocal)
        super().__init__(base, [power, AffineTransform(loc=0, scale=self.scale)], validate_args)

    def _moment(self, n):
        return (1 + n * self.concentration_reciprocal).lgamma().exp()

    mean = property(lambda self: self.scale * self._moment(1))

    @property
    def mode(self):
        k = self.concentration
        return self.scale * ((k - 1) / k) ** k.reciprocal()

    variance = property(lambda self: self.scale.pow(2) * (self._moment(2) - self._moment(1).pow(2)))

    def entropy(self):
        inverse = self.concentration_reciprocal
        return EULER * (1 - inverse) + log(self.scale * inverse) + 1


class Pareto(TransformedDistribution):
    """Numbers from `scale` on, of a density in proportion to x ** -(alpha + 1)."""

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale, alpha, validate_args=None):
        self.scale, self.alpha = broadcast_all(scale, alpha)
        transforms = [ExpTransform(), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(Exponential(self.alpha, validate_args), transforms, validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        return constraints.greater_than_eq(self.scale)

    mode = property(lambda self: self.scale)

    @property
    def mean(self):
        a = clamp(self.alpha, min=1)
        return a * self.scale / (a - 1)

    @property
    def variance(self):
        a = clamp(self.alpha, min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    def entropy(self):
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())


class GeneralizedPareto(Distribution):
    """What exceeds a high threshold `loc`: exponential for concentration 0, heavier above."""

    arg_constraints = {
        "loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real,
    }  # fmt: skip
    has_rsample = True

    def __init__(self, loc, scale, concentration, validate_args=None):
        self._set(validate_args, loc=loc, scale=scale, concentration=concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, where(self.concentration < 0, end, math.inf))

    def _split(self):
        """(where the concentration is about 0, the concentration, 1 there)."""
        zero = self.concentration.abs() <= 1e-8
        return zero, where(zero, 1.0, self.concentration)

    def _log_survival(self, z):
        zero, k = self._split()
        return where(zero, -z, -log1p(k * z) / k)

    def rsample(self, sample_shape=()):
        return self.icdf(self.loc.new_empty(self._extended_shape(sample_shape)).uniform_())

    def _log_prob(self, value):
        zero, k = self._split()
        z = (value - self.loc) / self.scale
        power = 1 / k + 1
        return -self.scale.log() - where(zero, z, where(power == 0, 0.0, power * log1p(k * z)))

    def log_survival_function(self, value):
        """log of the probability of larger values."""
        if self._validate_args:
            self._validate_sample(value)
        return self._log_survival((value - self.loc) / self.scale)

    def log_cdf(self, value):
        """log of `cdf`."""
        return log1p(-self.log_survival_function(value).exp())

    def cdf(self, value):
        return self.log_cdf(value).exp()

    def icdf(self, value):
        zero, k = self._split()
        log_rest = log1p(-value)
        return self.loc + self.scale * where(zero, -log_rest, (-k * log_rest).expm1() / k)

    mode = property(lambda self: self.loc)

    @property
    def mean(self):
        k = where(self.concentration < 1, self.concentration, math.nan)
        return self.loc + self.scale / (1 - k)

    @property
    def variance(self):
        k = where(self.concentration < 0.5, self.concentration, math.nan)
        return self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k))

    def entropy(self):
        return log(self.scale) + self.concentration + 1
