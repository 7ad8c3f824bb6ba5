"""Matrix and vector products against PyTorch: shapes, dtypes, gradients, errors."""

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


SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)), ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((1, 2, 3), (5, 3, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul(parity, a, b):
    parity("torch.matmul(x, y)", x=real(*a), y=real(*b))
    parity("x @ y", x=complex_(*a), y=complex_(*b))
    parity("(x.double() @ y.double()).sin()", x=real(*a).astype("f4"), y=real(*b).astype("f4"))


M, N, V, W = real(3, 4), real(4, 5), real(4), real(5)
B, C = real(2, 3, 4), real(2, 4, 5)
Z, U = complex_(3, 4), complex_(4)
T = real(3, 3)
NAN = np.full((3, 5), np.nan)

PRODUCTS = """\
torch.mm(m, n)
torch.mm(m.T.contiguous().T, n)
torch.bmm(b, c)
torch.mv(m, v)
torch.dot(v, v)
torch.dot(u, u)
torch.dot(v, tensor=v)
torch.mv(m, vec=v)
torch.vdot(u, u)
torch.vdot(v, v)
v.dot(v)
torch.inner(m, m)
torch.inner(v, v)
torch.inner(m, v)
torch.inner(m, torch.tensor(2.0, dtype=torch.float64))
torch.outer(v, w)
torch.ger(v, w)
torch.outer(u, v)
m.mm(n)
b.bmm(c)
torch.addmm(torch.ones(3, 5, dtype=torch.float64), m, n)
torch.addmm(w, m, n, beta=0.5, alpha=2)
torch.addmm(nan.detach(), m, n, beta=0)
torch.addmv(torch.ones(3, dtype=torch.float64), m, v, beta=2, alpha=3)
torch.addr(m, torch.ones(3, dtype=torch.float64), v, beta=0.5, alpha=2)
torch.addr(nan[:, :4].detach(), torch.ones(3, dtype=torch.float64), v, beta=0)
torch.baddbmm(torch.ones(2, 3, 5, dtype=torch.float64), b, c, beta=2, alpha=0.5)
torch.baddbmm(w, b, c)
torch.addbmm(torch.ones(3, 5, dtype=torch.float64), b, c, beta=2, alpha=0.5)
torch.chain_matmul(m, n, n.T)
torch.tensordot(m, n, 1)
torch.tensordot(b, c, dims=([0, 2], [0, 1]))
torch.tensordot(b, m, 2)
torch.tensordot(m, n, 0)
torch.tensordot(b, c, dims=([-1], [-2]))
torch.tensordot(v, v, 1)
torch.kron(m, n)
torch.kron(v, m)
torch.kron(v, w)
torch.cross(t, t * 2 + 1, dim=1)
torch.cross(t, t.flip(0), 0)
torch.cross(m, m.flip(0))
torch.cross(t, t[:1] + 1, dim=-1)
torch.linalg.cross(t, t[:1] * 2, dim=-1)
torch.linalg.cross(z, z.flip(0), dim=0)
torch.trace(m)
torch.trace(torch.tensor([[1, 2], [3, 4]], dtype=torch.int32))
torch.linalg.vecdot(m, m * 2)
torch.linalg.vecdot(z, z * 2, dim=0)
torch.linalg.multi_dot([v, n, n.T, v])
torch.linalg.multi_dot([m, n, w])
torch.linalg.matmul(m, n)
torch.ones(2, 3, dtype=torch.int64) @ torch.ones(3, 2, dtype=torch.int64)
torch.mm(torch.ones(2, 3).bfloat16(), torch.ones(3, 2).bfloat16())
torch.mm(torch.ones(2, 3).half(), torch.ones(3, 2).half())
torch.addmm(torch.ones(2, dtype=torch.int64), torch.ones(2, 3).long(), torch.ones(3, 2).long())
""".splitlines()


@pytest.mark.parametrize("source", PRODUCTS)
def test_products(parity, source):
    parity(source, m=M, n=N, v=V, w=W, b=B, c=C, z=Z, u=U, t=T, nan=NAN)


EINSUM = """\
torch.einsum("ij,jk->ik", m, n)
torch.einsum("ij,jk", m, n)
torch.einsum("i,j->ij", v, w)
torch.einsum("i,i", v, v)
torch.einsum("i,i->i", v, v)
torch.einsum("ij->ji", m)
torch.einsum("ij->", m)
torch.einsum("ij->j", m)
torch.einsum("ii->i", t)
torch.einsum("ii", t)
torch.einsum("ii->", t)
torch.einsum("bij,bjk->bik", b, c)
torch.einsum("bij,bjk->ik", b, c)
torch.einsum("bij,bjk->bki", b, c)
torch.einsum("...ij,...jk->...ik", b, c)
torch.einsum("...ij,jk->...ik", b, n)
torch.einsum("...i,...i->...", b, b)
torch.einsum("i...->...i", b)
torch.einsum("...", m)
torch.einsum("b...,b->...", b, torch.ones(2, dtype=torch.float64))
torch.einsum("ij,jk,kl->il", m, n, n.T)
torch.einsum("ij,ij,ij->i", m, m, m)
torch.einsum("ijj->i", torch.ones(2, 3, 3, dtype=torch.float64) * t)
torch.einsum(" i j , j k -> k i ", m, n)
torch.einsum("ij,kl->ijkl", m, n)
torch.einsum("Ab,bC->AC", m, n)
torch.einsum("ij,jk->ki", [m, n])
torch.einsum(m, [0, 1], n, [1, 2], [0, 2])
torch.einsum(m, [0, 1], n, [1, 2])
torch.einsum(b, [..., 0, 1], n, [1, 2], [..., 0, 2])
torch.einsum("ij,ij->", z, z)
torch.einsum("ij,j->i", z, u)
torch.einsum("bij,bj->bi", b, b[:1, 0])
torch.einsum("ij,jk->ik", m[:1].expand(3, 4), n)
torch.einsum("ij,i->ij", m[:, :1].expand(3, 4), torch.ones(3, dtype=torch.float64))
torch.einsum(",ij->ij", torch.tensor(2.0, dtype=torch.float64), m)
torch.einsum("i,i,i->", v, v, v)
torch.einsum("a,b,c->cab", v, w, v)
""".splitlines()


@pytest.mark.parametrize("source", EINSUM)
def test_einsum(parity, source):
    parity(source, m=M, n=N, v=V, w=W, b=B, c=C, z=Z, u=U, t=T)


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, np.inf])
def test_cdist(parity, p):
    parity("torch.cdist(x, y, p)", x=real(4, 3), y=real(5, 3), p=p)
    parity("torch.cdist(x, y, p=p)", x=real(2, 4, 3), y=real(1, 5, 3), p=p)
    parity("torch.cdist(x, y, p)", x=real(0, 3), y=real(5, 3), p=p, gradients=False)


