"""Networks whose layers see all layers before them (Huang et al., 2017)."""

import re

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallow.nn.utils import in_turn
from tallow.utils.checkpoint import checkpoint
from tallowvision.models._api import variant
from tallowvision.models._utils import require_size

OLD_KEY = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")  # in published files


class DenseLayer(nn.Module):
    """1 x 1 to `bn_size * growth_rate` channels, 3 x 3 to `growth_rate`, of all inputs together."""

    def __init__(self, in_channels, growth_rate, bn_size, drop_rate, memory_efficient):
        super().__init__()
        width = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, growth_rate, 3, padding=1, bias=False)
        self.drop_rate = drop_rate
        self.memory_efficient = memory_efficient

    def _narrow(self, *inputs):
        return in_turn(tallow.cat(inputs, 1), self.norm1, self.relu1, self.conv1)

    def forward(self, inputs):
        if self.memory_efficient and any(x.requires_grad for x in inputs):
            narrow = checkpoint(self._narrow, *inputs, use_reentrant=False)
        else:
            narrow = self._narrow(*inputs)
        out = in_turn(narrow, self.norm2, self.relu2, self.conv2)
        return F.dropout(out, self.drop_rate, self.training) if self.drop_rate else out


class DenseBlock(nn.ModuleDict):
    """Layers each of which adds `growth_rate` channels to what the next one sees."""

    def __init__(self, count, in_channels, growth_rate, *args):
        super().__init__()
        for i in range(count):
            layer = DenseLayer(in_channels + i * growth_rate, growth_rate, *args)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, x):
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return tallow.cat(features, 1)


class Transition(nn.Sequential):
    """Between blocks: another number of channels, half the size."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.pool = nn.AvgPool2d(2, 2)


class DenseNet(nn.Module):
    """Images (N, 3, H, W), of 29 pixels at least, to class scores (N, num_classes).

    `memory_efficient` computes parts of the forward pass again in the backward pass.
    """

    def __init__(
        self, growth_rate=32, block_config=(6, 12, 24, 16), num_init_features=64, bn_size=4,
        drop_rate=0.0, num_classes=1000, memory_efficient=False,
    ):  # fmt: skip
        super().__init__()
        self.features = nn.Sequential()
        self.features.conv0 = nn.Conv2d(3, num_init_features, 7, 2, 3, bias=False)
        self.features.norm0 = nn.BatchNorm2d(num_init_features)
        self.features.relu0 = nn.ReLU(inplace=True)
        self.features.pool0 = nn.MaxPool2d(3, 2, 1)
        channels, last = num_init_features, len(block_config)
        for i, count in enumerate(block_config, start=1):
            block = DenseBlock(count, channels, growth_rate, bn_size, drop_rate, memory_efficient)
            self.features.add_module(f"denseblock{i}", block)
            channels += count * growth_rate
            if i != last:
                self.features.add_module(f"transition{i}", Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module(f"norm{last + 1}", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(self.classifier.bias)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        for key in [key for key in state_dict if OLD_KEY.search(key)]:
            state_dict[OLD_KEY.sub(r"\1\2", key)] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x):
        require_size("DenseNet", x, 29, 29)
        x = F.relu(self.features(x))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


densenet121, DenseNet121_Weights = variant("DenseNet121", DenseNet)
densenet161, DenseNet161_Weights = variant("DenseNet161", DenseNet, 48, (6, 12, 36, 24), 96)
densenet169, DenseNet169_Weights = variant("DenseNet169", DenseNet, 32, (6, 12, 32, 32))
densenet201, DenseNet201_Weights = variant("DenseNet201", DenseNet, 32, (6, 12, 48, 32))
