"""Networks of 3 x 3 convolutions, 11 to 19 layers deep (Simonyan and Zisserman, 2015)."""

from tallow import nn
from tallowvision.models._api import variant
from tallowvision.models._utils import initialize_convolutions, initialize_linear, require_size

CONVOLUTIONS = {  # layers in each of five stages, which end by pooling
    "A": (1, 1, 2, 2, 2),
    "B": (2, 2, 2, 2, 2),
    "D": (2, 2, 3, 3, 3),
    "E": (2, 2, 4, 4, 4),
}
CHANNELS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """Images (N, 3, H, W), of 32 pixels at least, to class scores (N, num_classes)."""

    def __init__(self, features, num_classes=1000, init_weights=True, dropout=0.5):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            initialize_convolutions(self)
            initialize_linear(self)

    def forward(self, x):
        require_size("VGG", x, 32, 32)
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def make_layers(counts, batch_norm=False):
    """The convolutions: `counts` of them in the five stages."""
    layers, before = [], 3
    for count, channels in zip(counts, CHANNELS, strict=True):
        for _ in range(count):
            layers.append(nn.Conv2d(before, channels, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
            before = channels
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def _vgg(letter, batch_norm=False, **kwargs):
    return VGG(make_layers(CONVOLUTIONS[letter], batch_norm), **kwargs)


def _variants(stem, letter):
    """The network without and with batch norm: two builders and two enums."""
    given = {"init_weights": False}
    plain = variant(stem, _vgg, letter, with_weights=given)
    return plain + variant(f"{stem}_BN", _vgg, letter, with_weights=given, batch_norm=True)


vgg11, VGG11_Weights, vgg11_bn, VGG11_BN_Weights = _variants("VGG11", "A")
vgg13, VGG13_Weights, vgg13_bn, VGG13_BN_Weights = _variants("VGG13", "B")
vgg16, VGG16_Weights, vgg16_bn, VGG16_BN_Weights = _variants("VGG16", "D")
vgg19, VGG19_Weights, vgg19_bn, VGG19_BN_Weights = _variants("VGG19", "E")
