"""A small FCOS, which a processor can train in an hour."""

from collections import OrderedDict
from functools import partial

from tallow import nn
from tallowvision.models._api import variant
from tallowvision.models.detection.anchor_utils import AnchorGenerator
from tallowvision.models.detection.fcos import FCOS, FCOSHead
from tallowvision.models.resnet_cifar import CifarBlock
from tallowvision.ops import Conv2dNormActivation, FeaturePyramidNetwork


class TinyBackbone(nn.Module):
    """Residual blocks, and a pyramid of two maps, 8 and 16 times smaller than the image."""

    out_channels = 48

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            Conv2dNormActivation(3, 16, stride=2), CifarBlock(16, 24, 2), CifarBlock(24, 24)
        )
        self.stage1 = nn.Sequential(CifarBlock(24, 48, 2), CifarBlock(48, 48))
        self.stage2 = nn.Sequential(CifarBlock(48, 96, 2), CifarBlock(96, 96))
        self.fpn = FeaturePyramidNetwork([48, 96], self.out_channels)

    def forward(self, x):
        fine = self.stage1(self.stem(x))
        return self.fpn(OrderedDict([("0", fine), ("1", self.stage2(fine))]))


def _fcos_tiny(num_classes=4, **kwargs):
    """FCOS with half a million parameters, for images of 320 x 240 pixels."""
    backbone = TinyBackbone()
    anchors = AnchorGenerator(((8,), (16,)), ((1.0,),) * 2)
    head = FCOSHead(
        backbone.out_channels, 1, num_classes, num_convs=2, norm_layer=partial(nn.GroupNorm, 8)
    )
    defaults = {"min_size": 240, "max_size": 320, "size_divisible": 16, "score_thresh": 0.05}
    return FCOS(
        backbone, num_classes, anchor_generator=anchors, head=head, **{**defaults, **kwargs}
    )


fcos_tiny, FCOS_Tiny_Weights = variant("FCOS_Tiny", _fcos_tiny)
