"""tallow.linalg against PyTorch: real and complex, batched, gradients, errors; what defines it."""

import itertools

import numpy as np
import pytest

import tallow


@pytest.fixture(scope="module")
def parity(parity):
    return parity.everywhere()


RNG = np.random.default_rng(0)


def real(*shape):
    return RNG.standard_normal(shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape)


def positive(x):
    return x @ x.conj().swapaxes(-2, -1) + np.eye(x.shape[-1])


MATRICES = {
    "real": real(3, 3), "complex": complex_(3, 3), "batch": real(2, 3, 3),
    "complex batch": complex_(2, 2, 3, 3), "one": real(1, 1), "empty": real(0, 3, 3),
}  # fmt: skip

SQUARE = """\
torch.linalg.inv(x)
torch.linalg.det(x)
torch.linalg.slogdet(x)
torch.linalg.solve(x, x * 2 + 1)
torch.linalg.solve(x, x[..., :1] + 1)
torch.linalg.solve(x, x[..., :2, :] + 1, left=False)
torch.linalg.matrix_power(x, 3)
torch.linalg.matrix_power(x, -2)
torch.linalg.matrix_power(x, 0)
torch.linalg.matrix_power(x, 1)
torch.linalg.matrix_exp(x)
torch.linalg.matrix_exp(x * 5)
torch.linalg.pinv(x)
torch.linalg.lu_factor(x)
torch.linalg.lu(x)
torch.linalg.cholesky(x @ x.mH + torch.eye(x.shape[-1], dtype=x.dtype))
torch.linalg.cholesky(x @ x.mH + torch.eye(x.shape[-1], dtype=x.dtype), upper=True)
torch.linalg.eigvalsh(x @ x.mH)
torch.linalg.eigvalsh(x + x.mH, UPLO="U")
torch.linalg.svdvals(x)
torch.linalg.solve_triangular(x, x * 2, upper=True)
torch.linalg.solve_triangular(x, x * 2, upper=False, unitriangular=True)
torch.linalg.solve_triangular(x, x * 2, upper=True, left=False)
torch.linalg.cond(x)
torch.linalg.cond(x.detach(), 1)
torch.linalg.cond(x.detach(), "fro")
torch.linalg.cond(x, -2)
torch.linalg.matrix_rank(x)
torch.linalg.inv_ex(x)
torch.linalg.solve_ex(x, x * 2)
torch.linalg.lu_solve(*torch.linalg.lu_factor(x), x * 2)
torch.linalg.lu_solve(*torch.linalg.lu_factor(x), x * 2, left=False)
torch.linalg.lu_solve(*torch.linalg.lu_factor(x), x * 2, adjoint=True)
torch.linalg.diagonal(x)
torch.inverse(x)
torch.det(x)
torch.slogdet(x)
torch.pinverse(x)
torch.matrix_power(x, 2)
torch.matrix_exp(x)
torch.lu_solve(x * 2, *torch.linalg.lu_factor(x))
torch.lu_unpack(*torch.linalg.lu_factor(x))
torch.cholesky_solve(x, torch.linalg.cholesky(x @ x.mH + torch.eye(x.shape[-1], dtype=x.dtype)))
torch.cholesky_inverse(torch.linalg.cholesky(x @ x.mH + torch.eye(x.shape[-1], dtype=x.dtype)))
torch.triangular_solve(x * 2, x).solution
torch.triangular_solve(x * 2, x, upper=False, transpose=True).solution
x.inverse()
x.det()
""".splitlines()


@pytest.mark.parametrize(("source", "kind"), list(itertools.product(SQUARE, MATRICES)))
def test_square(parity, source, kind):
    if kind == "empty" and ("cond" in source or "svd" in source or "rank" in source):
        return
    parity(source, factor=1000, x=MATRICES[kind])


SHAPES = {
    "tall": real(4, 3), "wide": real(3, 5), "batch": real(2, 4, 3), "complex": complex_(4, 3),
    "complex wide": complex_(2, 3, 4),
}  # fmt: skip

