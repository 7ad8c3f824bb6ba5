"""Matrices that stay orthogonal while they are trained: `parametrizations.orthogonal`.

An (n, k) matrix, n >= k, with orthonormal columns is computed from a free one by one of three maps
(Lezcano-Casado & Martinez-Rubio, "Cheap Orthogonal Constraints in Neural Networks", 2019).
"""

from tallow.autograd.modes import no_grad
from tallow.creation import eye, ones_like, zeros_like
from tallow.diagonals import diagonal, tril
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.info import finfo
from tallow.joining import cat
from tallow.logic import allclose
from tallow.math import where
from tallow.nn.module import Module
from tallow.random import randn

MAPS = ("matrix_exp", "cayley", "householder")


class Orthogonal(Module):
    """A matrix, or a batch of them, with orthonormal columns (or rows, if these are fewer).

    With `use_trivialization` it is `base` times what the map gives, so that every orthogonal matrix
    can be assigned: it becomes the base.
    """

    def __init__(self, weight, orthogonal_map, *, use_trivialization=True):
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ArgumentError("orthogonal: expected a real weight for 'householder', got complex")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X):
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        Q = _reflected(X) if self.orthogonal_map == "householder" else self._mapped(X)
        if self.use_trivialization:
            Q = self.base @ Q
        return Q.mT if wide else Q

    def _mapped(self, X):
        """The exponential of a skew-symmetric matrix made of X, or its Cayley transform."""
        from tallow.linalg import matrix_exp, solve

        n, k = X.shape[-2:]
        X = tril(X)
        if n != k:
            X = cat([X, X.new_zeros((*X.shape[:-1], n - k))], -1)
        A = X - (X.mT.conj() if X.is_complex() else X.mT)
        if self.orthogonal_map == "matrix_exp":
            Q = matrix_exp(A)
        else:
            identity = eye(n, dtype=A.dtype, device=A.device)
            Q = solve(identity - A / 2, identity + A / 2)
        return Q[..., :k]

    @no_grad()
    def right_inverse(self, Q):
        if Q.shape != self.shape:
            raise ShapeError(f"orthogonal: expected {tuple(self.shape)}, got {describe(Q)}")
        wide = Q.shape[-2] < Q.shape[-1]
        tall = Q.mT if wide else Q
        if self.use_trivialization:
            self.base = _completed(tall)
            start = zeros_like(tall)
            diagonal(start, dim1=-2, dim2=-1).fill_(-1)  # from which every map gives the identity
        elif self.orthogonal_map != "householder":
            raise NotImplementedError(
                "orthogonal: expected use_trivialization to assign a weight of "
                f"{self.orthogonal_map!r}"
            )
        else:
            start = _reflectors(tall)
        return start.mT if wide else start


def _reflected(X):
    """The first k columns of the product of k reflections, times signs.

    X (..., n, k) has the vectors below its diagonal, on which they are 1, and the signs on it.
    """
    from tallow.linalg import householder_product

    A = tril(X, -1)
    Q = householder_product(A, 2 / (1 + (A * A).sum(-2)))
    return Q * diagonal(X, dim1=-2, dim2=-1).detach().sign().unsqueeze(-2)


def _reflectors(Q):
    """X such that `_reflected(X)` is Q, of orthonormal columns: Householder's QR decomposition."""
    rest, columns = Q.clone(), []
    for i in range(Q.shape[-1]):
        x = rest[..., i:, i : i + 1]
        first = x[..., :1, :]
        sign = where(first < 0, -ones_like(first), ones_like(first))
        below = x[..., 1:, :] / (first + sign * x.norm(2, -2, keepdim=True))
        v = cat([ones_like(first), below], -2)
        rest[..., i:, i:] -= 2 / (v * v).sum(-2, keepdim=True) * v @ (v.mT @ rest[..., i:, i:])
        columns.append(cat([zeros_like(rest[..., :i, :1]), -sign, below], -2))
    return cat(columns, -1)


def _completed(Q):
    """An orthogonal (n, n) matrix that begins with the columns of Q, made orthonormal."""
    n, k = Q.shape[-2:]
    if n == k and _is_orthogonal(Q):
        return Q.clone()
    from tallow.linalg import qr

    if n != k:
        more = randn(*Q.shape[:-1], n - k, dtype=Q.dtype, device=Q.device)
        Q = cat([Q, more], -1)
    Q, R = qr(Q)
    return Q * diagonal(R, dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _is_orthogonal(Q):
    n = Q.shape[-2]
    adjoint = Q.mT.conj() if Q.is_complex() else Q.mT
    identity = eye(Q.shape[-1], dtype=Q.dtype, device=Q.device)
    return allclose(adjoint @ Q, identity.expand(Q.shape), atol=10.0 * n * finfo(Q.dtype).eps)
