"""DeepLab v3: dilated convolutions of several widths side by side (Chen et al., 2017)."""

from functools import partial

import tallow
from tallow import nn
from tallowvision.models._utils import IntermediateLayerGetter
from tallowvision.models.detection.backbone_utils import stages_of
from tallowvision.models.segmentation._utils import (
    FCNHead,
    SegmentationModel,
    enlarged,
    on_resnet,
    segmenter,
)


class DeepLabV3(SegmentationModel):
    __doc__ = SegmentationModel.__doc__


class DeepLabHead(nn.Sequential):
    """Scores of classes, of a map; `atrous_rates` are the dilations."""

    def __init__(self, in_channels, num_classes, atrous_rates=(12, 24, 36)):
        super().__init__(
            ASPP(in_channels, atrous_rates), nn.Conv2d(256, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256), nn.ReLU(), nn.Conv2d(256, num_classes, 1),
        )  # fmt: skip


class ASPPConv(nn.Sequential):
    """A dilated convolution."""

    def __init__(self, in_channels, out_channels, dilation):
        super().__init__(
            nn.Conv2d(
                in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False
            ),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class ASPPPooling(nn.Sequential):
    """What the means of channels say, everywhere."""

    def __init__(self, in_channels, out_channels):
        super().__init__(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x):
        return enlarged(super().forward(x), x)


class ASPP(nn.Module):
    """Pixels alone, with neighbours at several distances, and with all, in one map."""

    def __init__(self, in_channels, atrous_rates, out_channels=256):
        super().__init__()

        def pixels(channels):
            return [
                nn.Conv2d(channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels),
                nn.ReLU(),
            ]  # fmt: skip

        self.convs = nn.ModuleList([
            nn.Sequential(*pixels(in_channels)),
            *(ASPPConv(in_channels, out_channels, rate) for rate in atrous_rates),
            ASPPPooling(in_channels, out_channels),
        ])  # fmt: skip
        wide = len(self.convs) * out_channels
        self.project = nn.Sequential(*pixels(wide), nn.Dropout(0.5))

    def forward(self, x):
        return self.project(tallow.cat([part(x) for part in self.convs], 1))


def _resnet(network, num_classes, aux_loss):
    """DeepLab v3 on a dilated ResNet."""
    return on_resnet(network, DeepLabV3, DeepLabHead, num_classes, aux_loss)


def _mobilenet(network, num_classes, aux_loss):
    """DeepLab v3 on a dilated MobileNet v3."""
    features = network.features
    stages = stages_of(features)
    last, earlier = stages[-1], stages[-4]
    layers = {str(last): "out"} | ({str(earlier): "aux"} if aux_loss else {})
    aux = FCNHead(features[earlier].out_channels, num_classes) if aux_loss else None
    head = DeepLabHead(features[last].out_channels, num_classes)
    return DeepLabV3(IntermediateLayerGetter(features, layers), head, aux)


_variant = partial(segmenter, make=_resnet, replace_stride_with_dilation=[False, True, True])
deeplabv3_resnet50, DeepLabV3_ResNet50_Weights = _variant("DeepLabV3_ResNet50", backbone="resnet50")
deeplabv3_resnet101, DeepLabV3_ResNet101_Weights = _variant(
    "DeepLabV3_ResNet101", backbone="resnet101"
)
deeplabv3_mobilenet_v3_large, DeepLabV3_MobileNet_V3_Large_Weights = segmenter(
    "DeepLabV3_MobileNet_V3_Large", _mobilenet, "mobilenet_v3_large", dilated=True
)
