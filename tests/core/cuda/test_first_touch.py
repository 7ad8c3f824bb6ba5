"""On a GPU, where there is one: what the stand-ins cannot show, a part each. Run this first."""

import numpy as np
import pytest

import tallow
from tallow import cuda, nn, optim
from tallow.backends import cudnn
from tallow.nn import functional as F
from tallow.testing import assert_close

if not cuda.is_available():
    pytest.skip("needs a CUDA device", allow_module_level=True)

FLOATS = [tallow.float16, tallow.bfloat16, tallow.float32, tallow.float64]
LOOSE = {tallow.float16: 2e-2, tallow.bfloat16: 1e-1, tallow.float32: 1e-3, tallow.float64: 1e-9}


def compared(function, *shapes, dtype=tallow.float32):
    """Values and gradients of a function of tensors, on the GPU and on the CPU."""
    rng, found = np.random.default_rng(0), []
    drawn = [tallow.tensor(rng.uniform(-1, 1, shape), dtype=dtype) for shape in shapes]
    for where in ("cpu", "cuda"):
        inputs = [x.to(where).detach().requires_grad_() for x in drawn]
        out = function(*inputs)
        out.float().square().sum().backward()
        found.append([x.detach().cpu() for x in (out, *(x.grad for x in inputs))])
    for right, got in zip(*found, strict=True):
        largest = max(1.0, right.double().abs().max().item())
        assert_close(got.double(), right.double(), rtol=0, atol=LOOSE[dtype] * largest)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("function", [
    lambda x: x * 2 + x.exp(), lambda x: F.gelu(x), lambda x: F.softmax(x, dim=-1),
    lambda x: F.layer_norm(x, (64,)), lambda x: x.sum(0), lambda x: x @ x.T,
], ids=["elementwise", "gelu", "softmax", "layer norm", "sum", "product"])  # fmt: skip
def test_every_float(function, dtype):
    compared(function, (32, 64), dtype=dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: F.relu(F.batch_norm(x, None, None, training=True)), (40, 3, 33, 31)),
        (lambda x: nn.utils.in_turn(x, nn.BatchNorm2d(3, affine=False), F.relu), (40, 3, 32, 32)),
        (
            lambda x: nn.utils.norm_add_relu(x, nn.BatchNorm2d(64, affine=False), x * 2, F.relu),
            (4, 64, 7, 7),
        ),
        (lambda x: F.softmax(x, 1), (3, 50257)),
        (lambda x: F.log_softmax(x[:, 1:], 1), (5, 4098)),
        (lambda x: F.layer_norm(x, (30011,)), (4, 30011)),
        (lambda x: x.sum(0) + x.amax(0) + x.mean((0, 2), keepdim=True), (300, 5, 70)),
        (lambda x: F.dropout(x, 0.0) + F.leaky_relu(x) * F.hardswish(x), (777,)),
    ],
    ids=["few channels", "ReLU", "residual", "long", "unaligned", "long norm", "sums", "chain"],
)
def test_kernels_that_read_once(function, shape, dtype):  # fmt: skip
    compared(function, shape, dtype=dtype)


def test_a_word_that_comes_often():
    index = tallow.randint(0, 50, (9000,), generator=tallow.Generator().manual_seed(0))
    index[::3] = 7

    def call(weight):
        return F.embedding(index.to(weight.device), weight).square()

    compared(call, (50, 70))


