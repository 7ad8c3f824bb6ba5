"""A small U-Net, which a processor trains in minutes (Ronneberger et al., 2015)."""

from collections import OrderedDict

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size
from tallowvision.ops import Conv2dNormActivation


def _block(in_channels, out_channels):
    return nn.Sequential(
        Conv2dNormActivation(in_channels, out_channels),
        Conv2dNormActivation(out_channels, out_channels),
    )


class UNet(nn.Module):
    """Images (N, 3, H, W) to class scores of each pixel: {"out": (N, num_classes, H, W)}.

    The map is halved between blocks of `channels`, and enlarged again beside what it was before.

    >>> import tallow
    >>> from tallowvision.models.segmentation.tiny import UNet
    >>> UNet([4, 8], num_classes=3)(tallow.rand(1, 3, 10, 11))["out"].shape
    tallow.Size([1, 3, 10, 11])
    """

    def __init__(self, channels, num_classes):
        super().__init__()
        pairs = list(zip(channels, channels[1:], strict=False))
        self.down = nn.ModuleList([_block(3, channels[0]), *(_block(a, b) for a, b in pairs)])
        self.up = nn.ModuleList(_block(a + b, a) for a, b in reversed(pairs))
        self.classifier = nn.Conv2d(channels[0], num_classes, 1)

    def forward(self, x):
        least = 2 ** (len(self.down) - 1)
        require_size("UNet", x, least, least)
        maps = [self.down[0](x)]
        for block in self.down[1:]:
            maps.append(block(F.max_pool2d(maps[-1], 2)))
        x = maps.pop()
        for block in self.up:
            finer = maps.pop()
            x = F.interpolate(x, finer.shape[-2:], mode="nearest")
            x = block(tallow.cat([finer, x], 1))
        return OrderedDict(out=self.classifier(x))


def _unet_tiny(num_classes=4):
    """A U-Net with 67,000 parameters."""
    return UNet([12, 24, 48], num_classes)


unet_tiny, UNet_Tiny_Weights = variant("UNet_Tiny", _unet_tiny)
