"""Cases of tallow.ops.factor.

Where vectors are unique only up to a factor, cases are real: there LAPACK's choice is continuous.
"""

import numpy as np
import pytest

from tallow.ops import factor as ops
from tallow.testing import Case, checks, given

SHAPES = [(3, 3), (2, 3, 3), (1, 1)]
ANY = [(3, 3), (4, 2), (2, 4), (2, 3, 3)]
SQUARE = [given(shape) for shape in SHAPES]


def fixed(seed, *shape):
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def positive(seed, n):
    x = fixed(seed, n, n)
    return x @ x.T + np.eye(n)


def without_half(case):
    """LAPACK takes no 16-bit floats."""
    case.dtypes = [t for t in case.dtypes if t.itemsize > 2]
    return case


def matrix(op, reference, *examples, **options):
    return without_half(
        Case(op, reference, *examples, **{"dtypes": "fc", "tolerance": 100} | options)
    )


def cofactors(x):
    out = np.empty_like(x)
    for at in np.ndindex(*x.shape):
        *batch, i, j = at
        minor = np.delete(np.delete(x[tuple(batch)], i, 0), j, 1)
        out[at] = (-1) ** (i + j) * np.linalg.det(minor)
    return out


def pinv(x, rtol, atol):
    return np.linalg.pinv(x, rcond=1e-15)


def lu_factor(x):
    if x.ndim > 2:
        parts = [lu_factor(part) for part in x]
        return tuple(np.stack(part) for part in zip(*parts, strict=True))
    lu, pivots = x.copy(), []
    for i in range(min(x.shape)):
        size = abs(lu[i:, i].real) + abs(lu[i:, i].imag)
        pivot = i + int(np.argmax(size))
        pivots.append(pivot + 1)
        lu[[i, pivot]] = lu[[pivot, i]]
        for row in range(i + 1, len(lu)):
            lu[row, i] /= lu[i, i]
            lu[row, i + 1 :] -= lu[row, i] * lu[i, i + 1 :]
    return lu, np.array(pivots, np.int32)


def permutation(pivots, size, dtype):
    if pivots.ndim > 1:
        return np.stack([permutation(row, size, dtype) for row in pivots])
    out = np.eye(size, dtype=dtype)
    for i, pivot in enumerate(pivots - 1):
        out[:, [i, pivot]] = out[:, [pivot, i]]
    return out


def matrix_exp(x):
    term, total = np.eye(x.shape[-1]) + 0 * x, np.eye(x.shape[-1]) + 0 * x
    for k in range(1, 80):
        term = term @ x / k
        total = total + term
    return total


def qr(x):
    return tuple(np.linalg.qr(x))


SPREAD = np.diag([3.0, 2, 1]) + 0.2 * fixed(1, 3, 3)  # singular values and eigenvalues apart
CASES = [
    matrix(ops.inv, np.linalg.inv, *SQUARE, given((0, 2, 2))),
    matrix(
        ops.solve, np.linalg.solve,
        given((3, 3), (3, 2)), given((2, 3, 3), (2, 3, 1)), given((3, 3), (2, 3, 2)),
        given((0, 0), (0, 2)),
    ),
    matrix(ops.det, np.linalg.det, *SQUARE, given((0, 0)), given((0, 2, 2))),
    matrix(ops.cofactors, cofactors, *SQUARE),
    matrix(
        ops.slogdet, lambda x: tuple(np.linalg.slogdet(x)),
        given(SPREAD), given(np.stack([SPREAD, -SPREAD])), outputs=(1,),
    ),
    matrix(
        ops.pinv, pinv,
        *[given(shape, rtol=1e-15, atol=0.0) for shape in [(3, 3), (4, 2), (2, 2, 3)]],
    ),
    matrix(
        ops.cholesky, np.linalg.cholesky, given(positive(0, 3)), given(positive(1, 1)), dtypes="f",
        by=(), orders=0,
    ),
    matrix(
        ops.qr, qr, *[given(fixed(2, *shape)) for shape in ANY], dtypes="f",
    ),
    matrix(
        ops.qr_complete, lambda x: tuple(np.linalg.qr(x, "complete")),
        given((4, 2)), given((2, 3, 1)),
    ),
    matrix(
        ops.svd, lambda x, full: tuple(np.linalg.svd(x, full_matrices=full)),
        given(SPREAD, full=False), given(SPREAD[:, :2], full=False), given(SPREAD[:2], full=False),
        given(np.stack([SPREAD, SPREAD.T]), full=True), dtypes="f",
    ),
    matrix(
        ops.svdvals, lambda x: np.linalg.svd(x, compute_uv=False),
        given(SPREAD), given(SPREAD[:, :2]), given(np.stack([SPREAD, SPREAD.T])), dtypes="f",
    ),
    matrix(
        ops.eigh, lambda x, uplo: tuple(np.linalg.eigh(x, uplo)),
        given(SPREAD + SPREAD.T, uplo="L"), dtypes="f", by=(), orders=0,
    ),
    matrix(
        ops.eig, lambda x: tuple(part.astype(complex) for part in np.linalg.eig(x)),
        given(SPREAD), given(np.stack([SPREAD, SPREAD.T])), dtypes="f", gives=None, outputs=(0,),
    ),
    matrix(ops.lu_factor, lu_factor, *[given(shape) for shape in ANY]),
    without_half(Case(
        ops.permutation, permutation,
        given(np.array([3, 2, 3], np.int32), size=3, dtype=np.dtype("f8")),
        given(np.array([[2, 2], [1, 4]], np.int32), size=4, dtype=np.dtype("f8")),
        dtypes="f", gives=np.float64,
    )),
    matrix(ops.matrix_exp, matrix_exp, *SQUARE, given(9 * fixed(4, 2, 2)), given((0, 2, 2))),
]  # fmt: skip


# Cholesky and eigh read one triangle, but their gradients are those of the whole Hermitian matrix:
# there is no difference quotient to hold them against. tests/core/test_linalg.py does it.
CHECKS = [check for check in checks(CASES) if check.kind.__name__ != "no_gradient"]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_op(check):
    check()
