"""Distributions of a probability: of one trial, of counts of successes and of failures."""

import math

from tallow.autograd import no_grad
from tallow.creation import arange, zeros_like
from tallow.distributions import constraints
from tallow.distributions.distribution import Distribution, ExponentialFamily
from tallow.distributions.gamma import Gamma
from tallow.distributions.utils import (
    broadcast_all,
    clamp_probs,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
)
from tallow.errors import ArgumentError, NotSupportedError
from tallow.info import finfo
from tallow.math import clamp, log, log1p, sigmoid, where, xlogy
from tallow.nn.functional import binary_cross_entropy_with_logits, logsigmoid
from tallow.random import bernoulli, binomial, poisson


def one_of(family, **given):
    """The name of the one parameter that is given among several."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        known, found = " or ".join(given), " and ".join(names) or "none"
        raise ArgumentError(f"{family}: expected either {known}, got {found}")
    return names[0]


def cross_entropy(logits, probs):
    """-p log q - (1 - p) log(1 - q) for the log odds of q and the probability p."""
    return binary_cross_entropy_with_logits(logits, probs, reduction="none")


class WithOdds(Distribution):
    """A distribution of a probability, given as `probs` or as log odds, `logits`."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}

    def _set_odds(self, validate_args, probs, logits, **others):
        """Take `probs` or `logits`, and other parameters, which take their dtype."""
        self._given = one_of(type(self).__name__, probs=probs, logits=logits)
        odds = logits if probs is None else probs
        odds, *values = broadcast_all(odds, *others.values())
        others = {n: v.type_as(odds) for n, v in zip(others, values, strict=True)}
        self._set(validate_args, **others, **{self._given: odds})

    @lazy_property
    def logits(self):
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        return logits_to_probs(self.logits, is_binary=True)

    _param = property(lambda self: getattr(self, self._given))
    param_shape = property(lambda self: self._param.shape)

    def _counted(self, count, expand):
        like = self._param
        return self._enumerated(arange(count, dtype=like.dtype, device=like.device), expand)


class Bernoulli(WithOdds, ExponentialFamily):
    """1 with probability `probs`, else 0.

    >>> tallow.distributions.Bernoulli(0.25).log_prob(tallow.tensor(1.0)).exp()
    tensor(0.2500)
    """

    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set_odds(validate_args, probs, logits)

    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))

    @property
    def mode(self):
        return where(self.probs == 0.5, math.nan, (self.probs >= 0.5).to(self.probs))

    def sample(self, sample_shape=()):
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def _log_prob(self, value):
        return -cross_entropy(*broadcast_all(self.logits, value))

    def entropy(self):
        return cross_entropy(self.logits, self.probs)

    def enumerate_support(self, expand=True):
        return self._counted(2, expand)

    _natural_params = property(lambda self: (self.probs.logit(),))

    def _log_normalizer(self, x):
        return x.exp().log1p()


class Geometric(WithOdds):
    """The number of failures before the first success of probability `probs`."""

    support = constraints.nonnegative_integer

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._set_odds(validate_args, probs, logits)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            raise ArgumentError(f"{self!r}: expected probs above 0, got 0 among\n{self.probs}")

    mean = property(lambda self: 1 / self.probs - 1)
    mode = property(lambda self: zeros_like(self.probs))
    variance = property(lambda self: (1 / self.probs - 1) / self.probs)

    def sample(self, sample_shape=()):
        with no_grad():
            u = self.probs.new_empty(self._extended_shape(sample_shape))
            u.uniform_(finfo(u.dtype).tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def _log_prob(self, value):
        value, probs = broadcast_all(value, self.probs)
        failure = where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-failure).log1p() + self.probs.log()

    def entropy(self):
        return cross_entropy(self.logits, self.probs) / self.probs


class Binomial(WithOdds):
    """The number of successes of probability `probs` in `total_count` trials."""

    arg_constraints = {"total_count": constraints.nonnegative_integer, **WithOdds.arg_constraints}
    has_enumerate_support = True

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        self._set_odds(validate_args, probs, logits, total_count=total_count)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    mean = property(lambda self: self.total_count * self.probs)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    @property
    def mode(self):
        return clamp(((self.total_count + 1) * self.probs).floor(), max=self.total_count)

    def sample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def _log_prob(self, value):
        n, logits = self.total_count, self.logits
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        # log(1 + exp(logits)), which has the slope 1/2 at 0
        softplus = (clamp(logits, min=0) + logits - clamp(logits, max=0)) / 2
        return value * logits + ways - n * (softplus + (-logits.abs()).exp().log1p())

    def _one_count(self, name):
        count = int(self.total_count.max())
        if not (self.total_count == count).all():
            raise NotSupportedError(f"Binomial.{name}: expected one total_count, got several")
        return count

    def entropy(self):
        self._one_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        return self._counted(1 + self._one_count("enumerate_support"), expand)


