"""Names of nodes, and of what they keep, are PyTorch's."""

import pytest

import tallow
from tallow import nn
from tallow.errors import GradientError

SAME = """
x.max() | x.std() | x.std(1) | x.var(1) | x.norm() | x.norm(dim=1) | x.softmax(1) | x[0] | x[:, 0]
x[0:2] | x[:, 1:] | x[None] | x[[0, 1]] | x.select(0, 1) | F.log_softmax(x, 1) | F.dropout(x)
F.layer_norm(x, (4,)) | F.batch_norm(i, None, None, training=True)
F.interpolate(i, scale_factor=2) | F.interpolate(i, scale_factor=2, mode="bilinear")
F.avg_pool2d(i, 2) | F.max_pool2d(i, 2) | F.conv2d(i, w) | F.conv_transpose2d(i, w.transpose(0, 1))
F.relu(x) | F.gelu(x) | F.linear(x, m) | F.linear(x, m, m[0]) | x @ m.T | m @ x[0]
x[0] @ x[1] | i @ i | x.T | x.view(-1) | x.reshape(4, 3) | x.flatten() | x.unsqueeze(0)
x[None].squeeze(0) | x.sum() | x.sum(0) | x.mean() | x.mean(1) | x ** 2 | x.pow(3)
x.pow(x) | x * 2 | 2 * x | x / 2 | x - 1 | -x | x.exp() | x.log() | x.sqrt() | x.abs()
x.clamp(0, 1) | x.clamp(min=0) | torch.cat([x, x]) | torch.stack([x, x]) | F.cross_entropy(x, t)
F.nll_loss(x, t) | F.mse_loss(x, x * 2) | F.mse_loss(x, x * 2, reduction="sum")
F.l1_loss(x, x * 2) | F.smooth_l1_loss(x, x * 2) | F.embedding(t, m) | x.gather(1, t[:, None])
F.binary_cross_entropy(x.sigmoid(), x.detach()) | x.expand(2, 3, 4) | x.repeat(2, 1)
F.binary_cross_entropy_with_logits(x, x.detach()) | torch.where(x > 0, x, 0.0) | x.double()
torch.bmm(x[None], m[None]) | x.clone() | x.transpose(0, 1) | x.cumsum(0) | x.prod()
x.logsumexp(1) | F.normalize(x) | F.pad(x, (1, 1)) | x.tril() | F.silu(x) | F.softplus(x)
F.leaky_relu(x) | F.relu6(x) | torch.maximum(x, x * 2) | x.roll(1) | x.flip(0) | x.mul(1).add_(3)
F.scaled_dot_product_attention(i, i, i) | torch.outer(x[0], x[1]) | x.diagonal() | x.median()
torch.linalg.inv(m) | torch.atan2(x, x) | x % 2 | x.lerp(x * 2, 0.5) | torch.special.i1(x)
"""


@pytest.mark.parametrize(
    "source", [e.strip() for e in SAME.replace("\n", "|").strip("|").split("|")]
)
def test_names(source):
    torch = pytest.importorskip("torch")
    found = []
    for library in (torch, tallow):
        library.manual_seed(0)
        sizes = {"x": (3, 4), "m": (4, 4), "i": (2, 4, 4, 4), "w": (5, 4, 3, 3)}
        scope = {key: library.rand(size, requires_grad=True) for key, size in sizes.items()}
        scope |= {"torch": library, "F": library.nn.functional, "t": library.tensor([0, 1, 2])}
        y = eval(source, scope)
        assert f"grad_fn=<{y.grad_fn.name()}>" in repr(y)
        found.append(type(y.grad_fn).__name__)
    assert found[0] == found[1] == y.grad_fn.name()


def test_a_tutorials_walk():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    loss = nn.MSELoss()(net(tallow.ones(2, 3)), tallow.ones(2, 1))
    names, node = [], loss.grad_fn
    while node is not None:
        names.append(type(node).__name__)
        node = node.next_functions[0][0] if node.next_functions else None
    assert names == ["MseLossBackward0", "AddmmBackward0", "ReluBackward0", "AddmmBackward0"]


def test_a_name_after_the_backward_pass():
    x, m = tallow.ones(2, 3, requires_grad=True), tallow.ones(3, 2, requires_grad=True)
    for y, name in ((x @ m, "MmBackward0"), (x**2, "PowBackward0"), (x[0], "SelectBackward0")):
        y.sum().backward()
        assert y.grad_fn.name() == name and repr(y.grad_fn).startswith(f"<{name} object at 0x")


def test_saved():
    x, y = tallow.tensor([2.0], requires_grad=True), tallow.tensor([3.0])
    node = (x * y).grad_fn
    assert node._saved_other.item() == 3 and "_saved_other" in dir(node)
    with pytest.raises(AttributeError, match="no attribute '_saved_self'; it has other"):
        node._saved_self  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'saved'"):
        node.saved  # noqa: B018
    e = x.exp()
    assert tallow.equal(e.grad_fn._saved_result, e) and e.grad_fn._saved_result.grad_fn is e.grad_fn
    assert x.sum(0).grad_fn._saved_dim == (0,)
    e.backward()
    with pytest.raises(GradientError, match="ExpBackward0: what was saved was freed by an earlier"):
        e.grad_fn._saved_result  # noqa: B018


def test_saved_by_hooks():
    x = tallow.tensor([2.0], requires_grad=True)
    with tallow.autograd.graph.saved_tensors_hooks(lambda t: t + 1, lambda t: t - 1):
        node = (x * x).grad_fn
    assert node._saved_self.item() == 2
