"""Discrete choices made continuous, so that gradients flow through their samples.

References: Maddison, Mnih and Teh, The concrete distribution; Jang, Gu and Poole, Categorical
reparameterization with Gumbel-softmax; both ICLR 2017.
"""

from tallow.creation import full_like
from tallow.distributions import constraints
from tallow.distributions.bernoulli import WithOdds
from tallow.distributions.categorical import WEIGHTS, _OfCategorical
from tallow.distributions.transformed_distribution import TransformedDistribution
from tallow.distributions.transforms import ExpTransform, SigmoidTransform
from tallow.distributions.utils import broadcast_all, clamp_probs


class LogitRelaxedBernoulli(WithOdds):
    """The log odds of a `RelaxedBernoulli` number."""

    support = constraints.real
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        self._set_odds(validate_args, probs, logits)

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        u, probs = clamp_probs(self._param.new_empty(shape).uniform_()), clamp_probs(self.probs)
        odds = u.log() - (-u).log1p() + probs.log() - (-probs).log1p()
        return odds / self.temperature

    def _log_prob(self, value):
        logits, value = broadcast_all(self.logits, value)
        diff = logits - value * self.temperature
        return self.temperature.log() + diff - 2 * diff.exp().log1p()


class ExpRelaxedCategorical(_OfCategorical):
    """The logarithms of a `RelaxedOneHotCategorical` vector."""

    support = constraints.real_vector
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        self._choose(probs, logits, validate_args)

    def rsample(self, sample_shape=()):
        u = clamp_probs(self._param.new_empty(self._extended_shape(sample_shape)).uniform_())
        scores = (self.logits - (-u.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def _log_prob(self, value):
        k = self._event_shape[0]
        logits, value = broadcast_all(self.logits, value)
        norm = full_like(self.temperature, k).lgamma() + (k - 1) * self.temperature.log()
        score = logits - value * self.temperature
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + norm


class _Relaxed(TransformedDistribution):
    has_rsample = True
    temperature = property(lambda self: self.base_dist.temperature)
    logits = property(lambda self: self.base_dist.logits)
    probs = property(lambda self: self.base_dist.probs)


class RelaxedBernoulli(_Relaxed):
    """A number from 0 to 1, near `Bernoulli`'s 0 or 1 for a low temperature."""

    arg_constraints = WithOdds.arg_constraints
    support = constraints.unit_interval

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args)


class RelaxedOneHotCategorical(_Relaxed):
    """Fractions that sum to 1, near a vector of `OneHotCategorical` for a low temperature."""

    arg_constraints = WEIGHTS
    support = constraints.simplex

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)