class NegativeBinomial(WithOdds):
    """The number of successes of probability `probs` before `total_count` failures."""

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(self, total_count, probs=None, logits=None, validate_args=None):
        self._set_odds(validate_args, probs, logits, total_count=total_count)

    mean = property(lambda self: self.total_count * self.logits.exp())
    variance = property(lambda self: self.mean / sigmoid(-self.logits))

    @property
    def mode(self):
        return clamp(((self.total_count - 1) * self.logits.exp()).floor(), min=0.0)

    @lazy_property
    def _gamma(self):
        return Gamma(self.total_count, (-self.logits).exp(), validate_args=False)

    def sample(self, sample_shape=()):
        with no_grad():
            return poisson(self._gamma.sample(sample_shape))

    def _log_prob(self, value):
        n, logits = self.total_count, self.logits
        ways = (n + value).lgamma() - (1 + value).lgamma() - n.lgamma()
        ways = where(n + value == 0, 0.0, ways)
        return n * logsigmoid(-logits) + value * logsigmoid(logits) + ways


class Poisson(ExponentialFamily):
    """The number of events where `rate` are expected."""

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    mean = property(lambda self: self.rate)
    mode = property(lambda self: self.rate.floor())
    variance = property(lambda self: self.rate)

    def __init__(self, rate, validate_args=None):
        self._set(validate_args, rate=rate)

    def sample(self, sample_shape=()):
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def _log_prob(self, value):
        rate, value = broadcast_all(self.rate, value)
        return xlogy(value, rate) - rate - (value + 1).lgamma()

    _natural_params = property(lambda self: (log(self.rate),))

    def _log_normalizer(self, x):
        return x.exp()


class ContinuousBernoulli(WithOdds, ExponentialFamily):
    """Numbers from 0 to 1 of a density in proportion to probs**x * (1 - probs)**(1 - x).

    For probs within `lims`, where the formulas lose digits, series around 1/2 are taken.

    Reference: Loaiza-Ganem and Cunningham, The continuous Bernoulli, NeurIPS 2019.
    """

    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        self._lims = lims
        self._set_odds(validate_args, probs, logits)
        if probs is not None:
            self.probs = clamp_probs(self.probs)

    @lazy_property
    def probs(self):
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _apart(self, probs, exact, series):
        """exact(p, odds) outside `lims`, series(p - 1/2) inside; odds = log(1 - p) - log(p)."""
        outside = (probs <= self._lims[0]) | (probs > self._lims[1])
        p = where(outside, probs, self._lims[0])
        return where(outside, exact(p, log1p(-p) - log(p)), series(probs - 0.5))

    def _cont_bern_log_norm(self):
        return self._apart(
            self.probs,
            lambda p, odds: log((odds / (1 - 2 * p)).abs()),
            lambda x: math.log(2.0) + (4 / 3 + 104 / 45 * x**2) * x**2,
        )

    @property
    def mean(self):
        return self._apart(
            self.probs,
            lambda p, odds: p / (2 * p - 1) + 1 / odds,
            lambda x: 0.5 + (1 / 3 + 16 / 45 * x**2) * x,
        )

    @property
    def variance(self):
        return self._apart(
            self.probs,
            lambda p, odds: p * (p - 1) / (1 - 2 * p) ** 2 + 1 / odds**2,
            lambda x: 1 / 12 - (1 / 15 - 128 / 945 * x**2) * x**2,
        )

    def rsample(self, sample_shape=()):
        return self.icdf(self._param.new_empty(self._extended_shape(sample_shape)).uniform_())

    def _log_prob(self, value):
        return self._cont_bern_log_norm() - cross_entropy(*broadcast_all(self.logits, value))

    def _cdf(self, value):
        result = self._apart(
            self.probs,
            lambda p, odds: (p**value * (1 - p) ** (1 - value) + p - 1) / (2 * p - 1),
            lambda x: value,
        )
        return where(value <= 0, 0.0, where(value >= 1, 1.0, result))

    def icdf(self, value):
        return self._apart(
            self.probs,
            lambda p, odds: (log1p(-p) - log1p(-p + value * (2 * p - 1))) / odds,
            lambda x: value,
        )

    def entropy(self):
        log_rest = log1p(-self.probs)
        return self.mean * (log_rest - log(self.probs)) - self._cont_bern_log_norm() - log_rest

    _natural_params = property(lambda self: (self.logits,))

    def _log_normalizer(self, x):
        low, high = (limit - 0.5 for limit in self._lims)
        outside = (x <= low) | (x > high)
        safe = where(outside, x, low)
        exact = safe.expm1().abs().log() - safe.abs().log()
        return where(outside, exact, 0.5 * x + x**2 / 24 - x**4 / 2880)
