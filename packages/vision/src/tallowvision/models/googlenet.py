"""GoogLeNet, Inception version 1, with batch norm (Szegedy et al., 2015)."""

from collections import namedtuple

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallow.nn.utils import in_turn
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size

GoogLeNetOutputs = namedtuple("GoogLeNetOutputs", ["logits", "aux_logits2", "aux_logits1"])

IMAGENET = ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))  # mean and deviation of its colours


class BasicConv2d(nn.Module):
    """A convolution without bias, batch norm, ReLU."""

    def __init__(self, in_channels, out_channels, kernel_size, **kwargs):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x):
        return in_turn(x, self.conv, self.bn, F.relu)


class Inception(nn.Module):
    """Four branches beside each other: 1 x 1; two of 3 x 3 after 1 x 1; pooling and 1 x 1.

    The third branch has 3 x 3 where the paper has 5 x 5, as the published weights have.
    """

    def __init__(self, in_channels, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj):
        super().__init__()
        self.branch1 = BasicConv2d(in_channels, ch1x1, 1)
        self.branch2 = nn.Sequential(
            BasicConv2d(in_channels, ch3x3red, 1), BasicConv2d(ch3x3red, ch3x3, 3, padding=1)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(in_channels, ch5x5red, 1), BasicConv2d(ch5x5red, ch5x5, 3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, 1, 1, ceil_mode=True), BasicConv2d(in_channels, pool_proj, 1)
        )

    def forward(self, x):
        return tallow.cat([branch(x) for branch in self.children()], 1)


class InceptionAux(nn.Module):
    """A classifier of an inner layer, for training."""

    def __init__(self, in_channels, num_classes, dropout=0.7):
        super().__init__()
        self.conv = BasicConv2d(in_channels, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.conv(F.adaptive_avg_pool2d(x, 4)).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """Images (N, 3, H, W), of 15 pixels at least, to class scores (N, num_classes).

    In training with `aux_logits` the result is GoogLeNetOutputs, with the scores of two classifiers
    of inner layers. `transform_input` takes images normalised as ImageNet's usually are to those of
    mean and deviation 0.5 that the published weights want.
    """

    def __init__(
        self, num_classes=1000, aux_logits=True, transform_input=False, init_weights=True,
        dropout=0.2, dropout_aux=0.7,
    ):  # fmt: skip
        super().__init__()
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.conv1 = BasicConv2d(3, 64, 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, 1)
        self.conv3 = BasicConv2d(64, 192, 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = InceptionAux(512, num_classes, dropout_aux) if aux_logits else None
        self.aux2 = InceptionAux(528, num_classes, dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights:
            for module in self.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    nn.init.trunc_normal_(module.weight, std=0.01)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if not self.aux_logits:
            drop_keys(state_dict, f"{prefix}aux1.", f"{prefix}aux2.")
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x):
        require_size("GoogLeNet", x, 15, 15)
        if self.transform_input:
            x = from_imagenet(x)
        x = self.conv3(self.conv2(self.maxpool1(self.conv1(x))))
        x = self.inception3b(self.inception3a(self.maxpool2(x)))
        first = self.inception4a(self.maxpool3(x))
        second = self.inception4d(self.inception4c(self.inception4b(first)))
        x = self.maxpool4(self.inception4e(second))
        x = self.avgpool(self.inception5b(self.inception5a(x))).flatten(1)
        scores = self.fc(self.dropout(x))
        if not (self.training and self.aux_logits):
            return scores
        aux1, aux2 = self.aux1(first), self.aux2(second)
        return GoogLeNetOutputs(scores, aux2, aux1)


def from_imagenet(x):
    """Images normalised by ImageNet's mean and deviation, normalised by 0.5 and 0.5 instead."""
    scale = tallow.tensor([std / 0.5 for _, std in IMAGENET], dtype=x.dtype, device=x.device)
    shift = tallow.tensor([(m - 0.5) / 0.5 for m, _ in IMAGENET], dtype=x.dtype, device=x.device)
    return x * scale[:, None, None] + shift[:, None, None]


def drop_keys(state_dict, *prefixes):
    """Forget what a state has of modules that the network is without."""
    for key in [key for key in state_dict if key.startswith(prefixes)]:
        del state_dict[key]


googlenet, GoogLeNet_Weights = variant(
    "GoogLeNet",
    GoogLeNet,
    with_weights={"transform_input": True, "aux_logits": False, "init_weights": False},
)
