"""EfficientNet, versions 1 and 2 (Tan and Le, 2019 and 2021)."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import variant
from tallowvision.models._utils import _make_divisible, initialize_convolutions
from tallowvision.ops import StochasticDepth
from tallowvision.ops.misc import Conv2dNormActivation, SqueezeExcitation

V1 = (  # expansion, kernel, stride, channels in, channels out, blocks
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
FUSED_S = ((1, 3, 1, 24, 24, 2), (4, 3, 2, 24, 48, 4), (4, 3, 2, 48, 64, 4))
V2_S = ((4, 3, 2, 64, 128, 6), (6, 3, 1, 128, 160, 9), (6, 3, 2, 160, 256, 15))
FUSED_M = ((1, 3, 1, 24, 24, 3), (4, 3, 2, 24, 48, 5), (4, 3, 2, 48, 80, 5))
V2_M = (
    (4, 3, 2, 80, 160, 7),
    (6, 3, 1, 160, 176, 14),
    (6, 3, 2, 176, 304, 18),
    (6, 3, 1, 304, 512, 5),
)
FUSED_L = ((1, 3, 1, 32, 32, 4), (4, 3, 2, 32, 64, 7), (4, 3, 2, 64, 96, 7))
V2_L = (
    (4, 3, 2, 96, 192, 10),
    (6, 3, 1, 192, 224, 19),
    (6, 3, 2, 224, 384, 25),
    (6, 3, 1, 384, 640, 7),
)


class _Block(nn.Module):
    """What both kinds have: a shortcut where that fits, past which blocks are left out at times."""

    def __init__(self, cnf, stochastic_depth_prob, layers):
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ArgumentError(f"{type(self).__name__}: expected stride 1 or 2, got {cnf.stride}")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, x):
        out = self.block(x)
        return self.stochastic_depth(out).add_(x) if self.use_res_connect else out


class MBConv(_Block):
    """1 x 1 to more channels, a kernel in each, channels weighted, 1 x 1 to few."""

    def __init__(self, cnf, stochastic_depth_prob, norm_layer, se_layer=SqueezeExcitation):
        inp, expanded = cnf.input_channels, cnf.expanded_channels
        active = {"norm_layer": norm_layer, "activation_layer": nn.SiLU}
        layers = []
        if expanded != inp:
            layers.append(Conv2dNormActivation(inp, expanded, 1, **active))
        layers += [
            Conv2dNormActivation(
                expanded, expanded, cnf.kernel, cnf.stride, groups=expanded, **active
            ),
            se_layer(expanded, max(1, inp // 4), activation=partial(nn.SiLU, inplace=True)),
            _linear(expanded, cnf.out_channels, norm_layer),
        ]
        super().__init__(cnf, stochastic_depth_prob, layers)


class FusedMBConv(_Block):
    """A kernel to more channels, 1 x 1 to few; or a single kernel without expansion."""

    def __init__(self, cnf, stochastic_depth_prob, norm_layer):
        inp, oup, expanded = cnf.input_channels, cnf.out_channels, cnf.expanded_channels
        wide = expanded if expanded != inp else oup
        layers = [
            Conv2dNormActivation(
                inp, wide, cnf.kernel, cnf.stride, norm_layer=norm_layer, activation_layer=nn.SiLU
            )
        ]
        if expanded != inp:
            layers.append(_linear(expanded, oup, norm_layer))
        super().__init__(cnf, stochastic_depth_prob, layers)


def _linear(inp, oup, norm_layer):
    return Conv2dNormActivation(inp, oup, 1, norm_layer=norm_layer, activation_layer=None)


@dataclass
class _Config:
    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: Any = None

    @staticmethod
    def adjust_channels(channels, width_mult, min_value=None):
        return _make_divisible(channels * width_mult, 8, min_value)

    @property
    def expanded_channels(self):
        return self.adjust_channels(self.input_channels, self.expand_ratio)


class MBConvConfig(_Config):
    """One stage: a row of table 1 of version 1, or of table 4 of version 2."""

    def __init__(
        self, expand_ratio, kernel, stride, input_channels, out_channels, num_layers,
        width_mult=1.0, depth_mult=1.0, block=MBConv,
    ):  # fmt: skip
        super().__init__(
            expand_ratio, kernel, stride, self.adjust_channels(input_channels, width_mult),
            self.adjust_channels(out_channels, width_mult), math.ceil(num_layers * depth_mult),
            block,
        )  # fmt: skip


class FusedMBConvConfig(_Config):
    """One stage of fused blocks: a row of table 4 of version 2."""

    def __init__(
        self, expand_ratio, kernel, stride, input_channels, out_channels, num_layers,
        block=FusedMBConv,
    ):  # fmt: skip
        super().__init__(
            expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block
        )


class EfficientNet(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes), through stages of a list of configs.

    A block is left out with a probability that grows to `stochastic_depth_prob` at the last one.
    """

    def __init__(
        self, inverted_residual_setting, dropout, stochastic_depth_prob=0.2, num_classes=1000,
        norm_layer=nn.BatchNorm2d, last_channel=None,
    ):  # fmt: skip
        super().__init__()
        setting = inverted_residual_setting
        if not setting or not all(isinstance(row, _Config) for row in setting):
            raise ArgumentError(
                "inverted_residual_setting: expected a list of MBConvConfig or FusedMBConvConfig, "
                f"got {setting!r}"
            )
        active = {"norm_layer": norm_layer, "activation_layer": nn.SiLU}
        layers = [Conv2dNormActivation(3, setting[0].input_channels, stride=2, **active)]
        total, number = sum(row.num_layers for row in setting), 0
        for row in setting:
            stage = []
            for i in range(row.num_layers):
                probability = stochastic_depth_prob * number / total
                stage.append(row.block(_at(row, i), probability, norm_layer))
                number += 1
            layers.append(nn.Sequential(*stage))
        width = setting[-1].out_channels
        last_channel = last_channel or 4 * width
        layers.append(Conv2dNormActivation(width, last_channel, 1, **active))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(last_channel, num_classes)
        )
        initialize_convolutions(self)
        bound = 1 / math.sqrt(num_classes)
        nn.init.uniform_(self.classifier[1].weight, -bound, bound)
        nn.init.zeros_(self.classifier[1].bias)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _at(row, i):
    """The config of block `i` of a stage: only the first changes the size and the channels."""
    if i == 0:
        return row
    return _Config(
        row.expand_ratio, row.kernel, 1, row.out_channels, row.out_channels, row.num_layers
    )


