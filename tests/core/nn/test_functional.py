"""Functions of nn.functional against PyTorch's: results and gradients, in float64."""

import numpy as np
import pytest

import tallow
from tallow.nn import functional as F

rng = np.random.default_rng(7)


def f(*shape, low=None, high=None):
    """Random numbers: normal ones, or uniform ones between two limits."""
    return rng.standard_normal(shape) if low is None else rng.uniform(low, high, shape)


def i(*shape, high):
    """Random integers from 0 below a limit."""
    return rng.integers(0, high, shape)


# A call, and its operands.
POOLING = [
    ("max_pool1d(x, 3, stride=2, padding=1, dilation=2)", {"x": f(2, 3, 7)}),
    ("max_pool1d(x, 2, return_indices=True)", {"x": f(3, 8)}),
    ("max_pool2d(x, 3, stride=2, padding=1, return_indices=True)", {"x": f(2, 3, 7, 6)}),
    ("max_pool2d(x, (2, 3), ceil_mode=True, return_indices=True)", {"x": f(2, 3, 7, 8)}),
    ("max_pool2d(x, 2, 2, 1, ceil_mode=True)", {"x": f(3, 5, 5)}),
    ("max_pool2d(x - float('inf'), 2, 2, 1, return_indices=True)", {"x": f(2, 3, 4, 5)}),
    ("max_pool2d(x, 2)", {"x": f(0, 3, 5, 5)}),
    ("max_pool2d(x, 2)", {"x": i(2, 3, 4, 4, high=9)}),
    ("max_pool3d(x, 2, stride=(1, 2, 2), return_indices=True)", {"x": f(1, 2, 5, 6, 4)}),
    ("max_pool2d_with_indices(x, 3, 1)", {"x": f(1, 2, 4, 4)}),
    ("max_unpool1d(x, at, 2)", {"x": f(2, 2, 3), "at": np.array([[[0, 3, 5]] * 2] * 2)}),
    ("max_unpool2d(x, at, 2, 2)", {"x": f(1, 1, 2, 2), "at": np.array([[[[0, 3], [8, 11]]]])}),
    ("max_unpool2d(x, at, 2, output_size=(3, 4))",
     {"x": f(1, 1, 1, 2), "at": np.array([[[[7, 3]]]])}),
    ("max_unpool3d(x, at, 2)", {"x": f(1, 1, 1, 1, 2), "at": np.array([[[[[1, 12]]]]])}),
    ("avg_pool1d(x, 3, stride=2, padding=1)", {"x": f(2, 3, 7)}),
    ("avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True)", {"x": f(2, 3, 7, 6)}),
    ("avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)", {"x": f(2, 3, 7, 6)}),
    ("avg_pool2d(x, (2, 3), divisor_override=4)", {"x": f(3, 7, 6)}),
    ("avg_pool3d(x, 2, stride=1, padding=1)", {"x": f(1, 2, 5, 4, 6)}),
    ("lp_pool1d(x, 2, 3, stride=2)", {"x": f(2, 3, 7)}),
    ("lp_pool2d(x, 3, 2, ceil_mode=True)", {"x": f(2, 3, 6, 7, low=0.1, high=2)}),
    ("lp_pool3d(x, 2, 2)", {"x": f(1, 2, 4, 4, 5)}),
    ("adaptive_avg_pool1d(x, 3)", {"x": f(2, 3, 7)}),
    ("adaptive_avg_pool2d(x, (3, 6))", {"x": f(2, 3, 7, 6)}),
    ("adaptive_avg_pool2d(x, (4, None))", {"x": f(2, 3, 8, 6)}),
    ("adaptive_avg_pool2d(x, 7)", {"x": f(3, 4, 5)}),
    ("adaptive_avg_pool2d(x, (3, 2))", {"x": f(1, 2, 40, 33)}),
    ("adaptive_avg_pool3d(x, (2, 3, 1))", {"x": f(1, 2, 5, 4, 3)}),
    ("adaptive_max_pool1d(x, 3, return_indices=True)", {"x": f(2, 3, 7)}),
    ("adaptive_max_pool2d(x, (3, None), return_indices=True)", {"x": f(2, 3, 7, 6)}),
    ("adaptive_max_pool2d(x, (4, 2), return_indices=True)", {"x": f(2, 3, 8, 6)}),
    ("adaptive_max_pool3d(x, (2, 3, 3), return_indices=True)", {"x": f(1, 2, 5, 4, 7)}),
    ("fractional_max_pool2d(x, 2, (4, 5), return_indices=True, _random_samples=places.detach())",
     {"x": f(2, 3, 9, 8), "places": f(2, 3, 2, low=0, high=1)}),
    ("fractional_max_pool2d(x, (2, 3), output_ratio=(0.5, 0.6), _random_samples=places.detach())",
     {"x": f(3, 9, 8), "places": f(1, 3, 2, low=0, high=1)}),
    ("fractional_max_pool3d(x, 2, 3, return_indices=True, _random_samples=places.detach())",
     {"x": f(1, 2, 7, 8, 6), "places": f(1, 2, 3, low=0, high=1)}),
]  # fmt: skip

