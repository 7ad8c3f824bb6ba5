"""Exported models compute in ONNX Runtime, and loaded back in tallow, what they compute here."""

import io

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallow.nn.utils import norm_add_relu
from tallow.onnx import export, load

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def f(*shape):
    return tallow.tensor(np.random.default_rng(1).standard_normal(shape).astype(np.float32))


def i(*shape, high=5):
    return tallow.tensor(np.random.default_rng(2).integers(0, high, shape))


def flat(out):
    return [x for part in out for x in flat(part)] if isinstance(out, tuple | list) else [out]


def exported(model, *args, **options):
    file = io.BytesIO()
    return export(model, args, file, **options), file


def compare(model, file, *runs):
    """Hold both ONNX Runtime and the loaded model against the model itself."""
    session = runtime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    names = [x.name for x in session.get_inputs()]
    file.seek(0)
    again = load(file)
    for args in runs:
        with tallow.no_grad():
            expected, own = flat(model(*args)), flat(again(*args))
        feed = {name: x.numpy() for name, x in zip(names, args, strict=True)}
        for a, b, c in zip(session.run(None, feed), own, expected, strict=True):
            c = c.numpy()
            assert a.shape == b.shape == c.shape and a.dtype == b.numpy().dtype == c.dtype
            np.testing.assert_allclose(a, c, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(b.numpy(), c, rtol=1e-4, atol=1e-5)


class Residual(nn.Module):
    """A block in the shape of ResNet's."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += self.shortcut(x)
        return self.relu(out)


def resnet():
    return nn.Sequential(
        nn.Conv2d(3, 8, 7, 2, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1), Residual(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(1),
        nn.Linear(16, 10),
    )  # fmt: skip


def mobilenet():
    """Depthwise convolutions, ReLU6, squeeze and excitation."""
    squeeze = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.Hardswish(), nn.Conv2d(4, 8, 1),
        nn.Hardsigmoid(),
    )  # fmt: skip

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6())
            self.depthwise = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.BatchNorm2d(8))
            self.squeeze = squeeze
            self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 5))

        def forward(self, x):
            x = self.stem(x)
            x = self.depthwise(x) * self.squeeze(x)
            return self.head(x.mean([2, 3]))

    return Net()


class Language(nn.Module):
    """Tokens to scores, by causal attention."""

    def __init__(self):
        super().__init__()
        self.embedding, self.position = nn.Embedding(5, 16), nn.Embedding(12, 16)
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, nn.LayerNorm(16))
        self.head = nn.Linear(16, 5)

    def forward(self, tokens):
        x = self.embedding(tokens) + self.position.weight[: tokens.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(6)
        return self.head(self.layers(x, mask)).argmax(-1)


class Windows(nn.Module):
    """Attention within shifted windows, as Swin's."""

    def forward(self, x):
        n, h, w, c = x.shape
        parts = x.roll((-1, -1), (1, 2)).view(n, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5)
        parts = parts.reshape(-1, 16, c)
        parts = F.scaled_dot_product_attention(parts, parts, parts)
        x = parts.view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return x.roll((1, 1), (1, 2))


# Whole networks with a dynamic batch, and other inputs to try
NETWORKS = [
    (lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 4)),
     {0: "batch"}, [f(3, 8), f(7, 8), f(1, 8)]),
    (resnet, {0: "batch"}, [f(2, 3, 32, 32), f(5, 3, 32, 32)]),
    (resnet, {0: "batch", 2: "height", 3: "width"}, [f(2, 3, 32, 32), f(1, 3, 48, 64)]),
    (mobilenet, {0: "batch"}, [f(2, 3, 16, 16), f(5, 3, 16, 16)]),
    (lambda: nn.LSTM(4, 5, 2, bidirectional=True, batch_first=True), {0: "batch", 1: "time"},
     [f(3, 6, 4), f(7, 6, 4), f(2, 9, 4)]),
    (lambda: nn.GRU(4, 5), [1], [f(6, 3, 4), f(6, 7, 4)]),
    (lambda: nn.RNN(4, 5, nonlinearity="relu", bias=False), [1], [f(6, 3, 4), f(6, 7, 4)]),
    (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, activation="gelu"), 2),
     {0: "time", 1: "batch"}, [f(6, 3, 16), f(6, 7, 16), f(9, 2, 16)]),
    (Language, {0: "batch"}, [i(3, 6), i(7, 6)]),
    (Windows, {0: "batch"}, [f(2, 8, 8, 4), f(3, 8, 8, 4)]),
]  # fmt: skip


