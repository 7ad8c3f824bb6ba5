"""What transforms are, and transforms made of others: composed, joined, reshaped."""

import functools
import operator

from tallow.creation import zeros_like
from tallow.distributions import constraints
from tallow.distributions.utils import sum_rightmost
from tallow.errors import ArgumentError, NotSupportedError
from tallow.joining import cat, stack
from tallow.size import Size


class Transform:
    """A map from `domain` to `codomain`; `sign` is that of its slope if it is of single numbers.

    With `cache_size=1` the last pair (x, y) is kept, and the inverse of that y is x itself.

    >>> t = tallow.distributions.ExpTransform()
    >>> t(tallow.tensor(0.0)), t.inv(tallow.tensor(1.0))
    (tensor(1.), tensor(0.))
    """

    bijective = False
    _given = ()  # the names of what `__init__` takes, to make a copy with

    def __init__(self, cache_size=0):
        if cache_size not in (0, 1):
            raise ArgumentError(f"Transform: expected cache_size of 0 or 1, got {cache_size}")
        self._cache_size = cache_size
        self._inv = None
        self._cached_x_y = None, None
        super().__init__()  # a transform may be a module, too

    def __getstate__(self):
        return self.__dict__ | {"_inv": None}

    @property
    def event_dim(self):
        """How many dims are one event, where they are as many on both sides."""
        if self.domain.event_dim != self.codomain.event_dim:
            raise ArgumentError("event_dim: expected that of .domain or .codomain, which differ")
        return self.domain.event_dim

    @property
    def inv(self):
        """The inverse; `t.inv.inv` is `t`."""
        if self._inv is None:
            self._inv = _InverseTransform(self)
        return self._inv

    @property
    def sign(self):
        """1 for an increasing, -1 for a decreasing map."""
        raise NotSupportedError(f"{type(self).__name__}: sign is not defined")

    def with_cache(self, cache_size=1):
        """The transform with another size of its cache."""
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is not Transform.__init__ and not self._given:
            raise NotSupportedError(f"{type(self).__name__}: with_cache is not defined")
        given = [getattr(self, name) for name in self._given]
        return type(self)(*given, cache_size=cache_size)

    def __eq__(self, other):
        return self is other

    def __call__(self, x):
        before, y = self._cached_x_y
        return y if self._cache_size and x is before else self._kept(x, self._call(x))[1]

    def _inv_call(self, y):
        x, before = self._cached_x_y
        return x if self._cache_size and y is before else self._kept(self._inverse(y), y)[0]

    def _kept(self, x, y):
        if self._cache_size:
            self._cached_x_y = x, y
        return x, y

    def _call(self, x):
        raise NotSupportedError(f"{type(self).__name__}: the map is not defined")

    def _inverse(self, y):
        raise NotSupportedError(f"{type(self).__name__}: the inverse is not defined")

    def log_abs_det_jacobian(self, x, y):
        """log |dy/dx| at x and y = self(x)."""
        raise NotSupportedError(f"{type(self).__name__}: log_abs_det_jacobian is not defined")

    def __repr__(self):
        return f"{type(self).__name__}()"

    def forward_shape(self, shape):
        """The shape of y for that of x."""
        return shape

    def inverse_shape(self, shape):
        """The shape of x for that of y."""
        return shape


class Plain(Transform):
    """A transform without parameters: all of a class are equal."""

    def __eq__(self, other):
        return type(self) is type(other)


def dependent(event_dim=NotImplemented):
    return constraints.dependent_property(is_discrete=False, event_dim=event_dim)


class _InverseTransform(Transform):
    def __init__(self, transform):
        super().__init__(transform._cache_size)
        self._inv = transform

    domain = dependent()(lambda self: self._inv.codomain)
    codomain = dependent()(lambda self: self._inv.domain)
    bijective = property(lambda self: self._inv.bijective)
    sign = property(lambda self: self._inv.sign)
    inv = property(lambda self: self._inv)

    def with_cache(self, cache_size=1):
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other):
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    def __getstate__(self):
        return self.__dict__

    def __repr__(self):
        return f"{type(self).__name__}({self._inv!r})"

    def __call__(self, x):
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x, y):
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape):
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape):
        return self._inv.forward_shape(shape)


# Transforms made of others


class ComposeTransform(Transform):
    """The transforms `parts`, one after the other; the parts do the caching."""

    _given = ("parts",)

    def __init__(self, parts, cache_size=0):
        super().__init__(cache_size)
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else parts

    def __eq__(self, other):
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    @dependent()
    def domain(self):
        if not self.parts:
            return constraints.real
        dims = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            dims += part.domain.event_dim - part.codomain.event_dim
            dims = max(dims, part.domain.event_dim)
        return of_dims(self.parts[0].domain, dims)

    @dependent()
    def codomain(self):
        if not self.parts:
            return constraints.real
        dims = self.parts[0].domain.event_dim
        for part in self.parts:
            dims += part.codomain.event_dim - part.domain.event_dim
            dims = max(dims, part.codomain.event_dim)
        return of_dims(self.parts[-1].codomain, dims)

    bijective = property(lambda self: all(part.bijective for part in self.parts))

    @property
    def sign(self):
        return functools.reduce(operator.mul, (part.sign for part in self.parts), 1)

    @property
    def inv(self):
        if self._inv is None:
            self._inv = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv._inv = self
        return self._inv

    def __call__(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x, y):
        if not self.parts:
            return zeros_like(x)
        xs = [x]
        for part in self.parts[:-1]:
            xs.append(part(xs[-1]))
        xs.append(y)
        terms, dims = [], self.domain.event_dim
        for part, x, y in zip(self.parts, xs, xs[1:], strict=False):
            term = part.log_abs_det_jacobian(x, y)
            terms.append(sum_rightmost(term, dims - part.domain.event_dim))
            dims += part.codomain.event_dim - part.domain.event_dim
        return functools.reduce(operator.add, terms)

    def forward_shape(self, shape):
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape):
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self):
        parts = ",\n    ".join(map(repr, self.parts))
        return f"{type(self).__name__}(\n    {parts}\n)"


