"""Norms of vectors and matrices, condition and rank."""

import tallow.ops.factor as ops
from tallow import backend
from tallow.errors import LinAlgError, ShapeError, TypeMismatchError, describe
from tallow.linalg.common import inexact, lapack, matrices, square
from tallow.linalg.inverses import inv, tolerances
from tallow.ops.elementwise import absolute
from tallow.ops.reduce import amax, amin
from tallow.ops.reduce import sum as sum_op
from tallow.ops.shape import permute, reshape
from tallow.promotion import give, to_dtype
from tallow.reductions import norm as torch_norm
from tallow.shaping import distinct_axes
from tallow.tensor import wrap

INF = float("inf")


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """(sum |x|**ord)**(1 / ord) of all elements, or along `dim`; for inf and -inf the extremes,
    for 0 the number of elements other than 0.
    """
    if not isinstance(ord, int | float):
        raise TypeMismatchError(f"linalg.vector_norm: expected ord to be a number, got {ord!r}")
    return torch_norm(inexact("vector_norm", x), ord, dim, keepdim, out, dtype)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None, out=None):
    """A norm of the matrices over two dims.

    "fro" is the Euclidean norm of all elements, "nuc" the sum of the singular values, 2 the
    largest and -2 the smallest of them, 1 and inf the largest sum of moduli of a column and of a
    row, -1 and -inf the smallest.
    """
    if inexact("matrix_norm", A).array.ndim < 2:
        raise ShapeError(f"linalg.matrix_norm: expected at least two dims, got {describe(A)}")
    if ord not in ("fro", "nuc", 1, -1, 2, -2, INF, -INF):
        raise ShapeError(f"linalg.matrix_norm: expected 'fro', 'nuc', 1, 2, inf or -, got {ord!r}")
    x = A if dtype is None else to_dtype(A, dtype)
    axes = distinct_axes("linalg.matrix_norm", dim, x.array.ndim)
    if len(axes) != 2:
        raise ShapeError(f"linalg.matrix_norm: expected two dims, got {dim}")
    if ord == "fro":
        return torch_norm(x, 2, axes, keepdim, out)
    if ord in ("nuc", 2, -2):
        result = _by_singular_values(x, ord, axes)
    else:
        summed, other = axes if abs(ord) == 1 else axes[::-1]
        sums = sum_op(absolute(x), axis=(summed,), keepdims=True)
        result = (amax if ord > 0 else amin)(sums, axis=(other,))
    shape = [1 if i in axes else n for i, n in enumerate(x.array.shape)]
    rest = shape if keepdim else [n for i, n in enumerate(shape) if i not in axes]
    return give(reshape(result, shape=tuple(rest)), out, "matrix_norm")


def _by_singular_values(x, ord, axes):
    kept = [axis for axis in range(x.array.ndim) if axis not in axes]
    moved = matrices("matrix_norm", permute(x, axes=(*kept, *axes)))
    with lapack("matrix_norm", "finite matrices"):
        values = ops.svdvals(moved)
    last = (values.array.ndim - 1,)
    if ord == "nuc":
        return sum_op(values, axis=last, keepdims=False)
    return (amax if ord > 0 else amin)(values, axis=last)


def norm(A, ord=None, dim=None, keepdim=False, *, out=None, dtype=None):
    """A vector norm, or a matrix norm where `ord` is a name, or two dims are given (or all there
    are).

    Without `ord` the Euclidean norm of all elements, or along `dim`.

    >>> tallow.linalg.norm(tallow.tensor([3.0, 4.0]))
    tensor(5.)
    """
    ndim = inexact("norm", A).array.ndim
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype, out=out)
    if dim is None and ndim > 2:
        raise ShapeError(f"linalg.norm: expected dim for ord {ord} of {describe(A)}, got none")
    pair = isinstance(dim, tuple | list) and len(dim) == 2
    if isinstance(ord, str) or pair or (dim is None and ndim == 2):
        dim = (-2, -1) if dim is None else dim
        return matrix_norm(A, ord, dim, keepdim, dtype=dtype, out=out)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype, out=out)


@backend.there
def cond(A, p=None, *, out=None):
    """The condition number |A| |A^-1| by a matrix norm p (2 unless told); inf for singular ones."""
    if p in (None, 2, -2):
        values = ops.svdvals(matrices("cond", A))
        first, last = values[..., 0], values[..., -1]
        return give(last / first if p == -2 else first / last, out, "cond")
    square("cond", A)
    try:
        result = matrix_norm(A, p) * matrix_norm(inv(A), p)
    except LinAlgError:
        result = wrap(
            backend.for_array(A.array).xp.full(A.array.shape[:-2], INF, A.array.real.dtype)
        )
    return give(result, out, "cond")


@backend.there
def matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """How many singular values are above max(atol, rtol * the largest); `tol` is an old atol."""
    array = matrices("matrix_rank", A).detach().array
    rtol, atol = tolerances("matrix_rank", A, atol if tol is None else tol, rtol)
    xp = backend.for_array(array).xp
    with lapack("matrix_rank", "finite matrices"):
        values = xp.linalg.svd(array, compute_uv=False)
    limit = xp.maximum(atol, rtol * values[..., :1])
    return give(wrap(xp.asarray((values > limit).sum(-1), xp.int64)), out, "matrix_rank")
