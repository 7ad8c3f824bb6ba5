"""Invertible maps with the logarithm of the determinant of their Jacobian matrices.

A transform gives `domain`, `codomain`, `_call`, `_inverse` and, if it is `bijective`,
`log_abs_det_jacobian(x, y)`, whose shape is the batch's.
"""

import math

from tallow.creation import eye, full_like
from tallow.distributions import constraints
from tallow.distributions.transform import (
    CatTransform,
    ComposeTransform,
    IndependentTransform,
    Plain,
    ReshapeTransform,
    StackTransform,
    Transform,
    _InverseTransform,  # noqa: F401 programs look for it here
    dependent,
    expect_dims,
    identity_transform,
    of_dims,
)
from tallow.distributions.utils import (
    broadcast_all,
    is_number,
    lazy_property,
    sum_rightmost,
    tril_matrix_to_vec,
    vec_to_tril_matrix,
)
from tallow.errors import ArgumentError
from tallow.info import finfo
from tallow.linalg import cholesky
from tallow.math import atanh, clamp, sigmoid
from tallow.nn.functional import logsigmoid, pad, softplus
from tallow.shaping import broadcast_shapes

__all__ = [
    "AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
    "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform",
    "LowerCholeskyTransform", "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform",
    "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform",
    "StickBreakingTransform", "TanhTransform", "Transform", "identity_transform",
]  # fmt: skip


# Transforms of numbers


class ExpTransform(Plain):
    """y = exp(x)."""

    domain, codomain = constraints.real, constraints.positive
    bijective, sign = True, 1

    def _call(self, x):
        return x.exp()

    def _inverse(self, y):
        return y.log()

    def log_abs_det_jacobian(self, x, y):
        return x


class _Parametric(Transform):
    """A transform of numbers whose parameters may be tensors that broadcast."""

    bijective = True

    def __eq__(self, other):
        return type(self) is type(other) and all(
            _same(getattr(self, name), getattr(other, name)) for name in self._given
        )

    def forward_shape(self, shape):
        return broadcast_shapes(
            shape, *(getattr(getattr(self, name), "shape", ()) for name in self._given)
        )

    inverse_shape = forward_shape


def _same(x, y):
    return x == y if is_number(x) and is_number(y) else bool((x == y).all())


class PowerTransform(_Parametric):
    """y = x ** exponent, of positive numbers."""

    domain = codomain = constraints.positive
    _given = ("exponent",)

    def __init__(self, exponent, cache_size=0):
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @lazy_property
    def sign(self):
        return self.exponent.sign()

    def _call(self, x):
        return x.pow(self.exponent)

    def _inverse(self, y):
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x, y):
        return (self.exponent * y / x).abs().log()


class AffineTransform(_Parametric):
    """y = loc + scale * x, on events of `event_dim` dims."""

    _given = ("loc", "scale", "event_dim")

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    event_dim = property(lambda self: self._event_dim)

    @dependent()
    def domain(self):
        return of_dims(constraints.real, self.event_dim)

    codomain = domain

    @property
    def sign(self):
        if is_number(self.scale):
            return (self.scale > 0) - (self.scale < 0)
        return self.scale.sign()

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        if is_number(self.scale):
            result = full_like(x, math.log(abs(self.scale)))
        else:
            result = self.scale.abs().log().expand(x.shape)
        return sum_rightmost(result, self.event_dim)


def _clipped_sigmoid(x):
    limits = finfo(x.dtype)
    return clamp(sigmoid(x), min=limits.tiny, max=1.0 - limits.eps)


class SigmoidTransform(Plain):
    """y = 1 / (1 + exp(-x)), kept off 0 and 1."""

    domain, codomain = constraints.real, constraints.unit_interval
    bijective, sign = True, 1

    def _call(self, x):
        return _clipped_sigmoid(x)

    def _inverse(self, y):
        limits = finfo(y.dtype)
        y = clamp(y, min=limits.tiny, max=1.0 - limits.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Plain):
    """y = log(1 + exp(x))."""

    domain, codomain = constraints.real, constraints.positive
    bijective, sign = True, 1

    def _call(self, x):
        return softplus(x)

    def _inverse(self, y):
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x)


