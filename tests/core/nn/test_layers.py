"""Every layer: its repr, and PyTorch's state, outputs and gradients for the same seed."""

import numpy as np
import pytest

import tallow
from tallow import nn

# The class, its positional and keyword arguments, the shapes of its inputs, its repr in PyTorch.
LAYERS = [
    ("Identity", (3,), {}, [(2, 3)], "Identity()"),
    ("Linear", (3, 4), {}, [(2, 5, 3)], "Linear(in_features=3, out_features=4, bias=True)"),
    ("Linear", (3, 4), {"bias": False}, [(3,)],
     "Linear(in_features=3, out_features=4, bias=False)"),
    ("Bilinear", (3, 4, 5), {}, [(2, 3), (2, 4)],
     "Bilinear(in1_features=3, in2_features=4, out_features=5, bias=True)"),
    ("Conv1d", (4, 6, 3), {"stride": 2, "groups": 2}, [(2, 4, 9)],
     "Conv1d(4, 6, kernel_size=(3,), stride=(2,), groups=2)"),
    ("Conv2d", (3, 4, 3), {"padding": 1}, [(2, 3, 6, 5)],
     "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"),
    ("Conv2d", (2, 4, (3, 2)), {"bias": False, "padding": "same", "dilation": 2}, [(1, 2, 7, 6)],
     "Conv2d(2, 4, kernel_size=(3, 2), stride=(1, 1), padding=same, dilation=(2, 2), bias=False)"),
    ("Conv2d", (2, 4, 3), {"padding": "same", "padding_mode": "reflect"}, [(1, 2, 5, 6)],
     "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1), padding=same, padding_mode=reflect)"),
    ("Conv2d", (2, 4, 3), {"padding": (1, 2), "padding_mode": "circular"}, [(1, 2, 5, 6)],
     "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 2), padding_mode=circular)"),
    ("BatchNorm1d", (4,), {}, [(6, 4)],
     "BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
    ("BatchNorm1d", (4,), {"affine": False, "momentum": None}, [(6, 4, 3)],
     "BatchNorm1d(4, eps=1e-05, momentum=None, affine=False, bias=False, "
     "track_running_stats=True)"),
    ("BatchNorm2d", (3,), {"bias": False}, [(2, 3, 4, 5)],
     "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=True)"),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, [(2, 3, 4, 5)],
     "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=False)"),
    ("BatchNorm3d", (3,), {}, [(2, 3, 2, 3, 2)],
     "BatchNorm3d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
    ("LayerNorm", (5,), {}, [(2, 3, 5)],
     "LayerNorm((5,), eps=1e-05, elementwise_affine=True, bias=True)"),
    ("LayerNorm", ((3, 5),), {"bias": False}, [(2, 3, 5)],
     "LayerNorm((3, 5), eps=1e-05, elementwise_affine=True, bias=False)"),
    ("RMSNorm", (5,), {}, [(2, 3, 5)], "RMSNorm((5,), eps=None, elementwise_affine=True)"),
    ("RMSNorm", (5,), {"eps": 1e-3, "elementwise_affine": False}, [(2, 3, 5)],
     "RMSNorm((5,), eps=0.001, elementwise_affine=False)"),
    ("GroupNorm", (2, 6), {}, [(2, 6, 4)], "GroupNorm(2, 6, eps=1e-05, affine=True, bias=True)"),
    ("GroupNorm", (3, 6), {"affine": False}, [(2, 6, 4, 3)],
     "GroupNorm(3, 6, eps=1e-05, affine=False, bias=False)"),
    ("Dropout", (0.3,), {}, [(4, 5)], "Dropout(p=0.3, inplace=False)"),
    ("Dropout1d", (), {}, [(4, 5, 3)], "Dropout1d(p=0.5, inplace=False)"),
    ("Dropout2d", (), {}, [(4, 5, 3, 2)], "Dropout2d(p=0.5, inplace=False)"),
    ("Flatten", (), {}, [(2, 3, 4)], "Flatten(start_dim=1, end_dim=-1)"),
    ("Unflatten", (1, (2, -1)), {}, [(3, 6)], "Unflatten(dim=1, unflattened_size=(2, -1))"),
    ("MaxPool1d", (2,), {}, [(2, 3, 7)],
     "MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    ("MaxPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, [(2, 3, 7, 6)],
     "MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=True)"),
    ("AvgPool1d", (2,), {}, [(2, 3, 7)], "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))"),
    ("AvgPool2d", ((3, 2),), {"padding": 1, "count_include_pad": False}, [(2, 3, 7, 6)],
     "AvgPool2d(kernel_size=(3, 2), stride=(3, 2), padding=1)"),
    ("AdaptiveAvgPool1d", (3,), {}, [(2, 3, 7)], "AdaptiveAvgPool1d(output_size=3)"),
    ("AdaptiveAvgPool2d", ((3, None),), {}, [(2, 3, 7, 5)],
     "AdaptiveAvgPool2d(output_size=(3, None))"),
    ("AdaptiveMaxPool2d", (3,), {}, [(2, 3, 7, 5)], "AdaptiveMaxPool2d(output_size=3)"),
    ("ReLU", (), {}, [(3, 4)], "ReLU()"),
    ("ReLU", (True,), {}, [(3, 4)], "ReLU(inplace=True)"),
    ("ReLU6", (), {}, [(3, 4)], "ReLU6()"),
    ("LeakyReLU", (0.2,), {}, [(3, 4)], "LeakyReLU(negative_slope=0.2)"),
    ("LeakyReLU", (0.2, True), {}, [(3, 4)], "LeakyReLU(negative_slope=0.2, inplace=True)"),
    ("PReLU", (4,), {}, [(3, 4)], "PReLU(num_parameters=4)"),
    ("ELU", (0.5,), {}, [(3, 4)], "ELU(alpha=0.5)"),
    ("CELU", (0.5,), {}, [(3, 4)], "CELU(alpha=0.5)"),
    ("SELU", (), {}, [(3, 4)], "SELU()"),
    ("GELU", (), {}, [(3, 4)], "GELU(approximate='none')"),
    ("GELU", ("tanh",), {}, [(3, 4)], "GELU(approximate='tanh')"),
    ("SiLU", (), {}, [(3, 4)], "SiLU()"),
    ("Mish", (), {}, [(3, 4)], "Mish()"),
    ("Hardswish", (), {}, [(3, 4)], "Hardswish()"),
    ("Hardsigmoid", (), {}, [(3, 4)], "Hardsigmoid()"),
    ("Hardtanh", (-0.5, 0.7), {}, [(3, 4)], "Hardtanh(min_val=-0.5, max_val=0.7)"),
    ("Threshold", (0.1, 2.0), {}, [(3, 4)], "Threshold(threshold=0.1, value=2.0)"),
    ("Sigmoid", (), {}, [(3, 4)], "Sigmoid()"),
    ("LogSigmoid", (), {}, [(3, 4)], "LogSigmoid()"),
    ("Tanh", (), {}, [(3, 4)], "Tanh()"),
    ("Tanhshrink", (), {}, [(3, 4)], "Tanhshrink()"),
    ("Softplus", (2,), {}, [(3, 4)], "Softplus(beta=2, threshold=20.0)"),
    ("Softsign", (), {}, [(3, 4)], "Softsign()"),
    ("Softshrink", (), {}, [(3, 4)], "Softshrink(0.5)"),
    ("Hardshrink", (), {}, [(3, 4)], "Hardshrink(0.5)"),
    ("GLU", (), {}, [(3, 4)], "GLU(dim=-1)"),
    ("Softmax", (1,), {}, [(3, 4)], "Softmax(dim=1)"),
    ("LogSoftmax", (-1,), {}, [(3, 4)], "LogSoftmax(dim=-1)"),
    ("Softmin", (0,), {}, [(3, 4)], "Softmin(dim=0)"),
]  # fmt: skip

IDS = [f"{i}-{layer[0]}" for i, layer in enumerate(LAYERS)]
layers = pytest.mark.parametrize("name, args, kwargs, shapes, text", LAYERS, ids=IDS)


def leaves(arrays, module):
    """Copies of arrays as leaf tensors of tallow or torch."""
    return [module.tensor(array, requires_grad=True) for array in arrays]


def close(ours, theirs, **tolerance):
    tolerance = {"rtol": 1e-4, "atol": 1e-5} | tolerance
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), **tolerance)


