"""Inverses, determinants, solutions and factorisations of matrices, in batches (..., n, m).

Where a function is complex-differentiable its rule is written with transposes and the engine
conjugates; otherwise rules write adjoints. Formulas without a source of their own are in M. Giles,
"An extended collection of matrix derivative results for forward and reverse mode" (2008).
"""

from math import prod

from tallow.autograd.op import op
from tallow.ops.complex import conj, imag, over
from tallow.ops.elementwise import neg
from tallow.ops.linalg import matmul
from tallow.ops.reduce import sum
from tallow.ops.shape import cat, cut, diagonal, diagonal_scatter, reshape, swap, tril, triu


def transpose(x):
    return swap(x, axis1=-2, axis2=-1)


def adjoint(x):
    return conj(transpose(x))


def columns(x, start, stop):
    return cut(x, axis=len(x.shape) - 1, start=start, stop=stop)


def rows(x, start, stop):
    return cut(x, axis=len(x.shape) - 2, start=start, stop=stop)


def diagonal_of(x):
    return diagonal(x, offset=0, axis1=len(x.shape) - 2, axis2=len(x.shape) - 1)


def diagonal_matrix(x):
    """(..., n) -> (..., n, n)."""
    n, axis = x.shape[-1], len(x.shape)
    return diagonal_scatter(x, shape=(*x.shape, n), offset=0, axis1=axis - 1, axis2=axis)


def as_row(x):
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def as_column(x):
    return reshape(x, shape=(*x.shape, 1))


# Inverses, solutions, determinants

inv = op(lambda xp, x: xp.linalg.inv(x), name="inv").vjp(
    lambda g, out: neg(matmul(matmul(transpose(out), g), transpose(out)))
)
det = op(lambda xp, x: xp.asarray(xp.linalg.det(x)), name="det").vjp(
    lambda g, x: reshape(g, shape=(*g.shape, 1, 1)) * cofactors(x)
)


@op
def solve(xp, x, y):
    """The matrices z with x @ z = y: (..., n, n), (..., n, k) -> (..., n, k)."""
    return xp.linalg.solve(x, y)


@op
def cofactors(xp, x):
    """det(x) times the transposed inverse, from singular values where x has none."""
    try:
        return xp.linalg.det(x)[..., None, None] * xp.linalg.inv(x).swapaxes(-2, -1)
    except xp.linalg.LinAlgError:
        u, s, vh = xp.linalg.svd(x)
        n = s.shape[-1]
        others = xp.where(xp.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1)
        product = xp.linalg.det(u @ vh)[..., None, None]
        return product * ((u.conj() * others[..., None, :]) @ vh.conj()).astype(x.dtype)


@op(holomorphic=False)
def slogdet(xp, x):
    """The sign (of modulus 1, or 0) of the determinant and the logarithm of its modulus."""
    sign, logarithm = xp.linalg.slogdet(x)
    return xp.asarray(sign), xp.asarray(logarithm)


