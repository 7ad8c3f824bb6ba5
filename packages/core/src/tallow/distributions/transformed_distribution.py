"""Distributions of transformed samples."""

from tallow.autograd import no_grad
from tallow.distributions import constraints
from tallow.distributions.distribution import Distribution
from tallow.distributions.independent import Independent
from tallow.distributions.transforms import ComposeTransform, Transform
from tallow.distributions.utils import sum_rightmost
from tallow.errors import ArgumentError


class TransformedDistribution(Distribution):
    """The distribution of samples of another after one transform or a list of them.

    >>> from tallow.distributions import ExpTransform, Normal, TransformedDistribution
    >>> TransformedDistribution(Normal(0.0, 1.0), ExpTransform()).log_prob(tallow.tensor(1.0))
    tensor(-0.9189)
    """

    arg_constraints = {}

    def __init__(self, base_distribution, transforms, validate_args=None):
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        known = isinstance(self.transforms, list)
        if not known or not all(isinstance(t, Transform) for t in self.transforms):
            raise ArgumentError(
                f"TransformedDistribution: expected a Transform or a list of them, got {transforms}"
            )
        whole = ComposeTransform(self.transforms)
        domain_dim, codomain_dim = whole.domain.event_dim, whole.codomain.event_dim
        base_dim = len(base_distribution.event_shape)
        shape = base_distribution.batch_shape + base_distribution.event_shape
        if len(shape) < domain_dim:
            raise ArgumentError(
                f"TransformedDistribution: expected a base of {domain_dim} dims or more for the "
                f"transforms, got shape {tuple(shape)}"
            )
        shape = whole.forward_shape(shape)
        needed = whole.inverse_shape(shape)
        base_distribution = base_distribution.expand(needed[: len(needed) - base_dim])
        if domain_dim > base_dim:
            base_distribution = Independent(base_distribution, domain_dim - base_dim)
        self.base_dist = base_distribution
        cut = len(shape) - max(codomain_dim, base_dim + codomain_dim - domain_dim)
        super().__init__(shape[:cut], shape[cut:], validate_args)

    has_rsample = property(lambda self: self.base_dist.has_rsample)

    @constraints.dependent_property(is_discrete=False)
    def support(self):
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        more = len(self._event_shape) - support.event_dim
        return constraints.independent(support, more) if more > 0 else support

    def sample(self, sample_shape=()):
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape=()):
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

    def _log_prob(self, value):
        dims, result, y = len(self._event_shape), 0.0, value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            slope = transform.log_abs_det_jacobian(x, y)
            result = result - sum_rightmost(slope, dims - transform.domain.event_dim)
            y = x
        base = self.base_dist.log_prob(y)
        return result + sum_rightmost(base, dims - len(self.base_dist.event_shape))

    def _cdf(self, value):
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._increasing(self.base_dist.cdf(value))

    def icdf(self, value):
        return self._forward(self.base_dist.icdf(self._increasing(value)))

    def _increasing(self, probability):
        """A probability, or what remains to 1 where the transforms decrease."""
        sign = ComposeTransform(self.transforms).sign
        if isinstance(sign, int) and sign == 1:
            return probability
        return sign * (probability - 0.5) + 0.5
