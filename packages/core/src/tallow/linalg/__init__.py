"""Linear algebra: `tallow.linalg`. All functions take batches of matrices (..., n, m).

Real and complex, float32 and float64; differentiable, also twice, where a derivative exists. What
is numerically impossible raises LinAlgError.
"""

import sys as _sys

from tallow.casting import cast_by_policy as _cast_by_policy
from tallow.diagonals import diagonal as _diagonal
from tallow.errors import LinAlgError
from tallow.linalg.factorizations import (
    cholesky,
    cholesky_ex,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    householder_product,
    lu,
    lu_factor,
    lu_factor_ex,
    lu_solve,
    qr,
    svd,
    svdvals,
)
from tallow.linalg.inverses import (
    det,
    inv,
    inv_ex,
    lstsq,
    pinv,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from tallow.linalg.norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from tallow.linalg.powers import cross, matrix_exp, matrix_power, multi_dot, vander, vecdot
from tallow.products import matmul


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonal over two dims, as the last dim; a view."""
    return _diagonal(A, offset, dim1, dim2)


_cast_by_policy(_sys.modules[__name__])