class TanhTransform(Plain):
    """y = tanh(x). Near 1 and -1 the inverse loses x; `cache_size=1` keeps it."""

    domain, codomain = constraints.real, constraints.interval(-1.0, 1.0)
    bijective, sign = True, 1

    def _call(self, x):
        return x.tanh()

    def _inverse(self, y):
        return atanh(y)

    def log_abs_det_jacobian(self, x, y):
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Plain):
    """y = |x|; the inverse gives y."""

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x):
        return x.abs()

    def _inverse(self, y):
        return y


class CumulativeDistributionTransform(Transform):
    """y = distribution.cdf(x)."""

    bijective, sign = True, 1
    codomain = constraints.unit_interval
    _given = ("distribution",)

    def __init__(self, distribution, cache_size=0):
        super().__init__(cache_size)
        self.distribution = distribution

    domain = property(lambda self: self.distribution.support)

    def _call(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x, y):
        return self.distribution.log_prob(x)


# Transforms of vectors


class SoftmaxTransform(Plain):
    """y = softmax(x) over the last dim; the inverse gives log(y)."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x):
        weights = (x - x.max(-1, True).values).exp()
        return weights / weights.sum(-1, True)

    def _inverse(self, y):
        return y.log()

    def forward_shape(self, shape):
        expect_dims(self, shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Plain):
    """Vectors (..., n) to points of the simplex (..., n + 1), by breaking pieces off a stick.

    Each piece is a fraction of what is left, 1 / (pieces to come + 1) at x = 0.
    """

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def _call(self, x):
        fractions = _clipped_sigmoid(x - self._offset(x).log())
        left = (1 - fractions).cumprod(-1)
        return pad(fractions, [0, 1], value=1) * pad(left, [1, 0], value=1)

    def _inverse(self, y):
        pieces = y[..., :-1]
        left = clamp(1 - pieces.cumsum(-1), min=finfo(y.dtype).tiny)
        return pieces.log() - left.log() + self._offset(pieces).log()

    def log_abs_det_jacobian(self, x, y):
        x = x - self._offset(x).log()
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    @staticmethod
    def _offset(x):
        return x.shape[-1] + 1 - x.new_ones(x.shape[-1]).cumsum(-1)

    def forward_shape(self, shape):
        expect_dims(self, shape, 1)
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape):
        expect_dims(self, shape, 1)
        return shape[:-1] + (shape[-1] - 1,)


# Transforms to matrices


class CorrCholeskyTransform(Plain):
    """Vectors (..., n * (n - 1) / 2) to Cholesky factors (..., n, n) of correlation matrices.

    Each row is a point on half a sphere: its squares break a stick (Stan Reference Manual, Cholesky
    factors of correlation matrices). The Jacobian is that to the elements below the diagonal.
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        eps = finfo(x.dtype).eps
        r = vec_to_tril_matrix(clamp(x.tanh(), min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - r**2).sqrt().cumprod(-1)
        r = r + eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return r * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y):
        left = pad((1 - (y * y).cumsum(-1))[..., :-1], [1, 0], value=1)
        r = tril_matrix_to_vec(y, -1) / tril_matrix_to_vec(left, -1).sqrt()
        return (r.log1p() - r.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        left = tril_matrix_to_vec(1 - (y * y).cumsum(-1), diag=-2)
        tanh = -2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)
        return 0.5 * left.log().sum(-1) + tanh

    def forward_shape(self, shape):
        expect_dims(self, shape, 1)
        count = shape[-1]
        n = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != count:
            raise ArgumentError(
                f"CorrCholeskyTransform: expected vectors of length n * (n - 1) / 2, got {count}"
            )
        return shape[:-1] + (n, n)

    def inverse_shape(self, shape):
        expect_dims(self, shape, 2)
        n = shape[-1]
        if shape[-2] != n:
            raise ArgumentError(
                f"CorrCholeskyTransform: expected square matrices, got shape {tuple(shape)}"
            )
        return shape[:-2] + (n * (n - 1) // 2,)


class LowerCholeskyTransform(Plain):
    """Matrices to lower triangular ones, exp being taken of the diagonal."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x):
        return x.tril(-1) + x.diagonal(0, -2, -1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(0, -2, -1).log().diag_embed()


class PositiveDefiniteTransform(Plain):
    """Matrices to positive-definite ones, by `LowerCholeskyTransform`."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x):
        x = LowerCholeskyTransform()(x)
        return x @ x.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(cholesky(y))
