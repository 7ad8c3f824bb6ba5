"""Modules against PyTorch's: for one seed the same repr, weights, outputs, gradients and buffers.

Beside the layers of `test_layers` these are all others, some with several inputs or outputs.
"""

import numpy as np
import pytest

import tallow

rng = np.random.default_rng(11)


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def i(*shape, high):
    return rng.integers(0, high, shape)


X, Y, Z, SIGNS = f(5, 4), f(5, 4), f(5, 4), np.array([1, -1, 1, 1, -1])
MASK = i(6, 5, high=2).astype(bool) & (np.arange(5) > 0)
PADDED = i(3, 5, high=2).astype(bool) & (np.arange(5) > 0)

# How the module is made, and its inputs.
MODULES = [
    ("Conv3d(2, 3, 2, padding=1)", [f(1, 2, 3, 4, 3)]),
    ("Conv1d(2, 4, 3, padding=1, padding_mode='circular', dtype=torch.float64)",
     [f(2, 2, 6).astype(np.float64)]),
    ("ConvTranspose1d(2, 4, 3, stride=2, output_padding=1)", [f(2, 2, 5)]),
    ("ConvTranspose2d(4, 6, (3, 2), stride=2, padding=1, groups=2, dilation=2)", [f(2, 4, 3, 4)]),
    ("ConvTranspose3d(2, 3, 2, bias=False)", [f(1, 2, 2, 3, 2)]),
    ("LazyLinear(3)", [f(2, 4)]),
    ("LazyConv1d(3, 2, bias=False)", [f(2, 4, 5)]),
    ("LazyConv2d(4, 3, padding=1, groups=2)", [f(2, 4, 5, 5)]),
    ("LazyConv3d(3, 2)", [f(1, 2, 3, 3, 3)]),
    ("LazyConvTranspose1d(3, 2)", [f(2, 4, 5)]),
    ("LazyConvTranspose2d(3, 2, stride=2)", [f(2, 4, 3, 3)]),
    ("LazyConvTranspose3d(3, 2)", [f(1, 2, 2, 2, 2)]),
    ("LazyBatchNorm1d()", [f(6, 4)]),
    ("LazyBatchNorm2d(affine=False)", [f(2, 3, 4, 4)]),
    ("LazyBatchNorm3d()", [f(2, 3, 2, 2, 2)]),
    ("LazyInstanceNorm1d()", [f(2, 3, 4)]),
    ("LazyInstanceNorm2d(track_running_stats=False)", [f(2, 3, 4, 4)]),
    ("LazyInstanceNorm3d()", [f(2, 3, 2, 2, 2)]),
    ("InstanceNorm1d(3)", [f(2, 3, 5)]),
    ("InstanceNorm1d(3, affine=True)", [f(3, 5)]),
    ("InstanceNorm2d(3, affine=True, track_running_stats=True)", [f(2, 3, 4, 5)]),
    ("InstanceNorm3d(3, affine=True, bias=False)", [f(2, 3, 2, 3, 2)]),
    ("LocalResponseNorm(3, 0.5)", [f(2, 5, 4)]),
    ("MaxPool3d(2)", [f(1, 2, 4, 5, 4)]),
    ("MaxPool1d(2, return_indices=True)", [f(2, 3, 6)]),
    ("MaxUnpool1d(2)", [f(1, 1, 2), np.array([[[0, 3]]])]),
    ("MaxUnpool2d(2, stride=2)", [f(1, 1, 1, 2), np.array([[[[0, 7]]]])]),
    ("MaxUnpool3d(2)", [f(1, 1, 1, 1, 1), np.array([[[[[5]]]]])]),
    ("AvgPool3d(2, padding=1)", [f(1, 2, 4, 5, 4)]),
    ("FractionalMaxPool2d(2, output_size=3)", [f(2, 3, 7, 8)]),
    ("FractionalMaxPool3d(2, output_ratio=(0.5, 0.6, 0.5))", [f(1, 2, 6, 7, 8)]),
    ("LPPool1d(2, 3)", [f(2, 3, 7)]),
    ("LPPool2d(2, 3, stride=2)", [f(2, 3, 7, 7)]),
    ("LPPool3d(2, 2)", [f(1, 2, 4, 4, 4)]),
    ("AdaptiveAvgPool3d((2, None, 1))", [f(1, 2, 4, 3, 5)]),
    ("AdaptiveMaxPool1d(3)", [f(2, 3, 7)]),
    ("AdaptiveMaxPool3d(2)", [f(1, 2, 4, 3, 5)]),
    ("ConstantPad1d((1, 2), 3.5)", [f(2, 3, 4)]),
    ("ConstantPad2d(1, 3.5)", [f(2, 3, 4, 4)]),
    ("ConstantPad3d((1, 0, 2, 0, 0, 1), 0.5)", [f(1, 2, 3, 3, 3)]),
    ("ZeroPad1d(2)", [f(2, 3, 4)]),
    ("ZeroPad2d((1, -1, 2, 0))", [f(2, 3, 4, 4)]),
    ("ZeroPad3d(1)", [f(1, 2, 3, 3, 3)]),
    ("ReflectionPad1d(2)", [f(2, 3, 4)]),
    ("ReflectionPad2d((1, 2, 0, 1))", [f(2, 3, 4, 4)]),
    ("ReflectionPad3d(1)", [f(1, 2, 3, 3, 3)]),
    ("ReplicationPad1d((3, 1))", [f(2, 3, 4)]),
    ("ReplicationPad2d(2)", [f(2, 3, 4, 4)]),
    ("ReplicationPad3d(1)", [f(1, 2, 3, 3, 3)]),
    ("CircularPad1d((1, 2))", [f(2, 3, 4)]),
    ("CircularPad2d(2)", [f(2, 3, 4, 4)]),
    ("CircularPad3d(1)", [f(1, 2, 3, 3, 3)]),
    ("PixelShuffle(2)", [f(2, 8, 3, 3)]),
    ("PixelUnshuffle(2)", [f(2, 3, 4, 4)]),
    ("ChannelShuffle(2)", [f(2, 6, 3)]),
    ("Upsample(scale_factor=2)", [f(2, 3, 4)]),
    ("Upsample(size=(5, 7), mode='bicubic')", [f(2, 3, 4, 4)]),
    ("Upsample(scale_factor=(1.5, 2.5), mode='bilinear', align_corners=True)", [f(2, 3, 4, 4)]),
    ("UpsamplingNearest2d(scale_factor=2)", [f(2, 3, 4, 4)]),
    ("UpsamplingBilinear2d(size=(5, 5))", [f(2, 3, 4, 4)]),
    ("Unfold((2, 3), padding=1, stride=2)", [f(2, 3, 5, 6)]),
    ("Fold((4, 5), 2)", [f(2, 12, 12)]),
    ("Dropout3d(0.4)", [f(4, 5, 2, 2, 2)]),
    ("AlphaDropout(0.3)", [f(4, 5)]),
    ("FeatureAlphaDropout(0.3)", [f(4, 5, 3)]),
    ("RReLU(0.1, 0.4)", [f(4, 5)]),
    ("Softmax2d()", [f(2, 3, 4, 4)]),
    ("Hardtanh(min_value=-0.3, max_value=0.4)", [f(4, 5)]),
    ("CosineSimilarity(dim=-1)", [X, Y]),
    ("PairwiseDistance(p=1, keepdim=True)", [X, Y]),
    ("EmbeddingBag(7, 3)", [i(4, 5, high=7)]),
    ("EmbeddingBag(7, 3, mode='max', padding_idx=2)", [i(9, high=7), np.array([0, 4, 4])]),
    ("EmbeddingBag(7, 3, mode='sum', max_norm=1.0, norm_type=1, include_last_offset=True)",
     [i(9, high=7), np.array([0, 4, 9])]),
    ("DataParallel(torch.nn.Linear(4, 3))", [X]),
    ("AdaptiveLogSoftmaxWithLoss(4, 12, [3, 7], div_value=2.0, head_bias=True)",
     [X, np.array([0, 11, 5, 2, 6])]),
    ("AdaptiveLogSoftmaxWithLoss(4, 12, [3])", [f(4), np.array(7)]),
    ("LinearCrossEntropyLoss(4, 3, bias=True, label_smoothing=0.1)", [X, i(5, high=3)]),
    # Losses beside those of `test_losses`
    ("GaussianNLLLoss(full=True)", [X, Y, np.abs(Z)]),
    ("PoissonNLLLoss(log_input=False)", [np.abs(X), np.abs(Y)]),
    ("MultiMarginLoss(p=2, margin=0.7)", [X, i(5, high=4)]),
    ("MultiLabelMarginLoss()", [X, np.array([[1, 3, -1, 0]] * 5)]),
    ("MultiLabelSoftMarginLoss()", [X, np.abs(Y) % 1]),
    ("SoftMarginLoss()", [X[:, 0], SIGNS]),
    ("HingeEmbeddingLoss(0.5)", [X[:, 0], SIGNS]),
    ("MarginRankingLoss(0.5)", [X[:, 0], Y[:, 0], SIGNS]),
    ("CosineEmbeddingLoss(0.2)", [X, Y, SIGNS]),
    ("TripletMarginLoss(p=1, swap=True)", [X, Y, Z]),
    ("TripletMarginWithDistanceLoss(swap=True)", [X, Y, Z]),
    ("CTCLoss(blank=3)", [f(6, 2, 4), np.array([[1, 2], [0, 0]]), np.array([6, 5]),
                          np.array([2, 1])]),
    # Recurrent
    ("RNN(4, 3, num_layers=2, bidirectional=True)", [f(6, 2, 4)]),
    ("RNN(4, 3, nonlinearity='relu', bias=False)", [f(6, 4)]),
    ("LSTM(4, 3, num_layers=2, dropout=0.5, batch_first=True)", [f(2, 6, 4)]),
    ("LSTM(4, 3, bidirectional=True, proj_size=2, num_layers=2)", [f(6, 2, 4)]),
    ("GRU(4, 3, num_layers=2, bidirectional=True, batch_first=True)", [f(2, 6, 4)]),
    ("GRU(4, 3)", [f(6, 4), f(1, 3)]),
    ("RNNCell(4, 3, nonlinearity='relu')", [X, f(5, 3)]),
    ("RNNCell(4, 3, bias=False)", [f(4)]),
    ("LSTMCell(4, 3)", [X]),
    ("GRUCell(4, 3)", [X, f(5, 3)]),
    # Attention
    ("MultiheadAttention(8, 2)", [f(6, 3, 8), f(5, 3, 8), f(5, 3, 8)]),
    ("MultiheadAttention(8, 2, bias=False, batch_first=True, kdim=4, vdim=6)",
     [f(3, 6, 8), f(3, 5, 4), f(3, 5, 6)]),
    ("MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True)",
     [f(6, 3, 8), f(5, 3, 8), f(5, 3, 8), PADDED]),
    ("MultiheadAttention(8, 4, dropout=0.3)", [f(6, 8), f(5, 8), f(5, 8)]),
    ("TransformerEncoderLayer(8, 2, 16, dropout=0.2)", [f(5, 3, 8)]),
    ("TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation='gelu', norm_first=True, "
     "batch_first=True, bias=False)", [f(3, 5, 8)]),
    ("TransformerDecoderLayer(8, 2, 16, dropout=0.2)", [f(4, 3, 8), f(5, 3, 8)]),
    ("TransformerEncoder(torch.nn.TransformerEncoderLayer(8, 2, 16), 2, torch.nn.LayerNorm(8))",
     [f(5, 3, 8)]),
    ("TransformerDecoder(torch.nn.TransformerDecoderLayer(8, 2, 16, norm_first=True), 2)",
     [f(4, 3, 8), f(5, 3, 8)]),
    ("Transformer(8, 2, 2, 1, 16)", [f(5, 3, 8), f(4, 3, 8)]),
]  # fmt: skip


