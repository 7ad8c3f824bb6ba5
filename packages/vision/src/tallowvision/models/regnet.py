"""Networks of a designed space of residual bottlenecks (Radosavovic et al., 2020)."""

import math

import numpy as np

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import variant
from tallowvision.models._utils import (
    _make_divisible,
    initialize_convolutions,
    initialize_linear,
)
from tallowvision.ops.misc import Conv2dNormActivation, SqueezeExcitation


class BlockParams:
    """Depths, widths, widths of groups, bottleneck multipliers and strides of the stages."""

    def __init__(
        self, depths, widths, group_widths, bottleneck_multipliers, strides, se_ratio=None
    ):
        self.depths = depths
        self.widths = widths
        self.group_widths = group_widths
        self.bottleneck_multipliers = bottleneck_multipliers
        self.strides = strides
        self.se_ratio = se_ratio

    @classmethod
    def from_init_params(
        cls, depth, w_0, w_a, w_m, group_width, bottleneck_multiplier=1.0, se_ratio=None
    ):
        """Stages from the rule of the paper's section 3.3.

        Block j should be w_0 + w_a j wide; its width is the nearest w_0 w_m^s, s an integer, as a
        multiple of 8. Blocks of one width are a stage.
        """
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % 8 != 0:
            raise ArgumentError(
                f"RegNet: expected w_0 a multiple of 8, w_a >= 0 and w_m > 1, got {w_0}, {w_a} and "
                f"{w_m}"
            )
        wanted = w_0 + w_a * np.arange(depth)
        steps = np.round(np.log(wanted / w_0) / math.log(w_m))
        widths = (np.round(w_0 * w_m**steps / 8) * 8).astype(int)
        widths, depths = np.unique(widths, return_counts=True)
        inner = [int(width * bottleneck_multiplier) for width in widths]
        groups = [min(group_width, width) for width in inner]
        inner = [_make_divisible(width, group) for width, group in zip(inner, groups, strict=True)]
        count = len(inner)
        return cls(
            depths=depths.tolist(),
            widths=[int(width / bottleneck_multiplier) for width in inner],
            group_widths=groups,
            bottleneck_multipliers=[bottleneck_multiplier] * count,
            strides=[2] * count,
            se_ratio=se_ratio,
        )


class BottleneckTransform(nn.Sequential):
    """1 x 1, 3 x 3 in groups, channels weighted if `se_ratio`, 1 x 1."""

    def __init__(
        self, width_in, width_out, stride, norm_layer, activation_layer, group_width,
        bottleneck_multiplier, se_ratio,
    ):  # fmt: skip
        super().__init__()
        width = round(width_out * bottleneck_multiplier)
        active = {"norm_layer": norm_layer, "activation_layer": activation_layer}
        self.a = Conv2dNormActivation(width_in, width, 1, **active)
        self.b = Conv2dNormActivation(
            width, width, 3, stride, groups=width // group_width, **active
        )
        if se_ratio:
            squeezed = round(se_ratio * width_in)
            self.se = SqueezeExcitation(width, squeezed, activation=activation_layer)
        active["activation_layer"] = None
        self.c = Conv2dNormActivation(width, width_out, 1, **active)


class ResBottleneckBlock(nn.Module):
    """A bottleneck beside a shortcut, which has a convolution where the shape changes."""

    def __init__(
        self, width_in, width_out, stride, norm_layer, activation_layer, group_width=1,
        bottleneck_multiplier=1.0, se_ratio=None,
    ):  # fmt: skip
        super().__init__()
        self.proj = None
        if width_in != width_out or stride != 1:
            self.proj = Conv2dNormActivation(
                width_in, width_out, 1, stride, norm_layer=norm_layer, activation_layer=None
            )
        self.f = BottleneckTransform(
            width_in, width_out, stride, norm_layer, activation_layer, group_width,
            bottleneck_multiplier, se_ratio,
        )  # fmt: skip
        self.activation = activation_layer(inplace=True)

    def forward(self, x):
        shortcut = x if self.proj is None else self.proj(x)
        return self.activation(shortcut + self.f(x))


