"""MNASNet-B1 (Tan et al., 2019)."""

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import variant
from tallowvision.models._utils import _make_divisible, initialize_convolutions

STACKS = (  # channels, kernel, stride of the first, expansion, blocks
    (24, 3, 2, 3, 3),
    (40, 5, 2, 3, 3),
    (80, 5, 2, 6, 3),
    (96, 3, 1, 6, 2),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
)
MOMENTUM = 1 - 0.9997


def _norm(channels):
    return nn.BatchNorm2d(channels, momentum=MOMENTUM)


def _conv(inp, oup, kernel=1, stride=1, groups=1):
    return nn.Conv2d(inp, oup, kernel, stride, kernel // 2, groups=groups, bias=False)


class _InvertedResidual(nn.Module):
    def __init__(self, inp, oup, kernel, stride, expansion):
        super().__init__()
        mid = inp * expansion
        self.apply_residual = inp == oup and stride == 1
        self.layers = nn.Sequential(
            _conv(inp, mid),
            _norm(mid),
            nn.ReLU(inplace=True),
            _conv(mid, mid, kernel, stride, groups=mid),
            _norm(mid),
            nn.ReLU(inplace=True),
            _conv(mid, oup),
            _norm(oup),
        )

    def forward(self, x):
        return self.layers(x) + x if self.apply_residual else self.layers(x)


class MNASNet(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes); `alpha` scales the channels."""

    _version = 2

    def __init__(self, alpha, num_classes=1000, dropout=0.2):
        super().__init__()
        if alpha <= 0:
            raise ArgumentError(f"MNASNet: expected alpha above 0, got {alpha}")
        self.alpha = alpha
        self.num_classes = num_classes
        stem, before = (_make_divisible(width * alpha, 8) for width in (32, 16))
        layers = [
            _conv(3, stem, 3, stride=2),
            _norm(stem),
            nn.ReLU(inplace=True),
            _conv(stem, stem, 3, groups=stem),
            _norm(stem),
            nn.ReLU(inplace=True),
            _conv(stem, before),
            _norm(before),
        ]
        for width, kernel, stride, expansion, count in STACKS:
            oup = _make_divisible(width * alpha, 8)
            stack = [_InvertedResidual(before, oup, kernel, stride, expansion)]
            stack += [_InvertedResidual(oup, oup, kernel, 1, expansion) for _ in range(count - 1)]
            layers.append(nn.Sequential(*stack))
            before = oup
        layers += [_conv(before, 1280), _norm(1280), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(1280, num_classes)
        )
        initialize_convolutions(self)
        last = self.classifier[1]
        nn.init.kaiming_uniform_(last.weight, mode="fan_out", nonlinearity="sigmoid")
        nn.init.zeros_(last.bias)

    def forward(self, x):
        return self.classifier(self.layers(x).mean((2, 3)))


mnasnet0_5, MNASNet0_5_Weights = variant("MNASNet0_5", MNASNet, 0.5)
mnasnet0_75, MNASNet0_75_Weights = variant("MNASNet0_75", MNASNet, 0.75)
mnasnet1_0, MNASNet1_0_Weights = variant("MNASNet1_0", MNASNet, 1.0)
mnasnet1_3, MNASNet1_3_Weights = variant("MNASNet1_3", MNASNet, 1.3)
