"""The uniform distribution and those of bounded or one-sided numbers made of it."""

import math

from tallow.distributions import constraints
from tallow.distributions.distribution import Distribution
from tallow.math import clamp, log


class Uniform(Distribution):
    """Numbers from `low` up to `high`.

    >>> tallow.distributions.Uniform(0.0, 4.0).entropy()
    tensor(1.3863)
    """

    has_rsample = True

    def __init__(self, low, high, validate_args=None):
        self._set(validate_args, low=low, high=high)

    @property
    def arg_constraints(self):
        return {
            "low": constraints.less_than(self.high),
            "high": constraints.greater_than(self.low),
        }

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        return constraints.interval(self.low, self.high)

    mean = property(lambda self: (self.high + self.low) / 2)
    mode = property(lambda self: math.nan * self.high)
    stddev = property(lambda self: (self.high - self.low) / 12**0.5)
    variance = property(lambda self: (self.high - self.low).pow(2) / 12)

    def rsample(self, sample_shape=()):
        u = self.low.new_empty(self._extended_shape(sample_shape)).uniform_()
        return self.low + u * (self.high - self.low)

    def _log_prob(self, value):
        inside = ((self.low <= value) & (value < self.high)).type_as(self.low)
        return log(inside) - log(self.high - self.low)

    def _cdf(self, value):
        return clamp((value - self.low) / (self.high - self.low), min=0, max=1)

    def icdf(self, value):
        return value * (self.high - self.low) + self.low

    def entropy(self):
        return log(self.high - self.low)