SIGNAL, IMAGE, VOLUME = {"x": f(2, 2, 7)}, {"x": f(2, 2, 7, 5)}, {"x": f(1, 2, 4, 3, 5)}
BYTES = {"x": i(1, 2, 7, 5, high=256).astype(np.uint8)}
RESIZING = [
    ("interpolate(x, 10)", SIGNAL),
    ("interpolate(x, 7)", SIGNAL),
    ("interpolate(x, scale_factor=2)", SIGNAL),
    ("interpolate(x, scale_factor=0.6, mode='nearest-exact')", SIGNAL),
    ("interpolate(x, 4, mode='linear')", SIGNAL),
    ("interpolate(x, scale_factor=1.7, mode='linear', align_corners=True)", SIGNAL),
    ("interpolate(x, (3, 11))", IMAGE),
    ("interpolate(x, scale_factor=(1.3, 0.7))", IMAGE),
    ("interpolate(x, scale_factor=(1.1, 0.7), recompute_scale_factor=True)", IMAGE),
    ("interpolate(x, scale_factor=(1.05, 0.7), mode='bilinear')", IMAGE),
    ("interpolate(x, 6, mode='area')", IMAGE),
    ("interpolate(x, scale_factor=0.5, mode='area')", IMAGE),
    ("interpolate(x, (4, 9), mode='bilinear')", IMAGE),
    ("interpolate(x, (1, 9), mode='bilinear', align_corners=True)", IMAGE),
    ("interpolate(x, scale_factor=1.4, mode='bilinear', recompute_scale_factor=True)", IMAGE),
    ("interpolate(x, (4, 9), mode='bicubic')", IMAGE),
    ("interpolate(x, (14, 5), mode='bicubic', align_corners=True)", IMAGE),
    ("interpolate(x, scale_factor=0.8, mode='bicubic')", IMAGE),
    ("interpolate(x, (3, 9), mode='bilinear', antialias=True)", IMAGE),
    ("interpolate(x, (3, 2), mode='bicubic', antialias=True)", IMAGE),
    ("interpolate(x.byte(), (13, 5), mode='bilinear')", {"x": i(2, 3, 8, 9, high=256)}),
    ("interpolate(x.byte(), (19, 25), mode='bicubic')", {"x": i(2, 3, 8, 9, high=256)}),
    (
        "interpolate(x.byte(), (5, 4), mode='bicubic', antialias=True)",
        {"x": i(2, 3, 8, 9, high=256)},
    ),
    ("interpolate(x, (4, 3), mode='bilinear', antialias=True, align_corners=True)", IMAGE),
    ("interpolate(x, (3, 9), mode='lanczos', antialias=True)", IMAGE),
    ("interpolate(x, (3, 5, 2))", VOLUME),
    ("interpolate(x, scale_factor=1.5, mode='trilinear')", VOLUME),
    ("interpolate(x, (3, 5, 2), mode='trilinear', align_corners=True)", VOLUME),
    ("interpolate(x, (3, 5, 2), mode='area')", VOLUME),
    ("interpolate(x, (3, 9))", BYTES),
    ("upsample(x, scale_factor=2, mode='bilinear')", IMAGE),
    ("upsample_nearest(x, scale_factor=2)", IMAGE),
    ("upsample_bilinear(x, scale_factor=2)", IMAGE),
]