def of_dims(constraint, dims):
    """The constraint, on events of at least `dims` dims."""
    more = dims - constraint.event_dim
    return constraints.independent(constraint, more) if more > 0 else constraint


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A transform that takes more of the last dims as one event."""

    _given = ("base_transform", "reinterpreted_batch_ndims")

    def __init__(self, base_transform, reinterpreted_batch_ndims, cache_size=0):
        super().__init__(cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @dependent()
    def domain(self):
        base = self.base_transform.domain
        return constraints.independent(base, self.reinterpreted_batch_ndims)

    @dependent()
    def codomain(self):
        base = self.base_transform.codomain
        return constraints.independent(base, self.reinterpreted_batch_ndims)

    bijective = property(lambda self: self.base_transform.bijective)
    sign = property(lambda self: self.base_transform.sign)

    def _call(self, x):
        expect_dims(self, x.shape, self.domain.event_dim)
        return self.base_transform(x)

    def _inverse(self, y):
        expect_dims(self, y.shape, self.codomain.event_dim)
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x, y):
        result = self.base_transform.log_abs_det_jacobian(x, y)
        return sum_rightmost(result, self.reinterpreted_batch_ndims)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"

    def forward_shape(self, shape):
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape):
        return self.base_transform.inverse_shape(shape)


def expect_dims(transform, shape, dims):
    if len(shape) < dims:
        raise ArgumentError(
            f"{type(transform).__name__}: expected {dims} dims or more, got shape {tuple(shape)}"
        )


class _Sequence(Transform):
    """A transform for each of the parts along a dim."""

    bijective = property(lambda self: all(t.bijective for t in self.transforms))

    def __init__(self, tseq, dim=0, cache_size=0):
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    def _call(self, x):
        return self._joined([t(v) for t, v in zip(self.transforms, self._split(x), strict=True)])

    def _inverse(self, y):
        parts = zip(self.transforms, self._split(y), strict=True)
        return self._joined([t.inv(v) for t, v in parts])


class CatTransform(_Sequence):
    """A transform for each of the parts of some lengths along `dim`, of one place each unless told.

    They may be of events of different dims, none of which is `dim`, or all of one number.
    """

    _given = ("transforms", "dim", "lengths")

    def __init__(self, tseq, dim=0, lengths=None, cache_size=0):
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)

    event_dim = property(lambda self: max(t.event_dim for t in self.transforms))
    length = property(lambda self: sum(self.lengths))

    @dependent()
    def domain(self):
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @dependent()
    def codomain(self):
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _split(self, x):
        return x.split(self.lengths, self.dim)

    def _joined(self, parts):
        return cat(parts, self.dim)

    def log_abs_det_jacobian(self, x, y):
        terms = [
            sum_rightmost(t.log_abs_det_jacobian(a, b), self.event_dim - t.event_dim)
            for t, a, b in zip(self.transforms, self._split(x), self._split(y), strict=True)
        ]
        dim = (self.dim - x.dim() if self.dim >= 0 else self.dim) + self.event_dim
        return cat(terms, dim) if dim < 0 else functools.reduce(operator.add, terms)


class StackTransform(_Sequence):
    """A transform for each place along `dim`."""

    _given = ("transforms", "dim")

    @dependent()
    def domain(self):
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @dependent()
    def codomain(self):
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _split(self, x):
        return x.unbind(self.dim)

    def _joined(self, parts):
        return stack(parts, self.dim)

    def log_abs_det_jacobian(self, x, y):
        parts = zip(self.transforms, self._split(x), self._split(y), strict=True)
        return stack([t.log_abs_det_jacobian(a, b) for t, a, b in parts], self.dim)


class ReshapeTransform(Transform):
    """Events of one shape to events of another."""

    bijective = True
    _given = ("in_shape", "out_shape")

    def __init__(self, in_shape, out_shape, cache_size=0):
        super().__init__(cache_size)
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ArgumentError(
                f"ReshapeTransform: expected shapes of as many elements, got {tuple(in_shape)} "
                f"and {tuple(out_shape)}"
            )

    @dependent()
    def domain(self):
        return constraints.independent(constraints.real, len(self.in_shape))

    @dependent()
    def codomain(self):
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x):
        return x.reshape(self.forward_shape(x.shape))

    def _inverse(self, y):
        return y.reshape(self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x, y):
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def forward_shape(self, shape):
        return self._swapped(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape):
        return self._swapped(shape, self.out_shape, self.in_shape)

    def _swapped(self, shape, old, new):
        expect_dims(self, shape, len(old))
        cut = len(shape) - len(old)
        if shape[cut:] != old:
            raise ArgumentError(
                f"ReshapeTransform: expected events {tuple(old)}, got {tuple(shape[cut:])}"
            )
        return Size(shape[:cut]) + new
