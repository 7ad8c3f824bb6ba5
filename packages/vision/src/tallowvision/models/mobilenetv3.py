"""MobileNet version 3 (Howard et al., 2019)."""

from functools import partial

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import variant
from tallowvision.models._utils import (
    _make_divisible,
    initialize_convolutions,
    initialize_linear,
)
from tallowvision.ops.misc import Conv2dNormActivation, SqueezeExcitation

LARGE = (  # kernel, expanded channels, channels, squeeze and excitation, activation, stride
    (3, 16, 16, False, "RE", 1),
    (3, 64, 24, False, "RE", 2),
    (3, 72, 24, False, "RE", 1),
    (5, 72, 40, True, "RE", 2),
    (5, 120, 40, True, "RE", 1),
    (5, 120, 40, True, "RE", 1),
    (3, 240, 80, False, "HS", 2),
    (3, 200, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 480, 112, True, "HS", 1),
    (3, 672, 112, True, "HS", 1),
    (5, 672, 160, True, "HS", 2),
    (5, 960, 160, True, "HS", 1),
    (5, 960, 160, True, "HS", 1),
)
SMALL = (
    (3, 16, 16, True, "RE", 2),
    (3, 72, 24, False, "RE", 2),
    (3, 88, 24, False, "RE", 1),
    (5, 96, 40, True, "HS", 2),
    (5, 240, 40, True, "HS", 1),
    (5, 240, 40, True, "HS", 1),
    (5, 120, 48, True, "HS", 1),
    (5, 144, 48, True, "HS", 1),
    (5, 288, 96, True, "HS", 2),
    (5, 576, 96, True, "HS", 1),
    (5, 576, 96, True, "HS", 1),
)
TAIL = 3  # blocks at the end that `reduced_tail` and `dilated` change


class InvertedResidualConfig:
    """One row of the paper's tables 1 and 2: `activation` is "RE" or "HS"."""

    def __init__(
        self, input_channels, kernel, expanded_channels, out_channels, use_se, activation, stride,
        dilation, width_mult,
    ):  # fmt: skip
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels, width_mult):
        return _make_divisible(channels * width_mult, 8)


class InvertedResidual(nn.Module):
    """1 x 1 to more channels, a kernel in each, channels weighted, 1 x 1 to few; a shortcut."""

    def __init__(self, cnf, norm_layer, se_layer=None):
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ArgumentError(f"InvertedResidual: expected stride 1 or 2, got {cnf.stride}")
        expanded = cnf.expanded_channels
        common = {
            "norm_layer": norm_layer,
            "activation_layer": nn.Hardswish if cnf.use_hs else nn.ReLU,
        }
        layers = []
        if expanded != cnf.input_channels:
            layers.append(Conv2dNormActivation(cnf.input_channels, expanded, 1, **common))
        layers.append(
            Conv2dNormActivation(
                expanded, expanded, cnf.kernel, 1 if cnf.dilation > 1 else cnf.stride,
                groups=expanded, dilation=cnf.dilation, **common,
            )
        )  # fmt: skip
        if cnf.use_se:
            se_layer = se_layer or partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)
            layers.append(se_layer(expanded, _make_divisible(expanded // 4, 8)))
        common["activation_layer"] = None
        layers.append(Conv2dNormActivation(expanded, cnf.out_channels, 1, **common))
        self.block = nn.Sequential(*layers)
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1

    def forward(self, x):
        out = self.block(x)
        return out.add_(x) if self.use_res_connect else out


class MobileNetV3(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes), through blocks of a list of configs."""

    def __init__(
        self, inverted_residual_setting, last_channel, num_classes=1000, block=InvertedResidual,
        norm_layer=None, dropout=0.2,
    ):  # fmt: skip
        super().__init__()
        setting = inverted_residual_setting
        if not setting or not all(isinstance(row, InvertedResidualConfig) for row in setting):
            raise ArgumentError(
                "inverted_residual_setting: expected a list of InvertedResidualConfig, got "
                f"{setting!r}"
            )
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        common = {"norm_layer": norm_layer, "activation_layer": nn.Hardswish}
        width = setting[-1].out_channels
        self.features = nn.Sequential(
            Conv2dNormActivation(3, setting[0].input_channels, stride=2, **common),
            *(block(row, norm_layer) for row in setting),
            Conv2dNormActivation(width, 6 * width, 1, **common),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * width, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        initialize_convolutions(self)
        initialize_linear(self)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _mobilenet_v3(table, last_channel, width_mult=1.0, reduced_tail=False, dilated=False, **kwargs):
    """The network of a table; the last blocks of half the width, or dilated, as others want."""
    reduced = 2 if reduced_tail else 1
    setting, channels, changed = [], 16, len(table) - TAIL
    for number, (kernel, expanded, out, use_se, activation, stride) in enumerate(table):
        dilation = 2 if dilated and number >= changed else 1
        if number >= changed:
            out //= reduced
            expanded //= reduced if number > changed else 1
        setting.append(
            InvertedResidualConfig(
                channels, kernel, expanded, out, use_se, activation, stride, dilation, width_mult
            )
        )
        channels = out
    last_channel = InvertedResidualConfig.adjust_channels(last_channel // reduced, width_mult)
    return MobileNetV3(setting, last_channel, **kwargs)


mobilenet_v3_large, MobileNet_V3_Large_Weights = variant(
    "MobileNet_V3_Large", _mobilenet_v3, LARGE, 1280
)
mobilenet_v3_small, MobileNet_V3_Small_Weights = variant(
    "MobileNet_V3_Small", _mobilenet_v3, SMALL, 1024
)
