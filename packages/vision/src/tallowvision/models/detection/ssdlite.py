"""SSDlite: SSD with separable convolutions, on a MobileNet (Sandler et al., 2018)."""

from collections import OrderedDict
from functools import partial

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models.detection._builders import detector
from tallowvision.models.detection._utils import apply_to_convolutions, retrieve_out_channels
from tallowvision.models.detection.anchor_utils import DefaultBoxGenerator
from tallowvision.models.detection.backbone_utils import freeze, stages_of
from tallowvision.models.detection.ssd import SSD, SSDScoringHead, scoring
from tallowvision.ops import Conv2dNormActivation

_draw = partial(nn.init.normal_, std=0.03)


def _separable(norm_layer, in_channels, out_channels):
    """A kernel for each channel, then all channels at each place."""
    return nn.Sequential(
        Conv2dNormActivation(
            in_channels, in_channels, groups=in_channels, norm_layer=norm_layer,
            activation_layer=nn.ReLU6,
        ),
        nn.Conv2d(in_channels, out_channels, 1),
    )  # fmt: skip


def _extra_block(in_channels, out_channels, norm_layer):
    """A map of half the size."""
    between = out_channels // 2
    block = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
    return nn.Sequential(
        block(in_channels, between, 1), block(between, between, 3, 2, groups=between),
        block(between, out_channels, 1),
    )  # fmt: skip


class SSDLiteHead(nn.Module):
    """The classes and boxes of each anchor, from a list of maps."""

    def __init__(self, in_channels, num_anchors, num_classes, norm_layer):
        super().__init__()
        self.classification_head = SSDLiteClassificationHead(
            in_channels, num_anchors, num_classes, norm_layer
        )
        self.regression_head = SSDLiteRegressionHead(in_channels, num_anchors, norm_layer)

    def forward(self, x):
        return {
            "bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x),
        }  # fmt: skip


class SSDLiteClassificationHead(SSDScoringHead):
    """Logits (N, anchors, num_classes)."""

    def __init__(self, in_channels, num_anchors, num_classes, norm_layer):
        block = partial(_separable, norm_layer)
        super().__init__(*scoring(block, in_channels, num_anchors, num_classes, _draw))


class SSDLiteRegressionHead(SSDScoringHead):
    """Codes (N, anchors, 4) of boxes."""

    def __init__(self, in_channels, num_anchors, norm_layer):
        block = partial(_separable, norm_layer)
        super().__init__(*scoring(block, in_channels, num_anchors, 4, _draw))


class SSDLiteFeatureExtractorMobileNet(nn.Module):
    """Maps of a MobileNet's blocks, cut within block `c4_pos`, and of further ones."""

    def __init__(self, backbone, c4_pos, norm_layer, width_mult=1.0, min_depth=16):
        super().__init__()
        cut = backbone[c4_pos]
        if cut.use_res_connect:
            raise ArgumentError(
                f"SSDlite: expected a block without shortcut to cut, got block {c4_pos} with one"
            )
        self.features = nn.Sequential(
            nn.Sequential(*backbone[:c4_pos], cut.block[0]),
            nn.Sequential(cut.block[1:], *backbone[c4_pos + 1 :]),
        )
        channels = backbone[-1].out_channels
        self.extra = nn.ModuleList()
        for depth in (512, 256, 256, 128):
            depth = max(min_depth, int(depth * width_mult))
            self.extra.append(_extra_block(channels, depth, norm_layer))
            channels = depth
        apply_to_convolutions(self.extra, _draw)

    def forward(self, x):
        maps = OrderedDict()
        for block in (*self.features, *self.extra):
            x = block(x)
            maps[str(len(maps))] = x
        return maps


def _ssdlite320(backbone, num_classes, norm_layer=None, **kwargs):
    """SSDlite of images of 320 x 320 pixels, on a MobileNet v3."""
    norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    network = backbone.network(norm_layer=norm_layer, reduced_tail=not backbone.has_weights)
    if not backbone.has_weights:
        apply_to_convolutions(network, _draw)
    stages = stages_of(network.features)
    freeze(network.features, stages, backbone.layers)
    body = SSDLiteFeatureExtractorMobileNet(network.features, stages[-2], norm_layer)
    anchors = DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95)
    size = (320, 320)
    head = SSDLiteHead(
        retrieve_out_channels(body, size), anchors.num_anchors_per_location(), num_classes,
        norm_layer,
    )  # fmt: skip
    defaults = {
        "score_thresh": 0.001, "nms_thresh": 0.55, "detections_per_img": 300,
        "topk_candidates": 300, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    }  # fmt: skip
    return SSD(body, anchors, size, num_classes, head=head, **{**defaults, **kwargs})


ssdlite320_mobilenet_v3_large, SSDLite320_MobileNet_V3_Large_Weights = detector(
    "SSDLite320_MobileNet_V3_Large", _ssdlite320, "mobilenet_v3_large", most=6, layers=6,
    frozen_norms=False,
)  # fmt: skip