GRID = IMAGE | {"grid": f(2, 4, 3, 2, low=-1.4, high=1.4)}
GRID3 = VOLUME | {"grid": f(1, 3, 2, 4, 3, low=-1.3, high=1.3)}
PADDING = ("zeros", "border", "reflection")
SAMPLING = [
    ("affine_grid(theta, (2, 1, 3, 4), align_corners=True)", {"theta": f(2, 2, 3)}),
    ("affine_grid(theta, (2, 1, 3, 1), align_corners=False)", {"theta": f(2, 2, 3)}),
    ("affine_grid(theta, (1, 1, 3, 2, 4))", {"theta": f(1, 3, 4)}),
    *[(f"grid_sample(x, grid{cut}, {mode!r}, {pad!r}, {align})", GRID)
      for mode, cut in (("bilinear", ""), ("nearest", ".detach()"), ("bicubic", ""))
      for pad in PADDING for align in (True, False)],
    *[(f"grid_sample(x, grid{cut}, {mode!r}, {pad!r})", GRID3)
      for mode, cut in (("bilinear", ""), ("nearest", ".detach()")) for pad in PADDING],
]  # fmt: skip

X, Y = f(5, 4), f(5, 4)
PAIR = {"x": X, "y": Y}
SIGNS = np.array([1, -1, -1, 1, 1])
CLASSES, SOME_CLASSES = np.array([0, 3, 2, 1, 3]), np.array([0, 3, -100, 1, 3])
WEIGHT = np.array([0.5, 1.0, 2.0, 0.1])
SIMPLEX = np.exp(X) / np.exp(X).sum(1, keepdims=True)
IMAGES, MAPS = f(2, 3, 4, 5), i(2, 4, 5, high=3)
POSITIVE = f(5, 4, low=0.1, high=3)
COUNTS = i(5, 4, high=6).astype(float)
LABELS = np.array([[1, 3, -1, 2], [0, -1, 3, 3], [-1, 0, 1, 2], [3, 2, 1, 0], [2, 2, -1, 0]])
LOSSES = [
    ("mse_loss(x, y, weight=w.detach())", PAIR | {"w": POSITIVE}),
    ("l1_loss(x, y, weight=w.detach())", PAIR | {"w": POSITIVE}),
    ("huber_loss(x, y, delta=0.7, weight=w.detach())", PAIR | {"w": POSITIVE}),
    ("huber_loss(x, y, delta=0.7)", PAIR),
    ("smooth_l1_loss(x, y, beta=0)", PAIR),
    ("smooth_l1_loss(x, y, beta=0.3)", PAIR),
    ("mse_loss(x, y[:1])", PAIR),
    ("mse_loss(x, y.float())", PAIR),
    ("mse_loss(x, y, size_average=False)", PAIR),
    ("mse_loss(x, y, reduce=False)", PAIR),
    ("binary_cross_entropy(x, y, weight=w.detach())",
     {"x": SIMPLEX, "y": f(5, 4, low=0, high=1), "w": WEIGHT}),
    ("binary_cross_entropy_with_logits(x, y, pos_weight=w.detach())", PAIR | {"w": WEIGHT}),
    ("binary_cross_entropy_with_logits(x, y)", PAIR),
    ("kl_div(x, y)", {"x": X, "y": SIMPLEX}),
    ("kl_div(x, y, reduction='batchmean', log_target=True)", PAIR),
    ("gaussian_nll_loss(x, y, v, full=True)", PAIR | {"v": POSITIVE}),
    ("gaussian_nll_loss(x, y, v, eps=1.0)", PAIR | {"v": f(5, low=0.1, high=3)}),
    ("gaussian_nll_loss(x, y, v)", PAIR | {"v": f(5, 1, low=0.1, high=3)}),
    ("gaussian_nll_loss(x, y, 2.0)", PAIR),
    ("poisson_nll_loss(x, y.detach(), full=True)", {"x": X, "y": COUNTS}),
    ("poisson_nll_loss(x, y, log_input=False)", {"x": POSITIVE, "y": COUNTS}),
    ("cross_entropy(x, y)", {"x": X, "y": CLASSES}),
    ("cross_entropy(x[0], y[0])", {"x": X, "y": CLASSES}),
    ("cross_entropy(x, y)", {"x": IMAGES, "y": MAPS}),
    ("cross_entropy(x, y, w.detach(), ignore_index=2, label_smoothing=0.1)",
     {"x": IMAGES, "y": MAPS, "w": WEIGHT[:3]}),
    ("cross_entropy(x, y, label_smoothing=0.2)", {"x": X, "y": SOME_CLASSES}),
    ("cross_entropy(x, y, label_smoothing=0.2, reduction='sum')", {"x": X, "y": SOME_CLASSES}),
    ("cross_entropy(x, y, w.detach(), reduction='none')",
     {"x": X, "y": SOME_CLASSES, "w": WEIGHT}),
    ("cross_entropy(x, y, w.detach(), label_smoothing=0.2)", {"x": X, "y": SIMPLEX, "w": WEIGHT}),
    ("cross_entropy(x, y[:0])", {"x": f(0, 4), "y": CLASSES}),
    ("nll_loss(x, y, w.detach(), ignore_index=1)", {"x": IMAGES, "y": MAPS, "w": WEIGHT[:3]}),
    ("nll_loss(x, y, reduction='sum')", {"x": X, "y": SOME_CLASSES}),
    ("multi_margin_loss(x, y, p=2, margin=0.5)", {"x": X, "y": CLASSES}),
    ("multi_margin_loss(x, y, weight=w.detach(), reduction='none')",
     {"x": X, "y": CLASSES, "w": WEIGHT}),
    ("multi_margin_loss(x[0], y[0])", {"x": X, "y": CLASSES}),
    ("multilabel_margin_loss(x, y)", {"x": X, "y": LABELS}),
    ("multilabel_margin_loss(x, y, reduction='none')", {"x": X, "y": LABELS}),
    ("multilabel_margin_loss(x[0], y[0])", {"x": X, "y": LABELS}),
    ("multilabel_soft_margin_loss(x, y, w.detach())", PAIR | {"w": WEIGHT}),
    ("soft_margin_loss(x, y.detach().sign())", PAIR),
    ("linear_cross_entropy(x, w, y)", {"x": X, "w": f(4, 4), "y": SOME_CLASSES}),
    ("linear_cross_entropy(x, w, y, linear_bias=b, label_smoothing=0.1)",
     {"x": X, "w": f(3, 2, 4), "b": f(3, 2), "y": i(5, 2, high=3)}),
    ("margin_ranking_loss(x, y, t.sign(), margin=0.3)", PAIR | {"t": f(5, 4)}),
    ("hinge_embedding_loss(x, y, margin=0.5)", {"x": X[:, 0], "y": SIGNS}),
    ("cosine_embedding_loss(x, y, t, margin=0.2)", PAIR | {"t": SIGNS}),
    ("cosine_embedding_loss(x[0], y[0], t[1])", PAIR | {"t": SIGNS}),
    ("triplet_margin_loss(x, y, z, p=1, swap=True)", PAIR | {"z": f(5, 4)}),
    ("triplet_margin_loss(x, y, z, margin=2, reduction='none')", PAIR | {"z": f(5, 4)}),
    ("triplet_margin_with_distance_loss(x, y, z, swap=True)", PAIR | {"z": f(5, 4)}),
    ("pairwise_distance(x, y)", PAIR),
    ("pairwise_distance(x, y, 1, keepdim=True)", PAIR),
    ("pairwise_distance(x, y[0], float('inf'), 0)", PAIR),
    ("cosine_similarity(x, y)", PAIR),
    ("cosine_similarity(x[:, None], y[None], dim=-1)", PAIR),
    ("cosine_similarity(x * 0, y, dim=0)", PAIR),
    ("pdist(x)", {"x": X}),
    ("pdist(x, 1)", {"x": X}),
]  # fmt: skip

