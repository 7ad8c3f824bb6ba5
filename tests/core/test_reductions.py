"""Sums, means, extremes, norms and quantiles against PyTorch: values, dtypes, gradients, errors."""

import itertools

import numpy as np
import pytest


@pytest.fixture(scope="module")
def parity(parity):
    return parity.everywhere()


RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5))
Z = X + 1j * RNG.standard_normal(X.shape)
N = np.array([[1.0, np.nan, 3.0, -np.inf], [2.0, 2.0, np.inf, 0.0]])
T = np.array([[2.0, 1.0, 2.0, 1.0], [0.0, 0.0, 3.0, 3.0]])  # ties
S = np.array(1.5)
E = np.zeros((0, 3))
INTS = np.array([[3, -1, 2], [0, 3, 5]])

FUNCTIONS = "sum mean prod var std amax amin logsumexp norm nansum nanmean any all".split()
DIMS = ["", "1", "-1", "(0, 2)", "[1]", "1, True", "(0, 1, 2)", "(), True", "dim=0, keepdim=True"]


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_dims(parity, name, dim):
    if name == "logsumexp" and not dim:
        dim = "(0, 1, 2)"
    if name == "prod":
        dim = {"(0, 2)": "2", "[1]": "0", "(0, 1, 2)": "1, False", "(), True": "1, True"}.get(
            dim, dim
        )
    if name == "norm":
        dim = f"2, {dim}" if dim and "dim=" not in dim else dim
    if name in ("any", "all", "nanmean", "amax", "amin", "var", "std") and dim == "(), True":
        dim = "0, True"
    parity(f"torch.{name}(x, {dim})", x=X)
    parity(f"x.transpose(0, 2).{name}({dim})", x=X)


