"""A MobileNet for images of 32 x 32 pixels (Sandler et al., 2018; Howard et al., 2019)."""

from tallow import nn
from tallowvision.models._api import variant
from tallowvision.models._utils import initialize_convolutions
from tallowvision.models.mobilenetv3 import InvertedResidual, InvertedResidualConfig
from tallowvision.ops.misc import Conv2dNormActivation

BLOCKS = (  # channels before, within and after, stride
    (24, 96, 24, 1),
    (24, 96, 24, 1),
    (24, 96, 48, 2),
    (48, 144, 48, 1),
    (48, 144, 48, 1),
)


class MobileNetTiny(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes), with 61,000 parameters.

    >>> import tallow
    >>> MobileNetTiny()(tallow.ones(2, 3, 32, 32)).shape
    tallow.Size([2, 10])
    """

    def __init__(self, num_classes=10):
        super().__init__()
        blocks = (
            InvertedResidualConfig(before, 3, within, after, False, "RE", stride, 1, 1.0)
            for before, within, after, stride in BLOCKS
        )
        self.features = nn.Sequential(
            Conv2dNormActivation(3, 16),
            Conv2dNormActivation(16, 24, stride=2),  # cheaper than the channels would be apart
            *(InvertedResidual(block, nn.BatchNorm2d) for block in blocks),
            Conv2dNormActivation(48, 96, 1),
        )
        self.classifier = nn.Linear(96, num_classes)
        initialize_convolutions(self)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


mobilenet_tiny, MobileNet_Tiny_Weights = variant("MobileNet_Tiny", MobileNetTiny)
