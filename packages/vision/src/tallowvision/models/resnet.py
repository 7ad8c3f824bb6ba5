"""Deep residual networks (He et al., 2016), with groups (Xie et al., 2017) or wider."""

from tallow import nn
from tallow.errors import ArgumentError, NotSupportedError
from tallow.nn.utils import in_turn, norm_add_relu
from tallowvision.models._api import variant
from tallowvision.models._utils import initialize_convolutions


def conv3x3(in_planes, out_planes, stride=1, groups=1, dilation=1):
    return nn.Conv2d(
        in_planes, out_planes, 3, stride, dilation, dilation=dilation, groups=groups, bias=False
    )


def conv1x1(in_planes, out_planes, stride=1):
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    expansion = 1

    def __init__(
        self, inplanes, planes, stride=1, downsample=None, groups=1, base_width=64, dilation=1,
        norm_layer=None,
    ):  # fmt: skip
        super().__init__()
        if groups != 1 or base_width != 64:
            raise ArgumentError(
                f"BasicBlock: expected groups 1 and base_width 64, got {groups} and {base_width}"
            )
        if dilation > 1:
            raise NotSupportedError(f"BasicBlock: expected dilation 1, got {dilation}")
        norm_layer = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        out = in_turn(x, self.conv1, self.bn1, self.relu, self.conv2)
        identity = x if self.downsample is None else self.downsample(x)
        return norm_add_relu(out, self.bn2, identity, self.relu)


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut; the one of 3 x 3 has the stride ("version 1.5")."""

    expansion = 4

    def __init__(
        self, inplanes, planes, stride=1, downsample=None, groups=1, base_width=64, dilation=1,
        norm_layer=None,
    ):  # fmt: skip
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * base_width / 64) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        out = in_turn(x, self.conv1, self.bn1, self.relu, self.conv2, self.bn2, self.relu)
        identity = x if self.downsample is None else self.downsample(x)
        return norm_add_relu(self.conv3(out), self.bn3, identity, self.relu)


class ResNet(nn.Module):
    """Images (N, 3, H, W) to class scores (N, num_classes), through four stages of `block`.

    `replace_stride_with_dilation` says for each of the last three stages whether it keeps the size
    of its input and widens its kernels instead, as segmentation wants. With `zero_init_residual`
    every block begins as the identity.

    >>> import tallow
    >>> model = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=7)
    >>> model(tallow.ones(2, 3, 32, 32)).shape
    tallow.Size([2, 7])
    """

    def __init__(
        self, block, layers, num_classes=1000, zero_init_residual=False, groups=1,
        width_per_group=64, replace_stride_with_dilation=None, norm_layer=None,
    ):  # fmt: skip
        super().__init__()
        dilate = replace_stride_with_dilation or [False, False, False]
        if len(dilate) != 3:
            raise ArgumentError(
                f"replace_stride_with_dilation: expected three booleans, got {dilate!r}"
            )
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * block.expansion, num_classes)

        initialize_convolutions(self)
        for module in self.modules() if zero_init_residual else ():
            if isinstance(module, Bottleneck | BasicBlock):
                last = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                nn.init.zeros_(last.weight)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        """One stage: the first block changes the size or the dilation, and the channels."""
        out_planes = planes * block.expansion
        first_dilation = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        downsample = None
        if stride != 1 or self.inplanes != out_planes:
            downsample = nn.Sequential(
                conv1x1(self.inplanes, out_planes, stride), self._norm_layer(out_planes)
            )
        common = {
            "groups": self.groups, "base_width": self.base_width, "norm_layer": self._norm_layer,
        }  # fmt: skip
        layers = [
            block(self.inplanes, planes, stride, downsample, dilation=first_dilation, **common)
        ]
        self.inplanes = out_planes
        for _ in range(1, blocks):
            layers.append(block(out_planes, planes, dilation=self.dilation, **common))
        return nn.Sequential(*layers)

    def forward(self, x):
        x = in_turn(x, self.conv1, self.bn1, self.relu, self.maxpool)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


resnet18, ResNet18_Weights = variant("ResNet18", ResNet, BasicBlock, [2, 2, 2, 2])
resnet34, ResNet34_Weights = variant("ResNet34", ResNet, BasicBlock, [3, 4, 6, 3])
resnet50, ResNet50_Weights = variant("ResNet50", ResNet, Bottleneck, [3, 4, 6, 3])
resnet101, ResNet101_Weights = variant("ResNet101", ResNet, Bottleneck, [3, 4, 23, 3])
resnet152, ResNet152_Weights = variant("ResNet152", ResNet, Bottleneck, [3, 8, 36, 3])
resnext50_32x4d, ResNeXt50_32X4D_Weights = variant(
    "ResNeXt50_32X4D", ResNet, Bottleneck, [3, 4, 6, 3], groups=32, width_per_group=4
)
resnext101_32x8d, ResNeXt101_32X8D_Weights = variant(
    "ResNeXt101_32X8D", ResNet, Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=8
)
resnext101_64x4d, ResNeXt101_64X4D_Weights = variant(
    "ResNeXt101_64X4D", ResNet, Bottleneck, [3, 4, 23, 3], groups=64, width_per_group=4
)
wide_resnet50_2, Wide_ResNet50_2_Weights = variant(
    "Wide_ResNet50_2", ResNet, Bottleneck, [3, 4, 6, 3], width_per_group=128
)
wide_resnet101_2, Wide_ResNet101_2_Weights = variant(
    "Wide_ResNet101_2", ResNet, Bottleneck, [3, 4, 23, 3], width_per_group=128
)
