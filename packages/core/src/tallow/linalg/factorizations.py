"""Factorisations of matrices: Cholesky, QR, LU, singular values, eigenvalues."""

import tallow.ops.factor as ops
from tallow import backend, return_types
from tallow.errors import LinAlgError, ShapeError, describe
from tallow.linalg.common import lapack, matrices, same_dtype, square
from tallow.linalg.inverses import solve_triangular
from tallow.ops.linalg import matmul
from tallow.ops.shape import reshape, tril, triu
from tallow.promotion import give
from tallow.reductions import give_all
from tallow.tensor import wrap

# Cholesky


def cholesky(A, *, upper=False, out=None):
    """The lower triangular L with L @ L^H = A of Hermitian positive-definite matrices.

    With `upper` the U with U^H @ U = A. Only one triangle of A is read.

    >>> tallow.linalg.cholesky(tallow.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    with lapack("cholesky", "positive-definite matrices"):
        x = square("cholesky", A)
        factor = ops.cholesky(ops.adjoint(x) if upper else x)
    return give(ops.adjoint(factor) if upper else factor, out, "cholesky")


@backend.there
def cholesky_ex(A, *, upper=False, check_errors=False, out=None):
    """(L, info): `cholesky` without an error for matrices that have none unless asked."""
    xp = backend.for_array(square("cholesky_ex", A).array).xp
    try:
        factor = cholesky(A, upper=upper)
        info = xp.zeros(A.array.shape[:-2], xp.int32)
    except LinAlgError:
        if check_errors:
            raise
        factor = triu(A, k=0) if upper else tril(A, k=0)
        info = _first_bad_minor(xp, A.array)
    return give_all(return_types.linalg_cholesky_ex, (factor, wrap(info)), out, "cholesky_ex")


def _first_bad_minor(xp, array):
    """For each matrix 0, or the order of the first leading minor that is not positive."""
    n = array.shape[-1]
    minors = [xp.linalg.det(array[..., :k, :k]).real for k in range(1, n + 1)]
    bad = xp.stack([minor <= 0 for minor in minors], -1)
    return xp.asarray(xp.where(bad.any(-1), bad.argmax(-1) + 1, 0), xp.int32)


# QR


@backend.there
def qr(A, mode="reduced", *, out=None):
    """(Q, R) with Q @ R = A: Q with orthonormal columns, R upper triangular.

    (..., m, n) -> (..., m, k), (..., k, n) with k = min(m, n); in mode "complete" k = m. In mode
    "r" Q is empty. Modes but "reduced" give no gradient, unless "complete" is the same.
    """
    if mode not in ("reduced", "complete", "r"):
        raise ShapeError(f"linalg.qr: expected mode 'reduced', 'complete' or 'r', got {mode!r}")
    m, n = matrices("qr", A).array.shape[-2:]
    q, r = ops.qr_complete(A) if mode == "complete" and m > n else ops.qr(A)
    if mode == "r":
        q, r = wrap(backend.for_array(A.array).xp.empty(0, A.array.dtype)), r.detach()
    return give_all(return_types.linalg_qr, (q, r), out, "qr")


@backend.there
def householder_product(A, tau, *, out=None):
    """The first n columns of H1 @ H2 @ ..., Hi = I - tau[i] v v^H with v column i of A (..., m, n).

    Of each column what is above the diagonal is not read, and the diagonal counts as 1.
    """
    same_dtype("householder_product", matrices("householder_product", A), tau)
    m, n = A.array.shape[-2:]
    k = tau.array.shape[-1]
    if m < n or k > n:
        raise ShapeError(
            f"linalg.householder_product: expected m >= n >= k, got {describe(A)}, {describe(tau)}"
        )
    xp = backend.for_array(A.array).xp
    eye = wrap(xp.eye(m, n, dtype=A.array.dtype))
    vectors = tril(A, k=-1) + eye
    result = eye
    for i in reversed(range(k)):
        v = ops.columns(vectors, i, i + 1)
        scale = reshape(ops.columns(tau, i, i + 1), shape=(*tau.array.shape[:-1], 1, 1))
        result = result - scale * v * matmul(ops.adjoint(v), result)
    return give(result, out, "householder_product")


# LU


@backend.there
def lu_factor_ex(A, *, pivot=True, check_errors=False, out=None):
    """(LU, pivots, info): `lu_factor` without an error for a pivot of 0 unless asked."""
    if not pivot:
        raise ShapeError("linalg.lu_factor: expected pivot=True on a CPU, got False")
    lu, pivots = ops.lu_factor(matrices("lu_factor", A))
    xp = backend.for_array(lu.array).xp
    zero = xp.diagonal(lu.array, axis1=-2, axis2=-1) == 0
    info = xp.asarray(xp.where(zero.any(-1), zero.argmax(-1) + 1, 0), xp.int32)
    if check_errors and info.any():
        raise ShapeError("linalg.lu_factor: expected pivots other than 0, got a pivot of 0")
    return give_all(return_types.linalg_lu_factor_ex, (lu, pivots, wrap(info)), out, "lu_factor_ex")


def lu_factor(A, *, pivot=True, out=None):
    """(LU, pivots): the factors of `lu` in one matrix, and the exchanges of rows."""
    parts = lu_factor_ex(A, pivot=pivot, check_errors=True)
    return give_all(return_types.linalg_lu_factor, parts[:2], out, "lu_factor")


@backend.there
def unpack(LU_data, LU_pivots):
    """(P, L, U) of what `lu_factor` gives."""
    m, n = LU_data.array.shape[-2:]
    k = min(m, n)
    xp = backend.for_array(LU_data.array).xp
    eye = wrap(xp.eye(m, k, dtype=LU_data.array.dtype))
    lower = tril(ops.columns(LU_data, 0, k), k=-1) + eye
    upper = triu(ops.rows(LU_data, 0, k), k=0)
    order = ops.permutation(LU_pivots, size=m, dtype=LU_data.array.dtype)
    return order, lower, upper


def lu(A, *, pivot=True, out=None):
    """(P, L, U) with P @ L @ U = A: a permutation, and triangular matrices, L of unit diagonal.

    (..., m, n) -> (..., m, m), (..., m, k), (..., k, n) with k = min(m, n).
    """
    data, pivots, _ = lu_factor_ex(A, pivot=pivot)
    return give_all(return_types.linalg_lu, unpack(data, pivots), out, "lu")


def lu_solve(LU, pivots, B, *, left=True, adjoint=False, out=None):
    """The X with A @ X = B (or X @ A = B) from `lu_factor(A)`; with `adjoint` for A^H."""
    same_dtype("lu_solve", square("lu_solve", LU), B)
    order, lower, upper = unpack(LU, pivots)
    if not left:
        turned = lu_solve(LU, pivots, ops.adjoint(B), adjoint=not adjoint)
        return give(ops.adjoint(turned), out, "lu_solve")
    if adjoint:
        inner = solve_triangular(ops.adjoint(upper), B, upper=False)
        inner = solve_triangular(ops.adjoint(lower), inner, upper=True, unitriangular=True)
        return give(matmul(order, inner), out, "lu_solve")
    inner = matmul(ops.transpose(order), B)
    inner = solve_triangular(lower, inner, upper=False, unitriangular=True)
    return give(solve_triangular(upper, inner, upper=True), out, "lu_solve")


# Singular values and eigenvalues


def svd(A, full_matrices=True, *, driver=None, out=None):
    """(U, S, Vh) with U @ diag(S) @ Vh = A, the singular values S in descending order.

    (..., m, n) -> (..., m, m), (..., k), (..., n, n) with k = min(m, n), or without
    `full_matrices` (..., m, k), (..., k), (..., k, n). Vectors are unique but for a factor of
    modulus 1, so only functions that do not depend on it have a gradient.
    """
    with lapack("svd", "finite matrices"):
        parts = ops.svd(matrices("svd", A), full=full_matrices)
        return give_all(return_types.linalg_svd, parts, out, "svd")


def svdvals(A, *, driver=None, out=None):
    """The singular values in descending order."""
    with lapack("svdvals", "finite matrices"):
        return give(ops.svdvals(matrices("svdvals", A)), out, "svdvals")


def eigh(A, UPLO="L", *, out=None):
    """(eigenvalues, eigenvectors) of Hermitian matrices, the eigenvalues in ascending order.

    Only the lower triangle of A is read, or with UPLO "U" the upper one.
    """
    if UPLO.upper() not in ("L", "U"):
        raise ShapeError(f"linalg.eigh: expected UPLO 'L' or 'U', got {UPLO!r}")
    with lapack("eigh", "finite matrices"):
        parts = ops.eigh(square("eigh", A), uplo=UPLO.upper())
        return give_all(return_types.linalg_eigh, parts, out, "eigh")


def eigvalsh(A, UPLO="L", *, out=None):
    """The eigenvalues of Hermitian matrices in ascending order."""
    return give(eigh(A, UPLO).eigenvalues, out, "eigvalsh")


def eig(A, *, out=None):
    """(eigenvalues, eigenvectors) of square matrices, always complex; eigenvectors of norm 1."""
    with lapack("eig", "finite matrices"):
        return give_all(return_types.linalg_eig, ops.eig(square("eig", A)), out, "eig")


def eigvals(A, *, out=None):
    """The eigenvalues of square matrices, always complex."""
    return give(eig(A).eigenvalues, out, "eigvals")


def lobpcg(
    A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None,
    tracker=None, ortho_iparams=None, ortho_fparams=None, ortho_bparams=None,
):  # fmt: skip
    """The k largest (1 unless told or X has more columns), or smallest, eigenvalues, and vectors.

    Of `A x = w B x`, A symmetric and B positive definite, each (..., n, n). They are exact, by
    `eigh`: how to iterate, from where and for how long makes no difference.
    """
    k = n or k or (1 if X is None else X.array.shape[-1])
    if B is None:
        values, vectors = eigh(A)
    else:
        factor = cholesky(B)
        inner = solve_triangular(factor, A, upper=False)
        inner = solve_triangular(factor, ops.adjoint(inner), upper=False)
        values, vectors = eigh(inner)
        vectors = solve_triangular(ops.adjoint(factor), vectors, upper=True)
    if largest is not False:
        values, vectors = values.flip(-1), vectors.flip(-1)
    return values[..., :k], vectors[..., :k]