class RegNet(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes), through the stages of `BlockParams`."""

    def __init__(
        self, block_params, num_classes=1000, stem_width=32, block_type=ResBottleneckBlock,
        norm_layer=nn.BatchNorm2d, activation=nn.ReLU,
    ):  # fmt: skip
        super().__init__()
        p = block_params
        self.stem = Conv2dNormActivation(
            3, stem_width, stride=2, norm_layer=norm_layer, activation_layer=activation
        )
        self.trunk_output = nn.Sequential()
        stages = zip(
            p.depths, p.widths, p.strides, p.group_widths, p.bottleneck_multipliers, strict=True
        )
        before = stem_width
        for number, (depth, width, stride, *groups) in enumerate(stages, start=1):
            stage = nn.Sequential()
            for i in range(depth):
                block = block_type(
                    before, width, stride if i == 0 else 1, norm_layer, activation, *groups,
                    p.se_ratio,
                )  # fmt: skip
                stage.add_module(f"block{number}-{i}", block)
                before = width
            self.trunk_output.add_module(f"block{number}", stage)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, num_classes)
        initialize_convolutions(self, biases=False)
        initialize_linear(self)

    def forward(self, x):
        return self.fc(self.avgpool(self.trunk_output(self.stem(x))).flatten(1))


def _regnet(depth, w_0, w_a, w_m, group_width, se_ratio=None, **kwargs):
    params = BlockParams.from_init_params(depth, w_0, w_a, w_m, group_width, se_ratio=se_ratio)
    return RegNet(params, **kwargs)


def _x(size, *args):
    return variant(f"RegNet_X_{size}", _regnet, *args)


def _y(size, *args):
    return variant(f"RegNet_Y_{size}", _regnet, *args, se_ratio=0.25)


regnet_y_400mf, RegNet_Y_400MF_Weights = _y("400MF", 16, 48, 27.89, 2.09, 8)
regnet_y_800mf, RegNet_Y_800MF_Weights = _y("800MF", 14, 56, 38.84, 2.4, 16)
regnet_y_1_6gf, RegNet_Y_1_6GF_Weights = _y("1_6GF", 27, 48, 20.71, 2.65, 24)
regnet_y_3_2gf, RegNet_Y_3_2GF_Weights = _y("3_2GF", 21, 80, 42.63, 2.66, 24)
regnet_y_8gf, RegNet_Y_8GF_Weights = _y("8GF", 17, 192, 76.82, 2.19, 56)
regnet_y_16gf, RegNet_Y_16GF_Weights = _y("16GF", 18, 200, 106.23, 2.48, 112)
regnet_y_32gf, RegNet_Y_32GF_Weights = _y("32GF", 20, 232, 115.89, 2.53, 232)
regnet_y_128gf, RegNet_Y_128GF_Weights = _y("128GF", 27, 456, 160.83, 2.52, 264)
regnet_x_400mf, RegNet_X_400MF_Weights = _x("400MF", 22, 24, 24.48, 2.54, 16)
regnet_x_800mf, RegNet_X_800MF_Weights = _x("800MF", 16, 56, 35.73, 2.28, 16)
regnet_x_1_6gf, RegNet_X_1_6GF_Weights = _x("1_6GF", 18, 80, 34.01, 2.25, 24)
regnet_x_3_2gf, RegNet_X_3_2GF_Weights = _x("3_2GF", 25, 88, 26.31, 2.25, 48)
regnet_x_8gf, RegNet_X_8GF_Weights = _x("8GF", 23, 80, 49.56, 2.88, 120)
regnet_x_16gf, RegNet_X_16GF_Weights = _x("16GF", 22, 216, 55.59, 2.1, 128)
regnet_x_32gf, RegNet_X_32GF_Weights = _x("32GF", 23, 320, 69.86, 2.0, 168)
