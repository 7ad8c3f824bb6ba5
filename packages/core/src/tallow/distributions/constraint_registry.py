"""Transforms from all real numbers to what satisfies a constraint.

`biject_to(constraint)` is one to one; `transform_to(constraint)` is what an optimiser would use.

>>> from tallow.distributions import constraints, transform_to
>>> transform_to(constraints.positive)(tallow.zeros(2))
tensor([1., 1.])
"""

from tallow.distributions import constraints, transforms
from tallow.distributions.utils import is_number
from tallow.errors import NotSupportedError, TypeMismatchError

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Functions of constraints by their classes; each makes a transform for a constraint."""

    def __init__(self):
        self._registry = {}

    def register(self, constraint, factory=None):
        """Enter a function for the class of a constraint; without one, a decorator that does."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = constraint if isinstance(constraint, type) else type(constraint)
        if not issubclass(kind, constraints.Constraint):
            raise TypeMismatchError(
                f"register: expected a Constraint or a class of them, got {constraint!r}"
            )
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint):
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotSupportedError(f"no transform to {type(constraint).__name__} is registered")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _register(*kinds, registries=(biject_to, transform_to)):
    def enter(factory):
        for registry in registries:
            for kind in kinds:
                registry.register(kind, factory)
        return factory

    return enter


@_register(constraints.real)
def _to_real(constraint):
    return transforms.identity_transform


@_register(constraints.positive, constraints.nonnegative)
@_register(constraints.greater_than, constraints.greater_than_eq)
def _to_greater(constraint):
    return _shifted(transforms.ExpTransform(), constraint.lower_bound, 1)


@_register(constraints.less_than)
def _to_less(constraint):
    return _shifted(transforms.ExpTransform(), constraint.upper_bound, -1)


@_register(constraints.interval, constraints.half_open_interval)
def _to_interval(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    return _shifted(transforms.SigmoidTransform(), low, high - low)


def _shifted(transform, loc, scale):
    numbers = is_number(loc) and is_number(scale)
    if numbers and loc == 0 and scale == 1:
        return transform
    return transforms.ComposeTransform([transform, transforms.AffineTransform(loc, scale)])


biject_to.register(constraints.simplex, lambda _: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda _: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda _: transforms.LowerCholeskyTransform())


@_register(
    constraints.positive_definite, constraints.positive_semidefinite, registries=(transform_to,)
)
def _to_positive_definite(constraint):
    return transforms.PositiveDefiniteTransform()


@_register(constraints.corr_cholesky)
def _to_corr_cholesky(constraint):
    return transforms.CorrCholeskyTransform()


def _register_composite(registry):
    """The constraints that are made of others."""

    @registry.register(constraints.independent)
    def _to_independent(constraint):
        base = registry(constraint.base_constraint)
        return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)

    @registry.register(constraints.cat)
    def _to_cat(constraint):
        parts = [registry(c) for c in constraint.cseq]
        return transforms.CatTransform(parts, constraint.dim, constraint.lengths)

    @registry.register(constraints.stack)
    def _to_stack(constraint):
        return transforms.StackTransform([registry(c) for c in constraint.cseq], constraint.dim)


_register_composite(biject_to)
_register_composite(transform_to)
