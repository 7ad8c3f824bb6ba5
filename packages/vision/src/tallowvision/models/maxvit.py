"""MaxViT: convolution, attention in windows and attention on a grid (Tu et al., 2022)."""

from functools import partial

import numpy as np

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.models._windows import from_windows, relative_bias, relative_index, to_windows
from tallowvision.ops import StochasticDepth
from tallowvision.ops.misc import Conv2dNormActivation, SqueezeExcitation


class MBConv(nn.Module):
    """A norm, 1 x 1 to more channels, 3 x 3 in each, channels weighted, 1 x 1; a shortcut."""

    def __init__(
        self, in_channels, out_channels, expansion_ratio, squeeze_ratio, stride, activation_layer,
        norm_layer, p_stochastic_dropout=0.0,
    ):  # fmt: skip
        super().__init__()
        self.proj = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            pool = [nn.AvgPool2d(3, stride, 1)] if stride == 2 else []
            self.proj = nn.Sequential(*pool, nn.Conv2d(in_channels, out_channels, 1))
        width, squeezed = int(out_channels * expansion_ratio), int(out_channels * squeeze_ratio)
        active = {"norm_layer": norm_layer, "activation_layer": activation_layer, "inplace": None}
        self.stochastic_depth = StochasticDepth(p_stochastic_dropout, "row")
        self.layers = nn.Sequential()
        self.layers.pre_norm = norm_layer(in_channels)
        self.layers.conv_a = Conv2dNormActivation(in_channels, width, 1, **active)
        self.layers.conv_b = Conv2dNormActivation(width, width, 3, stride, groups=width, **active)
        self.layers.squeeze_excitation = SqueezeExcitation(width, squeezed, activation=nn.SiLU)
        self.layers.conv_c = nn.Conv2d(width, out_channels, 1)

    def forward(self, x):
        return self.proj(x) + self.stochastic_depth(self.layers(x))


class RelativePositionalMultiHeadAttention(nn.Module):
    """Attention within the windows of (N, windows, size * size, C), with a bias by offset."""

    def __init__(self, feat_dim, head_dim, size):
        super().__init__()
        if feat_dim % head_dim:
            raise ArgumentError(
                f"MaxVit: expected a multiple of {head_dim} channels, got {feat_dim}"
            )
        self.n_heads = feat_dim // head_dim
        self.to_qkv = nn.Linear(feat_dim, 3 * feat_dim)
        self.scale_factor = feat_dim**-0.5
        self.merge = nn.Linear(feat_dim, feat_dim)
        table = tallow.empty((2 * size - 1) ** 2, self.n_heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        self.register_buffer("relative_position_index", relative_index((size, size)))

    def forward(self, x):
        *outer, places, _ = x.shape
        qkv = self.to_qkv(x).reshape(*outer, places, 3, self.n_heads, -1)
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5).unbind(0)
        table, index = self.relative_position_bias_table, self.relative_position_index
        bias = relative_bias(table, index, places)
        x = F.scaled_dot_product_attention(q, k, v, bias, scale=self.scale_factor)
        return self.merge(x.transpose(2, 3).flatten(3))


