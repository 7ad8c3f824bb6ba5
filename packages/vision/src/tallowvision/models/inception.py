"""Inception version 3 (Szegedy et al., 2016)."""

from collections import namedtuple

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size
from tallowvision.models.googlenet import BasicConv2d, drop_keys, from_imagenet

InceptionOutputs = namedtuple("InceptionOutputs", ["logits", "aux_logits"])

WIDE, TALL = {"kernel_size": (1, 7), "padding": (0, 3)}, {"kernel_size": (7, 1), "padding": (3, 0)}


class InceptionA(nn.Module):
    """1 x 1, 5 x 5, twice 3 x 3 and pooling beside each other."""

    def __init__(self, in_channels, pool_features):
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 64, 1)
        self.branch5x5_1 = BasicConv2d(in_channels, 48, 1)
        self.branch5x5_2 = BasicConv2d(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, padding=1)
        self.branch_pool = BasicConv2d(in_channels, pool_features, 1)

    def forward(self, x):
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pooled = self.branch_pool(F.avg_pool2d(x, 3, 1, 1))
        five = self.branch5x5_2(self.branch5x5_1(x))
        return tallow.cat([self.branch1x1(x), five, double, pooled], 1)


class InceptionB(nn.Module):
    """Half the size: 3 x 3, twice 3 x 3 and pooling."""

    def __init__(self, in_channels):
        super().__init__()
        self.branch3x3 = BasicConv2d(in_channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, stride=2)

    def forward(self, x):
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return tallow.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class InceptionC(nn.Module):
    """1 x 1, 7 x 7 and twice 7 x 7, each as 1 x 7 and 7 x 1, and pooling."""

    def __init__(self, in_channels, channels_7x7):
        super().__init__()
        width = channels_7x7
        self.branch1x1 = BasicConv2d(in_channels, 192, 1)
        self.branch7x7_1 = BasicConv2d(in_channels, width, 1)
        self.branch7x7_2 = BasicConv2d(width, width, **WIDE)
        self.branch7x7_3 = BasicConv2d(width, 192, **TALL)
        self.branch7x7dbl_1 = BasicConv2d(in_channels, width, 1)
        self.branch7x7dbl_2 = BasicConv2d(width, width, **TALL)
        self.branch7x7dbl_3 = BasicConv2d(width, width, **WIDE)
        self.branch7x7dbl_4 = BasicConv2d(width, width, **TALL)
        self.branch7x7dbl_5 = BasicConv2d(width, 192, **WIDE)
        self.branch_pool = BasicConv2d(in_channels, 192, 1)

    def forward(self, x):
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        pooled = self.branch_pool(F.avg_pool2d(x, 3, 1, 1))
        return tallow.cat([self.branch1x1(x), seven, double, pooled], 1)


class InceptionD(nn.Module):
    """Half the size: 3 x 3, 7 x 7 then 3 x 3, and pooling."""

    def __init__(self, in_channels):
        super().__init__()
        self.branch3x3_1 = BasicConv2d(in_channels, 192, 1)
        self.branch3x3_2 = BasicConv2d(192, 320, 3, stride=2)
        self.branch7x7x3_1 = BasicConv2d(in_channels, 192, 1)
        self.branch7x7x3_2 = BasicConv2d(192, 192, **WIDE)
        self.branch7x7x3_3 = BasicConv2d(192, 192, **TALL)
        self.branch7x7x3_4 = BasicConv2d(192, 192, 3, stride=2)

    def forward(self, x):
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return tallow.cat([three, self.branch7x7x3_4(seven), F.max_pool2d(x, 3, 2)], 1)


class InceptionE(nn.Module):
    """1 x 1, 3 x 3 and twice 3 x 3, the last as 1 x 3 beside 3 x 1, and pooling."""

    def __init__(self, in_channels):
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 320, 1)
        self.branch3x3_1 = BasicConv2d(in_channels, 384, 1)
        self.branch3x3_2a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 448, 1)
        self.branch3x3dbl_2 = BasicConv2d(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = BasicConv2d(in_channels, 192, 1)

    def forward(self, x):
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branches = [
            self.branch1x1(x),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(F.avg_pool2d(x, 3, 1, 1)),
        ]
        return tallow.cat(branches, 1)


class InceptionAux(nn.Module):
    """A classifier of an inner layer, for training."""

    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.conv0 = BasicConv2d(in_channels, 128, 1)
        self.conv1 = BasicConv2d(128, 768, 5)
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x):
        x = self.conv1(self.conv0(F.avg_pool2d(x, 5, 3)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Inception3(nn.Module):
    """Images (N, 3, H, W), of 75 pixels at least, best of 299, to class scores (N, num_classes).

    In training with `aux_logits` the result is InceptionOutputs, with the scores of a classifier of
    an inner layer, which takes images of 299 pixels at least. `transform_input` is that of
    `GoogLeNet`.
    """

    def __init__(
        self, num_classes=1000, aux_logits=True, transform_input=False, init_weights=True,
        dropout=0.5,
    ):  # fmt: skip
        super().__init__()
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, 2)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, 2)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self.AuxLogits = InceptionAux(768, num_classes) if aux_logits else None
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)
        if init_weights:
            self._initialize()

    def _initialize(self):
        small = {} if self.AuxLogits is None else {self.AuxLogits.fc: 0.001}
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=small.get(module, 0.1))

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if not self.aux_logits:
            drop_keys(state_dict, f"{prefix}AuxLogits.")
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x):
        with_aux = self.training and self.aux_logits
        require_size("Inception3", x, *((299, 299) if with_aux else (75, 75)))
        if self.transform_input:
            x = from_imagenet(x)
        x = self.maxpool1(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        inner = self.Mixed_6e(self.Mixed_6d(x))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(inner)))
        scores = self.fc(self.dropout(self.avgpool(x)).flatten(1))
        return InceptionOutputs(scores, self.AuxLogits(inner)) if with_aux else scores


inception_v3, Inception_V3_Weights = variant(
    "Inception_V3", Inception3, with_weights={"transform_input": True, "init_weights": False}
)
