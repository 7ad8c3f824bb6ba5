"""What nn says to mistakes: PyTorch's exception types, and what was expected, got, to be done."""

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.nn import functional as F


def f(*shape):
    return np.random.default_rng(1).standard_normal(shape)


X, LABELS = f(5, 4), np.array([0, 3, 2, 1, 3])

# A call that is wrong for PyTorch too, its operands, and what our message says.
CALLS = [
    # Shapes
    ("linear(x, w)", {"x": f(2, 3), "w": f(5, 4)},
     r"linear: expected input with 4 features in its last dimension, got float64 \(2, 3\)"),
    ("bilinear(x, y, w)", {"x": f(2, 3), "y": f(2, 4), "w": f(5, 3, 3)}, "bilinear: expected"),
    ("conv2d(x, w)", {"x": f(1, 4, 5, 5), "w": f(2, 3, 3, 3)},
     r"conv2d: expected input with 3 channels, got float64 \(1, 4, 5, 5\) with 4"),
    ("conv2d(x, w)", {"x": f(1, 3, 2, 2), "w": f(2, 3, 3, 3)}, "at least as large as the kernel"),
    ("conv2d(x, w)", {"x": f(4, 5), "w": f(2, 3, 3, 3)}, r"expected input \(N, C, H, W\) or"),
    ("conv2d(x, w, stride=0)", {"x": f(1, 3, 4, 4), "w": f(2, 3, 3, 3)}, "stride, dilation"),
    ("conv2d(x, w, b)", {"x": f(1, 3, 4, 4), "w": f(2, 3, 3, 3), "b": f(3)}, r"bias \(2,\), got"),
    ("conv1d(x, w, padding='same', stride=2)", {"x": f(1, 3, 4), "w": f(2, 3, 3)}, "stride 1"),
    ("conv_transpose2d(x, w)", {"x": f(1, 4, 5, 5), "w": f(3, 2, 3, 3)}, "conv_transpose2d: exp"),
    ("conv_transpose1d(x, w, output_padding=2)", {"x": f(1, 3, 5), "w": f(3, 2, 3)},
     "output_padding below stride"),
    ("max_pool2d(x, 3)", {"x": f(1, 2, 2, 2)}, "at least as large as the kernel"),
    ("max_pool2d(x, 2, padding=2)", {"x": f(1, 2, 4, 4)}, "at most half the kernel"),
    ("max_pool1d(x, 2)", {"x": f(4)}, r"expected input \(N, C, L\) or \(C, L\)"),
    ("avg_pool2d(x, 2, divisor_override=0)", {"x": f(1, 2, 4, 4)}, "divisor_override other than 0"),
    ("max_unpool2d(x, i, 2, output_size=(9, 9))",
     {"x": f(1, 1, 2, 2), "i": np.zeros((1, 1, 2, 2), np.int64)}, "output_size that differs"),
    ("fractional_max_pool2d(x, 2, 7)", {"x": f(1, 1, 7, 7)}, "that fit into the input"),
    ("adaptive_avg_pool2d(x, (2, 2, 2))", {"x": f(1, 1, 7, 7)}, "adaptive_avg_pool2d: expected"),
    ("unfold(x, 5)", {"x": f(1, 1, 3, 3)}, "as large as the windows"),
    ("fold(x, (4, 4), 2)", {"x": f(1, 4, 7)}, r"expected columns \(N, C \* 4, 9\)"),
    ("batch_norm(x, None, None, training=True)", {"x": f(1, 3)}, "more than one value per channel"),
    ("instance_norm(x)", {"x": f(2, 3, 1)}, "more than one position"),
    ("layer_norm(x, (3,))", {"x": f(2, 4)}, r"layer_norm: expected input \(..., 3\), got"),
    ("group_norm(x, 3)", {"x": f(2, 4, 5)}, "C divided by 3 groups"),
    ("local_response_norm(x, 2)", {"x": f(2, 4)}, r"expected input \(N, C, ...\)"),
    ("pad(x, (1, 2, 3))", {"x": f(2, 4)}, r"a pair \(before, after\)"),
    ("pad(x, (4, 0), 'reflect')", {"x": f(1, 2, 4)}, "reflect padding of at most 3"),
    ("pad(x, (1, 1), 'mirror')", {"x": f(1, 2, 4)}, "got 'mirror'"),
    ("pixel_shuffle(x, 2)", {"x": f(1, 3, 4, 4)}, r"expected \(..., C \* 4, H, W\)"),
    ("channel_shuffle(x, 3)", {"x": f(1, 4, 4)}, "C divided by 3"),
    ("glu(x)", {"x": f(2, 3)}, "expected an even size along dim -1"),
    ("prelu(x, w)", {"x": f(2, 3), "w": f(4)}, "prelu: expected weight"),
    ("scaled_dot_product_attention(x, y, y)", {"x": f(2, 3), "y": f(4, 5)}, r"query \(..., L, E\)"),
    ("interpolate(x, (2, 2))", {"x": f(1, 1, 4)}, "interpolate: expected"),
    ("interpolate(x)", {"x": f(1, 1, 4)}, "either size or scale_factor"),
    ("interpolate(x, 2, 2)", {"x": f(1, 1, 4)}, "either size or scale_factor"),
    ("interpolate(x, 2, mode='linear')", {"x": f(1, 1, 4, 4)}, "1 spatial dims for mode 'linear'"),
    ("interpolate(x, 2, align_corners=True)", {"x": f(1, 1, 4)}, "no align_corners with mode"),
    ("interpolate(x, 2, antialias=True)", {"x": f(1, 1, 4)}, "with antialias, got 'nearest'"),
    ("grid_sample(x, y, 'cubic', align_corners=True)", {"x": f(1, 1, 4, 4), "y": f(1, 2, 2, 2)},
     "got 'cubic'"),
    ("grid_sample(x, y, align_corners=True)", {"x": f(1, 1, 4, 4), "y": f(1, 2, 2, 3)},
     r"grid \(N, H', W', 2\)"),
    ("affine_grid(x, (2, 1, 3, 3), align_corners=True)", {"x": f(1, 2, 3)}, "affine_grid: exp"),
    # Losses
    ("cross_entropy(x, y)", {"x": X, "y": LABELS + 1},
     r"expected labels from 0 to 3 .* got 4 at position 1"),
    ("cross_entropy(x, y)", {"x": X, "y": LABELS - 1}, "got -1 at position 0"),
    ("cross_entropy(x, y, label_smoothing=0.1)", {"x": X, "y": LABELS + 1}, "labels from 0"),
    ("nll_loss(x, y)", {"x": X, "y": LABELS + 1}, "nll_loss: expected labels from 0 to 3"),
    ("cross_entropy(x, y)", {"x": X, "y": LABELS[:3]}, r"a target \(5,\) of class indices"),
    ("cross_entropy(x, y, w.detach())", {"x": X, "y": LABELS, "w": f(3)}, r"weight \(4,\)"),
    ("cross_entropy(x, y, label_smoothing=1.5)", {"x": X, "y": LABELS}, "label_smoothing from 0"),
    ("mse_loss(x, x, reduction='avg')", {"x": X}, "'none', 'mean' or 'sum', got 'avg'"),
    ("binary_cross_entropy(x, y)", {"x": X, "y": f(5, 4)}, "probabilities between 0 and 1"),
    ("binary_cross_entropy(x, y)", {"x": X, "y": f(5)}, "input and target of one shape"),
    ("binary_cross_entropy_with_logits(x, y)", {"x": X, "y": f(5)}, "of one shape"),
    ("smooth_l1_loss(x, x, beta=-1)", {"x": X}, "beta of 0 or more"),
    ("huber_loss(x, x, delta=0)", {"x": X}, "delta above 0"),
    ("gaussian_nll_loss(x, x, y)", {"x": X, "y": f(3, 4)}, r"expected var of shape \(5, 4\)"),
    ("gaussian_nll_loss(x, x, -y.abs())", {"x": X, "y": X}, "expected var of 0 or more"),
    ("multi_margin_loss(x, y, p=3)", {"x": X, "y": LABELS}, "p of 1 or 2"),
    ("multi_margin_loss(x, y)", {"x": X, "y": LABELS + 1}, "expected labels from 0 to 3"),
    ("margin_ranking_loss(x, y, x)", {"x": X, "y": f(5)}, "of as many dimensions"),
    ("triplet_margin_loss(x, x, x, margin=-1)", {"x": X}, "a margin above 0"),
    ("ctc_loss(x, y, (9,), (2,))", {"x": f(6, 1, 3), "y": np.array([[1, 2]])}, "lengths up to 6"),
    # Indices and dtypes
    ("embedding(x, w)", {"x": np.array([0, 7]), "w": f(7, 3)},
     r"embedding: expected indices from 0 to 6, got 7 at position 1"),
    ("embedding(x, w)", {"x": f(2), "w": f(7, 3)}, "expected indices of int64"),
    ("embedding_bag(x, w)", {"x": np.array([0, 1]), "w": f(7, 3)}, "with offsets"),
    ("embedding_bag(x, w, mode='min')", {"x": np.array([[0, 1]]), "w": f(7, 3)}, "got 'min'"),
    ("embedding_bag(x, w, per_sample_weights=p)",
     {"x": np.array([[0, 1]]), "w": f(7, 3), "p": f(1, 2)}, "mode 'sum' with per_sample_weights"),
    ("one_hot(x, 2)", {"x": np.array([0, 2])}, "expected indices from 0 to 1, got 2"),
    ("linear(x, w)", {"x": f(2, 4).astype(np.float32), "w": f(5, 4)},
     r"expected input of the weight's dtype tallow.float64, got float32 \(2, 4\); convert"),
    ("conv2d(x, w)", {"x": f(1, 3, 4, 4).astype(np.float32), "w": f(2, 3, 3, 3)}, "weight's dtype"),
    ("gelu(x)", {"x": LABELS}, r"expected a floating-point tensor, got int64 \(5,\); convert with"),
    ("softmax(x, 2)", {"x": X}, "expected a dim between -2 and 1"),
    ("dropout(x, 1.5)", {"x": X}, "a probability p between 0 and 1, got 1.5"),
    ("celu(x, 0)", {"x": X}, "celu: expected alpha other than 0"),
    ("hardtanh(x, 1, -1)", {"x": X}, "min_val <= max_val"),
]  # fmt: skip