@pytest.mark.parametrize(
    "mode",
    ["use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
     "donot_use_mm_for_euclid_dist"],
)  # fmt: skip
def test_cdist_by_a_product(parity, mode):
    parity("torch.cdist(x, y, compute_mode=mode)", x=real(30, 3), y=real(5, 3), mode=mode)
    parity("torch.cdist(x, y, compute_mode=mode)", x=real(2, 4, 3), y=real(1, 5, 3), mode=mode)


ERRORS = """\
torch.matmul(m, m)
torch.matmul(m, torch.tensor(1.0, dtype=torch.float64))
torch.matmul(m, n.float())
torch.matmul(b, c[:, :3])
torch.mm(m, v)
torch.mm(b, c)
torch.mm(m, 2)
torch.bmm(m, n)
torch.bmm(b, c[:1])
torch.mv(m, w)
torch.mv(v, m)
torch.dot(v, w)
torch.dot(m, m)
torch.dot(v, v.float())
torch.outer(m, v)
torch.addmm(v, m, n)
torch.addmm(m, m, n)
torch.addmm(w.float(), m, n)
torch.addmv(v, m, v)
torch.baddbmm(v, b, c)
torch.tensordot(m, m, 1)
torch.tensordot(m, n, 3)
torch.tensordot(m, n, dims=([0], [0]))
torch.tensordot(m, n, dims=([0, 1], [0]))
torch.cross(m, m, dim=1)
torch.cross(n, n)
torch.linalg.cross(m, m)
torch.trace(v)
torch.trace(b)
torch.cdist(v, v)
torch.cdist(m, n)
torch.cdist(m, m, p=-1)
torch.cdist(m, m, 2.0, "by hand")
torch.einsum("ij,jk->ik", m)
torch.einsum("ij,jk->ik", m, m)
torch.einsum("ijk", m)
torch.einsum("ij->ik", m)
torch.einsum("ij->ii", m)
torch.einsum("i1", m)
torch.einsum("ij->i->j", m)
torch.einsum("i..j", m)
torch.chain_matmul(m, v)
torch.linalg.multi_dot([m])
torch.linalg.multi_dot([m, m])
torch.inner(m, w)
torch.vdot(v, u)
""".splitlines()


@pytest.mark.parametrize("source", ERRORS)
def test_errors(parity, source):
    parity.fails(source, m=M, n=N, v=V, w=W, b=B, c=C, z=Z, u=U)


SECOND = ["torch.einsum('ij,jk->ik', m, n)", "torch.kron(m, n)", "m @ n"]


@pytest.mark.parametrize(("source", "leaf"), list(itertools.product(SECOND, "mn")))
def test_second_order(parity, source, leaf):
    if leaf in source:
        total = f"total = (({source}) ** 3).sum(); "
        source = total + f"torch.autograd.grad(total, {leaf}, create_graph=True)[0]"
        parity(source, factor=1000, m=M, n=N)


SHORT_PRODUCTS = {
    "matmul": (lambda lib, x, y: x @ y, (5, 7), (7, 3)),
    "batched": (lambda lib, x, y: x @ y, (2, 5, 7), (7, 3)),
    "linear": (lambda lib, *xs: lib.nn.functional.linear(*xs), (4, 7), (3, 7), (3,)),
    "conv2d": (lambda lib, *xs: lib.nn.functional.conv2d(*xs), (2, 3, 5, 5), (4, 3, 3, 3), (4,)),
}


@pytest.mark.parametrize("name", SHORT_PRODUCTS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_products_of_short_floats_are_rounded_once(name, dtype):
    function, *shapes = SHORT_PRODUCTS[name]
    short = [tallow.randn(shape).to(getattr(tallow, dtype)) for shape in shapes]
    out = function(tallow, *(x.requires_grad_() for x in short))
    wide = function(tallow, *(x.detach().float() for x in short))
    assert tallow.equal(out, wide.to(out.dtype))
    out.sum().backward()
    assert all(x.grad.dtype is x.dtype for x in short)