def same_state(ours, theirs):
    assert list(ours) == list(theirs)
    for key in ours:
        assert tuple(ours[key].shape) == tuple(theirs[key].shape)
        close(ours[key], theirs[key])


@layers
def test_repr(name, args, kwargs, shapes, text):
    assert repr(getattr(nn, name)(*args, **kwargs)) == text


@layers
def test_parity(name, args, kwargs, shapes, text):
    torch = pytest.importorskip("torch")
    tallow.manual_seed(5)
    torch.manual_seed(5)
    ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
    assert repr(theirs) == text
    same_state(ours.state_dict(), theirs.state_dict())

    rng = np.random.default_rng(0)
    for mode in (True, False):
        ours.train(mode)
        theirs.train(mode)
        arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
        x, y = leaves(arrays, tallow), leaves(arrays, torch)
        # An inplace layer needs an input that is no leaf.
        out, expected = ours(*[t * 1 for t in x]), theirs(*[t * 1 for t in y])
        close(out, expected)
        ours.zero_grad()
        theirs.zero_grad()
        (out * out.cos()).sum().backward()
        (expected * expected.cos()).sum().backward()
        for a, b in zip([*x, *ours.parameters()], [*y, *theirs.parameters()], strict=True):
            close(a.grad, b.grad, rtol=1e-3, atol=1e-4)
        same_state(ours.state_dict(), theirs.state_dict())