@pytest.mark.parametrize("call, operands, message", CALLS, ids=[c[0] for c in CALLS])
def test_of_functions(parity, call, operands, message):
    parity.fails(f"torch.nn.functional.{call}", message, **operands)


def path_of(act):
    with pytest.raises(Exception) as caught:
        act()
    return str(caught.value)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.features(x))


def test_a_forgotten_flatten_names_the_layer_and_both_shapes():
    message = path_of(lambda: Net()(tallow.ones(1, 3, 6, 6)))
    assert (
        "expected input with 4 features in its last dimension, got float32 (1, 4, 2, 2)" in message
    )
    assert message.endswith("in Net.head, Linear(in_features=4, out_features=2, bias=True)")


def test_channels_last_names_the_layer():
    message = path_of(lambda: Net()(tallow.ones(1, 6, 6, 3)))
    assert "conv2d: expected input with 3 channels, got float32 (1, 6, 6, 3) with 6" in message
    assert "the last dim has that many: bring it first with .movedim(-1, 1)" in message
    assert "Net.features.0, Conv2d(3, 4" in message


def test_a_dtype_clash_names_the_layer():
    message = path_of(lambda: Net().double()(tallow.ones(1, 3, 6, 6)))
    assert "dtype tallow.float64, got float32 (1, 3, 6, 6); convert one with .to(" in message
    assert "Net.features.0" in message


