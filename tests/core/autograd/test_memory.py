"""What a graph keeps for the backward: no more bytes than PyTorch's, for a dozen typical ops."""

import numpy as np
import pytest

import tallow

N = 64
SOURCES = [
    "x + y", "x - 2", "x * 3.0", "-x", "x * y", "x / y", "x.exp()", "x.tanh()", "x.sigmoid()",
    "x.relu()", "x.log()", "x.sqrt()", "x.sin()", "x ** 2", "x @ y", "x.sum()", "x.mean(0)",
    "x.amax(0)", "x.T", "x.reshape(-1)", "x[1:]", "torch.cat([x, y])", "x.softmax(0)",
    "x.log_softmax(0)", "F.gelu(x)", "F.silu(x)", "F.leaky_relu(x)", "F.linear(x, y)",
    "F.layer_norm(x, (64,))", "F.cross_entropy(x, n)", "F.mse_loss(x, y)", "torch.where(m, x, y)",
    "x.masked_fill(m, 0.0)", "x.clamp(0, 1)", "(x + y).relu()", "(x * 2 + 1).sum()",
    "F.conv2d(x.view(1, 4, 32, 32), y.view(-1)[:144].view(4, 4, 3, 3))",
    "F.max_pool2d(x.view(1, 4, 32, 32), 2)", "F.scaled_dot_product_attention(x, y, y)",
    "(x.exp() * y).tanh().sum()",
]  # fmt: skip
# PyTorch recomputes the weights of attention.
MORE = {"F.scaled_dot_product_attention(x, y, y)": 2}


def inputs(library):
    rng = np.random.default_rng(0)
    arrays = rng.uniform(0.5, 1, (2, N, N)).astype(np.float32)
    x, y = (library.tensor(array, requires_grad=True) for array in arrays)
    names = {"n": library.arange(N), "m": library.tensor(arrays[0] > 0.7)}
    return {"torch": library, "F": library.nn.functional, "x": x, "y": y} | names


def kept_by_tallow(names, result):
    """Bytes of the arrays that the nodes of a graph hold, but for those of the operands."""
    arrays, seen, open = {}, set(), [result.node]
    while open:
        node = open.pop()
        if node is None or id(node) in seen or isinstance(node, tallow.Tensor):
            continue
        seen.add(id(node))
        kept = [*(getattr(node, "tensors", None) or ()), *(getattr(node, "extras", None) or ())]
        for x in flat(kept):
            array = getattr(x, "array", x)
            if isinstance(array, np.ndarray):
                base = array if array.base is None else array.base
                arrays[id(base)] = getattr(base, "nbytes", array.nbytes)
        open += getattr(node, "edges", ())
    own = [names[k].array for k in "xynm"]
    for array in own:
        arrays.pop(id(array if array.base is None else array.base), None)
    return sum(arrays.values())


def flat(parts):
    return [x for p in parts for x in (flat(p) if isinstance(p, tuple | list) else [p])]


def kept_by_pytorch(torch, names, source):
    """Bytes of the storages that a graph saves, but for those of the operands."""
    storages = {}

    def pack(x):
        storages[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        eval(source, names)
    for name in "xynm":
        storages.pop(names[name].untyped_storage().data_ptr(), None)
    return sum(storages.values())


@pytest.mark.parametrize("source", SOURCES)
def test_bytes_kept(source):
    torch = pytest.importorskip("torch")
    names = inputs(tallow)
    own = kept_by_tallow(names, eval(source, names))
    theirs = kept_by_pytorch(torch, inputs(torch), source)
    assert own <= theirs * MORE.get(source, 1) + 2048


def test_an_operand_that_no_rule_names_is_freed():
    import weakref

    x = tallow.ones(3, requires_grad=True)
    between = x * 2
    array = weakref.ref(between.array)
    result = between + 1
    del between
    assert array() is None and result.requires_grad