@op(holomorphic=False)
def pinv(xp, x, *, rtol, atol):
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * largest) count as 0."""
    u, s, vh = xp.linalg.svd(x, full_matrices=False)
    limit = xp.maximum(atol, rtol * s.max(axis=-1, keepdims=True, initial=0))
    s = xp.where(s > limit, 1 / xp.where(s > limit, s, 1), 0).astype(s.dtype)
    return vh.conj().swapaxes(-2, -1) @ (s[..., None] * u.conj().swapaxes(-2, -1))


@solve.joint_vjp
def _(g, x, out):
    by_y = solve(transpose(x), g)
    return neg(matmul(by_y, transpose(out))), by_y


@cofactors.vjp
def _(v, x):
    inverse = inv(x)
    determinant = reshape(det(x), shape=(*x.shape[:-2], 1, 1))
    inner = sum(v * transpose(inverse), axis=(len(x.shape) - 2, len(x.shape) - 1), keepdims=True)
    along = inner * cofactors(x)
    turned = matmul(matmul(transpose(inverse), transpose(v)), transpose(inverse))
    return along - determinant * turned


@slogdet.joint_vjp
def _(g, x, out):
    by_sign, by_logarithm = g
    turn = by_logarithm - imag(conj(by_sign) * out[0]) * 1j
    return (reshape(turn, shape=(*turn.shape, 1, 1)) * adjoint(inv(x)),)


@pinv.vjp
def _(g, x, out):
    """G. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate", SIAM J. Numer. Anal. 10 (1973).
    """
    h, p, back = adjoint(g), adjoint(out), neg(matmul(matmul(adjoint(out), g), adjoint(out)))
    left = matmul(h - matmul(x, matmul(out, h)), matmul(out, p))
    right = matmul(matmul(p, out), h - matmul(matmul(h, out), x))
    return back + left + right


# Factorisations


@op(holomorphic=False)
def cholesky(xp, x):
    """The lower triangular matrix L with L @ L^H = x."""
    return xp.linalg.cholesky(x)


@op(holomorphic=False)
def qr(xp, x):
    """Q with orthonormal columns and the upper triangular R with Q @ R = x."""
    return tuple(xp.linalg.qr(x))


@op
def qr_complete(xp, x):
    """`qr` with a square Q. Its last columns are any that fit, so it has no gradient."""
    return tuple(xp.linalg.qr(x, mode="complete"))


@op(holomorphic=False)
def svd(xp, x, *, full):
    """U, the singular values in descending order, and V^H, with U @ diag(S) @ V^H = x."""
    return tuple(xp.linalg.svd(x, full_matrices=full))


@op(holomorphic=False)
def svdvals(xp, x):
    """The singular values in descending order, without their vectors."""
    return xp.linalg.svd(x, compute_uv=False)


@op(holomorphic=False)
def eigh(xp, x, *, uplo):
    """Eigenvalues in ascending order and eigenvectors, in columns, of a Hermitian matrix."""
    return tuple(xp.linalg.eigh(x, uplo))


@op(holomorphic=False)
def eig(xp, x):
    """Complex eigenvalues and eigenvectors, in columns, of norm 1."""
    dtype = xp.result_type(x, xp.complex64)
    return tuple([part.astype(dtype, copy=False) for part in xp.linalg.eig(x)])


@cholesky.vjp
def _(g, out):
    """I. Murray, "Differentiation of the Cholesky decomposition" (2016), arXiv:1602.07527."""
    upper, phi = adjoint(out), matmul(adjoint(out), g)
    half = (tril(phi, k=0) + adjoint(tril(phi, k=-1))) * 0.5
    return adjoint(solve(upper, adjoint(solve(upper, half))))


@qr.joint_vjp
def _(g, x, out):
    """D. and L. Roberts, "QR and LQ decomposition matrix backpropagation algorithms for square,
    wide, and deep matrices" (2020), arXiv:2009.10071.
    """
    by_q, by_r = g
    q, r = out
    m, n = x.shape[-2:]
    if m >= n:
        return (_qr_gradient(q, r, by_q, by_r),)
    by_v = columns(by_r, m, n)
    by_q = by_q + matmul(columns(x, m, n), adjoint(by_v))
    square = _qr_gradient(q, columns(r, 0, m), by_q, columns(by_r, 0, m))
    return (cat(square, matmul(q, by_v), axis=len(x.shape) - 1),)


def _qr_gradient(q, r, by_q, by_r):
    """For at least as many rows as columns."""
    m = matmul(r, adjoint(by_r)) - matmul(adjoint(by_q), q)
    symmetric = tril(m, k=-1) + adjoint(tril(m, k=-1)) + diagonal_matrix(_real_part(diagonal_of(m)))
    return adjoint(solve(r, adjoint(by_q + matmul(q, symmetric))))


def _real_part(x):
    return (x + conj(x)) * 0.5


@svd.joint_vjp
def _(g, x, out, full):
    """J. Townsend, "Differentiating the singular value decomposition" (2016); for complex matrices
    Z. Wan, S. Zhang, "Automatic differentiation for complex valued SVD" (2019), arXiv:1909.02659.
    """
    by_u, by_s, by_vh = g
    u, s, vh = out
    m, n = x.shape[-2:]
    k = min(m, n)
    u, by_u = columns(u, 0, k), columns(by_u, 0, k)
    vh, by_vh = rows(vh, 0, k), rows(by_vh, 0, k)
    left, right = _skew(matmul(adjoint(u), by_u)), _skew(matmul(vh, adjoint(by_vh)))
    gaps = as_row(s * s) - as_column(s * s)
    inner = over(left * as_row(s) + as_column(s) * right, gaps)
    inner = inner + diagonal_matrix(by_s + over(diagonal_of(left) * 0.5, s))
    out = matmul(matmul(u, inner), vh)
    if m > k:
        out = out + matmul(over(by_u - matmul(u, matmul(adjoint(u), by_u)), as_row(s)), vh)
    if n > k:
        rest = by_vh - matmul(matmul(by_vh, adjoint(vh)), vh)
        out = out + matmul(u, over(rest, as_column(s)))
    return (out,)


def _skew(x):
    return x - adjoint(x)


@svdvals.vjp
def _(g, x):
    u, _, vh = svd(x, full=False)
    return matmul(u * as_row(g), vh)


@eigh.joint_vjp
def _(g, out):
    by_values, by_vectors = g
    values, vectors = out
    gaps = as_row(values) - as_column(values)
    inner = over(matmul(adjoint(vectors), by_vectors), gaps) + diagonal_matrix(by_values)
    return (matmul(matmul(vectors, inner), adjoint(vectors)),)


@eig.joint_vjp
def _(g, out):
    """C. Boeddeker et al., "On the computation of complex-valued gradients with application to
    statistically optimum beamforming" (2017), arXiv:1701.00392, for vectors of norm 1.
    """
    by_values, by_vectors = g
    values, vectors = out
    back = adjoint(vectors)
    inner = matmul(back, by_vectors)
    inner = inner - matmul(back, vectors * as_row(_real_part(diagonal_of(inner))))
    gaps = conj(as_row(values) - as_column(values))
    inner = over(inner, gaps) + diagonal_matrix(by_values)
    return (solve(back, matmul(inner, back)),)


@op
def lu_factor(xp, x):
    """x = P @ L @ U: U and below it L, whose diagonal is 1, and the row (from 1, int32) that each
    row was exchanged with. Gaussian elimination, of all matrices of the batch at once.
    """
    m, n = x.shape[-2:]
    lu = x.reshape(prod(x.shape[:-2]), m, n).copy()
    each = xp.arange(len(lu))
    pivots = xp.empty((len(lu), min(m, n)), xp.int32)
    for i in range(min(m, n)):
        column = lu[:, i:, i]
        pivot = i + xp.argmax(xp.abs(column.real) + xp.abs(column.imag), axis=1)  # as LAPACK
        pivots[:, i] = pivot + 1
        top = lu[:, i].copy()
        lu[:, i] = lu[each, pivot]
        lu[each, pivot] = top
        below = lu[:, i + 1 :, i]
        head = lu[:, i, i, None]
        below /= xp.where(head == 0, 1, head)
        lu[:, i + 1 :, i + 1 :] -= below[:, :, None] * lu[:, i, None, i + 1 :]
    return lu.reshape(x.shape), pivots.reshape(*x.shape[:-2], min(m, n))


@op
def permutation(xp, pivots, *, size, dtype):
    """The matrices P (..., size, size) of the row exchanges that `lu_factor` made."""
    flat = pivots.reshape(prod(pivots.shape[:-1]), pivots.shape[-1]) - 1
    order = xp.repeat(xp.arange(size)[None], len(flat), axis=0)
    each = xp.arange(len(flat))
    for i in range(flat.shape[1]):
        here = order[:, i].copy()
        order[:, i] = order[each, flat[:, i]]
        order[each, flat[:, i]] = here
    return (
        xp.eye(size, dtype=dtype)[:, order].swapaxes(0, 1).reshape(*pivots.shape[:-1], size, size)
    )


@lu_factor.joint_vjp
def _(g, out):
    """Of a square matrix P L^-T (below the diagonal L^T gL, from it on gU U^T) U^-T."""
    lu, pivots = out
    by_lu = g[0]
    m, n = lu.shape[-2:]
    k = min(m, n)
    square = rows(columns(lu, 0, k), 0, k)
    upper = triu(square, k=0)
    lower = tril(square, k=-1) + diagonal_matrix(diagonal_of(upper) * 0 + 1)
    by_square = rows(columns(by_lu, 0, k), 0, k)
    by_lower, by_upper = tril(by_square, k=-1), triu(by_square, k=0)
    if m > n:  # L2 = A2 U^-1
        by_rest = transpose(solve(upper, transpose(rows(by_lu, k, m))))
        by_upper = by_upper - matmul(transpose(rows(lu, k, m)), by_rest)
    if n > m:  # U2 = L^-1 A2
        by_rest = solve(transpose(lower), columns(by_lu, k, n))
        by_lower = by_lower - matmul(by_rest, transpose(columns(lu, k, n)))
    inner = tril(matmul(transpose(lower), by_lower), k=-1)
    inner = inner + triu(matmul(by_upper, transpose(upper)), k=0)
    out = transpose(solve(upper, transpose(solve(transpose(lower), inner))))
    if m > n:
        out = cat(out, by_rest, axis=len(lu.shape) - 2)
    if n > m:
        out = cat(out, by_rest, axis=len(lu.shape) - 1)
    return (matmul(permutation(pivots, size=m, dtype=_dtype(lu)), out),)


def _dtype(x):
    """The NumPy dtype of an array or a tensor."""
    return getattr(x.dtype, "numpy", x.dtype)


# The exponential


@op
def matrix_exp(xp, x):
    """exp of matrices, by scaling, a Pade approximant of degree 13, and squaring.

    N. Higham, "The scaling and squaring method for the matrix exponential revisited" (2005).
    """
    dtype, x = x.dtype, x.astype(xp.result_type(x, xp.float64))
    norms = xp.abs(x).sum(axis=-2).max(axis=-1, initial=0)[..., None, None]
    scale = xp.ceil(xp.log2(xp.maximum(norms / 5.371920351148152, 1))).astype(int)
    a = x * 0.5**scale
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    eye = xp.eye(x.shape[-1], dtype=x.dtype)
    b = _PADE
    odd = (
        a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * eye
    )
    even = (
        a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * eye
    )
    odd = a @ odd
    out = xp.linalg.solve(even - odd, even + odd)
    for i in range(int(scale.max(initial=0))):
        out = xp.where(scale > i, out @ out, out)
    return out.astype(dtype)


_PADE = [
    1.0, 1 / 2, 3 / 25, 11 / 600, 11 / 5520, 3 / 18400, 1 / 96600, 1 / 1932000, 1 / 48944000,
    1 / 1585785600, 1 / 67395888000, 1 / 3953892096000, 1 / 355850288640000,
    1 / 64764752532480000,
]  # fmt: skip


@matrix_exp.vjp
def _(g, x):
    """The derivative is in a corner of exp of a block matrix: R. Mathias, "A chain rule for matrix
    functions and applications", SIAM J. Matrix Anal. Appl. 17 (1996).
    """
    n, last = x.shape[-1], len(x.shape) - 1
    turned = transpose(x)
    top = cat(turned, g, axis=last)
    bottom = cat(turned * 0, turned, axis=last)
    return columns(rows(matrix_exp(cat(top, bottom, axis=last - 1)), 0, n), n, 2 * n)
