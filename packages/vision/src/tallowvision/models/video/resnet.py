"""Residual networks of 3D, mixed and (2+1)D convolutions (Tran et al., 2018)."""

from tallow import nn
from tallow.nn.utils import norm_add_relu
from tallowvision.models._api import variant
from tallowvision.models._utils import initialize_convolutions, initialize_linear


class Conv3DSimple(nn.Conv3d):
    """3 x 3 x 3."""

    def __init__(self, in_planes, out_planes, midplanes=None, stride=1, padding=1):
        super().__init__(in_planes, out_planes, 3, stride, padding, bias=False)

    @staticmethod
    def get_downsample_stride(stride):
        return stride, stride, stride


class Conv3DNoTemporal(nn.Conv3d):
    """1 x 3 x 3: each frame by itself."""

    def __init__(self, in_planes, out_planes, midplanes=None, stride=1, padding=1):
        super().__init__(
            in_planes, out_planes, (1, 3, 3), (1, stride, stride), (0, padding, padding), bias=False
        )

    @staticmethod
    def get_downsample_stride(stride):
        return 1, stride, stride


class Conv2Plus1D(nn.Sequential):
    """1 x 3 x 3 to `midplanes` channels, then 3 x 1 x 1."""

    def __init__(self, in_planes, out_planes, midplanes, stride=1, padding=1):
        super().__init__(
            Conv3DNoTemporal(in_planes, midplanes, None, stride, padding),
            nn.BatchNorm3d(midplanes),
            nn.ReLU(inplace=True),
            nn.Conv3d(
                midplanes, out_planes, (3, 1, 1), (stride, 1, 1), (padding, 0, 0), bias=False
            ),
        )

    @staticmethod
    def get_downsample_stride(stride):
        return stride, stride, stride


def _unit(conv, planes, last=False):
    norm = nn.BatchNorm3d(planes)
    return nn.Sequential(conv, norm) if last else nn.Sequential(conv, norm, nn.ReLU(inplace=True))


def _mid(inplanes, planes):
    """Channels between the parts of a (2+1)D convolution: as many weights as 3 x 3 x 3 has."""
    return inplanes * planes * 27 // (inplanes * 9 + 3 * planes)


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, inplanes, planes, conv_builder, stride=1, downsample=None):
        super().__init__()
        mid = _mid(inplanes, planes)
        self.conv1 = _unit(conv_builder(inplanes, planes, mid, stride), planes)
        self.conv2 = _unit(conv_builder(planes, planes, mid), planes, last=True)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        return norm_add_relu(self.conv1(x), self.conv2, identity, self.relu)


class Bottleneck(nn.Module):
    """1 x 1 x 1 to fewer channels, a convolution, 1 x 1 x 1 to four times these; a shortcut."""

    expansion = 4

    def __init__(self, inplanes, planes, conv_builder, stride=1, downsample=None):
        super().__init__()
        mid, wide = _mid(inplanes, planes), planes * self.expansion
        self.conv1 = _unit(nn.Conv3d(inplanes, planes, 1, bias=False), planes)
        self.conv2 = _unit(conv_builder(planes, planes, mid, stride), planes)
        self.conv3 = _unit(nn.Conv3d(planes, wide, 1, bias=False), wide, last=True)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        return norm_add_relu(self.conv2(self.conv1(x)), self.conv3, identity, self.relu)


class BasicStem(nn.Sequential):
    """A convolution of 3 x 7 x 7 that halves the size of the frames."""

    def __init__(self):
        super().__init__(
            nn.Conv3d(3, 64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )


class R2Plus1dStem(nn.Sequential):
    """`BasicStem` as a convolution in space and one in time."""

    def __init__(self):
        super().__init__(
            nn.Conv3d(3, 45, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, 64, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )


class VideoResNet(nn.Module):
    """Videos (N, 3, T, H, W) to class scores (N, num_classes).

    `conv_makers` are the kinds of convolution, and `layers` the blocks, of the four stages. With
    `zero_init_residual` every block begins as the identity.
    """

    def __init__(self, block, conv_makers, layers, stem, num_classes=400, zero_init_residual=False):
        super().__init__()
        self.inplanes = 64
        self.stem = stem()
        self.layer1 = self._make_layer(block, conv_makers[0], 64, layers[0])
        self.layer2 = self._make_layer(block, conv_makers[1], 128, layers[1], 2)
        self.layer3 = self._make_layer(block, conv_makers[2], 256, layers[2], 2)
        self.layer4 = self._make_layer(block, conv_makers[3], 512, layers[3], 2)
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        initialize_convolutions(self)
        initialize_linear(self)
        for module in self.modules() if zero_init_residual else ():
            if isinstance(module, BasicBlock | Bottleneck):
                last = module.conv3 if isinstance(module, Bottleneck) else module.conv2
                nn.init.zeros_(last[1].weight)

    def _make_layer(self, block, conv_builder, planes, blocks, stride=1):
        out, downsample = planes * block.expansion, None
        if stride != 1 or self.inplanes != out:
            steps = conv_builder.get_downsample_stride(stride)
            conv = nn.Conv3d(self.inplanes, out, 1, steps, bias=False)
            downsample = nn.Sequential(conv, nn.BatchNorm3d(out))
        layers = [block(self.inplanes, planes, conv_builder, stride, downsample)]
        layers += [block(out, planes, conv_builder) for _ in range(1, blocks)]
        self.inplanes = out
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return self.fc(self.avgpool(x).flatten(1))


def _variant(stem, conv_makers, first=BasicStem):
    return variant(stem, VideoResNet, BasicBlock, conv_makers, [2, 2, 2, 2], first)


r3d_18, R3D_18_Weights = _variant("R3D_18", [Conv3DSimple] * 4)
mc3_18, MC3_18_Weights = _variant("MC3_18", [Conv3DSimple] + [Conv3DNoTemporal] * 3)
r2plus1d_18, R2Plus1D_18_Weights = _variant("R2Plus1D_18", [Conv2Plus1D] * 4, R2Plus1dStem)
