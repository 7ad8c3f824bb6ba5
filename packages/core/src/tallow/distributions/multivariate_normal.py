"""The normal distribution of vectors, its covariance as a matrix or of a low rank."""

import math

from tallow.creation import eye
from tallow.distributions import constraints
from tallow.distributions.bernoulli import one_of
from tallow.distributions.distribution import Distribution
from tallow.distributions.utils import lazy_property
from tallow.errors import ArgumentError, describe
from tallow.joining import cat
from tallow.linalg import cholesky, solve_triangular
from tallow.matrices import cholesky_inverse
from tallow.shaping import broadcast_shapes

MATRICES = {
    "covariance_matrix": constraints.positive_definite,
    "precision_matrix": constraints.positive_definite,
    "scale_tril": constraints.lower_cholesky,
}


def log_diagonal(tril):
    """Half the logarithm of the determinant of L @ L^T."""
    return tril.diagonal(0, -2, -1).log().sum(-1)


def solved(tril, vectors):
    """L^-1 x for L (..., n, n) and vectors x (..., n), which broadcast."""
    if tril.dim() > 2:
        return solve_triangular(tril, vectors.unsqueeze(-1), upper=False).squeeze(-1)
    flat = vectors.reshape(-1, vectors.shape[-1])
    return solve_triangular(tril, flat.mT, upper=False).mT.reshape(vectors.shape)


def product(matrix, vectors):
    """A @ x for matrices (..., n, m) and vectors (..., m)."""
    return (matrix @ vectors.unsqueeze(-1)).squeeze(-1)


def tril_of(name, matrix):
    """The Cholesky factor of a covariance that a matrix of one of `MATRICES` stands for."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return cholesky(matrix)
    inverse = cholesky(matrix.flip(-2, -1)).flip(-2, -1).mT
    unit = eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    return solve_triangular(inverse, unit, upper=False)


class OfCovariance(Distribution):
    """A distribution of a covariance, given as one of three matrices; the others are lazy."""

    @classmethod
    def _given_matrix(cls, covariance_matrix, precision_matrix, scale_tril):
        """The name of the matrix that is given, and it."""
        given = dict(zip(MATRICES, (covariance_matrix, precision_matrix, scale_tril), strict=True))
        name = one_of(cls.__name__, **given)
        if given[name].dim() < 2:
            raise ArgumentError(
                f"{cls.__name__}: expected {name} (..., n, n), got {describe(given[name])}"
            )
        return name, given[name]

    @lazy_property
    def scale_tril(self):
        return self._matrices(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        tril = self._unbroadcasted_scale_tril
        return self._matrices(tril @ tril.mT)

    @lazy_property
    def precision_matrix(self):
        return self._matrices(cholesky_inverse(self._unbroadcasted_scale_tril))


class Gaussian(Distribution):
    """Normal vectors; families give the covariance's `_log_det`, `_mahalanobis` and `_roots`."""

    support = constraints.real_vector
    has_rsample = True
    mean = property(lambda self: self.loc)
    mode = property(lambda self: self.loc)

    def _log_prob(self, value):
        n = self._event_shape[0]
        square = self._mahalanobis(value - self.loc)
        return -0.5 * (n * math.log(2 * math.pi) + self._log_det() + square)

    def entropy(self):
        n = self._event_shape[0]
        entropy = 0.5 * (n * (1.0 + math.log(2 * math.pi)) + self._log_det())
        return entropy.expand(self._batch_shape)