SCORES = {"x": f(9, 3, 5), "y": np.array([[1, 2, 2, 1], [3, 3, 0, 0], [4, 1, 2, 3]])}
FLAT = SCORES | {"y": np.array([1, 2, 2, 1, 3, 3, 4, 1, 2])}
CTC = [
    (f"ctc_loss(x.log_softmax(2), y, {inputs}, {lengths}, {blank}, {how!r}, {zero})", operands)
    for operands, inputs, lengths, blank, zero in [
        (SCORES, (9, 6, 8), (4, 2, 3), 0, False),
        (FLAT, (9, 6, 8), (4, 2, 3), 0, False),
        (SCORES, (9, 9, 2), (3, 0, 4), 0, True),
        (SCORES | {"y": SCORES["y"] % 4}, (9, 9, 9), (4, 4, 4), 4, False),
    ]
    for how in ("mean", "sum", "none")
] + [
    ("ctc_loss(x.log_softmax(1)[:, 0], y[0, :3], torch.tensor(8), torch.tensor(3))", SCORES),
    ("ctc_loss(x, y, (9, 9, 9), (4, 2, 3))", {"x": np.log(f(9, 3, 5, low=0.1, high=0.3))} | {
        "y": SCORES["y"]}),
]  # fmt: skip

Q, K, V = f(2, 4, 3, 6), f(2, 4, 5, 6), f(2, 4, 5, 7)
QKV = {"q": Q, "k": K, "v": V}
SEEN = i(2, 1, 3, 5, high=2).astype(bool) | (np.arange(5) == 2)
ATTENTION = [
    ("scaled_dot_product_attention(q, k, v)", QKV),
    ("scaled_dot_product_attention(q, k, v, is_causal=True)", QKV),
    ("scaled_dot_product_attention(q, k, v, mask, scale=0.3)", QKV | {"mask": f(3, 5)}),
    ("scaled_dot_product_attention(q, k, v, mask)", QKV | {"mask": SEEN}),
    ("scaled_dot_product_attention(q, k, v, mask)",
     QKV | {"mask": SEEN & (np.arange(3) > 0)[:, None]}),
    ("scaled_dot_product_attention(q[0, 0], k[0, 0], v[0, 0], dropout_p=0.0)", QKV),
    ("scaled_dot_product_attention(q, k[:, :2], v[:, :2], enable_gqa=True)", QKV),
    ("scaled_dot_product_attention(q, k[:, :1], v[:, :1], mask, enable_gqa=True)",
     QKV | {"mask": SEEN}),
]  # fmt: skip