@layers
def test_checkpoints_are_interchangeable(name, args, kwargs, shapes, text):
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
    state = {key: tallow.from_numpy(t.numpy()) for key, t in theirs.state_dict().items()}
    ours.load_state_dict(state)
    same_state(ours.state_dict(), theirs.state_dict())
    theirs.load_state_dict({k: torch.from_numpy(t.numpy()) for k, t in ours.state_dict().items()})


def test_golden_weights():
    """The first draws of a seeded layer, as PyTorch makes them; checked without PyTorch too."""
    tallow.manual_seed(0)
    layer = nn.Linear(2, 2)
    np.testing.assert_allclose(
        layer.weight.tolist(), [[-0.0053, 0.3793], [-0.5820, -0.5204]], atol=1e-4
    )
    np.testing.assert_allclose(layer.bias.tolist(), [-0.2723, 0.1896], atol=1e-4)
    tallow.manual_seed(0)
    np.testing.assert_allclose(
        nn.Embedding(2, 2).weight.tolist(), [[1.5410, -0.2934], [-2.1788, 0.5684]], atol=1e-4
    )


# Embedding takes indices


@pytest.mark.parametrize(
    "kwargs, text",
    [
        ({}, "Embedding(6, 3)"),
        ({"padding_idx": -2}, "Embedding(6, 3, padding_idx=4)"),
        ({"max_norm": 1.0, "norm_type": 1.0}, "Embedding(6, 3, max_norm=1.0, norm_type=1.0)"),
        ({"scale_grad_by_freq": True}, "Embedding(6, 3, scale_grad_by_freq=True)"),
    ],
)
def test_embedding(kwargs, text):
    torch = pytest.importorskip("torch")
    tallow.manual_seed(5)
    torch.manual_seed(5)
    ours, theirs = nn.Embedding(6, 3, **kwargs), torch.nn.Embedding(6, 3, **kwargs)
    assert repr(ours) == repr(theirs) == text
    same_state(ours.state_dict(), theirs.state_dict())
    indices = np.array([[0, 4, 4], [5, 1, 0]])
    out, expected = ours(tallow.tensor(indices)), theirs(torch.tensor(indices))
    close(out, expected)
    (out**2).sum().backward()
    (expected**2).sum().backward()
    close(ours.weight.grad, theirs.weight.grad)
    same_state(ours.state_dict(), theirs.state_dict())


def test_embedding_from_pretrained():
    table = nn.Embedding.from_pretrained(tallow.eye(3), padding_idx=0)
    assert not table.weight.requires_grad and table.weight.tolist() == tallow.eye(3).tolist()
    assert nn.Embedding.from_pretrained(tallow.eye(3), freeze=False).weight.requires_grad


