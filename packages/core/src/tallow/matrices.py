"""Functions of torch's namespace on matrices: older names and forms of those in `tallow.linalg`."""

import tallow.ops.factor as ops
from tallow import backend, linalg, return_types
from tallow.errors import ShapeError, describe, listing
from tallow.linalg.common import same_dtype
from tallow.linalg.factorizations import unpack
from tallow.ops.elementwise import log, where
from tallow.ops.linalg import matmul
from tallow.ops.logic import equal
from tallow.ops.shape import flip, pad
from tallow.promotion import give
from tallow.random import randn
from tallow.reductions import give_all, mean
from tallow.tensor import wrap

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "geqrf", "inverse", "logdet", "lu",
    "lu_solve", "lu_unpack", "matrix_exp", "matrix_power", "orgqr", "ormqr", "pca_lowrank",
    "pinverse", "qr", "slogdet", "svd", "svd_lowrank", "triangular_solve", "vander",
]  # fmt: skip
METHODS = ["cholesky_inverse", "lu_solve", "triangular_solve"]


def inverse(input, *, out=None):
    """`linalg.inv`."""
    return linalg.inv(input, out=out)


def pinverse(input, rcond=1e-15):
    """`linalg.pinv`, singular values up to rcond times the largest counting as 0."""
    return linalg.pinv(input, rcond)


def det(input):
    """`linalg.det`."""
    return linalg.det(input)


def slogdet(input, *, out=None):
    """`linalg.slogdet`."""
    return return_types.slogdet(*linalg.slogdet(input, out=out))


def logdet(input):
    """The logarithm of the determinant: NaN where that is negative."""
    sign, logarithm = linalg.slogdet(input)
    if input.dtype.is_complex:
        return log(sign) + logarithm
    return where(equal(sign, -1), float("nan"), logarithm)


def matrix_power(input, n, *, out=None):
    """`linalg.matrix_power`."""
    return linalg.matrix_power(input, n, out=out)


def vander(x, N=None, increasing=False):
    """The powers of a vector's elements in rows, from N - 1 down to 0, or from 0 up."""
    powers = linalg.vander(x, N)
    return powers if increasing else flip(powers, axis=(powers.array.ndim - 1,))


def matrix_exp(input):
    """`linalg.matrix_exp`."""
    return linalg.matrix_exp(input)


# Factorisations


def cholesky(input, upper=False, *, out=None):
    """`linalg.cholesky`."""
    return linalg.cholesky(input, upper=upper, out=out)


def _product(L, upper):
    """The matrix of which L is the Cholesky factor."""
    x = ops.triu(L, k=0) if upper else ops.tril(L, k=0)
    return matmul(ops.adjoint(x), x) if upper else matmul(x, ops.adjoint(x))


def cholesky_solve(input, L, upper=False, *, out=None):
    """The X with A @ X = input, from the Cholesky factor L of A."""
    if input.array.ndim < 2 or L.array.ndim < 2:
        raise ShapeError(f"cholesky_solve: expected matrices, got {describe(input)}")
    same_dtype("cholesky_solve", L, input)
    return give(linalg.solve(_product(L, upper), input), out, "cholesky_solve")


def cholesky_inverse(L, upper=False, *, out=None):
    """The inverse of A, from its Cholesky factor L."""
    return give(linalg.inv(_product(L, upper)), out, "cholesky_inverse")


def qr(input, some=True, *, out=None):
    """`linalg.qr`, reduced where `some`, else complete."""
    return return_types.qr(*linalg.qr(input, "reduced" if some else "complete", out=out))


@backend.there
def geqrf(input, *, out=None):
    """(a, tau): the QR factorisation as LAPACK keeps it, for `orgqr`."""
    xp = backend.for_array(input.array).xp
    h, tau = xp.linalg.qr(input.detach().array, mode="raw")
    return give_all(return_types.geqrf, (wrap(h.swapaxes(-2, -1)), wrap(tau)), out, "geqrf")


def orgqr(input, tau):
    """`linalg.householder_product`."""
    return linalg.householder_product(input, tau)


