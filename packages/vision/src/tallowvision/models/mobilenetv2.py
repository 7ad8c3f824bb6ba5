"""MobileNet version 2: inverted residuals with linear bottlenecks (Sandler et al., 2018)."""

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import variant
from tallowvision.models._utils import (
    _make_divisible,
    initialize_convolutions,
    initialize_linear,
)
from tallowvision.ops.misc import Conv2dNormActivation

SETTING = (  # expansion, channels, blocks, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class InvertedResidual(nn.Module):
    """1 x 1 to more channels, 3 x 3 in each, 1 x 1 to few; beside a shortcut where that fits."""

    def __init__(self, inp, oup, stride, expand_ratio, norm_layer=nn.BatchNorm2d):
        super().__init__()
        if stride not in (1, 2):
            raise ArgumentError(f"InvertedResidual: expected stride 1 or 2, got {stride}")
        common = {"norm_layer": norm_layer, "activation_layer": nn.ReLU6}
        hidden = round(inp * expand_ratio)
        layers = [] if expand_ratio == 1 else [Conv2dNormActivation(inp, hidden, 1, **common)]
        layers += [
            Conv2dNormActivation(hidden, hidden, stride=stride, groups=hidden, **common),
            nn.Conv2d(hidden, oup, 1, bias=False),
            norm_layer(oup),
        ]
        self.conv = nn.Sequential(*layers)
        self.use_res_connect = stride == 1 and inp == oup
        self.stride = stride
        self.out_channels = oup
        self._is_cn = stride > 1

    def forward(self, x):
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes).

    `width_mult` scales the numbers of channels, which are multiples of `round_nearest`.
    `inverted_residual_setting` is a list of (expansion, channels, blocks, stride).
    """

    def __init__(
        self, num_classes=1000, width_mult=1.0, inverted_residual_setting=None, round_nearest=8,
        block=InvertedResidual, norm_layer=nn.BatchNorm2d, dropout=0.2,
    ):  # fmt: skip
        super().__init__()
        setting = SETTING if inverted_residual_setting is None else inverted_residual_setting
        if not setting or len(setting[0]) != 4:
            raise ArgumentError(
                f"inverted_residual_setting: expected rows of four numbers, got {setting!r}"
            )
        common = {"norm_layer": norm_layer, "activation_layer": nn.ReLU6}
        channels = _make_divisible(32 * width_mult, round_nearest)
        self.last_channel = _make_divisible(1280 * max(1.0, width_mult), round_nearest)
        layers = [Conv2dNormActivation(3, channels, stride=2, **common)]
        for expansion, width, count, stride in setting:
            out = _make_divisible(width * width_mult, round_nearest)
            for i in range(count):
                first = stride if i == 0 else 1
                layers.append(block(channels, out, first, expansion, norm_layer=norm_layer))
                channels = out
        layers.append(Conv2dNormActivation(channels, self.last_channel, 1, **common))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes)
        )
        initialize_convolutions(self)
        initialize_linear(self)

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(x.flatten(1))


mobilenet_v2, MobileNet_V2_Weights = variant("MobileNet_V2", MobileNetV2)