def test_a_label_out_of_range_names_it():
    message = path_of(lambda: nn.CrossEntropyLoss()(tallow.ones(2, 3), tallow.tensor([0, 3])))
    assert "got 3 at position 1 of int64 (2,); the input is float32 (2, 3), with 3 class" in message
    assert message.endswith("in CrossEntropyLoss()")


def test_a_missing_super_init():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)

    message = path_of(Forgetful)
    assert "call super().__init__() first in Forgetful.__init__" in message


def test_broadcast_targets_warn():
    with pytest.warns(UserWarning, match="mse_loss: expected input and target of one shape"):
        F.mse_loss(tallow.ones(3, 1), tallow.ones(3))


@pytest.mark.parametrize(
    "act, hint",
    [
        (lambda: nn.Linear(12, 2)(tallow.ones(5, 3, 2, 2)), "with .flatten(1) or nn.Flatten()"),
        (lambda: nn.Linear(12, 2)(tallow.ones(5, 3)), "the weight is float32 (2, 12), (out_"),
        (lambda: nn.Conv2d(3, 4, 3)(tallow.ones(1, 5, 6, 6)), "the weight is float32 (4, 3, 3, 3)"),
        (lambda: nn.Conv2d(1, 4, 3)(tallow.ones(6, 6)), "add the channel dim with .unsqueeze(0)"),
        (lambda: nn.Linear(12, 2)(tallow.ones(3, 2, 2)), "a sample without a batch: add that dim"),
        (lambda: nn.BatchNorm2d(3)(tallow.ones(3, 5, 5)), "add the batch dim with .unsqueeze(0)"),
        (lambda: nn.ConvTranspose2d(3, 4, 3)(tallow.ones(1, 5, 5, 3)), "with .movedim(-1, 1)"),
        (lambda: nn.BatchNorm2d(3)(tallow.ones(2, 4, 5, 5)),
         "for the channels of float32 (2, 4, 5, 5), got float32 (3,)"),
    ],
)  # fmt: skip
def test_hints(act, hint):
    assert hint in path_of(act)
