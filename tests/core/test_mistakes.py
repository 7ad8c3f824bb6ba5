"""Two hundred mistakes: PyTorch's exception types, and a message that says what to do.

Each line of a table is one: `x` is (2, 3) of float32, `v` (3,), `n` int64 (2, 3), `b` bool (2, 3),
`c` complex64 (2, 3), `e` (0, 3), `m` (3, 3), `s` a 0-d tensor.
"""

import warnings

import pytest

import tallow
from tallow.errors import TallowError

MADE = """
x = torch.arange(6.).reshape(2, 3); v = torch.arange(3.); n = torch.arange(6).reshape(2, 3)
b = x > 2; c = torch.complex(x, x); e = torch.zeros(0, 3); m = x.T @ x; s = torch.tensor(2.)
F = torch.nn.functional
"""

SHAPES = """
x + torch.ones(4)
x * torch.ones(3, 2)
x @ x
x @ torch.ones(4)
v @ torch.ones(4)
s @ v
torch.mm(x, v)
torch.mm(x, x)
torch.mv(x, torch.ones(2))
torch.bmm(x, x)
torch.bmm(torch.ones(2, 2, 3), torch.ones(3, 3, 2))
torch.dot(x, v)
torch.dot(v, torch.ones(4))
torch.addmm(torch.ones(5), x, m)
torch.outer(x, v)
torch.cross(x, torch.ones(2, 4))
torch.einsum("ij,jk->ik", x, x)
torch.einsum("ij", x, x)
torch.einsum("ij->k", x)
torch.cat([x, m.reshape(1, 9)])
torch.cat([])
torch.stack([x, v])
torch.stack([])
torch.hstack([x, v])
x.reshape(4)
x.reshape(-1, -1)
x.reshape(-1, 4)
x.view(5)
x.T.view(6)
x.expand(2, 4)
x.expand(3)
x.repeat(2)
x.unflatten(1, (2, 2))
x.squeeze(5)
x.permute(0)
x.permute(0, 0)
x.t().unsqueeze(0).t()
torch.broadcast_to(x, (3,))
torch.broadcast_tensors(x, torch.ones(4))
torch.where(b, torch.ones(4), x)
x.masked_fill(torch.ones(4) > 0, 0.)
x.masked_select(torch.ones(4) > 0)
torch.linalg.inv(x)
torch.linalg.det(x)
torch.linalg.cholesky(x)
torch.linalg.solve(m, torch.ones(4))
torch.linalg.eigh(x)
torch.linalg.matrix_power(x, 2)
torch.linalg.inv(torch.zeros(2, 2))
torch.linalg.cholesky(-torch.eye(2))
torch.diag_embed(s)
torch.diagonal(v)
torch.tril(v)
torch.tensor([[1], [1, 2]])
x.unfold(1, 4, 1)
x.as_strided((3, 3), (3, 1))
x.resize_(-1)
torch.zeros(-1)
torch.full((2, -1), 1.)
x.copy_(torch.ones(4))
x.clone().add_(torch.ones(4, 1, 1))
v.clone().add_(x)
"""

DIMS = """
x.sum(2)
x.sum((0, 0))
x.mean(-3)
x.max(3)
x.argmax(2)
x.softmax(2)
x.sort(2)
x.topk(1, 2)
x.topk(4)
x.kthvalue(5)
x.kthvalue(0)
x.cumsum(4)
x.flip(2)
x.flip(0, 0)
x.roll(1, 3)
x.roll((1, 2), 0)
x.transpose(0, 2)
x.movedim(0, 5)
x.unsqueeze(4)
x.unbind(2)
x.split(2, 3)
x.split([1, 1], 1)
x.chunk(0)
x.narrow(0, 1, 5)
x.narrow(0, 0, -1)
x.select(0, 2)
x.select(2, 0)
x.size(2)
x.diagonal(0, 0, 0)
x.unique(dim=3)
x.norm(dim=4)
x.var(5)
x.quantile(2.)
x.quantile(torch.tensor([0.5], dtype=torch.float64))
x.rot90(1, (0, 0))
torch.stack([x], 4)
torch.cat([x, x], 2)
torch.linspace(0, 1, -1)
torch.arange(0, 3, 0)
torch.arange(0, 3, -1)
torch.eye(-1)
torch.gather(x, 2, n)
torch.repeat_interleave(x, torch.tensor([1, 2, 3]), 0)
torch.repeat_interleave(x, -1, 0)
torch.logsumexp(x, 3)
torch.median(x, 2)
"""