def made(module, text):
    module.manual_seed(5)
    return eval(f"torch.nn.{text}", {"torch": module})


def inputs(module, arrays):
    return [module.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]


def tensors(result):
    """The tensors in an output, which may be a tuple of tuples."""
    if isinstance(result, tuple):
        return [x for part in result for x in tensors(part)]
    return [] if result is None else [result]


def close(ours, theirs, what):
    assert tuple(ours.shape) == tuple(theirs.shape), what
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1], what
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-4, atol=1e-5, err_msg=what
    )


def same_state(ours, theirs):
    ours, theirs = ours.state_dict(), theirs.state_dict()
    assert list(ours) == list(theirs)
    for key in ours:
        close(ours[key], theirs[key], key)


def backward(outputs):
    sum((x * x.detach().cos()).sum() for x in outputs if x.requires_grad).backward()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    "text, arrays", MODULES, ids=[f"{n}-{m[0]}" for n, m in enumerate(MODULES)]
)
def test_parity(text, arrays):
    torch = pytest.importorskip("torch")
    ours, theirs = made(tallow, text), made(torch, text)
    lazy = text.startswith("Lazy")
    assert lazy or repr(ours) == repr(theirs)
    if not lazy:
        same_state(ours, theirs)
    for mode in (True, False):
        ours.train(mode), theirs.train(mode)
        x, y = inputs(tallow, arrays), inputs(torch, arrays)
        got, expected = tensors(ours(*x)), tensors(theirs(*y))
        assert len(got) == len(expected)
        for n, (a, b) in enumerate(zip(got, expected, strict=True)):
            close(a, b, f"output {n}")
        if lazy:
            assert repr(ours) == repr(theirs)
        if any(b.requires_grad for b in expected):
            backward(got), backward(expected)
        slopes = [*x, *ours.parameters()], [*y, *theirs.parameters()]
        for n, (a, b) in enumerate(zip(*slopes, strict=True)):
            assert (a.grad is None) == (b.grad is None), f"gradient {n}"
            if a.grad is not None:
                close(a.grad, b.grad, f"gradient {n}")
        same_state(ours, theirs)