@pytest.mark.parametrize("make, axes, inputs", NETWORKS, ids=map(str, range(len(NETWORKS))))
def test_networks_with_a_dynamic_batch(make, axes, inputs):
    tallow.manual_seed(0)
    model = make().eval()
    _, file = exported(model, inputs[0], input_names=["x"], dynamic_axes={"x": axes})
    compare(model, file, *[(x,) for x in inputs])


X, Y, IMAGE = f(3, 4), f(3, 4).flip(0), f(2, 4, 6, 6)
FUNCTIONS = [
    *[(getattr(tallow, name), f(3, 4)) for name in (
        "abs acos asin atan ceil cos cosh erf exp expm1 floor neg reciprocal round sigmoid sign "
        "sin sinh square tan tanh trunc isnan isinf").split()],
    *[(getattr(tallow, name), f(3, 4).abs() + 1.5) for name in (
        "acosh asinh log log10 log1p log2 rsqrt sqrt").split()],
    (tallow.atanh, X * 0.2),
    *[(getattr(F, name), f(3, 4)) for name in (
        "relu leaky_relu elu selu celu gelu silu mish hardswish hardsigmoid softplus logsigmoid "
        "hardshrink softshrink relu6 hardtanh tanhshrink softsign").split()],
    (lambda x: F.gelu(x, approximate="tanh"), X), (lambda x: F.celu(x, 2.0), X),
    (lambda x: F.softplus(x, 2.0), X), (lambda x: F.threshold(x, 0.1, 5.0), X),
    (lambda x: F.prelu(x, tallow.tensor([0.3])), X),
    *[(getattr(tallow, name), X, Y) for name in (
        "add sub mul div maximum minimum remainder fmod floor_divide eq ne lt le gt ge").split()],
    *[(getattr(tallow, name), i(3, 4) + 1, i(3, 4).flip(0) + 1) for name in (
        "add remainder fmod floor_divide bitwise_and bitwise_or bitwise_xor").split()],
    (lambda x: x.bitwise_not(), i(3, 4)), (lambda x: x.to(tallow.float32) / 2, i(3)),
    (lambda x: (x > 0) & ~(x > 1) | (x < -1) ^ (x == 0), X),
    (lambda x: (x > 0).logical_and(x < 1).logical_or(x < -1).logical_xor(x.logical_not()), X),
    (lambda x: x.abs() ** 1.5 + 2**x + x**3, X), (lambda x: 1 - x / 2 + 3, X),
    (lambda x, y: tallow.where(x > 0, x, y).clamp(-1, 0.5).clamp_min(-0.2), X, Y),
    (lambda x, y: tallow.where(x > 0, 1.0, y), X, Y),
    (lambda x, y: tallow.lerp(x, y, 0.3), X, Y), (lambda x, y: tallow.clamp(x, y, y + 1), X, Y),
    (lambda x: x.masked_fill(x > 0, -1.0), X), (lambda x: tallow.full_like(x, 2) * x, X),
    (lambda x: x.double().log_softmax(1), X), (lambda x: x.softmax(0), X),
    # Reductions
    (lambda x: x.sum() + x.mean() + x.amax() + x.amin(), X),
    (lambda x: (x.sum(0), x.mean((0, 1), keepdim=True), x.prod(1), x.logsumexp(1)), X),
    (lambda x: (x.argmax(1), x.argmin(), x.cumsum(0), x.norm(dim=1), x.norm(1, dim=0)), X),
    (lambda x: (x.var(1), x.std(0, correction=0)), X),
    # Shapes
    (lambda x: (x.T, x.view(2, 6), x.transpose(0, 1).reshape(-1), x[None, 1:, ..., -1]), X),
    (lambda x: (x[1], x[:, ::2], x[-1, None, 2:], x.flip(0), x.flip((0, 1))), X),
    (lambda x: (x.roll(1, 0), x.roll((1, -2), (0, 1)), x.repeat(2, 1), x[:, :1].expand(3, 5)), X),
    (lambda x, y: (tallow.cat([x, y], 1), tallow.stack([x, y], 1), x.tril(1), x.triu()), X, Y),
    (lambda x: (x.chunk(2, 1), x.split([1, 2]), tallow.unbind(x)), X),
    (lambda x: (F.pad(x, (1, 2), value=3.0), x.unsqueeze(0).squeeze(), x.movedim(0, 1)), X),
    (lambda x: x.reshape(3, 2, 2).permute(2, 0, 1), X), (lambda x: F.pad(x, (-1, 1)), X),
    (lambda x, n: (x.gather(0, n), x[n[0]], x[:, n[0, :2]], x[n[0], n[1]]), X, i(3, 4, high=3)),
    (lambda x, n, y: x.scatter(0, n, y), X, i(3, 4, high=3), Y),
    (lambda x, n: (x.take_along_dim(n, 1), x.index_select(1, n[0])), X, i(3, 4, high=4)),
    # Layers
    (lambda x, y: (x @ y.T, x @ y[0], F.linear(x, y), F.linear(x[None], y, y[:, 0])), X, Y),
    (lambda x: tallow.einsum("ij,kj->ik", x, x), X),
    (lambda q, k: F.scaled_dot_product_attention(q, k, k, is_causal=True), f(2, 5, 4), f(2, 5, 4)),
    (lambda q, k: F.scaled_dot_product_attention(q, q, k, q[..., :1] > 0), f(5, 4), f(5, 4)),
    (nn.MultiheadAttention(8, 2).eval(), f(4, 2, 8), f(5, 2, 8), f(5, 2, 8)),
    (nn.Conv1d(4, 6, 3, padding="same", dilation=2), f(2, 4, 9)),
    (nn.Conv3d(2, 3, 2), f(1, 2, 4, 4, 4)),
    (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), IMAGE),
    (nn.ConvTranspose1d(4, 3, 2, dilation=2), f(2, 4, 5)),
    (nn.MaxPool2d(3, 2, 1, ceil_mode=True), f(1, 2, 8, 8)), (nn.MaxPool1d(2), f(1, 2, 7)),
    (nn.AvgPool2d(3, 2, 1), IMAGE), (nn.AvgPool2d(3, 2, 1, count_include_pad=False), IMAGE),
    (nn.AdaptiveAvgPool2d((3, 2)), IMAGE), (nn.AdaptiveAvgPool2d((4, 5)), IMAGE),
    (lambda x, y: norm_add_relu(x, nn.BatchNorm2d(4).eval(), y, F.relu), IMAGE, IMAGE / 2),
    (lambda x, y: norm_add_relu(x, nn.BatchNorm2d(4, track_running_stats=False), y, F.relu), IMAGE,
     IMAGE / 2),
    (lambda x, y: norm_add_relu(x, nn.Identity(), y, F.relu), IMAGE, IMAGE / 2),
    (nn.BatchNorm2d(4, affine=False).eval(), IMAGE), (nn.InstanceNorm2d(4, affine=True), IMAGE),
    (nn.GroupNorm(2, 4), IMAGE), (nn.LayerNorm((6, 6)), IMAGE), (nn.RMSNorm(6), IMAGE),
    (nn.LayerNorm(6, elementwise_affine=False), IMAGE), (nn.LocalResponseNorm(3), IMAGE),
    (nn.Upsample(scale_factor=2), IMAGE), (nn.PixelShuffle(2), IMAGE),
    (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE),
    (nn.Sequential(nn.BatchNorm2d(4), nn.ReLU()).eval(), IMAGE),
    (nn.Sequential(nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU()), IMAGE),
    (nn.Upsample(size=(9, 5), mode="bicubic", align_corners=True), IMAGE),
    (lambda x, g: F.grid_sample(x, g.tanh(), align_corners=False), IMAGE, f(2, 3, 5, 2)),
    (lambda x, g: F.grid_sample(x, g, "nearest", "reflection", True), IMAGE, f(2, 3, 5, 2)),
    (lambda x, g: F.grid_sample(x, g, "bicubic", "border", False), IMAGE, f(2, 3, 5, 2)),
    (nn.Embedding(5, 3), i(2, 4)), (nn.GRU(4, 5), f(6, 3, 4), f(1, 3, 5)),
    (nn.LSTMCell(4, 5), X), (nn.TransformerDecoderLayer(8, 2, 16).eval(), f(4, 2, 8), f(5, 2, 8)),
]  # fmt: skip


