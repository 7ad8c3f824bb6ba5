"""Inverses, determinants and solutions of linear equations."""

from math import prod

import numpy as np

import tallow.ops.factor as ops
from tallow import backend, return_types
from tallow.errors import LinAlgError, ShapeError, describe
from tallow.linalg.common import inexact, lapack, matrices, same_dtype, square
from tallow.ops.linalg import matmul
from tallow.ops.reduce import sum as sum_op
from tallow.ops.shape import permute, reshape, tril, triu
from tallow.promotion import axes_of, give
from tallow.reductions import give_all
from tallow.tensor import Tensor, wrap

INVERTIBLE = "matrices that are invertible"


def inv(A, *, out=None):
    """The inverse of square matrices.

    >>> tallow.linalg.inv(tallow.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    with lapack("inv", INVERTIBLE):
        return give(ops.inv(square("inv", A)), out, "inv")


def _zero_pivots(A):
    """For each matrix 0, or the number of the first pivot of its elimination that is 0."""
    array = A.detach().array
    lu, _ = ops.lu_factor(array)
    xp = backend.for_array(array).xp
    zero = xp.diagonal(lu, axis1=-2, axis2=-1) == 0
    return xp.asarray(xp.where(zero.any(-1), zero.argmax(-1) + 1, 0), xp.int32)


def _with_info(compute, A, result, check_errors, name):
    """The result, and where elimination failed; infinite where it did for any matrix."""
    try:
        made, info = compute(), np.zeros(A.array.shape[:-2], np.int32)
        info = backend.for_array(A.array).xp.asarray(info)
    except LinAlgError:
        info = _zero_pivots(A)
        if check_errors:
            raise
        made = wrap(backend.for_array(A.array).xp.full(result, float("inf"), A.array.dtype))
    return made, wrap(info)


@backend.there
def inv_ex(A, *, check_errors=False, out=None):
    """(inverse, info): the inverse, without an error for singular matrices unless asked."""
    parts = _with_info(lambda: inv(A), A, square("inv_ex", A).array.shape, check_errors, "inv_ex")
    return give_all(return_types.linalg_inv_ex, parts, out, "inv_ex")


def det(A, *, out=None):
    """The determinant of square matrices."""
    return give(ops.det(square("det", A)), out, "det")


def slogdet(A, *, out=None):
    """(sign, logabsdet): the determinant as its sign and the logarithm of its absolute value."""
    return give_all(return_types.linalg_slogdet, ops.slogdet(square("slogdet", A)), out, "slogdet")


def _right_side(name, A, B, left):
    """B as matrices that fit A, and whether they were vectors."""
    same_dtype(name, A, B)
    n = A.array.shape[-1]
    vector = B.array.ndim == 1 or B.array.shape == A.array.shape[:-1]
    vector = vector and (B.array.ndim == 1 or B.array.ndim == A.array.ndim - 1)
    x = reshape(B, shape=(*B.array.shape, 1)) if vector else B
    if x.array.ndim < 2 or x.array.shape[-2 if left or vector else -1] != n:
        raise ShapeError(
            f"linalg.{name}: expected a right side that fits {describe(A)}, got {describe(B)}"
        )
    return x, vector


def solve(A, B, *, left=True, out=None):
    """The X with A @ X = B, or where not `left` with X @ A = B.

    A (..., n, n), B (..., n, k), or (n,) or (..., n) for one right side.

    >>> tallow.linalg.solve(tallow.tensor([[2.0, 0.0], [0.0, 4.0]]), tallow.ones(2))
    tensor([0.5000, 0.2500])
    """
    x, vector = _right_side("solve", square("solve", A), B, left)
    with lapack("solve", INVERTIBLE):
        if left or vector:
            result = ops.solve(A, x)
        else:
            result = ops.transpose(ops.solve(ops.transpose(A), ops.transpose(x)))
    if vector:
        result = reshape(result, shape=result.array.shape[:-1])
    return give(result, out, "solve")


@backend.there
def solve_ex(A, B, *, left=True, check_errors=False, out=None):
    """(result, info): `solve` without an error for singular matrices unless asked."""
    shape = B.array.shape
    parts = _with_info(lambda: solve(A, B, left=left), A, shape, check_errors, "solve_ex")
    return give_all(return_types.linalg_solve_ex, parts, out, "solve_ex")


@backend.there
def solve_triangular(A, B, *, upper, left=True, unitriangular=False, out=None):
    """The X with A @ X = B (or X @ A = B) for a triangular A, whose other triangle is not read.

    With `unitriangular` the diagonal counts as 1.
    """
    same_dtype("solve_triangular", square("solve_triangular", A), matrices("solve_triangular", B))
    x = (triu if upper else tril)(A, k=0)
    if unitriangular:
        ones = backend.for_array(A.array).xp.eye(A.array.shape[-1], dtype=A.array.dtype)
        x = (triu if upper else tril)(A, k=1 if upper else -1) + wrap(ones)
    with lapack("solve_triangular", "a diagonal without 0"):
        if left:
            return give(ops.solve(x, B), out, "solve_triangular")
        result = ops.transpose(ops.solve(ops.transpose(x), ops.transpose(B)))
        return give(result, out, "solve_triangular")


def tolerances(name, A, atol, rtol):
    """(rtol, atol), as numbers or arrays (..., 1) with the default max(n, m) * eps for rtol."""

    def array(value):
        if isinstance(value, Tensor):
            return value.detach().array[..., None]
        return value

    if rtol is None:
        eps = float(np.finfo(A.array.dtype).eps) * max(A.array.shape[-2:])
        rtol = eps if atol is None or isinstance(atol, Tensor) or atol <= 0 else 0.0
    return array(rtol), array(0.0 if atol is None else atol)


@backend.there
def pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """The Moore-Penrose inverse: (..., n, m) -> (..., m, n).

    Singular values up to max(atol, rtol * the largest) count as 0; `rcond` is an old name of rtol.
    """
    rtol, atol = tolerances("pinv", matrices("pinv", A), atol, rtol if rcond is None else rcond)
    with lapack("pinv", "finite matrices"):
        return give(ops.pinv(A, rtol=rtol, atol=atol), out, "pinv")


@backend.there
def lstsq(A, B, rcond=None, *, driver=None):
    """(solution, residuals, rank, singular_values): the X of the smallest |A @ X - B|.

    A (..., m, n), B (..., m, k) or (..., m). The drivers "gelsy" (the default), "gelsd" and
    "gelss" take matrices of any rank; "gels" promises full rank. Residuals are given for more
    equations than unknowns and full rank, but not by "gelsy"; singular values by the other two.
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ShapeError(
            f"linalg.lstsq: expected driver 'gels', 'gelsy', 'gelsd' or 'gelss', got {driver!r}"
        )
    matrices("lstsq", A)
    same_dtype("lstsq", A, B)
    m, n = A.array.shape[-2:]
    vector = B.array.ndim == A.array.ndim - 1
    x = reshape(B, shape=(*B.array.shape, 1)) if vector else B
    if x.array.ndim < 2 or x.array.shape[-2] != m:
        raise ShapeError(f"linalg.lstsq: expected right sides with {m} rows, got {describe(B)}")
    solution = matmul(pinv(A, rcond), x)
    xp = backend.for_array(A.array).xp
    rtol, atol = tolerances("lstsq", A, None, rcond)
    values = xp.linalg.svd(A.array, compute_uv=False)
    ranks = (values > xp.maximum(atol, rtol * values[..., :1])).sum(-1)
    residuals = wrap(xp.empty(0, A.array.real.dtype))
    if m > n and driver not in (None, "gelsy") and (ranks == n).all():
        missed = x - matmul(A, solution)
        residuals = sum_op((missed * missed.conj()).real, axis=(x.array.ndim - 2,), keepdims=False)
    solution = reshape(solution, shape=solution.array.shape[:-1]) if vector else solution
    rank = xp.empty(0, xp.int64) if driver == "gels" else xp.asarray(ranks, xp.int64)
    values = values if driver in ("gelsd", "gelss") else values[..., :0].reshape(-1)[:0]
    return return_types.linalg_lstsq(solution, residuals, wrap(rank), wrap(values))