def outcome(module, text, arrays, change):
    """The outputs for changed inputs, or None if there is an error."""
    model = made(module, text)
    try:
        return tensors(model(*[change(module, module.tensor(x)) for x in arrays]))
    except (RuntimeError, ValueError, IndexError, AssertionError):
        return None


def emptied(module, x):
    return x[:0]


def strided(module, x):
    return module.stack([x, x], -1)[..., 0]


def turned(module, x):
    return x.transpose(0, -1).contiguous().transpose(0, -1) if x.ndim > 1 else x


# Batches of nothing: PyTorch fails, or gives the mean of nothing as 0, or forgets a shape.
NOTHING = ("InstanceNorm", "LazyInstanceNorm", "MultiMargin", "MultiLabelMargin", "PixelUnshuffle",
           "EmbeddingBag(7, 3, mode='sum'")  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("change", [emptied, strided, turned], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "text, arrays", MODULES, ids=[f"{n}-{m[0]}" for n, m in enumerate(MODULES)]
)
def test_empty_batches_and_layouts(text, arrays, change):
    torch = pytest.importorskip("torch")
    if change is emptied and text.startswith(NOTHING):
        return
    with np.errstate(all="ignore"):
        ours, theirs = (outcome(module, text, arrays, change) for module in (tallow, torch))
    assert (ours is None) == (theirs is None)
    for n, (a, b) in enumerate(zip(ours or (), theirs or (), strict=True)):
        close(a, b, f"output {n}")
