"""Gather, scatter, index_*, masks and the like against PyTorch: values, gradients, errors."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def parity(parity):
    return parity.everywhere()


RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4))
SRC = RNG.standard_normal((3, 5))
INDEX = np.array([[0, 2, 1, 0], [1, 0, 0, 2]])
J = np.array([2, 0])
V = RNG.standard_normal(4)
S = np.array(1.5)
P = np.array([[2.0, 0.0, 1.0, 3.0], [0.0, 0.0, 2.0, 5.0], [1.0, 2.0, 0.0, 4.0]])  # with zeros, ties

CASES = """\
torch.gather(x, 0, i)
torch.gather(x, 1, i)
torch.gather(x, -1, i[:1, :2])
torch.gather(x, 0, i.int())
torch.gather(s, 0, torch.tensor(0))
torch.gather(s, 0, torch.tensor([0, 0]))
torch.gather(x, 0, torch.zeros(0, dtype=torch.int64)).detach()
torch.gather(x, 0, i, out=torch.empty(0, dtype=torch.float64)) if not x.requires_grad else x
x.gather(dim=1, index=i)
torch.scatter(x, 0, i, 1.5)
torch.scatter(x, 0, i, u)
torch.scatter(x, 1, i[:, :2], u[:, :2])
torch.scatter(x.detach(), 0, i, u.detach(), reduce="add")
torch.scatter(x.detach(), 1, i, 2.0, reduce="multiply")
torch.scatter(x.long(), 0, i, 2.5)
torch.scatter(s, 0, torch.tensor(0), s * 2)
torch.scatter(x, 0, i, value=3)
torch.scatter(x, 0, i[:, :0], u[:, :0].detach())
torch.scatter_add(x, 0, i, u)
torch.scatter_add(x, 1, i, u)
torch.scatter_add(x.long(), 0, i, u.long())
torch.scatter_reduce(x, 0, i, u, "sum")
torch.scatter_reduce(x, 0, i, u, "sum", include_self=False)
torch.scatter_reduce(x, 0, i, u, "prod")
torch.scatter_reduce(x, 0, i, u, "prod", include_self=False)
torch.scatter_reduce(p, 0, i, p[:2], "prod")
torch.scatter_reduce(x, 1, i, p[:2], "prod")
torch.scatter_reduce(x, 0, i, u, "mean")
torch.scatter_reduce(x, 0, i, u, "mean", include_self=False)
torch.scatter_reduce(x, 0, i, u, "amax")
torch.scatter_reduce(x, 1, i, u, "amin")
torch.scatter_reduce(x, 0, i, u, "amax", include_self=False)
torch.scatter_reduce(p, 0, i, p[:2] * 1, "amax")
torch.scatter_reduce(x.long(), 0, i, u.long(), "mean")
torch.scatter_reduce(x.long(), 0, i, u.long(), "amin", include_self=False)
torch.index_select(x, 1, torch.tensor([0, 3, 0]))
torch.index_select(x, 0, torch.tensor(2))
torch.index_select(s, 0, torch.tensor([0]))
torch.index_select(x, 0, j.int())
torch.index_add(x, 0, j, src[:2, :4])
torch.index_add(x, 1, torch.tensor([0, 0]), src[:, :2], alpha=2)
torch.index_add(s, 0, torch.tensor([0]), s)
torch.index_copy(x, 0, j, src[:2, :4])
torch.index_copy(x, 1, torch.tensor([3]), src[:, :1])
torch.index_fill(x, 1, j, -1)
torch.index_fill(x.detach(), 0, torch.tensor([-1]), s.detach())
torch.index_fill(x.long(), 0, j, 2.7)
torch.index_put(x, (j, torch.tensor([1, 1])), v[:2])
torch.index_put(x, (torch.tensor([0, 0]),), v, accumulate=True)
torch.index_put(x, (x > 0.3,), s)
torch.index_put(x, [torch.tensor([[0], [1]]), torch.tensor([1, 2])], s)
torch.index_reduce(x, 0, torch.tensor([0, 0]), src[1:, :4], "prod")
torch.index_reduce(x, 1, torch.tensor([0, 2]), src[:, :2], "mean")
torch.index_reduce(x, 0, torch.tensor([0, 0]), src[1:, :4], "amax")
torch.index_reduce(x, 0, torch.tensor([0, 0]), src[1:, :4], "amin", include_self=False)
torch.take(x, torch.tensor([0, -1, 5]))
torch.take(x, i)
torch.take_along_dim(x, i, 0)
torch.take_along_dim(x, torch.tensor([[1]]), 1)
torch.take_along_dim(x, i)
torch.take_along_dim(x, torch.argsort(x, 1), dim=1)
torch.put(x, torch.tensor([0, 5]), v[:2])
torch.put(x, torch.tensor([0, -1, 0]), v[:3], accumulate=True)
torch.masked_fill(x, x > 0, 0)
torch.masked_fill(x, x > 0, s)
torch.masked_fill(v, x > 0, 0)
torch.masked_fill(x, v > 0, 2)
torch.masked_fill(x.long(), x > 0, 1.5)
torch.masked_select(x, x > 0)
torch.masked_select(v, x > 0)
torch.masked_select(x, v > 0)
torch.masked_scatter(x, x > 0, src)
torch.masked_scatter(x, v > 0, src)
torch.masked_scatter(v, x > 0, src)
torch.nonzero(x > 0)
torch.nonzero(x > 0, as_tuple=True)
torch.nonzero(s)
torch.nonzero(s, as_tuple=True)
torch.nonzero(s * 0)
torch.argwhere(x > 0)
torch.nonzero_static(x > 0, size=20)
torch.nonzero_static(x > 0, size=1, fill_value=7)
torch.where(x > 0)
x.where(x > 0, 0)
""".splitlines()


@pytest.mark.parametrize("source", CASES)
def test_values_and_gradients(parity, source):
    parity(source, x=X, src=SRC, i=INDEX, j=J, v=V, s=S, p=P, u=SRC[:2, :4])


IN_PLACE = """\
y.scatter_(0, i, u)
y.scatter_(0, i, 2.0)
y.scatter_add_(0, i, u)
y.scatter_reduce_(0, i, u, "amax")
y.index_add_(0, j, src[:2, :4])
y.index_copy_(0, j, src[:2, :4])
y.index_fill_(1, j, 3)
y.index_put_((j,), v)
y.index_put_((j,), v, accumulate=True)
y.index_reduce_(0, j, src[:2, :4], "prod")
y.masked_fill_(y > 0, 1)
y.masked_scatter_(x > 0, src)
y.put_(torch.tensor([1]), v[:1])
y.fill_diagonal_(4)
y.renorm_(2, 0, 1.0)
y[1:].scatter_add_(0, i[:, :4] % 2, u)
""".splitlines()


def test_larger_source(parity):
    for source in ("scatter(x, 0, i, src)", "scatter_add(x, 1, i, src)"):
        parity(f"torch.{source}", x=X, src=SRC, i=INDEX, gradients=False)
    parity('torch.scatter_reduce(x, 0, i, src, "amax")', x=X, src=SRC, i=INDEX, gradients=False)


@pytest.mark.parametrize("source", IN_PLACE)
def test_in_place(parity, source):
    parity(f"y = x * 2; z = {source}; y * y", x=X, src=SRC, i=INDEX, j=J, v=V, u=SRC[:2, :4])
    parity(
        f"y = x * 2; {source}; y", x=X, src=SRC, i=INDEX, j=J, v=V, u=SRC[:2, :4], gradients=False
    )


def test_filled_diagonals(parity):
    parity("torch.ones(5, 2).fill_diagonal_(0, wrap=True)")
    parity("torch.ones(2, 5).fill_diagonal_(3.0)")
    parity("torch.ones(3, 3, 3).fill_diagonal_(0)")


ERRORS = """\
torch.gather(x, 0, i.float())
torch.gather(x, 0, -i)
torch.gather(x, 0, i + 2)
torch.gather(x, 0, i[0])
torch.gather(x, 1, torch.zeros(4, 2, dtype=torch.int64))
torch.gather(x, 2, i)
torch.scatter(x, 0, i, src[:1])
torch.scatter(x, 0, i, src.float())
torch.scatter(x, 0, i, src, reduce="max")
torch.scatter(x, 0, torch.tensor([[5]]), 1.0)
torch.scatter_add(x, 0, i, src.long())
torch.scatter_reduce(x, 0, i, src, "median")
torch.index_select(x, 0, torch.tensor([-1]))
torch.index_select(x, 0, i)
torch.index_select(x, 0, torch.tensor([0.0]))
torch.index_add(x, 0, j, src)
torch.index_add(x, 0, j, src[:2, :4].long())
torch.index_add(x, 0, torch.tensor([5]), src[:1, :4])
torch.index_copy(x, 0, j, src[:, :4])
torch.index_copy(x, 0, j, src[:2, :4].long())
torch.index_fill(x, 1, torch.tensor([9]), 1)
torch.index_fill(x, 1, j, v)
torch.index_put(x, (None, j), s)
torch.index_put(x, (torch.tensor([5]),), s)
torch.index_reduce(x, 0, j, src[:2, :4], "sum")
torch.take(x, torch.tensor([12]))
torch.take(x, torch.tensor([1]).int())
torch.take_along_dim(x, torch.tensor([1]), 1)
torch.put(x, torch.tensor([0]), torch.tensor([1]))
torch.masked_fill(x, x > 0, v)
torch.masked_fill(x, x, 0)
torch.masked_fill(x, src > 0, 0)
torch.masked_fill(x, x > 0, 1j)
torch.masked_select(x, x)
torch.masked_scatter(x, x > -9, v)
torch.masked_scatter(x, x > 0, src.long())
torch.ones(3).fill_diagonal_(0)
torch.ones(2, 3, 3).fill_diagonal_(0)
""".splitlines()


@pytest.mark.parametrize("source", ERRORS)
def test_errors(parity, source):
    parity.fails(source, x=X, src=SRC, i=INDEX, j=J, v=V, s=S)


SECOND = """\
torch.scatter_reduce(x, 0, i, src, "prod")
torch.scatter_reduce(x, 0, i, src, "amax")
torch.scatter_add(x, 0, i, src)
torch.gather(x, 1, i)
x.masked_scatter(x > 0, src.repeat(2, 1))
""".splitlines()


@pytest.mark.parametrize("source", SECOND)
def test_second_order(parity, source):
    total = f"total = (({source}) ** 3).sum(); "
    parity(
        total + "torch.autograd.grad(total, x, create_graph=True)[0]", x=X, src=SRC[:2, :4], i=INDEX
    )
