"""Constraints: what parameters and samples of distributions satisfy.

`check(value)` gives True for each event of `event_dim` dims that satisfies the constraint.

>>> tallow.distributions.constraints.positive.check(tallow.tensor([-1.0, 2.0]))
tensor([False,  True])
"""

from tallow.creation import full
from tallow.dtypes import bool_
from tallow.errors import ArgumentError
from tallow.info import finfo
from tallow.joining import cat as join
from tallow.joining import stack as pile
from tallow.linalg import cholesky_ex, eigvalsh, vector_norm
from tallow.logic import isclose

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent",
    "dependent_property", "greater_than", "greater_than_eq", "half_open_interval", "independent",
    "integer_interval", "interval", "is_dependent", "less_than", "lower_cholesky",
    "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive",
    "positive_definite", "positive_integer", "positive_semidefinite", "real", "real_vector",
    "simplex", "square", "stack", "symmetric", "unit_interval",
]  # fmt: skip


class Constraint:
    """A region; `is_discrete` if it is of separate points, `event_dim` dims being one point."""

    is_discrete = False
    event_dim = 0

    def check(self, value):
        """True for each event of `value` that satisfies the constraint."""
        raise NotImplementedError(f"{type(self).__name__}: check is not defined")

    def __repr__(self):
        return f"{type(self).__name__.removeprefix('_')}()"


# Constraints that depend on other parameters


class _Dependent(Constraint):
    def __init__(self, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    is_discrete = property(lambda self: self._known("is_discrete", self._is_discrete))
    event_dim = property(lambda self: self._known("event_dim", self._event_dim))

    @staticmethod
    def _known(name, value):
        if value is NotImplemented:
            raise NotImplementedError(f"{name}: expected an object to ask, got its class")
        return value

    def __call__(self, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, x):
        raise ArgumentError("check: expected a constraint of its own, got one that depends")


class _DependentProperty(property, _Dependent):
    """A property that gives a constraint, and stands for one on the class."""

    def __init__(self, fn=None, *, is_discrete=NotImplemented, event_dim=NotImplemented):
        super().__init__(fn)
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def __call__(self, fn):
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint):
    """True for a constraint that cannot be checked by itself."""
    return isinstance(constraint, _Dependent)


# Constraints made of others


class _IndependentConstraint(Constraint):
    """A constraint that takes more of the last dims as one event: all must satisfy it."""

    def __init__(self, base_constraint, reinterpreted_batch_ndims):
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    is_discrete = property(lambda self: self.base_constraint.is_discrete)

    @property
    def event_dim(self):
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value):
        result = self.base_constraint.check(value)
        _expect_dims(value, self.event_dim)
        return _all_last(result, result.dim() - self.reinterpreted_batch_ndims)

    def __repr__(self):
        name = type(self).__name__.removeprefix("_")
        return f"{name}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The constraint of all components of a mixture."""

    def __init__(self, base_constraint):
        self.base_constraint = base_constraint

    is_discrete = property(lambda self: self.base_constraint.is_discrete)
    event_dim = property(lambda self: self.base_constraint.event_dim)

    def check(self, value):
        _expect_dims(value, self.event_dim)
        result = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return _all_last(result, value.dim() - self.event_dim)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_constraint!r})"


def _expect_dims(value, dims):
    if value.dim() < dims:
        raise ArgumentError(f"check: expected {dims} dims or more, got {value.dim()}")


def _all_last(result, kept):
    return result.reshape(result.shape[:kept] + (-1,)).all(-1)


class _Sequence(Constraint):
    """A constraint for each part along a dim."""

    def __init__(self, cseq, dim=0):
        self.cseq = list(cseq)
        self.dim = dim

    is_discrete = property(lambda self: any(c.is_discrete for c in self.cseq))
    event_dim = property(lambda self: max(c.event_dim for c in self.cseq))


class _Cat(_Sequence):
    """A constraint for each of the parts of some lengths along a dim."""

    def __init__(self, cseq, dim=0, lengths=None):
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    def check(self, value):
        parts = value.split(self.lengths, self.dim)
        return join([c.check(v) for c, v in zip(self.cseq, parts, strict=True)], self.dim)


