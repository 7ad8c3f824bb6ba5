"""The residual network for images of 32 x 32 pixels (He et al., 2016, section 4.2)."""

from tallow import nn
from tallow.nn import functional as F
from tallow.nn.utils import in_turn, norm_add_relu
from tallowvision.models._api import variant
from tallowvision.models._utils import initialize_convolutions
from tallowvision.models.resnet import conv3x3


class CifarBlock(nn.Module):
    """Two convolutions beside a shortcut without weights: channels that are new there are 0."""

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = conv3x3(in_planes, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.stride = stride
        self.new = planes - in_planes

    def forward(self, x):
        out = in_turn(x, self.conv1, self.bn1, F.relu, self.conv2)
        if self.new:
            first = self.new // 2
            x = F.pad(
                x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, first, self.new - first)
            )
        return norm_add_relu(out, self.bn2, x, F.relu)


class CifarResNet(nn.Module):
    """Images (N, 3, H, W) to class scores: 3 stages of `blocks` blocks with 16, 32, 64 channels.

    The number of layers with weights is 6 * blocks + 2.

    >>> import tallow
    >>> CifarResNet(1)(tallow.ones(2, 3, 32, 32)).shape
    tallow.Size([2, 10])
    """

    def __init__(self, blocks, num_classes=10):
        super().__init__()
        self.conv1 = conv3x3(3, 16)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(CifarBlock(16, 16) for _ in range(blocks)))
        self.layer2 = self._stage(32, blocks)
        self.layer3 = self._stage(64, blocks)
        self.fc = nn.Linear(64, num_classes)
        initialize_convolutions(self)

    @staticmethod
    def _stage(planes, blocks):
        rest = (CifarBlock(planes, planes) for _ in range(blocks - 1))
        return nn.Sequential(CifarBlock(planes // 2, planes, 2), *rest)

    def forward(self, x):
        x = in_turn(x, self.conv1, self.bn1, F.relu)
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


resnet20, ResNet20_Weights = variant("ResNet20", CifarResNet, 3)