TABLE, PICKS = f(7, 3), i(4, 5, high=7)
BAG = {"x": PICKS.reshape(-1), "w": TABLE, "at": np.array([0, 3, 3, 11])}
EMBEDDING = [
    ("embedding(x, w, padding_idx=-1)", {"x": PICKS, "w": TABLE}),
    ("embedding(x, w, scale_grad_by_freq=True)", {"x": PICKS, "w": TABLE}),
    ("embedding(x, w.detach(), max_norm=1.0)", {"x": PICKS, "w": TABLE}),
    ("one_hot(x)", {"x": PICKS}),
    *[(f"embedding_bag(x, w, mode={mode!r}, padding_idx=2)", {"x": PICKS, "w": TABLE})
      for mode in ("sum", "mean", "max")],
    *[(f"embedding_bag(x, w, at, mode={mode!r}, padding_idx=-2)", BAG)
      for mode in ("sum", "mean", "max")],
    ("embedding_bag(x, w, at, include_last_offset=True)", BAG | {"at": np.array([0, 2, 2, 20])}),
    ("embedding_bag(x, w, at, mode='sum', per_sample_weights=p, padding_idx=1)",
     BAG | {"p": f(20)}),
    ("embedding_bag(x, w, mode='sum', per_sample_weights=p)",
     {"x": PICKS, "w": TABLE, "p": f(4, 5)}),
    ("embedding_bag(x, w.detach(), at, max_norm=1.0, norm_type=1)", BAG),
]  # fmt: skip