GENERAL = """\
torch.linalg.pinv(x)
torch.linalg.pinv(x, rtol=0.3)
torch.linalg.pinv(x, atol=1.5)
torch.linalg.svdvals(x)
torch.linalg.qr(x).R.abs()
torch.linalg.lu_factor(x)
torch.linalg.lu(x)
torch.linalg.lstsq(x, x * 2 + 1).solution
torch.linalg.lstsq(x, x[..., 0] * 2).solution
torch.linalg.lstsq(x, x * 2).rank
torch.linalg.lstsq(x.detach(), x.detach() ** 2, driver="gelsd")
torch.linalg.lstsq(x.detach(), x.detach() ** 2, driver="gels")[1:]
torch.linalg.matrix_rank(x)
torch.linalg.matrix_rank(x, atol=1.5)
torch.linalg.matrix_rank(x, rtol=0.5)
torch.linalg.cond(x)
torch.linalg.svd(x, full_matrices=False).S
""".splitlines()


@pytest.mark.parametrize(("source", "kind"), list(itertools.product(GENERAL, SHAPES)))
def test_rectangular(parity, source, kind):
    parity(source, factor=1000, x=SHAPES[kind])


# Vectors are unique up to a factor of modulus 1: compared are functions that do not depend on it.
INVARIANT = """\
u, s, v = torch.linalg.svd(x, full_matrices=False); (u * s.sin()[..., None, :].to(u.dtype)) @ v
u, s, v = torch.linalg.svd(x, full_matrices=False); u.abs() ** 3
u, s, v = torch.linalg.svd(x, full_matrices=False); v.abs() ** 3
u, s, v = torch.linalg.svd(x); (u[..., :, :1] @ v[..., :1, :]) * s[..., :1, None]
q, r = torch.linalg.qr(x); q.abs() ** 3
q, r = torch.linalg.qr(x); (q @ (r * r.abs()))
w, v = torch.linalg.eigh(x @ x.mH); (v * w.sin()[..., None, :]) @ v.mH
w, v = torch.linalg.eigh(x @ x.mH); v.abs() ** 3
w, v = torch.linalg.eig(x @ x.mH); (v.abs() ** 3).sum((-2, -1))
w, v = torch.linalg.eig(x[..., :3, :3]); (w.abs() ** 3).sum(-1)
w, v = torch.linalg.eig(x[..., :3, :3]); ((v * w[..., None, :]) @ torch.linalg.inv(v)).real
""".splitlines()


@pytest.mark.parametrize(("source", "kind"), list(itertools.product(INVARIANT, SHAPES)))
def test_vectors(parity, source, kind):
    parity(source, factor=10000, x=SHAPES[kind])


def test_householder_product(parity):
    parity("torch.linalg.householder_product(x, t)", x=real(4, 3), t=real(2))
    parity("torch.linalg.householder_product(x, t)", x=complex_(2, 4, 3), t=complex_(2, 3))
    parity("torch.orgqr(x, t)", x=real(3, 3), t=real(3))
    parity("torch.geqrf(x)", x=real(4, 3), gradients=False)
    for options in ("", ", transpose=True", ", left=False"):
        parity(f"torch.ormqr(x, t, y{options})", x=real(4, 3), t=real(3), y=real(4, 4))


NORMS = """\
torch.linalg.norm(x)
torch.linalg.norm(x, dim=0)
torch.linalg.norm(x, 1)
torch.linalg.norm(x, "fro")
torch.linalg.norm(x, "nuc")
torch.linalg.norm(x, 2)
torch.linalg.norm(x, -2)
torch.linalg.norm(x, float("inf"))
torch.linalg.norm(x, -float("inf"))
torch.linalg.norm(x[0], 1)
torch.linalg.norm(x[0], 3)
torch.linalg.norm(x, 2, dim=1)
torch.linalg.norm(x, 2, dim=(0, 1), keepdim=True)
torch.linalg.vector_norm(x)
torch.linalg.vector_norm(x, 1, dim=1, keepdim=True)
torch.linalg.vector_norm(x, float("inf"), (0, 1))
torch.linalg.vector_norm(x, 0).detach()
torch.linalg.vector_norm(x, 3.5, dim=0)
torch.linalg.matrix_norm(x)
torch.linalg.matrix_norm(x, 1)
torch.linalg.matrix_norm(x, -1, dim=(1, 0))
torch.linalg.matrix_norm(x, float("inf"), keepdim=True)
torch.linalg.matrix_norm(x, "nuc", dim=(0, 1))
torch.linalg.matrix_norm(x[None], 2, dim=(1, 2))
torch.linalg.matrix_norm(x[None], -2, dim=(2, 1), keepdim=True)
torch.linalg.vander(x[0])
torch.linalg.vander(x, N=3)
""".splitlines()


