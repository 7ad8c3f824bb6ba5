"""The extension `linalg`: matrices in the last two axes."""

import tallow
from tallow import linalg
from tallow.array_api.elementwise import promoted
from tallow.array_api.reductions import sum as _sum

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip

cholesky, det, eigvalsh, inv = linalg.cholesky, linalg.det, linalg.eigvalsh, linalg.inv
matrix_power, slogdet, svdvals = linalg.matrix_power, linalg.slogdet, linalg.svdvals
eigh, svd = linalg.eigh, linalg.svd


def matmul(x1, x2, /):
    return tallow.matmul(*promoted(x1, x2))


def matrix_transpose(x, /):
    return x.mT


def tensordot(x1, x2, /, *, axes=2):
    return tallow.tensordot(*promoted(x1, x2), dims=axes)


def vecdot(x1, x2, /, *, axis=-1):
    return linalg.vecdot(*promoted(x1, x2), dim=axis)


def outer(x1, x2, /):
    return tallow.outer(*promoted(x1, x2))


def cross(x1, x2, /, *, axis=-1):
    return linalg.cross(*promoted(x1, x2), dim=axis)


def solve(x1, x2, /):
    """x with x1 @ x = x2; x2 is one vector where it has one axis, else matrices."""
    x1, x2 = promoted(x1, x2)
    return linalg.solve(x1, x2[:, None])[..., 0] if x2.ndim == 1 else linalg.solve(x1, x2)


def diagonal(x, /, *, offset=0):
    return linalg.diagonal(x, offset=offset)


def trace(x, /, *, offset=0, dtype=None):
    return _sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def qr(x, /, *, mode="reduced"):
    return linalg.qr(x, mode)


def pinv(x, /, *, rtol=None):
    return linalg.pinv(x, rtol=rtol)


def matrix_rank(x, /, *, rtol=None):
    return linalg.matrix_rank(x, rtol=rtol)


def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return linalg.matrix_norm(x, ord, (-2, -1), keepdims)


def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    return linalg.vector_norm(x, ord, axis, keepdims)
