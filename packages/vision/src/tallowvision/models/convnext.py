"""ConvNeXt: a convolutional network after the model of transformers (Liu et al., 2022)."""

from dataclasses import dataclass
from functools import partial

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size
from tallowvision.ops import Permute, StochasticDepth
from tallowvision.ops.misc import Conv2dNormActivation

TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]  # where the channels of (N, C, H, W) go


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of (N, C, H, W)."""

    def forward(self, x):
        x = F.layer_norm(
            x.permute(TO_LAST), self.normalized_shape, self.weight, self.bias, self.eps
        )
        return x.permute(TO_FIRST)


class CNBlock(nn.Module):
    """7 x 7 in each channel, then a network in each pixel, beside a shortcut."""

    def __init__(self, dim, layer_scale, stochastic_depth_prob, norm_layer=None):
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, 7, padding=3, groups=dim),
            Permute(TO_LAST),
            norm_layer(dim),
            nn.Linear(dim, 4 * dim),
            nn.GELU(),
            nn.Linear(4 * dim, dim),
            Permute(TO_FIRST),
        )
        self.layer_scale = nn.Parameter(tallow.full((dim, 1, 1), layer_scale))
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, x):
        return x + self.stochastic_depth(self.layer_scale * self.block(x))


@dataclass
class CNBlockConfig:
    """A stage of `num_layers` blocks, and the channels after it: None at the end."""

    input_channels: int
    out_channels: int | None
    num_layers: int


class ConvNeXt(nn.Module):
    """Images (N, 3, H, W), of 32 pixels at least, to class scores (N, num_classes).

    A block is left out with a probability that grows to `stochastic_depth_prob` at the last one.
    """

    def __init__(
        self, block_setting, stochastic_depth_prob=0.0, layer_scale=1e-6, num_classes=1000,
        block=CNBlock, norm_layer=None,
    ):  # fmt: skip
        super().__init__()
        rows = block_setting
        if not rows or not all(isinstance(row, CNBlockConfig) for row in rows):
            raise ArgumentError(
                f"block_setting: expected a list of CNBlockConfig, got {block_setting!r}"
            )
        norm_layer = norm_layer or partial(LayerNorm2d, eps=1e-6)
        layers = [
            Conv2dNormActivation(
                3, rows[0].input_channels, 4, 4, 0, norm_layer=norm_layer, activation_layer=None,
                bias=True,
            )
        ]  # fmt: skip
        total, number = sum(row.num_layers for row in rows), 0
        for row in rows:
            width, stage = row.input_channels, []
            for _ in range(row.num_layers):
                probability = stochastic_depth_prob * number / (total - 1)
                stage.append(block(width, layer_scale, probability))
                number += 1
            layers.append(nn.Sequential(*stage))
            if row.out_channels is not None:
                down = nn.Conv2d(width, row.out_channels, 2, stride=2)
                layers.append(nn.Sequential(norm_layer(width), down))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        width = rows[-1].out_channels or rows[-1].input_channels
        self.classifier = nn.Sequential(
            norm_layer(width), nn.Flatten(1), nn.Linear(width, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x):
        require_size("ConvNeXt", x, 32, 32)
        return self.classifier(self.avgpool(self.features(x)))


def _convnext(widths, depths, **kwargs):
    rows = zip(widths, [*widths[1:], None], depths, strict=True)
    return ConvNeXt([CNBlockConfig(*row) for row in rows], **kwargs)


TINY, BASE, LARGE = (96, 192, 384, 768), (128, 256, 512, 1024), (192, 384, 768, 1536)

convnext_tiny, ConvNeXt_Tiny_Weights = variant(
    "ConvNeXt_Tiny", _convnext, TINY, (3, 3, 9, 3), stochastic_depth_prob=0.1
)
convnext_small, ConvNeXt_Small_Weights = variant(
    "ConvNeXt_Small", _convnext, TINY, (3, 3, 27, 3), stochastic_depth_prob=0.4
)
convnext_base, ConvNeXt_Base_Weights = variant(
    "ConvNeXt_Base", _convnext, BASE, (3, 3, 27, 3), stochastic_depth_prob=0.5
)
convnext_large, ConvNeXt_Large_Weights = variant(
    "ConvNeXt_Large", _convnext, LARGE, (3, 3, 27, 3), stochastic_depth_prob=0.5
)
