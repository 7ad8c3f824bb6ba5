"""Faster R-CNN: regions proposed by a network, and classified (Ren et al., 2015)."""

from functools import partial

from tallow import nn
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.nn import functional as F
from tallowvision.models.detection._builders import detector
from tallowvision.models.detection._detector import check_backbone, check_kind, transform_of
from tallowvision.models.detection._utils import apply_to_convolutions
from tallowvision.models.detection.anchor_utils import AnchorGenerator
from tallowvision.models.detection.generalized_rcnn import GeneralizedRCNN
from tallowvision.models.detection.roi_heads import RoIHeads
from tallowvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from tallowvision.ops import Conv2dNormActivation, MultiScaleRoIAlign

draw = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")


def _default_anchorgen():
    return AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)


class FasterRCNN(GeneralizedRCNN):
    """Faster R-CNN on the maps of a backbone: a tensor, or a dict of them, the finest first.

    All maps have `backbone.out_channels`. `num_classes` counts the background; it is None if a
    `box_predictor` of one's own says how many there are. Called as every detector here; see
    `fasterrcnn_resnet50_fpn`. Arguments that begin with `rpn_` are of the network that proposes
    regions, those with `box_` of the heads that classify them.
    """

    def __init__(
        self, backbone, num_classes=None, min_size=800, max_size=1333, image_mean=None,
        image_std=None, rpn_anchor_generator=None, rpn_head=None, rpn_pre_nms_top_n_train=2000,
        rpn_pre_nms_top_n_test=1000, rpn_post_nms_top_n_train=2000, rpn_post_nms_top_n_test=1000,
        rpn_nms_thresh=0.7, rpn_fg_iou_thresh=0.7, rpn_bg_iou_thresh=0.3,
        rpn_batch_size_per_image=256, rpn_positive_fraction=0.5, rpn_score_thresh=0.0,
        box_roi_pool=None, box_head=None, box_predictor=None, box_score_thresh=0.05,
        box_nms_thresh=0.5, box_detections_per_img=100, box_fg_iou_thresh=0.5,
        box_bg_iou_thresh=0.5, box_batch_size_per_image=512, box_positive_fraction=0.25,
        bbox_reg_weights=None, **kwargs,
    ):  # fmt: skip
        check_backbone("FasterRCNN", backbone)
        check_kind("FasterRCNN", "rpn_anchor_generator", rpn_anchor_generator, AnchorGenerator)
        check_kind("FasterRCNN", "box_roi_pool", box_roi_pool, MultiScaleRoIAlign)
        if (num_classes is None) == (box_predictor is None):
            raise ArgumentError(
                "FasterRCNN: expected either num_classes or box_predictor, got "
                f"{'neither' if num_classes is None else 'both'}"
            )
        channels = backbone.out_channels
        anchors = rpn_anchor_generator or _default_anchorgen()
        rpn = RegionProposalNetwork(
            anchors, rpn_head or RPNHead(channels, anchors.num_anchors_per_location()[0]),
            rpn_fg_iou_thresh, rpn_bg_iou_thresh, rpn_batch_size_per_image, rpn_positive_fraction,
            {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test},
            rpn_nms_thresh, rpn_score_thresh,
        )  # fmt: skip
        pool = box_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
        heads = RoIHeads(
            pool, box_head or TwoMLPHead(channels * pool.output_size[0] ** 2, 1024),
            box_predictor or FastRCNNPredictor(1024, num_classes), box_fg_iou_thresh,
            box_bg_iou_thresh, box_batch_size_per_image, box_positive_fraction, bbox_reg_weights,
            box_score_thresh, box_nms_thresh, box_detections_per_img,
        )  # fmt: skip
        transform = transform_of(min_size, max_size, image_mean, image_std, **kwargs)
        super().__init__(backbone, rpn, heads, transform)


