"""Sparse tensors beside PyTorch's: results, layouts, dtypes and gradients of the same calls."""

import warnings

import numpy as np
import pytest

import tallow
from tallow.errors import TallowError

torch = pytest.importorskip("torch")

INDEX = [[0, 1, 1, 0, 2], [2, 0, 2, 2, 3]]  # (0, 2) twice, and not in order
VALUES = [3.0, -4.0, 5.0, 1.0, 0.5]
LAYOUTS = ["coo", "csr", "csc", "bsr"]


class Made:
    """The same operands of one library. Leaves are in `leaves`."""

    def __init__(self, t, layout="coo", grad=False):
        self.t, self.layout, self.grad, self.leaves = t, layout, grad, []

    def leaf(self, x):
        if self.grad:
            x = x.detach().requires_grad_()
            self.leaves.append(x)
        return x

    @property
    def s(self):
        """A sparse matrix (3, 4)."""
        x = self.t.sparse_coo_tensor(INDEX, VALUES, (3, 4), dtype=self.t.float64)
        return self.leaf(self.turned(x, (1, 2)))

    @property
    def s2(self):
        """Another, with some of its indices."""
        x = self.t.sparse_coo_tensor([[0, 2, 2], [2, 3, 0]], [2.0, 3.0, -1.0], (3, 4),
                                     dtype=self.t.float64)  # fmt: skip
        return self.leaf(self.turned(x.coalesce(), (1, 2)))

    @property
    def square(self):
        """A sparse matrix (4, 4)."""
        x = self.t.sparse_coo_tensor([[0, 1, 3, 3], [1, 1, 0, 2]], [1.0, 2.0, 3.0, 4.0], (4, 4),
                                     dtype=self.t.float64)  # fmt: skip
        return self.leaf(self.turned(x.coalesce(), (2, 2)))

    @property
    def hybrid(self):
        """A COO tensor (3, 4, 2) whose last dim is dense."""
        values = np.arange(10.0).reshape(5, 2) - 4.5
        x = self.t.sparse_coo_tensor(INDEX, self.t.tensor(values), (3, 4, 2))
        return self.leaf(x)

    def turned(self, x, block):
        if self.layout == "coo":
            return x
        if self.layout == "coalesced":
            return x.coalesce()
        if self.layout.startswith("b"):
            return getattr(x, f"to_sparse_{self.layout}")(block)
        return getattr(x, f"to_sparse_{self.layout}")()

    def dense(self, *shape):
        return self.leaf(self.t.tensor(np.random.default_rng(0).standard_normal(shape)))


