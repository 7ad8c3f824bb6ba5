"""The base of distributions, and of those of an exponential family."""

import warnings

from tallow.autograd import grad, no_grad
from tallow.creation import full
from tallow.distributions import constraints
from tallow.distributions.utils import broadcast_all, lazy_property
from tallow.errors import ArgumentError, NotSupportedError, describe
from tallow.math import exp
from tallow.size import Size
from tallow.tensor import Tensor


class Distribution:
    """A distribution over events of `event_shape`, one for each place in `batch_shape`.

    A family gives `arg_constraints`, `support` and what it has of the methods; `_log_prob(value)`
    and `_cdf(value)` compute what `log_prob` and `cdf` return for a value that was validated.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Whether parameters and values are validated where nothing else is said."""
        if value not in (True, False):
            raise ArgumentError(f"set_default_validate_args: expected a bool, got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape=(), event_shape=(), validate_args=None):
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    def _set(self, validate_args, **parameters):
        """Broadcast the parameters of a family of single numbers, and make them attributes."""
        shared = broadcast_all(*parameters.values())
        self.__dict__.update(zip(parameters, shared, strict=True))
        Distribution.__init__(self, shared[0].shape, validate_args=validate_args)

    def _validate_parameters(self):
        try:
            needed = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self).__name__}: expected arg_constraints to validate parameters with; "
                "define them, {} for none, or give validate_args=False",
                stacklevel=4,
            )
            return
        for name, constraint in needed.items():
            lazy = isinstance(getattr(type(self), name, None), lazy_property)
            if constraints.is_dependent(constraint) or lazy and name not in self.__dict__:
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ArgumentError(
                    f"{self!r}: expected parameter {name} that satisfies {constraint!r}, "
                    f"got {describe(value)} with invalid values:\n{value}"
                )

    # Shapes

    @property
    def batch_shape(self):
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of one sample of one distribution."""
        return self._event_shape

    def expand(self, batch_shape, _instance=None):
        """The distribution with the parameters expanded to a batch shape, nothing being copied.

        Parameters are expanded in front of the dims that their constraints take as one event, and
        distributions that this one is made of in front of what they have more of a batch.
        """
        new = object.__new__(type(self)) if _instance is None else _instance
        batch, dims = Size(batch_shape), len(self._batch_shape)
        event_dims = self._parameter_dims()
        for name, value in self.__dict__.items():
            if name in event_dims and isinstance(value, Tensor):
                value = value.expand(batch + value.shape[value.dim() - event_dims[name] :])
            elif isinstance(value, Distribution):
                value = value.expand(batch + value.batch_shape[dims:])
            elif isinstance(getattr(type(self), name, None), lazy_property):
                continue
            new.__dict__[name] = value
        new._batch_shape = batch
        return new

    def _parameter_dims(self):
        """The names of parameters, and of how many dims each is for one distribution."""
        return {name: c.event_dim for name, c in self.arg_constraints.items()}

    def _get_checked_instance(self, cls, _instance=None):
        """A new object for `expand` to fill; subclasses with their own `__init__` bring one."""
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotSupportedError(
                f"{type(self).__name__}.expand: expected a method of its own, since it has an "
                f"__init__ of its own, got that of {cls.__name__}"
            )
        return object.__new__(type(self)) if _instance is None else _instance

    def _extended_shape(self, sample_shape=()):
        """The shape of samples."""
        return Size(sample_shape) + self._batch_shape + self._event_shape

    # What families define

    def _missing(self, name):
        return NotSupportedError(f"{type(self).__name__}: {name} is not defined")

    @property
    def arg_constraints(self):
        """The constraints of parameters by their names."""
        raise self._missing("arg_constraints")

    @property
    def support(self):
        """The constraint that samples satisfy."""
        raise self._missing("support")

    @property
    def mean(self):
        """The mean."""
        raise self._missing("mean")

    @property
    def mode(self):
        """The most probable value."""
        raise self._missing("mode")

    @property
    def variance(self):
        """The variance."""
        raise self._missing("variance")

    @property
    def stddev(self):
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape=()):
        """Samples (*sample_shape, *batch_shape, *event_shape), without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=()):
        """Samples through which gradients flow to the parameters."""
        raise self._missing("rsample")

    def sample_n(self, n):
        """`sample((n,))`, as it was called once."""
        warnings.warn("sample_n(n) is deprecated; use sample((n,))", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value):
        """The logarithm of the density, or of the probability, at `value`: (..., *batch_shape)."""
        if self._validate_args:
            self._validate_sample(value)
        return self._log_prob(value)

    def _log_prob(self, value):
        raise self._missing("log_prob")

    def cdf(self, value):
        """The probability of values up to `value`."""
        if self._validate_args:
            self._validate_sample(value)
        return self._cdf(value)

    def _cdf(self, value):
        raise self._missing("cdf")

    def icdf(self, value):
        """The inverse of `cdf`."""
        raise self._missing("icdf")

    def enumerate_support(self, expand=True):
        """All values (n, *batch_shape, *event_shape) of a discrete distribution.

        Without `expand` the dims of the batch are of length 1.
        """
        raise self._missing("enumerate_support")

    def _enumerated(self, values, expand):
        """Values (n, *event_shape) in the shape of `enumerate_support`."""
        count, event = values.shape[:1], values.shape[1:]
        values = values.view(count + (1,) * len(self._batch_shape) + event)
        return values.expand(count + self._batch_shape + event) if expand else values

    def entropy(self):
        """The entropy, in nats: (*batch_shape)."""
        raise self._missing("entropy")

    def perplexity(self):
        """exp of the entropy."""
        return exp(self.entropy())

    def _matrices(self, matrix):
        """Matrices, one for each distribution of the batch."""
        return matrix.expand(self._batch_shape + matrix.shape[-2:])

    def _constant(self, value, like):
        """A number for each distribution, in the dtype of a parameter."""
        return full(self._extended_shape(), value, dtype=like.dtype, device=like.device)

    # Validation of values

    def _validate_sample(self, value):
        name = type(self).__name__
        if not isinstance(value, Tensor):
            raise ArgumentError(f"{name}: expected a tensor as value, got {type(value).__name__}")
        start = value.dim() - len(self._event_shape)
        if value.shape[max(start, 0) :] != self._event_shape:
            raise ArgumentError(
                f"{name}: expected a value (..., *event_shape) with event_shape "
                f"{tuple(self._event_shape)}, got {describe(value)}"
            )
        expected = self._batch_shape + self._event_shape
        pairs = zip(reversed(value.shape), reversed(expected), strict=False)
        if any(1 not in (i, j) and i != j for i, j in pairs):
            raise ArgumentError(
                f"{name}: expected a value that broadcasts with batch_shape + event_shape "
                f"{tuple(expected)}, got {describe(value)}"
            )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{name}: expected a support to validate values with; define it, or give "
                "validate_args=False",
                stacklevel=3,
            )
            return
        if not support.check(value).all():
            raise ArgumentError(
                f"{self!r}: expected a value within the support {support!r}, "
                f"got {describe(value)} with invalid values:\n{value}"
            )

    def __repr__(self):
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.shape}")
        return f"{type(self).__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    """Distributions of density exp(<t(x), natural parameters> - log normalizer + carrier(x)).

    Entropy, and divergence within the family, follow from the gradient of the log normalizer.

    Reference: Nielsen and Nock, Entropies and cross-entropies of exponential families, ICIP 2010.
    """

    @property
    def _natural_params(self):
        raise self._missing("_natural_params")

    def _log_normalizer(self, *natural_params):
        raise self._missing("_log_normalizer")

    @property
    def _mean_carrier_measure(self):
        raise self._missing("entropy")

    def _dual(self):
        """(natural parameters, log normalizer, its gradients), in a graph of their own."""
        natural = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*natural)
        return natural, normalizer, grad(normalizer.sum(), natural, create_graph=True)

    def entropy(self):
        """The entropy, in nats."""
        carrier = self._mean_carrier_measure
        natural, result, slopes = self._dual()
        result = result - carrier
        for p, slope in zip(natural, slopes, strict=True):
            result = result - (p * slope).reshape(self._batch_shape + (-1,)).sum(-1)
        return result