@pytest.mark.parametrize(("source", "kind"), list(itertools.product(NORMS, ["tall", "complex"])))
def test_norms(parity, source, kind):
    parity(source, factor=100, x=SHAPES[kind])


OTHERS = """\
torch.linalg.tensorinv(torch.eye(6, dtype=x.dtype).reshape(2, 3, 6) * 2 + x[0, 0])
torch.linalg.tensorinv(torch.eye(6, dtype=x.dtype).reshape(6, 3, 2) * x[0, 0], ind=1)
torch.linalg.tensorsolve(torch.eye(6, dtype=x.dtype).reshape(2, 3, 6) + x[0, 0], x[:2, :3])
torch.linalg.tensorsolve(torch.eye(6).double().reshape(3, 6, 2), x[:3, :2].reshape(6), dims=(0, 2))
torch.logdet(x[:3].T @ x[:3])
torch.logdet(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
torch.linalg.cholesky_ex(-torch.eye(2)).info
torch.linalg.cholesky_ex(torch.diag(torch.tensor([1.0, 1.0, -1.0]))).info
torch.linalg.cholesky_ex(x.T @ x)
torch.linalg.inv_ex(torch.ones(2, 2)).info
torch.linalg.lu_factor_ex(torch.ones(2, 2))
torch.linalg.cond(torch.ones(2, 2), 1)
torch.linalg.det(torch.ones(3, 3))
torch.linalg.det(torch.zeros(0, 0))
torch.linalg.inv(torch.zeros(0, 0))
torch.linalg.slogdet(torch.ones(2, 2))
torch.linalg.qr(x, "complete").Q.shape
torch.linalg.qr(x.detach(), "r").Q
torch.linalg.svd(x).U.shape
torch.svd(x).V.shape
torch.svd(x, some=False).U.shape
torch.svd(x, compute_uv=False).S
torch.qr(x).R.abs()
torch.linalg.solve(x[:3], x[0])
torch.linalg.solve(x[None, :3], x[:3])
torch.linalg.eigvals(torch.tensor([[0.0, 1.0], [-1.0, 0.0]])).imag.abs()
torch.svd_lowrank(x, 3)[1]
torch.cholesky(x.T @ x)
torch.lu(x[:3])
torch.vander(x.detach()[0])
torch.vander(x.detach()[0], 4, increasing=True)
""".splitlines()


@pytest.mark.parametrize("source", OTHERS)
def test_others(parity, source):
    parity(source, factor=1000, x=SHAPES["tall"])


def test_gradient_of_det_at_singular_matrices():
    for array in (np.array([[1.0, 2], [2, 4]]), np.zeros((2, 2))):
        x = tallow.tensor(array, requires_grad=True)
        tallow.linalg.det(x).backward()
        (a, b), (c, d) = array
        tallow.testing.assert_close(x.grad, tallow.tensor([[d, -c], [-b, a]]))


SECOND = """\
torch.linalg.inv(x)
torch.linalg.det(x)
torch.linalg.slogdet(x).logabsdet
torch.linalg.solve(x, x * 2 + 1)
torch.linalg.pinv(x)
torch.linalg.cholesky(x @ x.mH + torch.eye(3, dtype=x.dtype))
torch.linalg.qr(x).R.abs()
torch.linalg.svdvals(x)
torch.linalg.eigvalsh(x @ x.mH)
torch.linalg.lu_factor(x).LU
torch.linalg.matrix_exp(x)
torch.linalg.norm(x, 3)
torch.linalg.matrix_norm(x, "nuc")
""".splitlines()


