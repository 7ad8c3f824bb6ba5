"""Sparse tensors by themselves: what they are, gradients, errors, files, and where they are met."""

import copy
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.errors import NotSupportedError, TallowError
from tallow.testing.devices import devices

INDEX = [[0, 1, 1, 0], [2, 0, 2, 2]]
DENSE = [[0.0, 0.0, 4.0], [4.0, 0.0, 5.0]]
LAYOUTS = ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"]


def made(layout="sparse_coo"):
    x = tallow.sparse_coo_tensor(INDEX, [3.0, 4.0, 5.0, 1.0], (2, 3))
    block = (2, 1) if "bs" in layout else None
    return x if layout == "sparse_coo" else x.to_sparse(layout=named(layout), blocksize=block)


def named(layout):
    return getattr(tallow, layout)


def test_nothing_is_imported_before_the_first_sparse_tensor():
    code = (
        "import sys, tallow; x = tallow.nn.Linear(2, 2)(tallow.ones(1, 2)).sum(); x.backward();"
        "tallow.optim.SGD([tallow.nn.Parameter(tallow.ones(1))]).step();"
        "assert 'tallow.sparse' not in sys.modules; tallow.eye(2).to_sparse();"
        "assert 'tallow.sparse' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_it_says_of_itself(layout):
    x = made(layout)
    assert x.layout is named(layout)
    assert x.shape == (2, 3) and x.ndim == x.dim() == 2 and x.numel() == 6 and len(x) == 2
    assert x.dtype is tallow.float32 and x.device == tallow.device("cpu")
    assert x.is_sparse is (layout == "sparse_coo") and x.is_sparse_csr is (layout == "sparse_csr")
    assert x.sparse_dim() == 2 and x.dense_dim() == 0
    assert x.to_dense().tolist() == DENSE
    assert isinstance(x, tallow.Tensor) and tallow.is_tensor(x)


def test_uncoalesced():
    x = made()
    assert not x.is_coalesced() and x._nnz() == 4
    assert x._indices().tolist() == INDEX and x._values().tolist() == [3, 4, 5, 1]
    for method in (x.indices, x.values):
        with pytest.raises(RuntimeError, match=r"expected a coalesced tensor.*call coalesce\(\)"):
            method()
    y = x.coalesce()
    assert y.is_coalesced() and y.indices().tolist() == [[0, 1, 1], [2, 0, 2]]
    assert y.values().tolist() == [4, 4, 5]
    flags = tallow.sparse_coo_tensor([[1, 1, 0]], [True, False, False])
    assert flags.coalesce().values().tolist() == [False, True]


def test_repr():
    assert repr(made("sparse_csr")) == (
        "tensor(crow_indices=tensor([0, 1, 3]),\n"
        "       col_indices=tensor([2, 0, 2]),\n"
        "       values=tensor([4., 4., 5.]), size=(2, 3), nnz=3,\n"
        "       layout=tallow.sparse_csr)"
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_dense_functions_are_refused(layout):
    x = made(layout)
    expected = rf"expected a dense tensor, got a sparse one \(layout {layout}\); call to_dense"
    for call in (tallow.exp, tallow.Tensor.exp, lambda x: x.cumsum(0), lambda x: x.view(3, 2)):
        with pytest.raises(NotSupportedError, match=expected):
            call(x)
    for call in (x.numpy, x.tolist, x.data_ptr, lambda: bool(x), lambda: x + 1):
        with pytest.raises(NotSupportedError, match=expected):
            call()
    with pytest.raises(NotSupportedError, match=expected):
        tallow.maximum(tallow.ones(2, 3), x)


def test_dense_tensors_are_refused():
    for method in ("coalesce", "indices", "values", "crow_indices", "_indices"):
        with pytest.raises(TypeError, match="expected a tensor of layout sparse_"):
            getattr(tallow.ones(2), method)()
    with pytest.raises(TypeError, match="sparse_mask: expected a sparse mask"):
        tallow.ones(2).sparse_mask(tallow.ones(2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tallow.sparse_coo_tensor([[0, 3]], [1.0, 2.0], (3,)), "indices from 0 to 2 in"),
        (lambda: tallow.sparse_coo_tensor([[0]], [1.0, 2.0], (3,)), "expected values"),
        (lambda: tallow.sparse_coo_tensor([0], [1.0], (3,)), r"indices \(sparse dims, n\)"),
        (lambda: tallow.sparse_csr_tensor([0, 2], [0, 0], [1.0, 2.0], (1, 2)), "that rise"),
        (lambda: tallow.sparse_csr_tensor([0, 1], [2], [1.0], (1, 2)), "plain indices from 0 to 1"),
        (lambda: tallow.sparse_csr_tensor([0, 3], [0, 1], [1.0, 1.0], (1, 2)), "compressed ind"),
        (lambda: made() @ tallow.ones(2, 2), r"matrices \(n, k\) and \(k, m\)"),
        (lambda: made() @ tallow.ones(3, 2).double(), "matrices of one dtype"),
        (lambda: made() + made().t(), "sparse tensors of one shape"),
        (lambda: made() ** 0, "another exponent than 0"),
        (lambda: tallow.ones(2, 3).copy_(made()), "two sparse tensors or two dense ones"),
        (lambda: tallow.ones(2, 2, 2).to_sparse_csr(), "expected a matrix for sparse_csr"),
        (lambda: made().to_sparse_bsr((2, 2)), "a blocksize that divides"),
        (lambda: tallow.ones(2, layout=tallow.sparse_coo), r"call to_sparse\(\)"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(TallowError, match=message):
        call()


def test_history_of_values():
    values = tallow.tensor([3.0, 4.0, 5.0, 1.0], requires_grad=True)
    x = tallow.sparse_coo_tensor(INDEX, values, (2, 3))
    assert x.requires_grad and not x.is_leaf
    tallow.sparse.mm(x, tallow.tensor([[1.0], [2.0], [3.0]])).sum().backward()
    assert values.grad.tolist() == [3, 1, 3, 3]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_leaves(layout):
    x = made(layout).requires_grad_()
    assert x.is_leaf and x.grad is None and x.grad_fn is None
    y = tallow.mm(x, tallow.tensor([[1.0], [2.0], [3.0]]))
    y.sum().backward()
    assert x.grad.layout is x.layout and not x.grad.requires_grad
    dense = x.grad.to_dense()
    assert (dense[x.detach().to_dense() != 0] == tallow.tensor([3.0, 1.0, 3.0])).all()
    x.grad = None
    assert x.grad is None
    (g,) = tallow.autograd.grad(tallow.sparse.sum(x * x), x) if x.is_sparse else (None,)
    assert g is None or g.to_dense().tolist() == (2 * tallow.tensor(DENSE)).tolist()


def test_hooks_and_gradients_of_sparse_results():
    x = made().coalesce().requires_grad_()
    seen = []
    x.register_hook(lambda g: seen.append(g) or g * 2)
    (x * 3).backward(made().coalesce())
    assert x.grad.to_dense().tolist() == (6 * tallow.tensor(DENSE)).tolist()
    assert seen[0].layout is tallow.sparse_coo


def test_second_order():
    x = made().coalesce().double().requires_grad_()
    dense = tallow.tensor([[1.0], [2.0], [3.0]], dtype=tallow.float64, requires_grad=True)
    check = tallow.sparse.as_sparse_gradcheck(tallow.autograd.gradgradcheck)
    assert check(lambda x, y: tallow.sparse.mm(x, y) ** 2, (x, dense))


def test_functions_take_sparse_constants():
    class Product(tallow.autograd.Function):
        @staticmethod
        def forward(ctx, x, dense):
            ctx.save_for_backward(x)
            return x @ dense

        @staticmethod
        def backward(ctx, g):
            return None, ctx.saved_tensors[0].t() @ g

    dense = tallow.ones(3, 1, requires_grad=True)
    Product.apply(made(), dense).sum().backward()
    assert dense.grad.flatten().tolist() == [4, 0, 9]
    with pytest.raises(RuntimeError, match="Product: expected dense tensors where gradients"):
        Product.apply(made().requires_grad_(), dense)


def test_gradients_of_tables():
    table = nn.Embedding(4, 2, sparse=True)
    table(tallow.tensor([1, 3, 1])).sum().backward()
    assert table.weight.grad._indices().tolist() == [[1, 3, 1]]
    assert table.weight.grad._values().tolist() == [[1, 1]] * 3
    table(tallow.tensor([0])).sum().backward()
    assert table.weight.grad.layout is tallow.sparse_coo and table.weight.grad._nnz() == 4
    norm = nn.utils.clip_grad_norm_(table.parameters(), 1.0)
    assert round(norm.item(), 4) == round(12**0.5, 4)
    assert round(table.weight.grad.norm().item(), 4) == 1
    (table.weight * 2).sum().backward()  # dense onto sparse
    assert table.weight.grad.layout is tallow.strided
    table(tallow.tensor([2])).sum().backward()  # sparse onto dense
    assert table.weight.grad[2].tolist() == [3, 3]
    table.zero_grad()
    (table(tallow.tensor([2])).sum() + table.weight.sum()).backward()  # both in one pass
    assert table.weight.grad.tolist() == [[1, 1], [1, 1], [2, 2], [1, 1]]
    table.zero_grad()
    table(tallow.tensor([2])).sum().backward()
    table.zero_grad(set_to_none=False)
    assert table.weight.grad._nnz() == 0


def test_gradients_of_tables_elsewhere():
    weight = tallow.ones(4, 2, requires_grad=True)
    index = tallow.tensor([1, 3])
    rows = nn.functional.embedding(index, weight, sparse=True)
    (g,) = tallow.autograd.grad((rows**2).sum(), weight, create_graph=True)
    assert g.layout is tallow.sparse_coo and g.requires_grad
    rows = nn.functional.embedding(index, weight * 1, sparse=True)
    assert rows.grad_fn.name() == "EmbeddingBackward0"
    with pytest.raises(NotSupportedError, match="expected sparse or scale_grad_by_freq"):
        nn.functional.embedding(index, weight, scale_grad_by_freq=True, sparse=True)
    with pytest.raises(ValueError, match="expected mode 'sum' or 'mean' with sparse"):
        nn.functional.embedding_bag(index.unsqueeze(0), weight, mode="max", sparse=True)


@pytest.mark.filterwarnings("ignore:Sparse invariant")  # PyTorch's, once a process
@pytest.mark.parametrize("mode", [None, "sum", "mean"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SGD", {}), ("SGD", {"momentum": 0.9, "dampening": 0.1, "maximize": True}),
        ("SGD", {"momentum": 0.9, "nesterov": True}), ("Adagrad", {"lr_decay": 0.1}),
        ("SparseAdam", {}), ("SparseAdam", {"betas": (0.5, 0.9), "maximize": True}),
    ],
)  # fmt: skip
def test_steps_of_tables(name, settings, mode):
    torch = pytest.importorskip("torch")

    def trained(t):
        t.manual_seed(0)
        kind = t.nn.Embedding if mode is None else t.nn.EmbeddingBag
        options = {} if mode is None else {"mode": mode}
        table = kind(7, 3, sparse=True, padding_idx=2, **options)
        optimizer = getattr(t.optim, name)(table.parameters(), lr=0.1, **settings)
        for i in range(4):
            optimizer.zero_grad(set_to_none=i % 2 == 0)
            (table(t.tensor([[1, 3, 2], [i, 1, 1]])) ** 2).sum().backward()
            optimizer.step()
        return table.weight.detach().tolist()

    np.testing.assert_allclose(trained(tallow), trained(torch), rtol=1e-5, atol=1e-5)


def test_parameters_beside_sparse_tensors():
    weight = nn.Parameter(tallow.ones(2, 3))
    assert (weight + made()).tolist() == (tallow.tensor(DENSE) + 1).tolist()
    assert (weight * made()).to_dense().tolist() == DENSE
    assert (weight.T @ made()).shape == (3, 3)


def test_operators_that_ask():
    tallow.overrides.ask_arguments()
    x = tallow.ones(2, 3)
    assert (x + made()).tolist() == (tallow.tensor(DENSE) + 1).tolist()
    assert (x - made()).tolist() == (1 - tallow.tensor(DENSE)).tolist()
    assert (x.T @ made()).shape == (3, 3)
    x += made()
    assert x.tolist() == (tallow.tensor(DENSE) + 1).tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_copies_and_files(layout):
    x = made(layout)
    file = io.BytesIO()
    tallow.save({"x": x, "coalesced": made().coalesce()}, file)
    file.seek(0)
    loaded = tallow.load(file)
    assert loaded["coalesced"].is_coalesced()
    others = [loaded["x"], copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.clone()]
    for y in others:
        assert y.layout is x.layout and y._nnz() == x._nnz()
        assert y.to_dense().tolist() == DENSE


def test_files_are_checked():
    x = made()
    x.array.indices[0][0, 0] = 7
    file = io.BytesIO()
    tallow.save(x, file)
    file.seek(0)
    with pytest.raises(tallow.errors.CheckpointError, match="expected indices from 0 to 1"):
        tallow.load(file)


@pytest.mark.filterwarnings("ignore:Sparse")  # PyTorch's, of the state of its compressed layouts
@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_of_pytorch(layout):
    torch = pytest.importorskip("torch")
    file = io.BytesIO()
    tallow.save({"x": made(layout)}, file)
    file.seek(0)
    theirs = torch.load(file)["x"]
    assert str(theirs.layout) == f"torch.{layout}" and theirs.to_dense().tolist() == DENSE
    file = io.BytesIO()
    torch.save(theirs, file)
    file.seek(0)
    assert tallow.load(file).to_dense().tolist() == DENSE


def test_buffers():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("heads", made(), persistent=True)

    model = Model().double()
    assert model.heads.dtype is tallow.float64 and model.heads.layout is tallow.sparse_coo
    other = Model()
    other.heads.zero_()
    assert other.heads._nnz() == 0
    other.load_state_dict(model.state_dict())
    assert other.heads.to_dense().tolist() == DENSE
    assert other.heads.coalesce().indices().T.tolist() == [[0, 2], [1, 0], [1, 2]]


def test_other_makers():
    assert tallow.zeros(2, 3, layout=tallow.sparse_coo)._nnz() == 0
    assert tallow.sparse_coo_tensor((2, 3)).shape == (2, 3)
    index = tallow.tensor(INDEX)
    x = tallow.sparse.FloatTensor(index, tallow.tensor([3.0, 4.0, 5.0, 1.0]), tallow.Size([2, 3]))
    assert x.to_dense().tolist() == DENSE and isinstance(x, tallow.sparse.FloatTensor)
    assert x.type() == "torch.sparse.FloatTensor"
    rows = tallow.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    diagonals = tallow.sparse.spdiags(rows, tallow.tensor([0, -1]), (3, 3)).to_dense()
    assert diagonals.tolist() == [[1, 0, 0], [4, 2, 0], [0, 5, 3]]
    with pytest.raises(AttributeError, match="left out"):
        tallow.sparse.spsolve  # noqa: B018


def test_resized():
    x = made().coalesce()
    x.sparse_resize_((4, 5), 2, 0)
    assert x.shape == (4, 5) and x._nnz() == 3
    x.sparse_resize_and_clear_((2, 2, 3), 2, 1)
    assert x.shape == (2, 2, 3) and x._nnz() == 0 and x.dense_dim() == 1


@pytest.mark.parametrize("name", devices())
def test_on_devices(name):
    x = made().coalesce().to(name).requires_grad_()
    dense = tallow.ones(3, 2, device=name, requires_grad=True)
    y = tallow.sparse.mm(x * 2, dense) + tallow.sparse.softmax(x, 1).to_dense().sum()
    y.sum().backward()
    assert x.device.type == name and x.grad.device == x.device
    assert y.cpu().tolist() == [[10, 10], [20, 20]]
    assert dense.grad.cpu().tolist() == [[8, 8], [0, 0], [18, 18]]
    assert tallow.sparse.sum(x.to_sparse_csr() * 1, 0).cpu().to_dense().tolist() == [4, 0, 9]
    table = nn.Embedding(4, 2, sparse=True, device=name)
    before = table.weight.detach().cpu()
    table(tallow.tensor([1, 1, 3], device=name)).sum().backward()
    tallow.optim.SGD(table.parameters(), lr=1.0).step()
    assert np.allclose(
        (before - table.weight.detach().cpu()).tolist(), [[0, 0], [2, 2], [0, 0], [1, 1]]
    )
