"""Inception for videos, its convolutions separated in space and time (Xie et al., 2018)."""

from functools import partial

import tallow
from tallow import nn
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size
from tallowvision.ops.misc import Conv3dNormActivation


class TemporalSeparableConv(nn.Sequential):
    """1 x k x k, then k x 1 x 1."""

    def __init__(self, in_planes, out_planes, kernel_size, stride, padding, norm_layer):
        k, s, p = kernel_size, stride, padding
        common = {"bias": False, "norm_layer": norm_layer}
        super().__init__(
            Conv3dNormActivation(in_planes, out_planes, (1, k, k), (1, s, s), (0, p, p), **common),
            Conv3dNormActivation(out_planes, out_planes, (k, 1, 1), (s, 1, 1), (p, 0, 0), **common),
        )


class SepInceptionBlock3D(nn.Module):
    """Four branches beside each other, as in GoogLeNet."""

    def __init__(self, in_planes, b0, b1_mid, b1, b2_mid, b2, b3, norm_layer):
        super().__init__()
        point = partial(Conv3dNormActivation, kernel_size=1, norm_layer=norm_layer)
        cube = partial(
            TemporalSeparableConv, kernel_size=3, stride=1, padding=1, norm_layer=norm_layer
        )
        self.branch0 = point(in_planes, b0)
        self.branch1 = nn.Sequential(point(in_planes, b1_mid), cube(b1_mid, b1))
        self.branch2 = nn.Sequential(point(in_planes, b2_mid), cube(b2_mid, b2))
        self.branch3 = nn.Sequential(nn.MaxPool3d(3, 1, 1), point(in_planes, b3))

    def forward(self, x):
        return tallow.cat([branch(x) for branch in self.children()], 1)


class S3D(nn.Module):
    """Videos (N, 3, T, H, W), of 14 frames and 224 pixels at least, to scores (N, num_classes)."""

    def __init__(self, num_classes=400, dropout=0.2, norm_layer=None):
        super().__init__()
        norm = norm_layer or partial(nn.BatchNorm3d, eps=0.001, momentum=0.001)
        self.features = nn.Sequential(
            TemporalSeparableConv(3, 64, 7, 2, 3, norm),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            Conv3dNormActivation(64, 64, 1, norm_layer=norm),
            TemporalSeparableConv(64, 192, 3, 1, 1, norm),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            SepInceptionBlock3D(192, 64, 96, 128, 16, 32, 32, norm),
            SepInceptionBlock3D(256, 128, 128, 192, 32, 96, 64, norm),
            nn.MaxPool3d(3, 2, 1),
            SepInceptionBlock3D(480, 192, 96, 208, 16, 48, 64, norm),
            SepInceptionBlock3D(512, 160, 112, 224, 24, 64, 64, norm),
            SepInceptionBlock3D(512, 128, 128, 256, 24, 64, 64, norm),
            SepInceptionBlock3D(512, 112, 144, 288, 32, 64, 64, norm),
            SepInceptionBlock3D(528, 256, 160, 320, 32, 128, 128, norm),
            nn.MaxPool3d(2, 2),
            SepInceptionBlock3D(832, 256, 160, 320, 32, 128, 128, norm),
            SepInceptionBlock3D(832, 384, 192, 384, 48, 128, 128, norm),
        )
        self.avgpool = nn.AvgPool3d((2, 7, 7), 1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv3d(1024, num_classes, 1))

    def forward(self, x):
        require_size("S3D", x, 14, 224, 224)
        return self.classifier(self.avgpool(self.features(x))).mean((2, 3, 4))


s3d, S3D_Weights = variant("S3D", S3D)