@pytest.mark.parametrize("source", SECOND)
def test_second_order(parity, source):
    source = source.replace("torch.linalg.norm(x, 3)", "torch.linalg.vector_norm(x, 3)")
    total = f"total = (({source}).abs() ** 3).sum(); "
    source = total + "torch.autograd.grad(total, x, create_graph=True)[0]"
    parity(source, factor=1e5, x=MATRICES["real"])


ERRORS = """\
torch.linalg.det(r)
torch.linalg.det(i)
torch.linalg.det(x.half())
torch.linalg.det(x[0])
torch.linalg.inv(r)
torch.linalg.inv(torch.ones(2, 2))
torch.linalg.inv_ex(torch.ones(2, 2), check_errors=True)
torch.linalg.solve(torch.ones(2, 2), torch.ones(2))
torch.linalg.solve(x, torch.ones(1, 3, dtype=x.dtype))
torch.linalg.solve(x, torch.ones(3))
torch.linalg.solve(x, r)
torch.linalg.cholesky(-x @ x.T)
torch.linalg.cholesky(r)
torch.linalg.qr(x, "full")
torch.linalg.eigh(x, "A")
torch.linalg.eig(r)
torch.linalg.lstsq(x, r)
torch.linalg.lstsq(x, x, driver="fast")
torch.linalg.matrix_power(r, 2)
torch.linalg.matrix_exp(i)
torch.linalg.cond(r, 1)
torch.linalg.lu_factor(torch.ones(2, 2))
torch.linalg.lu(x, pivot=False)
torch.linalg.solve_triangular(x, x[0], upper=True)
torch.linalg.norm(i)
torch.linalg.norm(x[None], 2)
torch.linalg.norm(x[0], "fro")
torch.linalg.vector_norm(torch.zeros(0), float("inf"))
torch.linalg.vector_norm(x, "fro")
torch.linalg.matrix_norm(x, 3)
torch.linalg.matrix_norm(x[0])
torch.linalg.tensorinv(x)
torch.linalg.tensorsolve(x, x)
torch.linalg.householder_product(r.T, x[0])
torch.cholesky_solve(x[0], x)
torch.logdet(r)
""".splitlines()


@pytest.mark.parametrize("source", ERRORS)
def test_errors(parity, source):
    parity.fails(source, x=real(3, 3), r=real(4, 3), i=np.eye(2, dtype=int), gradients=False)


def test_failures_are_linalg_errors():
    assert issubclass(tallow.linalg.LinAlgError, RuntimeError)
    with pytest.raises(
        tallow.linalg.LinAlgError, match="inv: expected matrices that are invertible"
    ):
        tallow.linalg.inv(tallow.zeros(2, 2))
    with pytest.raises(tallow.linalg.LinAlgError, match="cholesky: expected positive-definite"):
        tallow.linalg.cholesky(-tallow.eye(2))


def test_factors_multiply_to_the_matrix():
    for array in SHAPES.values():
        x = tallow.tensor(array)
        u, s, vh = tallow.linalg.svd(x, full_matrices=False)
        q, r = tallow.linalg.qr(x)
        p, lower, upper = tallow.linalg.lu(x)
        for product in ((u * s[..., None, :].to(u.dtype)) @ vh, q @ r, p @ lower @ upper):
            tallow.testing.assert_close(product, x)
        u, s, v = tallow.svd_lowrank(x, 3)
        tallow.testing.assert_close((u * s[..., None, :].to(u.dtype)) @ v.mH, x)


def test_single_precision_stays():
    x = tallow.tensor(real(3, 3), dtype=tallow.float32)
    for made in (tallow.linalg.inv(x), tallow.linalg.svdvals(x), tallow.linalg.matrix_exp(x)):
        assert made.dtype is tallow.float32
    assert tallow.linalg.eig(x).eigenvalues.dtype is tallow.complex64