class TwoMLPHead(nn.Module):
    """Two linear layers, of regions (L, C, M, M) flattened."""

    def __init__(self, in_channels, representation_size):
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x):
        return F.relu(self.fc7(F.relu(self.fc6(x.flatten(1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """Convolutions, then linear layers, of regions of `input_size` (C, H, W)."""

    def __init__(self, input_size, conv_layers, fc_layers, norm_layer=None):
        channels, height, width = input_size
        layers = []
        for own in conv_layers:
            layers.append(Conv2dNormActivation(channels, own, norm_layer=norm_layer))
            channels = own
        layers.append(nn.Flatten())
        channels *= height * width
        for own in fc_layers:
            layers += [nn.Linear(channels, own), nn.ReLU(inplace=True)]
            channels = own
        super().__init__(*layers)
        apply_to_convolutions(self, draw)


class FastRCNNPredictor(nn.Module):
    """Logits (L, num_classes) and codes of boxes (L, 4 * num_classes), of features (L, C)."""

    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x):
        if x.ndim == 4 and tuple(x.shape[2:]) != (1, 1):
            raise ShapeError(
                f"FastRCNNPredictor: expected (L, C) or (L, C, 1, 1), got {describe(x)}"
            )
        x = x.flatten(1)
        return self.cls_score(x), self.bbox_pred(x)


def with_better_heads(backbone):
    """The parts of the networks of 2021 (Li et al.) that replace those of the first ones."""
    anchors = _default_anchorgen()
    channels = backbone.out_channels
    return {
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(channels, anchors.num_anchors_per_location()[0], conv_depth=2),
        "box_head": FastRCNNConvFCHead(
            (channels, 7, 7), [256] * 4, [1024], norm_layer=nn.BatchNorm2d
        ),
    }


def _first(backbone, num_classes, **kwargs):
    """Faster R-CNN on a ResNet-50 with a pyramid."""
    return FasterRCNN(backbone.resnet_fpn(), num_classes, **kwargs)


def _second(backbone, num_classes, **kwargs):
    """Faster R-CNN with the improvements of 2021 (Li et al.), on a ResNet-50 with a pyramid."""
    body = backbone.resnet_fpn(norm_layer=nn.BatchNorm2d)
    return FasterRCNN(body, num_classes, **with_better_heads(body), **kwargs)


def _mobile(backbone, num_classes, **kwargs):
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, ((0.5, 1.0, 2.0),) * 3)
    return FasterRCNN(backbone.mobilenet_fpn(), num_classes, rpn_anchor_generator=anchors, **kwargs)


def _mobile_large(backbone, num_classes, **kwargs):
    """Faster R-CNN on a MobileNet v3 with a pyramid."""
    return _mobile(backbone, num_classes, **{"rpn_score_thresh": 0.05, **kwargs})


def _mobile_320(backbone, num_classes, **kwargs):
    """Faster R-CNN on a MobileNet v3 with a pyramid, for images of 320 pixels."""
    defaults = {
        "min_size": 320, "max_size": 640, "rpn_pre_nms_top_n_test": 150,
        "rpn_post_nms_top_n_test": 150, "rpn_score_thresh": 0.05,
    }  # fmt: skip
    return _mobile(backbone, num_classes, **{**defaults, **kwargs})


fasterrcnn_resnet50_fpn, FasterRCNN_ResNet50_FPN_Weights = detector(
    "FasterRCNN_ResNet50_FPN", _first, "resnet50", exact_norms=True
)
fasterrcnn_resnet50_fpn_v2, FasterRCNN_ResNet50_FPN_V2_Weights = detector(
    "FasterRCNN_ResNet50_FPN_V2", _second, "resnet50", weights_backbone=None, frozen_norms=False
)
fasterrcnn_mobilenet_v3_large_fpn, FasterRCNN_MobileNet_V3_Large_FPN_Weights = detector(
    "FasterRCNN_MobileNet_V3_Large_FPN", _mobile_large, "mobilenet_v3_large", most=6
)
fasterrcnn_mobilenet_v3_large_320_fpn, FasterRCNN_MobileNet_V3_Large_320_FPN_Weights = detector(
    "FasterRCNN_MobileNet_V3_Large_320_FPN", _mobile_320, "mobilenet_v3_large", most=6
)
