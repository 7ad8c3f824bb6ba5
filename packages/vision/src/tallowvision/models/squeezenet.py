"""SqueezeNet (Iandola et al., 2016)."""

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size

CHANNELS = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
LAYOUTS = {  # (channels, kernel) of the first convolution, blocks that pooling follows, least size
    "1_0": ((96, 7), (3, 7), 21),
    "1_1": ((64, 3), (2, 4), 17),
}


class Fire(nn.Module):
    """A 1 x 1 convolution to few channels, then 1 x 1 and 3 x 3 beside each other."""

    def __init__(self, inplanes, squeeze_planes, expand1x1_planes, expand3x3_planes):
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.squeeze_activation(self.squeeze(x))
        narrow = self.expand1x1_activation(self.expand1x1(x))
        wide = self.expand3x3_activation(self.expand3x3(x))
        return tallow.cat([narrow, wide], 1)


class SqueezeNet(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes); `version` is "1_0" or "1_1"."""

    def __init__(self, version="1_0", num_classes=1000, dropout=0.5):
        super().__init__()
        if version not in LAYOUTS:
            raise ArgumentError(f"SqueezeNet: expected version '1_0' or '1_1', got {version!r}")
        (before, kernel), pooled, self.least = LAYOUTS[version]
        self.num_classes = num_classes
        layers = [nn.Conv2d(3, before, kernel, stride=2), nn.ReLU(inplace=True), _pool()]
        for number, (squeezed, expanded) in enumerate(CHANNELS, start=1):
            layers.append(Fire(before, squeezed, expanded, expanded))
            if number in pooled:
                layers.append(_pool())
            before = 2 * expanded
        self.features = nn.Sequential(*layers)
        last = nn.Conv2d(before, num_classes, 1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1)
        )

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.zeros_(module.bias)
                if module is last:
                    nn.init.normal_(module.weight, std=0.01)
                else:
                    nn.init.kaiming_uniform_(module.weight)

    def forward(self, x):
        require_size("SqueezeNet", x, self.least, self.least)
        return self.classifier(self.features(x)).flatten(1)


def _pool():
    return nn.MaxPool2d(3, 2, ceil_mode=True)


squeezenet1_0, SqueezeNet1_0_Weights = variant("SqueezeNet1_0", SqueezeNet, "1_0")
squeezenet1_1, SqueezeNet1_1_Weights = variant("SqueezeNet1_1", SqueezeNet, "1_1")
