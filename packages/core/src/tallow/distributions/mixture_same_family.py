"""Mixtures of distributions of one family."""

from tallow.activations import log_softmax
from tallow.autograd import no_grad
from tallow.distributions import constraints
from tallow.distributions.categorical import Categorical
from tallow.distributions.distribution import Distribution
from tallow.errors import ArgumentError
from tallow.reductions import logsumexp


class MixtureSameFamily(Distribution):
    """A mixture: a `Categorical` chooses along the last dim of the batch of the components."""

    arg_constraints = {}
    mixture_distribution = property(lambda self: self._mixture_distribution)
    component_distribution = property(lambda self: self._component_distribution)

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        if not isinstance(mixture_distribution, Categorical):
            raise ArgumentError(
                "MixtureSameFamily: expected a Categorical as mixture_distribution, got "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise ArgumentError(
                "MixtureSameFamily: expected a distribution as component_distribution, got "
                f"{type(component_distribution).__name__}"
            )
        mixing, batch = mixture_distribution.logits.shape, component_distribution.batch_shape
        pairs = zip(reversed(mixing[:-1]), reversed(batch[:-1]), strict=False)
        if mixing[-1:] != batch[-1:] or any(1 not in (i, j) and i != j for i, j in pairs):
            raise ArgumentError(
                "MixtureSameFamily: expected components of batch_shape (..., k) with k and a "
                f"batch that fit the mixture's probabilities {tuple(mixing)}, got {tuple(batch)}"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        super().__init__(batch[:-1], component_distribution.event_shape, validate_args)

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def _average(self, values):
        """The mean over components of values (..., k, *event_shape)."""
        dims = len(self._event_shape)
        probs = self._mixture_distribution.probs
        return (probs.reshape(probs.shape + (1,) * dims) * values).sum(-1 - dims)

    mean = property(lambda self: self._average(self._component_distribution.mean))

    @property
    def variance(self):
        parts = self._component_distribution
        return self._average(parts.variance) + self._average(
            (parts.mean - self._pad(self.mean)) ** 2
        )

    def cdf(self, x):
        return (
            self._component_distribution.cdf(self._pad(x)) * self._mixture_distribution.probs
        ).sum(-1)

    def _log_prob(self, value):
        parts = self._component_distribution.log_prob(self._pad(value))
        return logsumexp(parts + log_softmax(self._mixture_distribution.logits, -1), -1)

    def sample(self, sample_shape=()):
        with no_grad():
            chosen = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            parts = self._component_distribution.sample(sample_shape)
            dims = len(self._event_shape)
            chosen = chosen.reshape(chosen.shape + (1,) * (dims + 1))
            dim = parts.dim() - dims - 1
            index = chosen.expand(parts.shape[:dim] + (1,) + self._event_shape)
            return parts.gather(dim, index).squeeze(dim)

    def _pad(self, x):
        return x.unsqueeze(-1 - len(self._event_shape))

    def __repr__(self):
        mixing, parts = self._mixture_distribution, self._component_distribution
        return f"MixtureSameFamily(\n  {mixing},\n  {parts})"