@pytest.mark.parametrize("case", FUNCTIONS, ids=map(str, range(len(FUNCTIONS))))
def test_functions(case):
    function, *args = case
    _, file = exported(function, *args)
    compare(function, file, tuple(args), tuple(x.flip(0) for x in args))


def test_every_operation_that_can_be_written_is_among_them():
    from tallow.autograd.tape import recorded
    from tallow.onnx.operators import WRITERS

    seen = set()
    with recorded(lambda call: seen.add(call.op and call.op.name)), tallow.no_grad():
        for function, *args in FUNCTIONS:
            function(*args)
    rare = {"cast", "crop", "integer_power", "tril", "copy", "fill", "unstack", "resample"}
    rare |= {"rnn", "normalize_relu", "normalize_relu_by"}  # which are among the networks
    rare |= {"normalize_add_relu", "normalize_add_relu_by"}  # apart where hooks look on
    assert set(WRITERS) - seen == rare - seen


def test_what_is_written():
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(), nn.Tanh())
    made, file = exported(
        model, X, input_names=["x"], output_names=["y"], opset=19,
        dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
    )  # fmt: skip
    assert [x.name for x in made.graph.initializer] == ["0.weight", "0.bias"]
    assert [node.op_type for node in made.graph.node] == ["Gemm", "Tanh", "Identity"]
    for part, sizes in ((made.graph.input[0], ["batch", 4]), (made.graph.output[0], ["batch", 3])):
        dims = part.type.tensor_type.shape.dim
        assert [dim.dim_param or dim.dim_value for dim in dims] == sizes
    assert made.opset_import[0].version == 19 and made.producer_name == "tallow"
    assert onnx.load_from_string(file.getvalue()) == made
    assert model.training and model[1].training