# Options that the table above does not reach


def test_max_pool_returns_indices():
    out, indices = nn.MaxPool2d(2, return_indices=True)(tallow.arange(16.0).reshape(1, 1, 4, 4))
    assert out.flatten().tolist() == indices.flatten().tolist() == [5, 7, 13, 15]


def test_adaptive_max_pool_returns_indices():
    pool = nn.AdaptiveMaxPool2d(2, return_indices=True)
    out, indices = pool(tallow.arange(16.0).reshape(1, 1, 4, 4))
    assert out.flatten().tolist() == indices.flatten().tolist() == [5, 7, 13, 15]


def test_batch_norm_counts_and_resets():
    layer = nn.BatchNorm1d(2)
    layer(tallow.randn(4, 2))
    layer.eval()(tallow.randn(4, 2))
    assert layer.num_batches_tracked.item() == 1
    layer.reset_parameters()
    assert layer.num_batches_tracked.item() == 0 and layer.running_var.tolist() == [1, 1]


def test_prelu_resets():
    layer = nn.PReLU(2, init=0.1)
    layer.weight.detach().fill_(3)
    layer.reset_parameters()
    np.testing.assert_allclose(layer.weight.tolist(), [0.1, 0.1], rtol=1e-6)


def test_dtype_of_parameters():
    assert nn.Linear(2, 2, dtype=tallow.float64).weight.dtype == tallow.float64
    assert nn.Conv2d(2, 2, 3, dtype=tallow.float16).bias.dtype == tallow.float16
    assert nn.BatchNorm2d(2, dtype=tallow.float64).running_mean.dtype == tallow.float64
    assert nn.Embedding(2, 2, device="cpu", dtype=tallow.float64).weight.dtype == tallow.float64


def test_empty_linear():
    assert nn.Linear(0, 3)(tallow.ones(2, 0)).shape == (2, 3)


@pytest.mark.parametrize(
    "act, error, message",
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError,
         "Conv2d: expected in_channels and out_channels divisible by groups=2, got 3 and 4"),
        (lambda: nn.Conv2d(3, 4, 3, groups=0), ValueError, "expected groups > 0, got 0"),
        (lambda: nn.Conv2d(3, 4, 3, padding="full"), ValueError, "'same' or 'valid'"),
        (lambda: nn.Conv2d(3, 4, 3, 2, padding="same"), ValueError, "expected stride 1"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), ValueError, "got 'mirror'"),
        (lambda: nn.BatchNorm2d(3)(tallow.ones(2, 3)), ValueError,
         r"BatchNorm2d: expected \(N, C, H, W\), got \(2, 3\)"),
        (lambda: nn.BatchNorm1d(3)(tallow.ones(2)), ValueError,
         r"BatchNorm1d: expected \(N, C\) or \(N, C, L\), got \(2,\)"),
        (lambda: nn.GroupNorm(4, 6), ValueError, "num_channels divisible by num_groups=4, got 6"),
        (lambda: nn.Dropout(1.5), ValueError, "Dropout: expected a probability p .*, got 1.5"),
        (lambda: nn.Unflatten("C", (2, 3)), TypeError, "expected an integer as dim, got str"),
        (lambda: nn.Unflatten(1, 6), TypeError, "expected a tuple of integers as size, got int"),
        (lambda: nn.Hardtanh(1, 0), ValueError, "expected min_val < max_val, got 1 and 0"),
        (lambda: nn.Bilinear(0, 1, 1), ValueError, "Bilinear: expected in1_features > 0, got 0"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), ValueError, "within 3 embeddings, got 3"),
        (lambda: nn.Embedding(3, 2, _weight=tallow.ones(2, 2)), ValueError,
         r"Embedding: expected a weight \(3, 2\), got \(2, 2\)"),
        (lambda: nn.Embedding.from_pretrained(tallow.ones(2)), ValueError, "2 dimensions, got 1"),
        (lambda: nn.MSELoss(reduction="avg"), ValueError, "MSELoss: expected the reduction 'none'"),
    ],
)  # fmt: skip
def test_misuse_says_what_was_expected(act, error, message):
    with pytest.raises(error, match=message):
        act()
