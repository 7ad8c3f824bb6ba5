"""LR-ASPP: segmentation by a MobileNet v3 (Howard et al., 2019, section 6.4)."""

from collections import OrderedDict

from tallow import nn
from tallowvision.models._utils import IntermediateLayerGetter
from tallowvision.models.detection.backbone_utils import stages_of
from tallowvision.models.segmentation._utils import enlarged, segmenter


class LRASPP(nn.Module):
    """Images (N, 3, H, W) to class scores of each pixel: {"out": (N, num_classes, H, W)}.

    The backbone gives a dict of two maps, "low" (finer) and "high".
    """

    def __init__(self, backbone, low_channels, high_channels, num_classes, inter_channels=128):
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input):
        return OrderedDict(out=enlarged(self.classifier(self.backbone(input)), input))


class LRASPPHead(nn.Module):
    """Scores of classes, of a finer and a coarser map: the coarser one weighted by its means."""

    def __init__(self, low_channels, high_channels, num_classes, inter_channels):
        super().__init__()
        self.cbr = nn.Sequential(
            nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.BatchNorm2d(inter_channels), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.Sigmoid(),
        )  # fmt: skip
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input):
        low, high = input["low"], input["high"]
        x = enlarged(self.cbr(high) * self.scale(high), low)
        return self.low_classifier(low) + self.high_classifier(x)


def _lraspp(network, num_classes, aux_loss):
    """LR-ASPP on a dilated MobileNet v3."""
    features = network.features
    stages = stages_of(features)
    low, high = stages[-4], stages[-1]
    body = IntermediateLayerGetter(features, {str(low): "low", str(high): "high"})
    channels = features[low].out_channels, features[high].out_channels
    return LRASPP(body, *channels, num_classes)


lraspp_mobilenet_v3_large, LRASPP_MobileNet_V3_Large_Weights = segmenter(
    "LRASPP_MobileNet_V3_Large", _lraspp, "mobilenet_v3_large", has_aux=False, dilated=True
)