class MultivariateNormal(OfCovariance, Gaussian):
    """Normal vectors (..., n) of a mean and one of a covariance, its inverse, its Cholesky factor.

    The factor is what is computed with, hence what to give where there is a choice.

    >>> normal = tallow.distributions.MultivariateNormal(tallow.zeros(2), tallow.eye(2))
    >>> normal.log_prob(tallow.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {"loc": constraints.real_vector, **MATRICES}

    def __init__(
        self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None,
        validate_args=None,
    ):  # fmt: skip
        if loc.dim() < 1:
            raise ArgumentError("MultivariateNormal: expected loc of one dim or more, got none")
        name, matrix = self._given_matrix(covariance_matrix, precision_matrix, scale_tril)
        batch = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(batch + loc.shape[-1:])
        setattr(self, name, matrix.expand(batch + matrix.shape[-2:]))
        super().__init__(batch, loc.shape[-1:], validate_args)
        self._unbroadcasted_scale_tril = tril_of(name, matrix)

    @property
    def variance(self):
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self.loc.shape)

    def rsample(self, sample_shape=()):
        eps = self.loc.new_empty(self._extended_shape(sample_shape)).normal_()
        return self.loc + product(self._unbroadcasted_scale_tril, eps)

    def _log_det(self):
        return 2 * log_diagonal(self._unbroadcasted_scale_tril)

    def _mahalanobis(self, x):
        return solved(self._unbroadcasted_scale_tril, x).pow(2).sum(-1)

    def _roots(self):
        return self._unbroadcasted_scale_tril


class LowRankMultivariateNormal(Gaussian):
    """Normal vectors of the covariance W @ W^T + diag(D): `cov_factor` (..., n, m), `cov_diag`.

    By Woodbury's identity only matrices (m, m) are factorised.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        wanted = f"loc (..., n), cov_factor (..., n, m) and cov_diag (..., n), got {describe(loc)}"
        error = ArgumentError(
            f"LowRankMultivariateNormal: expected {wanted}, {describe(cov_factor)} and "
            f"{describe(cov_diag)}"
        )
        event = loc.shape[-1:]
        if loc.dim() < 1 or cov_factor.dim() < 2:
            raise error
        if cov_factor.shape[-2:-1] != event or cov_diag.shape[-1:] != event:
            raise error
        try:
            batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError:
            raise error from None
        self.loc, self.cov_diag = loc.expand(batch + event), cov_diag.expand(batch + event)
        self.cov_factor = cov_factor.expand(batch + cov_factor.shape[-2:])
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        self._capacitance_tril = cholesky(_plus_unit(scaled @ cov_factor))
        super().__init__(batch, event, validate_args)

    @lazy_property
    def variance(self):
        square = self._unbroadcasted_cov_factor.pow(2).sum(-1)
        return (square + self._unbroadcasted_cov_diag).expand(self.loc.shape)

    @lazy_property
    def scale_tril(self):
        deviation = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / deviation
        return self._matrices(deviation * cholesky(_plus_unit(scaled @ scaled.mT)))

    @lazy_property
    def covariance_matrix(self):
        factor, diagonal = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        return self._matrices(factor @ factor.mT + diagonal.diag_embed())

    @lazy_property
    def precision_matrix(self):
        a = solve_triangular(self._capacitance_tril, self._scaled_factor(), upper=False)
        return self._matrices(self._unbroadcasted_cov_diag.reciprocal().diag_embed() - a.mT @ a)

    def _scaled_factor(self):
        return self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        common = self.loc.new_empty(shape[:-1] + self.cov_factor.shape[-1:]).normal_()
        own = self.loc.new_empty(shape).normal_()
        common = product(self._unbroadcasted_cov_factor, common)
        return self.loc + common + self._unbroadcasted_cov_diag.sqrt() * own

    def _log_det(self):
        return 2 * log_diagonal(self._capacitance_tril) + self._unbroadcasted_cov_diag.log().sum(-1)

    def _mahalanobis(self, x):
        common = solved(self._capacitance_tril, product(self._scaled_factor(), x))
        return (x.pow(2) / self._unbroadcasted_cov_diag).sum(-1) - common.pow(2).sum(-1)

    def _roots(self):
        own = self._unbroadcasted_cov_diag.sqrt().diag_embed()
        factor = self._unbroadcasted_cov_factor
        batch = broadcast_shapes(own.shape[:-2], factor.shape[:-2])
        return cat([x.expand(batch + x.shape[-2:]) for x in (factor, own)], -1)


def _plus_unit(matrix):
    return matrix + eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