class PartitionAttentionLayer(nn.Module):
    """Attention of (N, C, H, W) within windows of p x p, or among the pixels of a grid of p x p."""

    def __init__(
        self, in_channels, head_dim, partition_size, grid, mlp_ratio, activation_layer,
        attention_dropout, mlp_dropout, p_stochastic_dropout,
    ):  # fmt: skip
        super().__init__()
        self.size, self.grid = partition_size, grid
        self.attn_layer = nn.Sequential(
            nn.LayerNorm(in_channels),
            RelativePositionalMultiHeadAttention(in_channels, head_dim, partition_size),
            nn.Dropout(attention_dropout),
        )
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(in_channels),
            nn.Linear(in_channels, in_channels * mlp_ratio),
            activation_layer(),
            nn.Linear(in_channels * mlp_ratio, in_channels),
            nn.Dropout(mlp_dropout),
        )
        self.stochastic_dropout = StochasticDepth(p_stochastic_dropout, "row")

    def forward(self, x):
        sizes = x.shape[2:]
        steps = [size // self.size if self.grid else self.size for size in sizes]
        x = to_windows(x.permute(0, 2, 3, 1), steps)
        x = x.transpose(1, 2) if self.grid else x  # places far apart attend to each other
        x = x + self.stochastic_dropout(self.attn_layer(x))
        x = x + self.stochastic_dropout(self.mlp_layer(x))
        x = x.transpose(1, 2) if self.grid else x
        return from_windows(x, steps, sizes).permute(0, 3, 1, 2)


class MaxVitLayer(nn.Module):
    """`MBConv`, attention in windows, attention on a grid."""

    def __init__(
        self, in_channels, out_channels, squeeze_ratio, expansion_ratio, stride, norm_layer,
        activation_layer, head_dim, mlp_ratio, mlp_dropout, attention_dropout, partition_size,
        p_stochastic_dropout,
    ):  # fmt: skip
        super().__init__()
        self.layers = nn.Sequential()
        self.layers.MBconv = MBConv(
            in_channels, out_channels, expansion_ratio, squeeze_ratio, stride, activation_layer,
            norm_layer, p_stochastic_dropout,
        )  # fmt: skip
        for name, grid in (("window_attention", False), ("grid_attention", True)):
            attention = PartitionAttentionLayer(
                out_channels, head_dim, partition_size, grid, mlp_ratio, activation_layer,
                attention_dropout, mlp_dropout, p_stochastic_dropout,
            )  # fmt: skip
            self.layers.add_module(name, attention)

    def forward(self, x):
        return self.layers(x)


class MaxVitBlock(nn.Module):
    """Layers the first of which halves the size; `p_stochastic` has a probability for each."""

    def __init__(self, in_channels, out_channels, p_stochastic, **kwargs):
        super().__init__()
        self.layers = nn.ModuleList()
        for i, probability in enumerate(p_stochastic):
            channels, stride = (in_channels, 2) if i == 0 else (out_channels, 1)
            self.layers.append(
                MaxVitLayer(
                    channels, out_channels, stride=stride, p_stochastic_dropout=probability,
                    **kwargs,
                )
            )  # fmt: skip

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class MaxVit(nn.Module):
    """Images (N, 3, *input_size) to class scores (N, num_classes).

    After every block the size, half of that before, has to be a multiple of `partition_size`.
    """

    def __init__(
        self, input_size, stem_channels, partition_size, block_channels, block_layers, head_dim,
        stochastic_depth_prob, norm_layer=None, activation_layer=nn.GELU, squeeze_ratio=0.25,
        expansion_ratio=4, mlp_ratio=4, mlp_dropout=0.0, attention_dropout=0.0, num_classes=1000,
    ):  # fmt: skip
        super().__init__()
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        self.input_size = tuple(input_size)
        self.partition_size = partition_size
        self._check_size(len(block_channels))
        active = {"norm_layer": norm_layer, "activation_layer": activation_layer, "inplace": None}
        self.stem = nn.Sequential(
            Conv2dNormActivation(3, stem_channels, 3, 2, bias=False, **active),
            Conv2dNormActivation(
                stem_channels, stem_channels, 3, norm_layer=None, activation_layer=None, bias=True
            ),
        )
        self.blocks = nn.ModuleList()
        probabilities = iter(np.linspace(0, stochastic_depth_prob, sum(block_layers)).tolist())
        before = stem_channels
        for channels, count in zip(block_channels, block_layers, strict=True):
            block = MaxVitBlock(
                before, channels, [next(probabilities) for _ in range(count)],
                squeeze_ratio=squeeze_ratio, expansion_ratio=expansion_ratio,
                norm_layer=norm_layer, activation_layer=activation_layer, head_dim=head_dim,
                mlp_ratio=mlp_ratio, mlp_dropout=mlp_dropout, attention_dropout=attention_dropout,
                partition_size=partition_size,
            )  # fmt: skip
            self.blocks.append(block)
            before = channels
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(before),
            nn.Linear(before, before),
            nn.Tanh(),
            nn.Linear(before, num_classes, bias=False),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def _check_size(self, count):
        sizes = [-(-size // 2) for size in self.input_size]
        for _ in range(count):
            sizes = [-(-size // 2) for size in sizes]
            if any(size % self.partition_size for size in sizes):
                height, width = self.input_size
                raise ArgumentError(
                    "MaxVit: expected an input_size whose halves are multiples of "
                    f"{self.partition_size}, got {height} x {width}"
                )

    def forward(self, x):
        if tuple(x.shape[-2:]) != self.input_size:
            expected, got = (" x ".join(map(str, s)) for s in (self.input_size, x.shape[-2:]))
            raise ShapeError(f"MaxVit: expected images of {expected}, got {got}; see input_size")
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(x)


def _maxvit(input_size=(224, 224), **kwargs):
    return MaxVit(input_size, **kwargs)


maxvit_t, MaxVit_T_Weights = variant(
    "MaxVit_T",
    _maxvit,
    stem_channels=64,
    block_channels=(64, 128, 256, 512),
    block_layers=(2, 2, 5, 2),
    head_dim=32,
    stochastic_depth_prob=0.2,
    partition_size=7,
)