CONVOLUTION = [
    ("conv1d(x, w, b, 2, 1, 2)", {"x": f(2, 3, 9), "w": f(4, 3, 3), "b": f(4)}),
    ("conv1d(x, w, padding='same')", {"x": f(3, 8), "w": f(4, 3, 4)}),
    ("conv2d(x, w, b, (2, 1), (1, 0), groups=2)",
     {"x": f(2, 4, 6, 5), "w": f(6, 2, 3, 2), "b": f(6)}),
    ("conv2d(x, w, dilation=(1, 2), padding='valid')", {"x": f(2, 4, 5), "w": f(3, 2, 2, 2)}),
    ("conv2d(x, w, groups=3)", {"x": f(2, 3, 5, 5), "w": f(6, 1, 3, 3)}),
    ("conv2d(x, w)", {"x": f(0, 3, 5, 5), "w": f(6, 3, 3, 3)}),
    ("conv3d(x, w, b, 2, (1, 0, 1))", {"x": f(1, 2, 5, 4, 6), "w": f(3, 2, 2, 3, 2), "b": f(3)}),
    ("conv_transpose1d(x, w, b, 2, 1, 1)", {"x": f(2, 3, 4), "w": f(3, 2, 3), "b": f(2)}),
    ("conv_transpose2d(x, w, b, (2, 3), 1, (1, 2), groups=2, dilation=2)",
     {"x": f(2, 4, 3, 4), "w": f(4, 3, 3, 2), "b": f(6)}),
    ("conv_transpose2d(x, w)", {"x": f(2, 3, 4), "w": f(2, 3, 2, 2)}),
    ("conv_transpose3d(x, w, stride=2)", {"x": f(1, 2, 2, 3, 2), "w": f(2, 3, 2, 2, 2)}),
    ("conv_tbc(x, w, b, 1)", {"x": f(5, 2, 3), "w": f(3, 3, 4), "b": f(4)}),
    ("unfold(x, (2, 3), dilation=2, padding=1, stride=2)", {"x": f(2, 3, 6, 7)}),
    ("unfold(x, 2)", {"x": f(3, 4, 4)}),
    ("fold(x, (4, 5), 2, padding=1, stride=2)", {"x": f(2, 12, 9)}),
    ("fold(x, (4, 4), 2)", {"x": f(8, 9)}),
]  # fmt: skip

LINEAR = [
    ("linear(x, w, b)", {"x": f(2, 3, 4), "w": f(5, 4), "b": f(5)}),
    ("linear(x, w[0])", {"x": f(3, 4), "w": f(5, 4)}),
    ("bilinear(x, y, w, b)", {"x": f(2, 3, 4), "y": f(2, 3, 5), "w": f(6, 4, 5), "b": f(6)}),
]