REDUCED = """\
torch.sum(x, axis=1)
x.sum(axis=(0, 1), keepdims=True)
x.mean(axis=0, keepdims=True)
x.sum(0, dtype=torch.float32)
x.mean(dtype=torch.float32)
i.sum()
i.sum(0)
i.int().sum(1)
i.to(torch.uint8).sum()
(i > 0).sum()
(i > 0).sum(0, dtype=torch.int32)
i.sum(dtype=torch.float64)
i.float().mean()
i.mean(dtype=torch.float32)
i.prod()
i.prod(1)
(i > 0).prod()
i.int().prod(0, dtype=torch.int32)
e.sum()
e.sum(0)
e.sum(1)
e.mean(0)
e.mean()
e.prod()
e.prod(0)
e.var()
e.any()
e.all()
e.any(0)
e.all(1)
e.sum(dim=1, keepdim=True)
e.amax(1)
e.logsumexp(0)
e.norm()
e.norm(dim=0)
s.sum()
s.sum(0)
s.sum(-1, keepdim=True)
s.mean(0)
s.prod(0)
s.var()
s.max(0)
s.min()
s.amax(0)
s.norm()
s.argmax()
s.argmax(0)
s.any()
s.logsumexp(0)
z.sum()
z.sum((0, 1))
z.mean(1)
z.prod()
z.prod(0)
z.var()
z.std(1)
z.var(0, correction=0)
z.norm()
z.norm(dim=1)
z.norm(1)
z.norm(3, dim=0)
z.norm(float("inf"), dim=1)
z.any()
torch.logsumexp(z, 0)
x.half().sum()
x.half().mean(0)
x.bfloat16().sum(1)
x.half().var()
x.var(unbiased=False)
x.var(0, False)
x.var(False)
x.var(1, correction=2)
x.var((0, 1), correction=0.5)
x.var(0, correction=3)
x.std(0, unbiased=True, keepdim=True)
x.std(dim=None, correction=0)
x[:1].var(0)
x[:1].std(0, unbiased=False)
torch.var_mean(x)
torch.var_mean(x, 1)
torch.var_mean(x, (0, 1), correction=0, keepdim=True)
torch.std_mean(x, 1, False, True)
torch.std_mean(x, unbiased=False)
torch.std_mean(z, 0)
x.norm(1)
x.detach().norm(0)
x.norm(3, 1)
x.norm(float("inf"))
x.norm(float("-inf"), 0)
x.norm("fro", (0, 1))
x.norm("fro", 0, keepdim=True)
x.norm("nuc", (0, 1))
x[0].norm("nuc")
x.norm(2.5, dim=(0, 2))
x.float().norm(2, dim=1, dtype=torch.float64)
x.norm(0.5, 1)
x.norm(-1, 1)
(x * 0).norm()
(x * 0).norm(1, 1)
(x * 0).norm(3)
(x * 0).norm(dim=0)
torch.norm(x)
torch.norm(x, p=1, dim=-1)
torch.frobenius_norm(x[0], (0, 1))
torch.frobenius_norm(x, 1, True)
torch.nuclear_norm(x[0])
torch.nuclear_norm(x, (0, 2))
torch.dist(x, x * 2 + 1)
torch.dist(x[0], x[1], 1)
torch.dist(x[0], x[1, 0], 3.5)
torch.dist(x[0], x[0])
torch.dist(x[0], x[1], float("inf"))
torch.renorm(x, 2, 0, 2.0)
torch.renorm(x, 1, -1, 1.5)
x.renorm(float("inf"), 1, 0.3)
n.sum(1)
n.mean(0)
n.detach().amax(0)
n.detach().amin()
n.max()
n.min(1)
n.max(0).indices
n.argmax()
n.argmin(1)
n.nansum()
n.nansum(0)
n.nanmean(1, True)
(n * float("nan")).nanmean()
n.nansum(1, dtype=torch.float32)
n.norm(1)
n.logsumexp(1)
n.any(0)
n.all()
torch.nansum(i)
t.amax(1)
t.amin(0)
t.max(1)
t.min(1)
t.max()
t.min()
t.argmax(1)
t.argmin()
t.max(0, keepdim=True)
t.max(-1).values
torch.max(t, 1)[1]
torch.max(t, dim=0, keepdim=True)
torch.max(t, t.flip(0))
torch.min(t, other=t.flip(1))
torch.max(i, t[:, :3])
torch.max(i)
torch.max(i, 1)
(i > 1).max()
(i > 1).max(0)
torch.argmax(x)
torch.argmax(x, 1)
torch.argmax(x, -1, True)
torch.argmin(x, dim=None, keepdim=True)
x.argmax(axis=0)
i.argmin(dim=1)
torch.aminmax(x)
torch.aminmax(x, dim=1)
torch.aminmax(t, dim=0, keepdim=True)
torch.aminmax(i).max
torch.aminmax(x, dim=-1).min
torch.amax(t, (0, 1))
torch.amax(i, 1)
torch.all(i)
torch.any(i, 1)
i.to(torch.uint8).any()
i.to(torch.uint8).all(1)
torch.all(x, (0, 1))
torch.any(x > 1, dim=(0, 2), keepdim=True)
torch.count_nonzero(i)
torch.count_nonzero(i, 0)
torch.count_nonzero(i, dim=(0, 1))
torch.count_nonzero(x > 0, 1)
e.count_nonzero()
torch.logsumexp(i, 1)
torch.logsumexp(x * 1000, 0)
torch.logsumexp(x * float("-inf"), 0)
torch.sum(x, (0,), True, dtype=torch.float32)
torch.quantile(x, 0.3)
torch.quantile(x, 0.3, dim=1)
torch.quantile(x, torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64), dim=0, keepdim=True)
torch.quantile(x, torch.tensor([0.1, 0.5], dtype=torch.float64))
x.quantile(0.4, 2, interpolation="lower")
x.quantile(0.4, 2, interpolation="higher")
x.quantile(0.4, 2, interpolation="nearest")
x.quantile(0.4, 2, interpolation="midpoint")
n.quantile(0.5, dim=1)
torch.nanquantile(n[:, :3], 0.5, dim=1)
torch.nanquantile(n[:, :2], torch.tensor([0.25, 1.0], dtype=torch.float64), dim=0, keepdim=True)
torch.nanquantile(x, 0.9)
torch.cov(x[0])
torch.cov(x[0], correction=0)
torch.cov(x[0, 0])
torch.cov(z[0])
torch.cov(x[0], fweights=torch.tensor([1, 2, 1, 3, 1]))
torch.cov(x[0], aweights=torch.tensor([0.1, 0.2, 0.3, 0.2, 0.2], dtype=torch.float64))
torch.cov(i)
torch.corrcoef(x[0])
torch.corrcoef(x[0, 0])
torch.corrcoef(z[0])
x[0].corrcoef()
""".splitlines()


