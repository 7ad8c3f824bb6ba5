"""Transformers with attention in shifted windows (Liu et al., 2021), and version 2 (2022)."""

import math

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size
from tallowvision.models._windows import ShiftedWindowAttention, relative_bias
from tallowvision.ops import Permute, StochasticDepth
from tallowvision.ops.misc import MLP


def _merge(x):
    """Four pixels of (..., H, W, C) in one: (..., H/2, W/2, 4C)."""
    height, width = x.shape[-3:-1]
    x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
    return tallow.cat([x[..., row::2, column::2, :] for row, column in corners], -1)


class PatchMerging(nn.Module):
    """Half the size, twice the channels: (..., H, W, C) to (..., H/2, W/2, 2C)."""

    def __init__(self, dim, norm_layer=nn.LayerNorm):
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(4 * dim)

    def forward(self, x):
        return self.reduction(self.norm(_merge(x)))


class PatchMergingV2(nn.Module):
    """As `PatchMerging`, with the norm after the reduction."""

    def __init__(self, dim, norm_layer=nn.LayerNorm):
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(2 * dim)

    def forward(self, x):
        return self.norm(self.reduction(_merge(x)))


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Cosines in place of products; the bias is a network's of the offset's logarithm."""

    def __init__(self, dim, window_size, shift_size, num_heads, **kwargs):
        super().__init__(dim, window_size, shift_size, num_heads, **kwargs)
        self.logit_scale = nn.Parameter(tallow.full((num_heads, 1, 1), math.log(10)))
        self.cpb_mlp = nn.Sequential(
            nn.Linear(2, 512), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False)
        )

    def define_relative_position_bias_table(self):
        axes = [
            tallow.arange(1 - size, size, dtype=tallow.float) / (size - 1)
            for size in self.window_size
        ]
        offsets = 8 * tallow.stack(tallow.meshgrid(*axes, indexing="ij"), -1)
        table = offsets.sign() * (offsets.abs() + 1).log2() / 3
        self.register_buffer("relative_coords_table", table[None])

    def get_relative_position_bias(self, window):
        table = self.cpb_mlp(self.relative_coords_table).reshape(-1, self.num_heads)
        bias = relative_bias(table, self.relative_position_index, math.prod(window))
        return 16 * bias.sigmoid()

    def project(self, x):
        bias = self.qkv.bias
        if bias is not None:  # keys have none
            first, second, third = bias.chunk(3)
            bias = tallow.cat([first, tallow.zeros_like(second), third])
        q, k, v = self._heads(x, bias)
        scale = self.logit_scale.clamp(max=math.log(100)).exp()
        return F.normalize(q, dim=-1) * scale, F.normalize(k, dim=-1), v, 1.0


class SwinTransformerBlock(nn.Module):
    """Attention in windows, then a network at each place, each after a norm beside a shortcut."""

    attention: type = ShiftedWindowAttention

    def __init__(
        self, dim, num_heads, window_size, shift_size, mlp_ratio=4.0, dropout=0.0,
        attention_dropout=0.0, stochastic_depth_prob=0.0, norm_layer=nn.LayerNorm, attn_layer=None,
    ):  # fmt: skip
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = (attn_layer or self.attention)(
            dim, window_size, shift_size, num_heads, attention_dropout=attention_dropout,
            dropout=dropout,
        )  # fmt: skip
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        self.mlp = MLP(dim, [int(dim * mlp_ratio), dim], activation_layer=nn.GELU, dropout=dropout)
        for module in self.mlp.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.normal_(module.bias, std=1e-6)

    def forward(self, x):
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """As `SwinTransformerBlock`, with the norms at the end of the branches."""

    attention = ShiftedWindowAttentionV2

    def forward(self, x):
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


def make_stages(
    embed_dim, depths, num_heads, window_size, stochastic_depth_prob, block, downsample_layer,
    norm_layer, **kwargs,
):  # fmt: skip
    """The stages, and what lies between them; every second block's windows are shifted."""
    layers, total, number = [], sum(depths), 0
    for i, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
        dim, stage = embed_dim * 2**i, []
        for j in range(depth):
            shift = [size // 2 if j % 2 else 0 for size in window_size]
            probability = stochastic_depth_prob * number / (total - 1)
            stage.append(
                block(
                    dim, heads, window_size, shift, norm_layer=norm_layer,
                    stochastic_depth_prob=probability, **kwargs,
                )
            )  # fmt: skip
            number += 1
        layers.append(nn.Sequential(*stage))
        if i < len(depths) - 1:
            layers.append(downsample_layer(dim, norm_layer))
    return layers


def initialize_linear(model):
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class SwinTransformer(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes)."""

    def __init__(
        self, patch_size, embed_dim, depths, num_heads, window_size, mlp_ratio=4.0, dropout=0.0,
        attention_dropout=0.0, stochastic_depth_prob=0.1, num_classes=1000, norm_layer=nn.LayerNorm,
        block=SwinTransformerBlock, downsample_layer=PatchMerging,
    ):  # fmt: skip
        super().__init__()
        self.num_classes = num_classes
        self.patch_size = tuple(patch_size)
        stem = nn.Sequential(
            nn.Conv2d(3, embed_dim, self.patch_size, stride=self.patch_size),
            Permute([0, 2, 3, 1]),
            norm_layer(embed_dim),
        )
        stages = make_stages(
            embed_dim, depths, num_heads, window_size, stochastic_depth_prob, block,
            downsample_layer, norm_layer, mlp_ratio=mlp_ratio, dropout=dropout,
            attention_dropout=attention_dropout,
        )  # fmt: skip
        self.features = nn.Sequential(stem, *stages)
        width = embed_dim * 2 ** (len(depths) - 1)
        self.norm = norm_layer(width)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(width, num_classes)
        initialize_linear(self)

    def forward(self, x):
        require_size("SwinTransformer", x, *self.patch_size)
        x = self.permute(self.norm(self.features(x)))
        return self.head(self.flatten(self.avgpool(x)))


TINY = {"embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)}
SMALL = {"embed_dim": 96, "depths": (2, 2, 18, 2), "num_heads": (3, 6, 12, 24)}
BASE = {"embed_dim": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)}
V2 = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}


def _variant(stem, size, window, stochastic_depth_prob, **kwargs):
    return variant(
        stem, SwinTransformer, patch_size=(4, 4), window_size=(window, window),
        stochastic_depth_prob=stochastic_depth_prob, **size, **kwargs,
    )  # fmt: skip


swin_t, Swin_T_Weights = _variant("Swin_T", TINY, 7, 0.2)
swin_s, Swin_S_Weights = _variant("Swin_S", SMALL, 7, 0.3)
swin_b, Swin_B_Weights = _variant("Swin_B", BASE, 7, 0.5)
swin_v2_t, Swin_V2_T_Weights = _variant("Swin_V2_T", TINY, 8, 0.2, **V2)
swin_v2_s, Swin_V2_S_Weights = _variant("Swin_V2_S", SMALL, 8, 0.3, **V2)
swin_v2_b, Swin_V2_B_Weights = _variant("Swin_V2_B", BASE, 8, 0.5, **V2)