def test_what_depends_on_no_input_is_computed():
    weight = nn.Parameter(f(4, 4))

    def function(x):
        scale = (weight @ weight.T).exp().sum()
        mask = tallow.zeros(3, 4)
        mask[1] = 1.0
        return x * scale + mask

    made, file = exported(function, X)
    assert [node.op_type for node in made.graph.node] == ["Mul", "Add", "Identity"]
    compare(lambda x: function(x).detach(), file, (X,))


def test_changes_in_place():
    def function(x):
        count = tallow.zeros(3, 4)
        y = x + count
        count += 1
        z = x * 1
        z *= 2
        z.relu_()
        total = tallow.empty(3, 4)
        total.copy_(z)
        total.add_(y + count)
        return total, y

    _, file = exported(function, X)
    compare(function, file, (X,), (Y,))


def partly(x):
    out = tallow.zeros(3, 4)
    out[:, 1] = x[:, 0]
    return out + x


def partly_doubled(x):
    y = x * 1
    y[:, 0] *= 2
    return y


@pytest.mark.parametrize(
    "function, message",
    [
        (partly, "to be the same in all runs"),
        (partly_doubled, "expected no change in place of a part of a tensor"),
        (lambda x: x + tallow.randn(3, 4), "an operand or parameter of add to be the same"),
        (lambda x: x * x.numpy().sum(), "an operand or parameter of mul to be the same"),
        (lambda x: x[x > 0], "expected an index of integers, got a mask"),
        (lambda x: x * 2 if x[0, 0] > 0 else x + 1, "expected the same operations"),
        (lambda x: tallow.linalg.inv(x @ x.T), "expected operations that ONNX is known to have"),
        (lambda x: x.norm(3), "expected a norm with p 1 or 2, got 3"),
        (lambda x: "text", "expected a model that returns tensors, got str"),
        (nn.LSTM(4, 3, proj_size=2), "expected an LSTM without proj_size"),
    ],
)
def test_what_cannot_be_written(function, message):
    x = tallow.tensor([[3.0, 1, -1, 2], [0, 2, 5, 1], [1, 4, -2, -7]])
    with pytest.raises(NotImplementedError, match=message):
        exported(function, x)


def test_sizes_that_do_not_follow():
    def function(x):
        return tallow.ones(x.shape[0] // 2 * 2 + 1).sum() * x

    with pytest.raises(NotImplementedError, match="to be the same in all runs"):
        exported(function, X, input_names=["x"], dynamic_axes={"x": [0]})

    def squared(x):
        return x.sum() * tallow.ones(x.shape[0] ** 2)

    with pytest.raises(NotImplementedError, match="sizes that grow evenly with a dynamic axis"):
        exported(squared, X, input_names=["x"], dynamic_axes={"x": [0]})


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"opset": 12}, ValueError, "expected an opset of 18 or later, got 12"),
        ({"input_names": ["a", "b"]}, ValueError, r"expected 1 input_names, got \['a', 'b'\]"),
        ({"output_names": []}, ValueError, r"expected 1 output_names, got \[\]"),
    ],
)
def test_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        exported(nn.ReLU(), X, **options)


def test_arguments_that_are_no_tensors(tmp_path):
    with pytest.raises(TypeError, match="expected a tensor or a tuple of tensors as args"):
        export(nn.ReLU(), [1.0], tmp_path / "x.onnx")
    export(nn.ReLU(), X, tmp_path / "x.onnx")
    assert tallow.equal(load(tmp_path / "x.onnx")(X), X.relu())