@pytest.mark.parametrize("name", [
    "SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Rprop",
    "ASGD",
])  # fmt: skip
@pytest.mark.parametrize("capturable", [False, True])
def test_steps_are_chains(name, capturable):
    found = []
    if capturable and name not in ("Adam", "AdamW", "Adamax", "RAdam", "RMSprop", "Adadelta"):
        pytest.skip("counts its steps on the host")
    for where in ("cpu", "cuda"):
        params = [nn.Parameter(tallow.linspace(-1, 1, n).to(where)) for n in (5, 4096, 33)]
        how = {"capturable": True} if capturable else {}
        optimizer = getattr(optim, name)(params, **how)
        for _ in range(3):
            for p in params:
                p.grad = p.detach() * 0.5 + 0.1
            optimizer.step()
        found.append([p.detach().cpu() for p in params])
    for one, other in zip(*found, strict=True):
        assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("by", [True, False], ids=["cuDNN", "kernels"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_convolution(dtype, by, monkeypatch):
    if by and not cudnn.is_available():
        pytest.skip("needs cuDNN and nvidia-cudnn-frontend")
    monkeypatch.setattr(cudnn, "enabled", by)
    monkeypatch.setattr(cudnn, "allow_tf32", False)
    compared(lambda x, w: F.conv2d(x, w, padding=1), (2, 8, 9, 9), (8, 8, 3, 3), dtype=dtype)


def test_convolution_by_tf32(monkeypatch):
    monkeypatch.setattr(cudnn, "enabled", False)
    compared(lambda x, w: F.conv2d(x, w, stride=2) * 0.3, (2, 70, 9, 9), (40, 70, 3, 3))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("width", [16, 100])
def test_attention(dtype, width):
    shapes = [(2, 4, 133, width)] * 3
    compared(lambda *qkv: F.scaled_dot_product_attention(*qkv, is_causal=True), *shapes,
             dtype=dtype)  # fmt: skip


def test_attention_s_dropout():
    q, ones = tallow.zeros(1, 200, 8, device="cuda"), tallow.ones(1, 1000, 8, device="cuda")
    mean = F.scaled_dot_product_attention(q, ones * 0, ones, dropout_p=0.3)
    assert abs(mean.mean().item() - 1) < 5e-3 and mean.std().item() > 1e-3


def test_numbers_by_rejection():
    rates = tallow.full((100000,), 7.0, device="cuda")
    for made, mean in ((tallow.poisson(rates), 7), (tallow.binomial(rates, rates / 10), 4.9)):
        assert abs(made.mean().item() - mean) < 0.1


def test_random_numbers_are_pytorch_s():
    tallow.manual_seed(0)
    expected = [0.3990, 0.5167, 0.0249, 0.9401, 0.9459]
    assert tallow.rand(5, device="cuda").tolist() == pytest.approx(expected, abs=6e-5)
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        for draw, shape in (("rand", (5,)), ("randn", (1000,)), ("rand", (1 << 20,))):
            tallow.manual_seed(3), torch.manual_seed(3)
            ours, theirs = (getattr(m, draw)(*shape, device="cuda") for m in (tallow, torch))
            assert np.abs(ours.cpu().numpy() - theirs.cpu().numpy()).max() < 1e-5


def test_an_index_out_of_range_does_not_poison_the_device():
    F.embedding(tallow.tensor([1, 9]).cuda(), tallow.ones(5, 2).cuda())
    with pytest.raises(IndexError, match="embedding: expected indices from 0 to 4, got 9"):
        cuda.synchronize()
    assert tallow.ones(2).cuda().sum().item() == 2


def test_a_full_device_says_what_is_held():
    with pytest.raises(cuda.OutOfMemoryError, match="tensors hold"):
        [tallow.ones(1 << 31, device="cuda") for _ in range(100)]
    assert tallow.ones(2).cuda().sum().item() == 2


def test_pinned_memory():
    x = tallow.arange(1 << 20).pin_memory()
    assert x.is_pinned()
    y = x.to("cuda", non_blocking=True)
    assert tallow.equal((y + 1).cpu(), x + 1)
    for batch in tallow.utils.data.DataLoader([1.0, 2.0], 2, pin_memory=True, num_workers=1):
        assert batch.is_pinned() and batch.to("cuda", non_blocking=True).tolist() == [1, 2]


def step_of(model, optimizer, x, y):
    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


@pytest.mark.parametrize("warmed", [True, False])
def test_a_captured_step(warmed):
    def trained(captured):
        tallow.manual_seed(0)
        model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 5)).to("cuda")
        x = tallow.rand(64, 20, generator=tallow.Generator().manual_seed(1)).cuda()
        y = (x.sum(1) % 5).long()
        step = step_of(model, optim.Adam(model.parameters(), fused=True, capturable=True), x, y)
        if not captured:
            return [step().item() for _ in range(8)]
        pool, graph = cuda.graph_pool_handle(), cuda.CUDAGraph()
        with pool.warm() if warmed else cuda.stream(cuda.Stream()):
            losses = [step().item() for _ in range(3)]
        with cuda.graph(graph, pool=pool if warmed else None):
            loss = step()
        for _ in range(5):
            graph.replay()
            losses.append(loss.item())
        return losses

    assert trained(True) == pytest.approx(trained(False), rel=1e-4)


def test_dropout_differs_between_replays():
    x, graph = tallow.ones(1000, device="cuda"), cuda.CUDAGraph()
    with cuda.stream(cuda.Stream()):
        F.dropout(x)
    with cuda.graph(graph):
        out = F.dropout(x)
    seen = []
    for _ in range(2):
        graph.replay()
        seen.append(out.tolist())
    assert seen[0] != seen[1] and set(seen[0]) == {0, 2}


def test_graphed_callables():
    model = nn.Linear(4, 3).to("cuda")
    x = tallow.rand(5, 4, device="cuda")
    expected = model(x).tolist()
    graphed = cuda.make_graphed_callables(model, (x.clone().requires_grad_(),))
    x.requires_grad_()
    out = graphed(x)
    out.sum().backward()
    assert_close(out.detach().cpu(), tallow.tensor(expected))
    assert_close(x.grad.cpu(), model.weight.detach().sum(0).expand(5, 4).cpu())


def test_the_second_device():
    if cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    x, y = tallow.rand(3, 3, device="cuda:1"), tallow.rand(3, 3, device="cuda:0")
    assert ((x @ x).exp().sum()).device == tallow.device("cuda:1")
    with pytest.raises(RuntimeError, match="expected all operands on one device"):
        x + y
    with cuda.stream(cuda.Stream("cuda:1")):
        assert cuda.current_device() == 1
        cuda.current_stream().wait_stream(cuda.default_stream("cuda:0"))
        (x @ x).sum().item()
    moved = (x * 2).to("cuda:0")
    assert moved.device == y.device and tallow.equal(moved.cpu(), x.cpu() * 2)
