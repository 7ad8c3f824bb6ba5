"""ShuffleNet version 2 (Ma et al., 2018)."""

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import variant

REPEATS = (4, 8, 4)


def channel_shuffle(x, groups):
    """Channels 0, 1, 2, ... of each group in turn: (N, C, H, W) of another order."""
    n, channels, height, width = x.shape
    x = x.reshape(n, groups, channels // groups, height, width)
    return x.transpose(1, 2).reshape(n, channels, height, width)


def _pointwise(inp, oup):
    return [nn.Conv2d(inp, oup, 1, bias=False), nn.BatchNorm2d(oup), nn.ReLU(inplace=True)]


def _depthwise(channels, stride):
    conv = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
    return [conv, nn.BatchNorm2d(channels)]


class InvertedResidual(nn.Module):
    """Half of the channels pass by, or with a stride through a small branch; then a shuffle."""

    def __init__(self, inp, oup, stride):
        super().__init__()
        if stride not in (1, 2, 3):
            raise ArgumentError(f"InvertedResidual: expected a stride from 1 to 3, got {stride}")
        half = oup // 2
        if stride == 1 and inp != 2 * half:
            raise ArgumentError(
                f"InvertedResidual: expected as many channels out as in at stride 1, got {inp} and "
                f"{oup}"
            )
        self.stride = stride
        short = [] if stride == 1 else _depthwise(inp, stride) + _pointwise(inp, half)
        self.branch1 = nn.Sequential(*short)
        self.branch2 = nn.Sequential(
            *_pointwise(half if stride == 1 else inp, half),
            *_depthwise(half, stride),
            *_pointwise(half, half),
        )

    def forward(self, x):
        first, second = x.chunk(2, 1) if self.stride == 1 else (x, x)
        return channel_shuffle(tallow.cat([self.branch1(first), self.branch2(second)], 1), 2)


class ShuffleNetV2(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes).

    `stages_repeats` are the blocks of three stages, `stages_out_channels` the channels of the first
    convolution, of the stages and of the last convolution.
    """

    def __init__(
        self, stages_repeats, stages_out_channels, num_classes=1000,
        inverted_residual=InvertedResidual,
    ):  # fmt: skip
        super().__init__()
        if len(stages_repeats) != 3 or len(stages_out_channels) != 5:
            raise ArgumentError(
                "ShuffleNetV2: expected 3 stages_repeats and 5 stages_out_channels, got "
                f"{len(stages_repeats)} and {len(stages_out_channels)}"
            )
        before, *stages, last = stages_out_channels
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, before, 3, 2, 1, bias=False),
            nn.BatchNorm2d(before),
            nn.ReLU(inplace=True),
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for number, (count, channels) in enumerate(zip(stages_repeats, stages, strict=True)):
            blocks = [inverted_residual(before, channels, 2)]
            blocks += [inverted_residual(channels, channels, 1) for _ in range(count - 1)]
            setattr(self, f"stage{number + 2}", nn.Sequential(*blocks))
            before = channels
        self.conv5 = nn.Sequential(*_pointwise(before, last))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x):
        x = self.maxpool(self.conv1(x))
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))
        return self.fc(x.mean((2, 3)))


shufflenet_v2_x0_5, ShuffleNet_V2_X0_5_Weights = variant(
    "ShuffleNet_V2_X0_5", ShuffleNetV2, REPEATS, (24, 48, 96, 192, 1024)
)
shufflenet_v2_x1_0, ShuffleNet_V2_X1_0_Weights = variant(
    "ShuffleNet_V2_X1_0", ShuffleNetV2, REPEATS, (24, 116, 232, 464, 1024)
)
shufflenet_v2_x1_5, ShuffleNet_V2_X1_5_Weights = variant(
    "ShuffleNet_V2_X1_5", ShuffleNetV2, REPEATS, (24, 176, 352, 704, 1024)
)
shufflenet_v2_x2_0, ShuffleNet_V2_X2_0_Weights = variant(
    "ShuffleNet_V2_X2_0", ShuffleNetV2, REPEATS, (24, 244, 488, 976, 2048)
)