NORMALISATION = [
    (
        "batch_norm(x, m.detach(), v.detach(), w, b, eps=0.1)",
        {"x": f(4, 3, 5), "m": f(3), "v": f(3, low=0.1, high=2), "w": f(3), "b": f(3)},
    ),
    ("batch_norm(x, None, None, w, b, True)", {"x": f(4, 3), "w": f(3), "b": f(3)}),
    ("batch_norm(x, None, None, None, b, True)", {"x": f(4, 3, 2, 2), "b": f(3)}),
    ("instance_norm(x, weight=w, bias=b)", {"x": f(2, 3, 5), "w": f(3), "b": f(3)}),
    ("layer_norm(x, (3, 5), w, b)", {"x": f(2, 3, 5), "w": f(3, 5), "b": f(3, 5)}),
    ("layer_norm(x, (5,))", {"x": f(0, 5)}),
    ("rms_norm(x, (5,), w)", {"x": f(2, 3, 5), "w": f(5)}),
    ("group_norm(x, 2, w, b)", {"x": f(2, 4, 3), "w": f(4), "b": f(4)}),
    ("local_response_norm(x, 3, 0.5, 0.6, 2.0)", {"x": f(2, 5, 4)}),
    ("local_response_norm(x, 2)", {"x": f(2, 5, 3, 4)}),
    ("normalize(x)", {"x": f(3, 4)}),
    ("normalize(x, 1, dim=-1)", {"x": f(3, 4)}),
    ("normalize(x * 0, dim=0)", {"x": f(3, 4)}),
]

PLAIN = {"x": f(4, 6)}
ACTIVATION = [
    *[(call, PLAIN) for call in (
        "elu(x, 0.7)", "gelu(x)", "gelu(x, approximate='tanh')", "glu(x)",
        "glu(x, 0)", "hardshrink(x, 0.3)", "hardswish(x * 3)",
        "hardtanh(x, -0.5, 0.7)", "leaky_relu(x, 0.2)", "logsigmoid(x)", "mish(x)", "relu(x)",
        "relu6(x * 5)", "rrelu(x)", "selu(x)", "sigmoid(x)", "silu(x)", "softplus(x, 3, 2)",
        "softshrink(x, 0.3)", "softsign(x)", "tanh(x)", "tanhshrink(x)", "threshold(x, 0.1, 20)",
        "softmax(x, 1)", "softmin(x, 0)", "log_softmax(x, -1)",
        "softmax(x.float(), 1, dtype=torch.float64)",
        "celu_(x * 1)", "elu_(x * 1)", "hardtanh_(x * 1)", "leaky_relu_(x * 1)", "relu_(x * 1)",
        "selu_(x * 1)", "threshold_(x * 1, 0.1, 20)", "rrelu_(x * 1)",
        "relu(x * 1, inplace=True)")],
    ("celu(x, 0.7)", {"x": f(4, 6).astype(np.float32)}),
    ("hardsigmoid(x * 3)", {"x": f(4, 6).astype(np.float32)}),
    ("prelu(x, w)", PLAIN | {"w": f(6)}),
    ("prelu(x, w)", PLAIN | {"w": f(1)}),
    ("softmax(x, 0)", {"x": f()}),
]  # fmt: skip

PADDINGS = [
    ("pad(x, (1, 2))", {"x": f(3, 4)}),
    ("pad(x, (-1, 2, 0, -2), value=1.5)", {"x": f(3, 4)}),
    ("pad(x, (1, 2), 'reflect')", {"x": f(2, 3, 5)}),
    ("pad(x, (1, 2, 3, 0), 'replicate')", {"x": f(2, 3, 4, 5)}),
    ("pad(x, (1, 2, 3, 0), 'circular')", {"x": f(2, 3, 4, 5)}),
    ("pad(x, (1, 1, 1, 1, 1, 1), 'reflect')", {"x": f(1, 2, 3, 3, 3)}),
    ("pad(x, (-1, 1), 'replicate')", {"x": f(2, 3, 5)}),
    ("pad(x, (1, 2))", {"x": i(3, 4, high=9)}),
    ("pixel_shuffle(x, 2)", {"x": f(2, 8, 3, 4)}),
    ("pixel_unshuffle(x, 2)", {"x": f(2, 3, 4, 6)}),
    ("channel_shuffle(x, 3)", {"x": f(2, 6, 4)}),
]

CASES = [
    *POOLING, *RESIZING, *SAMPLING, *LOSSES, *CTC, *ATTENTION, *EMBEDDING, *CONVOLUTION, *LINEAR,
    *NORMALISATION, *ACTIVATION, *PADDINGS,
]  # fmt: skip


