"""Distributions of covariance and of correlation matrices."""

import math
import warnings

from tallow.autograd import no_grad
from tallow.creation import arange, tensor, tril_indices
from tallow.distributions import constraints
from tallow.distributions.beta import Beta
from tallow.distributions.distribution import Distribution, ExponentialFamily
from tallow.distributions.gamma import Chi2
from tallow.distributions.multivariate_normal import (
    MATRICES,
    OfCovariance,
    log_diagonal,
    tril_of,
)
from tallow.distributions.utils import broadcast_all, is_number
from tallow.errors import ArgumentError
from tallow.info import finfo
from tallow.joining import cat
from tallow.linalg import slogdet
from tallow.math import clamp, mvlgamma, where
from tallow.matrices import cholesky_solve
from tallow.random import randn
from tallow.shaping import broadcast_shapes


class Wishart(OfCovariance, ExponentialFamily):
    """The sum of x @ x^T of `df` normal vectors of a covariance, given as `MultivariateNormal`'s.

    Samples that are numerically singular are drawn again, up to `max_try_correction` times.

    Reference: Bartlett, On the theory of statistical regression, Proceedings of the Royal Society
    of Edinburgh 53 (1933).
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self, df, covariance_matrix=None, precision_matrix=None, scale_tril=None,
        validate_args=None,
    ):  # fmt: skip
        name, matrix = self._given_matrix(covariance_matrix, precision_matrix, scale_tril)
        if is_number(df):
            df = tensor(df, dtype=matrix.dtype, device=matrix.device)
        batch, event = broadcast_shapes(matrix.shape[:-2], df.shape), matrix.shape[-2:]
        self.df = df.expand(batch)
        least = event[-1] - 1
        if (self.df <= least).any():
            raise ArgumentError(f"Wishart: expected df above n - 1 = {least}, got {df}")
        if (self.df < event[-1]).any():
            warnings.warn("Wishart: singular samples are likely for df below n", stacklevel=2)
        setattr(self, name, matrix.expand(batch + event))
        super().__init__(batch, event, validate_args)
        self._unbroadcasted_scale_tril = tril_of(name, matrix)
        fewer = arange(event[-1], dtype=matrix.dtype, device=matrix.device)
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - fewer)

    @property
    def arg_constraints(self):
        return MATRICES | {"df": constraints.greater_than(self._event_shape[-1] - 1)}

    mean = property(lambda self: self.df[..., None, None] * self.covariance_matrix)

    @property
    def mode(self):
        factor = self.df - self._event_shape[-1] - 1
        return where(factor > 0, factor, math.nan)[..., None, None] * self.covariance_matrix

    @property
    def variance(self):
        v = self.covariance_matrix
        diagonal = v.diagonal(0, -2, -1)
        square = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df[..., None, None] * (v.pow(2) + square)

    def _bartlett(self, sample_shape):
        n = self._event_shape[-1]
        deviations = self._dist_chi2.rsample(sample_shape).sqrt()
        noise = clamp(deviations, min=finfo(deviations.dtype).eps).diag_embed()
        rows, columns = tril_indices(n, n, offset=-1).unbind()
        shape = noise.shape[:-2] + (len(rows),)
        noise[..., rows, columns] = randn(shape, dtype=noise.dtype, device=noise.device)
        tril = self._unbroadcasted_scale_tril @ noise
        return tril @ tril.mT

    def rsample(self, sample_shape=(), max_try_correction=10):
        sample = self._bartlett(sample_shape)
        singular = ~self.support.check(sample.detach())
        for _ in range(max_try_correction):
            if not singular.any():
                break
            again = self._bartlett(sample_shape)
            sample = where(singular[..., None, None], again, sample)
            singular = ~self.support.check(sample.detach())
        return sample

    def _log_prob(self, value):
        n = self._event_shape[-1]
        solved = cholesky_solve(value, self._unbroadcasted_scale_tril.expand(value.shape))
        return (
            -self.df * self._log_scale()
            - mvlgamma(self.df / 2, n)
            + (self.df - n - 1) / 2 * slogdet(value).logabsdet
            - solved.diagonal(0, -2, -1).sum(-1) / 2
        )

    def _log_scale(self):
        n = self._event_shape[-1]
        return n * math.log(2) / 2 + log_diagonal(self._unbroadcasted_scale_tril)

    def entropy(self):
        n = self._event_shape[-1]
        halves = arange(n, dtype=self.df.dtype, device=self.df.device) / 2
        digamma = ((self.df / 2).unsqueeze(-1) - halves).digamma().sum(-1)
        return (
            (n + 1) * self._log_scale()
            + mvlgamma(self.df / 2, n)
            - (self.df - n - 1) / 2 * digamma
            + self.df * n / 2
        )

    @property
    def _natural_params(self):
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x, y):
        n = self._event_shape[-1]
        degrees = y + (n + 1) / 2
        log_det = slogdet(-2 * x).logabsdet
        return degrees * (n * math.log(2) - log_det) + mvlgamma(degrees, n)


class LKJCholesky(Distribution):
    """Cholesky factors (dim, dim) of correlation matrices of density det ** (concentration - 1).

    Reference: Lewandowski, Kurowicka and Joe, Generating random correlation matrices based on vines
    and extended onion method, Journal of Multivariate Analysis 100 (2009).
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ArgumentError(f"LKJCholesky: expected dim of 2 or more, got {dim}")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        like = self.concentration
        offset = arange(dim - 1, dtype=like.dtype, device=like.device)
        offset = cat([offset.new_zeros((1,)), offset])
        marginal = self.concentration + 0.5 * (dim - 2)
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(like.shape, (dim, dim), validate_args)

    def sample(self, sample_shape=()):
        """By the onion method: rows of random lengths in random directions."""
        with no_grad():
            squares = self._beta.sample(sample_shape).unsqueeze(-1)
            shape = self._extended_shape(sample_shape)
            normal = randn(shape, dtype=squares.dtype, device=squares.device).tril(-1)
            length = normal.norm(dim=-1, keepdim=True)
            rows = squares.sqrt() * normal / where(length == 0, 1.0, length)
            rest = clamp(1 - (rows**2).sum(-1), min=finfo(rows.dtype).tiny).sqrt()
            return rows + rest.diag_embed()

    def _log_prob(self, value):
        dim, more = self.dim, self.dim - 1
        order = dim - arange(2, dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + order
        density = (order * value.diagonal(0, -2, -1)[..., 1:].log()).sum(-1)
        alpha = self.concentration + 0.5 * more
        norm = mvlgamma(alpha - 0.5, more) - alpha.lgamma() * more
        return density - norm - 0.5 * more * math.log(math.pi)