def tensorinv(A, ind=2, *, out=None):
    """The inverse of a tensor as a map from its last dims to its first `ind`."""
    shape = inexact("tensorinv", A).array.shape
    if ind < 1 or prod(shape[:ind]) != prod(shape[ind:]):
        raise ShapeError(
            f"linalg.tensorinv: expected as many elements in the first {ind} dims as in the "
            f"others, got {describe(A)}"
        )
    n = prod(shape[:ind])
    inverse = inv(reshape(A, shape=(n, n)))
    return give(reshape(inverse, shape=(*shape[ind:], *shape[:ind])), out, "tensorinv")


def tensorsolve(A, B, dims=None, *, out=None):
    """The X with tensordot(A, X, X.ndim) = B; `dims` of A are first moved to its end."""
    if dims is not None:
        moved = axes_of("tensorsolve", dims, A.array.ndim)
        kept = [axis for axis in range(A.array.ndim) if axis not in moved]
        A = permute(A, axes=(*kept, *moved))
    shape = A.array.shape[B.array.ndim :]
    n = prod(shape)
    if n != B.array.size or A.array.size != n * n:
        raise ShapeError(
            f"linalg.tensorsolve: expected sizes of a square system, got {describe(A)} and "
            f"{describe(B)}"
        )
    solution = solve(reshape(A, shape=(n, n)), reshape(B, shape=(n,)))
    return give(reshape(solution, shape=shape), out, "tensorsolve")