def _b(width, depth, dropout, **kwargs):
    """Version 1, scaled in width and depth."""
    setting = [MBConvConfig(*row, width_mult=width, depth_mult=depth) for row in V1]
    return EfficientNet(setting, dropout, **kwargs)


def _v2(fused, rest, dropout, **kwargs):
    setting = [FusedMBConvConfig(*row) for row in fused] + [MBConvConfig(*row) for row in rest]
    return EfficientNet(setting, dropout, last_channel=1280, **kwargs)


_slow = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
_near = partial(nn.BatchNorm2d, eps=0.001)

efficientnet_b0, EfficientNet_B0_Weights = variant("EfficientNet_B0", _b, 1.0, 1.0, dropout=0.2)
efficientnet_b1, EfficientNet_B1_Weights = variant("EfficientNet_B1", _b, 1.0, 1.1, dropout=0.2)
efficientnet_b2, EfficientNet_B2_Weights = variant("EfficientNet_B2", _b, 1.1, 1.2, dropout=0.3)
efficientnet_b3, EfficientNet_B3_Weights = variant("EfficientNet_B3", _b, 1.2, 1.4, dropout=0.3)
efficientnet_b4, EfficientNet_B4_Weights = variant("EfficientNet_B4", _b, 1.4, 1.8, dropout=0.4)
efficientnet_b5, EfficientNet_B5_Weights = variant(
    "EfficientNet_B5", _b, 1.6, 2.2, dropout=0.4, norm_layer=_slow
)
efficientnet_b6, EfficientNet_B6_Weights = variant(
    "EfficientNet_B6", _b, 1.8, 2.6, dropout=0.5, norm_layer=_slow
)
efficientnet_b7, EfficientNet_B7_Weights = variant(
    "EfficientNet_B7", _b, 2.0, 3.1, dropout=0.5, norm_layer=_slow
)
efficientnet_v2_s, EfficientNet_V2_S_Weights = variant(
    "EfficientNet_V2_S", _v2, FUSED_S, V2_S, dropout=0.2, norm_layer=_near
)
efficientnet_v2_m, EfficientNet_V2_M_Weights = variant(
    "EfficientNet_V2_M", _v2, FUSED_M, V2_M, dropout=0.3, norm_layer=_near
)
efficientnet_v2_l, EfficientNet_V2_L_Weights = variant(
    "EfficientNet_V2_L", _v2, FUSED_L, V2_L, dropout=0.4, norm_layer=_near
)