CALLS = {
    "to_dense": lambda m: m.s.to_dense(),
    "coalesce": lambda m: m.s.coalesce(),
    "values": lambda m: m.s.coalesce().values(),
    "dense + sparse": lambda m: m.dense(3, 4) + m.s,
    "dense - sparse": lambda m: m.dense(3, 4) - m.s,
    "add alpha": lambda m: m.t.add(m.dense(3, 4), m.s, alpha=-2),
    "sparse + sparse": lambda m: m.s + m.s2,
    "sparse - sparse": lambda m: m.s - m.s2,
    "sparse * number": lambda m: m.s * 2.5,
    "number * sparse": lambda m: 2 * m.s,
    "sparse * 0-d": lambda m: m.s * m.t.tensor(2.0, dtype=m.t.float64),
    "sparse / number": lambda m: m.s / 4,
    "sparse // number": lambda m: m.s // 2,
    "sparse * dense": lambda m: m.s * m.dense(3, 4),
    "dense * sparse": lambda m: m.dense(3, 4) * m.s,
    "sparse * sparse": lambda m: m.s * m.s2,
    "negated": lambda m: -m.s,
    "power": lambda m: m.s**2,
    "abs": lambda m: abs(m.s),
    "sin": lambda m: m.t.sin(m.s),
    "relu": lambda m: m.t.nn.functional.relu(m.s),
    "expm1": lambda m: m.s.expm1(),
    "isnan": lambda m: m.s.isnan(),
    "transposed": lambda m: m.s.t(),
    "T": lambda m: m.s.T,
    "permute": lambda m: m.s.permute(1, 0),
    "unsqueeze": lambda m: m.s.unsqueeze(1),
    "row": lambda m: m.s[1],
    "column": lambda m: m.s[:, 2],
    "element": lambda m: m.s[0, 2],
    "index_select": lambda m: m.s.index_select(1, m.t.tensor([2, 0, 2])),
    "narrow_copy": lambda m: m.s.narrow_copy(1, 1, 2),
    "cat": lambda m: m.t.cat([m.s, m.s2], 1),
    "stack": lambda m: m.t.stack([m.s, m.s2]),
    "sum": lambda m: m.t.sparse.sum(m.s),
    "method sum": lambda m: m.s.sum(),
    "sum 0": lambda m: m.t.sparse.sum(m.s, 0),
    "sum 1": lambda m: m.t.sparse.sum(m.s, dim=[-1]),
    "sum both": lambda m: m.t.sparse.sum(m.s, (0, 1)),
    "sum keepdim": lambda m: m.s.sum(0, keepdim=True),
    "norm": lambda m: m.s.norm(),
    "softmax": lambda m: m.t.sparse.softmax(m.s, 1),
    "log_softmax": lambda m: m.t.sparse.log_softmax(m.s, 0),
    "softmax dtype": lambda m: m.t.sparse.softmax(m.s, 1, dtype=m.t.float32),
    "sparse_mask": lambda m: m.dense(3, 4).sparse_mask(m.s.detach()),
    "sparse mask of sparse": lambda m: m.s2.sparse_mask(m.s.detach().coalesce()),
    "sparse.mm": lambda m: m.t.sparse.mm(m.s, m.dense(4, 2)),
    "mm": lambda m: m.t.mm(m.s, m.dense(4, 2)),
    "spmm": lambda m: m.t.spmm(m.s, m.dense(4, 2)),
    "@": lambda m: m.s @ m.dense(4, 2),
    "dense @ sparse": lambda m: m.dense(2, 3) @ m.s,
    "mv": lambda m: m.s.mv(m.dense(4)),
    "matmul vector": lambda m: m.t.matmul(m.s, m.dense(4)),
    "sparse @ sparse": lambda m: m.t.sparse.mm(m.s, m.square),
    "addmm": lambda m: m.t.addmm(m.dense(3, 2), m.s, m.dense(4, 2), beta=0.5, alpha=2),
    "sparse.addmm": lambda m: m.t.sparse.addmm(m.dense(3, 2), m.s, m.dense(4, 2)),
    "linear": lambda m: m.t.nn.functional.linear(m.s, m.dense(2, 4)),
    "linear weight": lambda m: m.t.nn.functional.linear(m.dense(2, 4), m.s),
    "sampled": lambda m: m.t.sparse.sampled_addmm(
        m.s, m.dense(3, 2), m.dense(2, 4), beta=2, alpha=3
    ),
    "reduce mean": lambda m: m.t.sparse.mm(m.s, m.dense(4, 2), "mean"),
    "reduce amax": lambda m: m.t.sparse.mm(m.s, m.dense(4, 2), "amax"),
    "smm": lambda m: m.t.smm(m.s, m.dense(4, 2)),
    "hspmm": lambda m: m.t.hspmm(m.s, m.dense(4, 2)),
    "sspaddmm": lambda m: m.t.sspaddmm(m.t.eye(3, 2).double().to_sparse(), m.s, m.dense(4, 2)),
    "bmm": lambda m: m.t.bmm(
        m.t.stack([m.s.coalesce(), m.s2.coalesce()]).coalesce(), m.dense(2, 4, 5)
    ),
    "clone": lambda m: m.s.clone(),
    "detach": lambda m: m.s.detach(),
    "float": lambda m: m.s.float(),
    "to int": lambda m: m.s.to(m.t.int64),
    "to_sparse": lambda m: m.dense(3, 4).to_sparse(),
    "to_sparse 1": lambda m: m.dense(3, 4).to_sparse(1),
    "to_sparse_coo": lambda m: m.s.to_sparse(),
    "to_sparse_csr": lambda m: m.s.to_sparse_csr(),
    "to_sparse_csc": lambda m: m.s.to_sparse_csc(),
    "to_sparse_bsr": lambda m: m.s.to_sparse_bsr((1, 2)),
    "to_sparse_bsc": lambda m: m.s.to_sparse_bsc((3, 2)),
    "zeros_like": lambda m: m.t.zeros_like(m.s),
    "any": lambda m: m.s.any(),
    "mul_": lambda m: m.s.clone().mul_(2),
    "div_": lambda m: m.s.clone().div_(2),
    "add_": lambda m: m.s.clone().add_(m.s2),
    "dense add_": lambda m: m.dense(3, 4).clone().add_(m.s, alpha=3),
    "zero_": lambda m: m.s.clone().zero_(),
    "neg_": lambda m: m.s.coalesce().clone().neg_(),
    "copy_": lambda m: m.s.clone().copy_(m.s2),
    "hybrid to_dense": lambda m: m.hybrid.to_dense(),
    "hybrid + hybrid": lambda m: m.hybrid + m.hybrid,
    "hybrid * dense": lambda m: m.hybrid * m.dense(3, 4, 2),
    "hybrid coalesce": lambda m: m.hybrid.coalesce(),
    "hybrid sum": lambda m: m.t.sparse.sum(m.hybrid, (0, 2)),
    "hybrid sum dense": lambda m: m.t.sparse.sum(m.hybrid, 2),
    "hybrid softmax": lambda m: m.t.sparse.softmax(m.hybrid, 1),
    "hybrid softmax dense": lambda m: m.t.sparse.softmax(m.hybrid, 2),
    "hybrid transpose": lambda m: m.hybrid.transpose(0, 1),
    "hybrid row": lambda m: m.hybrid[1],
    "hybrid dense place": lambda m: m.hybrid.select(2, 1),
    "hybrid index_select": lambda m: m.hybrid.index_select(2, m.t.tensor([1, 0, 1])),
    "hybrid cat": lambda m: m.t.cat([m.hybrid, m.hybrid], 2),
    "hybrid norm": lambda m: m.hybrid.norm(),
}  # fmt: skip