KINDS = """
b - b
b.neg()
-b
x & x
~x
x << 1
n.mean()
n.std()
n.softmax(0)
n.requires_grad_()
c < c
c.max()
c.floor()
c % 2
c.clamp(0, 1)
n.clone().add_(0.5)
n.clone().div_(2)
n.clone().exp_()
x.clone().mul_(c)
b.clone().add_(2)
torch.bitwise_and(x, n)
torch.logical_and(x, x, x, x)
x @ n
torch.mm(x, n.T)
torch.dot(v, torch.arange(3))
torch.linalg.inv(n[:, :2])
torch.linalg.norm(n)
F.linear(x, n)
F.relu("x")
F.cross_entropy(x, torch.ones(2))
F.cross_entropy(x, torch.tensor([0, 3]))
F.nll_loss(x, torch.tensor([0, -1]))
F.one_hot(x)
F.embedding(x, m)
F.embedding(torch.tensor([3]), m)
F.dropout(x, 2.)
F.binary_cross_entropy(x, x)
torch.bernoulli(x)
torch.multinomial(-x, 1)
torch.multinomial(x, 5)
torch.randint(3, 3, (2,))
torch.normal(x, -x)
torch.tensor("a")
torch.tensor([1, "a"])
torch.zeros(2, dtype="float32")
torch.zeros(2.5)
torch.promote_types(1, 2)
torch.bincount(x)
torch.bincount(-torch.arange(3))
torch.gcd(x, x)
torch.polygamma(-1, x)
x.item()
x.tolist(1)
int(x)
float(v)
bool(x)
bool(e)
len(s)
iter(s)
range(x.sum())
x.to("nowhere")
x.view(torch.float64)
"""

INDICES = """
x[2]
x[0, 3]
x[0, 0, 0]
x["a"]
x[1.5]
x[torch.tensor([0.5])]
x[torch.tensor([2])]
x[[0, 1], [0, 1, 2]]
x[torch.ones(3) > 0]
x[torch.ones(2, 2) > 0]
x[::-1]
x[None, 5]
x.clone()[5] = 1
x.clone()[0] = torch.ones(4)
x.clone()[b] = torch.ones(2)
x.clone()[0] = "a"
s[0]
torch.gather(x, 0, torch.tensor([[2]]))
torch.gather(x, 0, x)
torch.gather(x, 0, torch.tensor([0]))
x.scatter(0, torch.tensor([[5]]), 1.)
x.scatter(0, x, x)
x.scatter_add(0, torch.tensor([0]), x)
x.index_select(0, torch.tensor([2]))
x.index_select(2, torch.tensor([0]))
x.index_add(0, torch.tensor([0]), torch.ones(2, 3))
x.index_fill(0, torch.tensor([7]), 1.)
x.index_copy(0, torch.tensor([0]), torch.ones(2, 3))
x.take(torch.tensor([6]))
x.take(x)
x.put_(torch.tensor([9]), s)
x.masked_fill(n, 0.)
x.masked_scatter(b, torch.ones(1))
torch.where(x, x, x)
torch.searchsorted(x, torch.ones(3, 1))
torch.nonzero(x, x)
e.max()
e.argmax()
e.min(0)
e.amax()
e.median(0)
e.kthvalue(1, 0)
e.mode(0)
e.quantile(0.5)
e.sum().backward()
"""


def outcome(library, line):
    names = {"torch": library}
    exec(MADE, names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(line, names)
        except Exception as error:
            return error
    return None


LINES = [line for table in (SHAPES, DIMS, KINDS, INDICES) for line in table.strip().splitlines()]
BUILTIN = (
    NotImplementedError, IndexError, KeyError, TypeError, ValueError, OverflowError, AttributeError,
    RuntimeError,
)  # fmt: skip


def test_there_are_enough():
    assert len(set(LINES)) == len(LINES) > 200


@pytest.mark.parametrize("line", LINES)
def test_mistakes(line):
    torch = pytest.importorskip("torch")
    theirs, ours = outcome(torch, line), outcome(tallow, line)
    assert theirs is not None, "PyTorch computes it"
    kind = next(kind for kind in BUILTIN if isinstance(theirs, kind))
    assert isinstance(ours, kind), f"{ours!r} where PyTorch raises {theirs!r}"
    if isinstance(ours, TallowError):
        assert ": expected" in str(ours), repr(ours)
    else:  # Python's own: of a call, or a conversion
        assert isinstance(ours, TypeError | AttributeError), repr(ours)