@pytest.mark.parametrize("call, operands", CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_parity(parity, call, operands):
    parity(f"torch.nn.functional.{call}", **operands)


RANDOM = [
    "dropout(x, 0.3)", "dropout(x, 1.0)", "dropout1d(x)", "dropout2d(x[None])",
    "dropout3d(x[None])", "alpha_dropout(x, 0.3, True)", "feature_alpha_dropout(x, 0.3, True)",
    "rrelu(x, training=True)",
    "gumbel_softmax(x, 0.7)", "gumbel_softmax(x, hard=True, dim=0)",
    "scaled_dot_product_attention(x, x, x, dropout_p=0.4)", "fractional_max_pool2d(x, 2, 3)",
]  # fmt: skip


@pytest.mark.parametrize("call", RANDOM)
def test_same_seed_same_numbers(parity, call):
    x = f(4, 6, 5).astype(np.float32)
    parity(f"torch.manual_seed(3)\ntorch.nn.functional.{call}", x=x, factor=10)


@pytest.mark.parametrize("call", ["batch_norm(x, m, v, training=True, momentum=0.3)",
                                  "instance_norm(x, m, v, momentum=0.3)"])  # fmt: skip
def test_running_statistics(parity, call):
    source = f"y = torch.nn.functional.{call}\n(y, m, v)"
    parity(source, x=f(4, 3, 5), m=f(3), v=f(3, low=0.1, high=2), gradients=False)


@pytest.mark.parametrize("shapes", [((5, 3), (2, 3, 4)), ((2, 5, 3), (3, 4)), ((5, 3), (3, 4)),
                                    ((2, 5, 3), (2, 3, 4))])  # fmt: skip
def test_grouped_mm(shapes):
    """PyTorch has it for bfloat16 only; here the products are written out."""
    a, b = (tallow.tensor(f(*shape)) for shape in shapes)
    ends = {(2, 3): [2, 5], (3, 2): [1, 4], (2, 2): [2, 3], (3, 3): None}[a.ndim, b.ndim]
    got = F.grouped_mm(a, b, offs=ends and tallow.tensor(ends, dtype=tallow.int32))
    x, y = a.numpy(), b.numpy()
    cuts = [slice(p, q) for p, q in zip([0, *ends], ends, strict=False)] if ends else []
    expected = {
        (2, 3): lambda: np.concatenate([x[c] @ w for c, w in zip(cuts, y, strict=True)]),
        (3, 2): lambda: np.concatenate([w @ y[:, c] for c, w in zip(cuts, x, strict=True)], 1),
        (2, 2): lambda: np.stack([x[:, c] @ y[c] for c in cuts]),
        (3, 3): lambda: x @ y,
    }[a.ndim, b.ndim]()
    np.testing.assert_allclose(got.numpy(), expected)


def test_embedding_bag_scales_by_frequency():
    """As embedding does; PyTorch divides by the frequency of another index."""
    slopes = []
    for call in (
        lambda x, w: F.embedding_bag(x, w, mode="sum", scale_grad_by_freq=True),
        lambda x, w: F.embedding(x, w, scale_grad_by_freq=True).sum(1),
    ):
        table = tallow.tensor(TABLE, requires_grad=True)
        (call(tallow.tensor(PICKS), table) ** 2).sum().backward()
        slopes.append(table.grad.numpy())
    np.testing.assert_allclose(*slopes)


@pytest.mark.parametrize("how", [{}, {"antialias": True}], ids=str)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_bytes_are_resized_to_within_one(mode, how):
    """PyTorch computes them with whole numbers."""
    torch = pytest.importorskip("torch")
    results = [
        module.nn.functional.interpolate(module.tensor(BYTES["x"]), (4, 9), mode=mode, **how)
        for module in (tallow, torch)
    ]
    ours, theirs = (x.numpy().astype(int) for x in results)
    assert results[0].dtype == tallow.uint8 and np.abs(ours - theirs).max() <= 1
