"""Distributions whose batch is taken as part of an event."""

from tallow.distributions import constraints
from tallow.distributions.distribution import Distribution
from tallow.distributions.utils import sum_rightmost
from tallow.errors import ArgumentError, NotSupportedError


class Independent(Distribution):
    """A distribution that takes the last dims of the batch of another as part of one event.

    >>> normal = tallow.distributions.Normal(tallow.zeros(2, 3), 1.0)
    >>> tallow.distributions.Independent(normal, 1).event_shape
    tallow.Size([3])
    """

    arg_constraints = {}

    def __init__(self, base_distribution, reinterpreted_batch_ndims, validate_args=None):
        batch = base_distribution.batch_shape
        cut = len(batch) - reinterpreted_batch_ndims
        if cut < 0:
            raise ArgumentError(
                f"Independent: expected reinterpreted_batch_ndims up to {len(batch)}, the dims of "
                f"the batch, got {reinterpreted_batch_ndims}"
            )
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        event = batch[cut:] + base_distribution.event_shape
        super().__init__(batch[:cut], event, validate_args)

    has_rsample = property(lambda self: self.base_dist.has_rsample)
    mean = property(lambda self: self.base_dist.mean)
    mode = property(lambda self: self.base_dist.mode)
    variance = property(lambda self: self.base_dist.variance)

    @property
    def has_enumerate_support(self):
        return not self.reinterpreted_batch_ndims and self.base_dist.has_enumerate_support

    @constraints.dependent_property
    def support(self):
        base, more = self.base_dist.support, self.reinterpreted_batch_ndims
        return constraints.independent(base, more) if more else base

    def sample(self, sample_shape=()):
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape=()):
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value):
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self):
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand=True):
        if self.reinterpreted_batch_ndims:
            raise NotSupportedError("Independent: the product of supports is not enumerated")
        return self.base_dist.enumerate_support(expand=expand)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"