def outcome(t, name, layout, grad=False):
    made = Made(t, layout, grad)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CALLS[name](made)
    return made, result


def dense_of(x):
    x = x.detach()
    if "strided" not in str(x.layout):
        x = x.to_dense()
    return np.asarray(x)


REFUSALS = (RuntimeError, NotImplementedError, TypeError, IndexError)
WITHOUT = {"sparse // number", "zero_", "isnan", "any", "zeros_like", "to int"}  # gradients
WRONG = {("sparse @ sparse", "csc")}  # PyTorch's result is all zeros


def expected_of(name, layout):
    """PyTorch's result, and whether it has one for that layout; else that of another layout."""
    for other in (layout, "coalesced", "coo", "csr"):
        try:
            if (name, other) not in WRONG:
                _, result = outcome(torch, name, other)
                return result, dense_of(result), other == layout
        except REFUSALS:
            pass
    raise AssertionError(f"PyTorch refuses {name} in every layout")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CALLS)
def test_results(name, layout):
    """As PyTorch's, and where that refuses a layout right, or refused, too."""
    theirs, expected, does = expected_of(name, layout)
    try:
        _, ours = outcome(tallow, name, layout)
    except TallowError:
        assert not does
        return
    np.testing.assert_allclose(dense_of(ours), expected, rtol=1e-6, atol=1e-12)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
    if does:
        assert ours.layout.name == str(theirs.layout).removeprefix("torch.")
        if ours.is_sparse and ours.is_coalesced() and theirs.is_coalesced():
            assert ours._nnz() == theirs._nnz()


def gradients(t, name, layout):
    """The leaves of a call, with their gradients; None if the result has no history."""
    made, result = outcome(t, name, layout, grad=True)
    result = result if "strided" in str(result.layout) else result.to_dense()
    if not result.requires_grad:
        return None
    weight = t.tensor(np.random.default_rng(1).standard_normal(tuple(result.shape)))
    (result * weight.to(result.dtype)).sum().backward()
    return made.leaves


@pytest.mark.parametrize("layout", ["coo", "csr", "bsc"])
@pytest.mark.parametrize("name", [name for name in CALLS if name not in WITHOUT])
def test_gradients(name, layout):
    """Those of a sparse leaf are at its own indices, where PyTorch may have a dense one."""
    try:
        theirs = gradients(torch, name, layout)
    except REFUSALS:
        check_differences(name, layout)
        return
    ours = gradients(tallow, name, layout)
    if theirs is None or ours is None:
        assert theirs is ours
        return
    for mine, yours in zip(ours, theirs, strict=True):
        if yours.grad is None:
            assert mine.grad is None or not dense_of(mine.grad).any()
            continue
        expected = dense_of(yours.grad)
        if mine.layout is not tallow.strided:
            assert mine.grad.layout is mine.layout
            expected = expected * (dense_of(mine) != 0)
        tolerance = 1e-3 if "dtype" in name else 1e-6
        found = dense_of(mine.grad) * (expected != 0)  # blocks have gradients beside the elements
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-12)


def check_differences(name, layout):
    """Gradients beside differences of results."""
    if name == "relu":
        return  # the zeros in blocks are where its derivative jumps
    try:
        made, result = outcome(tallow, name, layout, grad=True)
    except TallowError:
        return
    if not result.requires_grad or result.dtype is not tallow.float64:
        return

    def call(*leaves):
        made = Made(tallow, layout)
        remaining = iter(leaves)
        made.leaf = lambda x: next(remaining)
        return CALLS[name](made)

    leaves = [x.detach() * 1.5 if x.layout is tallow.strided else x.detach() for x in made.leaves]
    leaves = [x.requires_grad_() for x in leaves]
    assert tallow.sparse.as_sparse_gradcheck(tallow.autograd.gradcheck)(call, leaves)