@pytest.mark.parametrize("source", REDUCED)
def test_values_and_gradients(parity, source):
    factor = 2000 if "half" in source or "bfloat" in source else 10
    parity(source, factor=factor, x=X, z=Z, n=N, t=T, s=S, e=E, i=INTS)


ERRORS = """\
z.nansum(1)
x.norm(2, dim=1, dtype=torch.float32)
x.sum(3)
x.sum((0, 0))
x.sum((0, -3))
x.sum(1.5)
x.mean(-4)
i.mean()
(i > 0).mean()
x.prod((0, 1))
e.max()
e.max(0)
e.min(0)
e.amax()
e.amax(0)
e.argmax()
e.argmax(0)
x.max(3)
x.max((0, 1))
z.max()
z.amax(0)
z.argmax(1)
i.var()
i.std(0)
x.norm("abc")
x.norm("nuc")
x.norm("nuc", 0)
i.norm()
x.logsumexp(3)
x.quantile(1.5)
x.quantile(-0.1)
i.quantile(0.5)
x.quantile(0.5, interpolation="cubic")
x.quantile(torch.tensor([[0.5]], dtype=torch.float64))
x.quantile(torch.tensor(0.5))
e.quantile(0.5)
torch.aminmax(e)
torch.aminmax(x, dim=4)
torch.cov(x)
torch.cov(x[0], fweights=torch.tensor([1, 2]))
torch.cov(x[0], fweights=torch.tensor([1.0, 2.0, 3.0, 1.0, 1.0]))
torch.cov(x[0], fweights=torch.tensor([1, 2, -1, 3, 1]))
torch.corrcoef(x)
torch.renorm(x, -1, 0, 1.0)
torch.renorm(x, 2, 0, -1.0)
torch.renorm(s, 2, 0, 1.0)
torch.count_nonzero(x, 3)
x.any(3)
torch.sum([1])
""".splitlines()


@pytest.mark.parametrize("source", ERRORS)
def test_errors(parity, source):
    parity.fails(source, x=X, z=Z, n=N, t=T, s=S, e=E, i=INTS)


SECOND = """\
torch.prod(x, 1)
torch.prod(x * (x > 0))
x.var(1)
x.std()
x.logsumexp(1)
x.norm()
x.norm(3, 1)
x.amax(1)
x.max(1).values
x.nansum(0)
x.quantile(0.3, 1)
z.abs().norm()
""".splitlines()


@pytest.mark.parametrize("source", SECOND)
def test_second_order(parity, source):
    total = f"y = {source}; total = (y * y * y).sum(); "
    leaf = "z" if "z" in source else "x"
    source = total + f"torch.autograd.grad(total, {leaf}, create_graph=True)[0]"
    parity(source, factor=1000, x=X, z=Z)


@pytest.mark.parametrize("name", ["max", "min", "median", "mode", "sort", "topk", "kthvalue"])
def test_named_results(parity, name):
    more = {"topk": "2, 1", "kthvalue": "2, 1"}.get(name, "1")
    for part in (".values", ".indices", "[0]", "[1]"):
        parity(f"torch.{name}(x, {more}){part}", x=X)
    parity(f"v, i = torch.{name}(x, {more}); v", x=X)


@pytest.mark.parametrize(
    ("name", "dtype"),
    list(
        itertools.product(
            ["sum", "prod", "amax", "argmax", "any", "cumsum"], ["bool", "uint8", "int16", "int64"]
        )
    ),
)
def test_dtypes(parity, name, dtype):
    if (name, dtype) == ("argmax", "bool"):
        return
    parity(f"torch.{name}(x, 0)", x=np.array([[1, 0, 3], [2, 0, 1]]).astype(dtype))


OUT = """\
torch.sum(x, 1, out=y)
torch.mean(x, 1, out=y)
torch.amax(x, 1, out=y)
torch.logsumexp(x, 1, out=y)
torch.max(x, 1, out=(y, torch.empty(0, dtype=torch.int64)))
torch.sort(x, 1, out=(y, torch.empty(0, dtype=torch.int64)))
torch.cumsum(x, 1, out=y)
torch.argmax(x, 1, out=torch.empty(0, dtype=torch.int64))
torch.all(x, 1, out=torch.empty(0, dtype=torch.bool))
""".splitlines()


@pytest.mark.parametrize("source", OUT)
def test_out(parity, source):
    parity(f"y = torch.empty(0, dtype=torch.float64); {source}; y", x=X[0], gradients=False)
