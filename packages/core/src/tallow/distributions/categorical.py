"""Choices among finitely many: one, as an index or as a vector, or counts of several."""

import math

from tallow.creation import arange, eye, ones_like
from tallow.distributions import constraints
from tallow.distributions.bernoulli import Binomial, one_of
from tallow.distributions.distribution import Distribution
from tallow.distributions.utils import (
    broadcast_all,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
)
from tallow.errors import ArgumentError, NotSupportedError
from tallow.info import finfo
from tallow.math import clamp, where
from tallow.nn.functional import one_hot
from tallow.random import multinomial
from tallow.shaping import broadcast_tensors
from tallow.size import Size

WEIGHTS = {"probs": constraints.simplex, "logits": constraints.real_vector}


class Categorical(Distribution):
    """An index from 0 on, with probabilities (..., K) from `probs`, or from logarithms `logits`.

    Either is normalised along the last dim.

    >>> choice = tallow.distributions.Categorical(tallow.tensor([1.0, 3.0]))
    >>> choice.log_prob(tallow.tensor(1)).exp()
    tensor(0.7500)
    """

    arg_constraints = WEIGHTS
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._given = one_of("Categorical", probs=probs, logits=logits)
        weights = logits if probs is None else probs
        if weights.dim() < 1:
            raise ArgumentError(
                f"Categorical: expected {self._given} of one dim or more, got a 0-d tensor"
            )
        if probs is None:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
        else:
            self.probs = probs / probs.sum(-1, keepdim=True)
        super().__init__(weights.shape[:-1], validate_args=validate_args)

    @lazy_property
    def logits(self):
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self):
        return logits_to_probs(self.logits)

    _param = property(lambda self: getattr(self, self._given))
    _num_events = property(lambda self: self._param.shape[-1])
    param_shape = property(lambda self: self._param.shape)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self._num_events - 1)

    mean = property(lambda self: self._constant(math.nan, self._param))
    variance = property(lambda self: self._constant(math.nan, self._param))
    mode = property(lambda self: self.probs.argmax(-1))

    def sample(self, sample_shape=()):
        count = Size(sample_shape).numel()
        rows = multinomial(self.probs.detach().reshape(-1, self._num_events), count, True)
        return rows.T.reshape(self._extended_shape(sample_shape))

    def _log_prob(self, value):
        index, logits = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self):
        return -(clamp(self.logits, min=finfo(self.logits.dtype).min) * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        return self._enumerated(arange(self._num_events, device=self._param.device), expand)


class _OfCategorical(Distribution):
    """A distribution of vectors made of a `Categorical`."""

    arg_constraints = WEIGHTS
    probs = property(lambda self: self._categorical.probs)
    logits = property(lambda self: self._categorical.logits)
    _param = property(lambda self: self._categorical._param)
    param_shape = property(lambda self: self._categorical.param_shape)

    def _choose(self, probs, logits, validate_args):
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        Distribution.__init__(self, shape[:-1], shape[-1:], validate_args)


class OneHotCategorical(_OfCategorical):
    """A `Categorical` choice as a vector of one 1 among zeros."""

    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._choose(probs, logits, validate_args)

    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))
    mode = property(lambda self: self._vectors(self.probs.argmax(-1)))

    def _vectors(self, indices):
        return one_hot(indices, self._event_shape[0]).to(self._param)

    def sample(self, sample_shape=()):
        return self._vectors(self._categorical.sample(sample_shape))

    def _log_prob(self, value):
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self):
        return self._categorical.entropy()

    def enumerate_support(self, expand=True):
        like = self._param
        values = eye(self._event_shape[0], dtype=like.dtype, device=like.device)
        return self._enumerated(values, expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """`OneHotCategorical` whose samples pass gradients on to the probabilities unchanged.

    Reference: Bengio, Leonard and Courville, Estimating or propagating gradients through stochastic
    neurons for conditional computation, 2013.
    """

    has_rsample = True

    def rsample(self, sample_shape=()):
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class Multinomial(_OfCategorical):
    """How often each index comes in `total_count` choices."""

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotSupportedError(
                f"Multinomial: expected one int as total_count, got {type(total_count).__name__}"
            )
        self.total_count = total_count
        self._choose(probs, logits, validate_args)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    mean = property(lambda self: self.probs * self.total_count)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))

    def sample(self, sample_shape=()):
        chosen = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = chosen.new_zeros(self._extended_shape(sample_shape))
        return counts.scatter_add_(-1, chosen, ones_like(chosen)).type_as(self.probs)

    def _log_prob(self, value):
        logits, value = broadcast_all(self.logits, value)
        logits = where((value == 0) & (logits == -math.inf), 0.0, logits)
        ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        return ways + (logits * value).sum(-1)

    def entropy(self):
        """n times the entropy of one choice, less what forgetting the order takes."""
        n = self.total_count
        support = self._binomial.enumerate_support(expand=False)[1:]
        chances = self._binomial.log_prob(support).exp()
        forgotten = (chances * (support + 1).lgamma()).sum([0, -1])
        return n * self._categorical.entropy() - math.lgamma(n + 1) + forgotten