def ormqr(input, tau, other, left=True, transpose=False, *, out=None):
    """Q @ other, or other @ Q, with the Q (its adjoint if `transpose`) that `geqrf` describes."""
    if min(input.array.ndim, other.array.ndim) < 2:
        raise ShapeError(f"ormqr: expected matrices, got {listing([input, other])}")
    m, k = input.array.shape[-2], tau.array.shape[-1]
    input = ops.columns(input, 0, k)
    widths = ((0, 0),) * (input.array.ndim - 1) + ((0, m - k),)
    q = linalg.householder_product(pad(input, widths=widths, value=0), tau)
    q = ops.adjoint(q) if transpose else q
    return give(matmul(q, other) if left else matmul(other, q), out, "ormqr")


def svd(input, some=True, compute_uv=True, *, out=None):
    """(U, S, V) with U @ diag(S) @ V^H = input; zeros for U and V without `compute_uv`."""
    u, s, vh = linalg.svd(input, full_matrices=not some or not compute_uv)
    parts = (u, s, ops.adjoint(vh))
    if not compute_uv:
        xp = backend.for_array(input.array).xp
        parts = (wrap(xp.zeros_like(u.array)), s, wrap(xp.zeros_like(vh.array)))
    return give_all(return_types.svd, parts, out, "svd")


def lu(input, pivot=True, get_infos=False, out=None):
    """(LU, pivots) of `linalg.lu_factor`, with `get_infos` also where a pivot is 0."""
    parts = linalg.lu_factor_ex(input, pivot=pivot)[: 3 if get_infos else 2]
    return tuple(give(x, y, "lu") for x, y in zip(parts, out or (None,) * 3, strict=False))


def lu_solve(b, LU_data, LU_pivots, *, out=None):
    """`linalg.lu_solve`, the right side first."""
    return linalg.lu_solve(LU_data, LU_pivots, b, out=out)


def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True, *, out=None):
    """(P, L, U) of what `linalg.lu_factor` gives."""
    return give_all(return_types.lu_unpack, unpack(LU_data, LU_pivots), out, "lu_unpack")


def triangular_solve(b, A, upper=True, transpose=False, unitriangular=False, *, out=None):
    """(solution, A): `linalg.solve_triangular`, the right side first."""
    x = ops.transpose(A) if transpose else A
    upper = upper != transpose
    solution = linalg.solve_triangular(x, b, upper=upper, unitriangular=unitriangular)
    return give_all(return_types.triangular_solve, (solution, A), out, "triangular_solve")


# Approximations of low rank


def svd_lowrank(A, q=6, niter=2, M=None):
    """(U, S, V) of rank q that approximate A (less M), by `niter` power iterations.

    N. Halko et al., "Finding structure with randomness", arXiv:0909.4061, algorithm 5.1.
    """
    x = A if M is None else A - M
    if x.array.shape[-2] < x.array.shape[-1]:  # a tall matrix has the smaller products
        right, size, left = svd_lowrank(ops.adjoint(x), q, niter)
        return left, size, right
    back = ops.adjoint(x)
    start = randn(x.array.shape[-1], q, dtype=x.dtype, device=x.device)
    basis = linalg.qr(matmul(x, start)).Q
    for _ in range(niter):
        basis = linalg.qr(matmul(back, basis)).Q
        basis = linalg.qr(matmul(x, basis)).Q
    u, s, vh = linalg.svd(matmul(ops.adjoint(basis), x), full_matrices=False)
    return matmul(basis, u), s, ops.adjoint(vh)


def pca_lowrank(A, q=None, center=True, niter=2):
    """(U, S, V) of `svd_lowrank` of A less the means of its columns: the principal components."""
    q = min(6, *A.array.shape[-2:]) if q is None else q
    if not 0 <= q <= min(A.array.shape[-2:]):
        raise ShapeError(f"pca_lowrank: expected a rank within {describe(A)}, got {q}")
    x = A - mean(A, -2, keepdim=True) if center else A
    return svd_lowrank(x, q, niter)