class _Stack(_Sequence):
    """A constraint for each place along a dim."""

    @property
    def event_dim(self):
        dim = max(c.event_dim for c in self.cseq)
        return dim + 1 if self.dim + dim < 0 else dim

    def check(self, value):
        parts = value.unbind(self.dim)
        return pile([c.check(v) for c, v in zip(self.cseq, parts, strict=True)], self.dim)


# Constraints with bounds


class _Bounded(Constraint):
    """Numbers between bounds; `within` are the rules by the names of the bounds."""

    within = {}

    def __init__(self, *bounds, **named):
        self.__dict__ |= dict(zip(self.within, bounds, strict=not named)) | named

    def check(self, value):
        ok = value % 1 == 0 if self.is_discrete else True
        for name, holds in self.within.items():
            ok = holds(getattr(self, name), value) & ok
        return ok

    def __repr__(self):
        bounds = ", ".join(f"{name}={getattr(self, name)}" for name in self.within)
        return f"{type(self).__name__.removeprefix('_')}({bounds})"


def _over(bound, value):
    return bound < value


def _from(bound, value):
    return bound <= value


def _under(bound, value):
    return value < bound


def _up_to(bound, value):
    return value <= bound


class _GreaterThan(_Bounded):
    within = {"lower_bound": _over}


class _GreaterThanEq(_Bounded):
    within = {"lower_bound": _from}


class _IntegerGreaterThan(_GreaterThanEq):
    is_discrete = True


class _LessThan(_Bounded):
    within = {"upper_bound": _under}

    def __init__(self, upper_bound):
        super().__init__(upper_bound)


class _Interval(_Bounded):
    within = {"lower_bound": _from, "upper_bound": _up_to}


class _IntegerInterval(_Interval):
    is_discrete = True


class _HalfOpenInterval(_Interval):
    within = {"lower_bound": _from, "upper_bound": _under}


# Constraints on numbers and vectors


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value):
        return (value == 0) | (value == 1)


class _Real(Constraint):
    def check(self, value):
        return value == value  # not for NaN


class _OneHot(Constraint):
    is_discrete = True
    event_dim = 1

    def check(self, value):
        return boolean.check(value).all(-1) & value.sum(-1).eq(1)


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value):
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Multinomial(Constraint):
    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound):
        self.upper_bound = upper_bound

    def check(self, x):
        return (x >= 0).all(-1) & (x.sum(-1) <= self.upper_bound)


# Constraints on matrices


class _LowerTriangular(Constraint):
    event_dim = 2

    def check(self, value):
        return (value.tril() == value).all(-1).all(-1)


class _LowerCholesky(_LowerTriangular):
    def check(self, value):
        return super().check(value) & (value.diagonal(0, -2, -1) > 0).all(-1)


class _CorrCholesky(_LowerCholesky):
    def check(self, value):
        tolerance = finfo(value.dtype).eps * value.shape[-1] * 10
        lengths = vector_norm(value.detach(), dim=-1)
        return super().check(value) & ((lengths - 1).abs() <= tolerance).all(-1)


class _Square(Constraint):
    event_dim = 2

    def check(self, value):
        square = value.shape[-2] == value.shape[-1]
        return full(value.shape[:-2], square, dtype=bool_, device=value.device)


class _Symmetric(_Square):
    def check(self, value):
        square = super().check(value)
        if not square.all():
            return square
        return isclose(value, value.mT, atol=1e-6).all(-1).all(-1)


class _PositiveSemidefinite(_Symmetric):
    def check(self, value):
        symmetric = super().check(value)
        return (eigvalsh(value) >= 0).all(-1) if symmetric.all() else symmetric


class _PositiveDefinite(_Symmetric):
    def check(self, value):
        symmetric = super().check(value)
        return cholesky_ex(value).info == 0 if symmetric.all() else symmetric


# The names to use

dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
cat, stack = _Cat, _Stack

boolean = _Boolean()
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
one_hot = _OneHot()
multinomial = _Multinomial

real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Simplex()

lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
