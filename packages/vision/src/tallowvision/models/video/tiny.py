"""A small network of (2+1)D convolutions for a processor (Tran et al., 2018)."""

from tallow import nn
from tallowvision.models._api import variant
from tallowvision.models._utils import initialize_convolutions
from tallowvision.ops.misc import Conv3dNormActivation


class R2Plus1DTiny(nn.Sequential):
    """Videos (N, 3, T, H, W) to class scores (N, num_classes), with 30,000 parameters.

    Each block looks at every frame for itself, and halves it, then at each place over three frames.

    >>> import tallow
    >>> R2Plus1DTiny(5)(tallow.rand(2, 3, 4, 24, 24)).shape
    tallow.Size([2, 5])
    """

    def __init__(self, num_classes=8, channels=(16, 32, 48)):
        layers, before = [], 3
        for width in channels:
            layers += [
                Conv3dNormActivation(before, width, (1, 3, 3), (1, 2, 2)),
                Conv3dNormActivation(width, width, (3, 1, 1)),
            ]
            before = width
        super().__init__(
            *layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(before, num_classes)
        )
        initialize_convolutions(self)


r2plus1d_tiny, R2Plus1D_Tiny_Weights = variant("R2Plus1D_Tiny", R2Plus1DTiny)
