"""RetinaNet: each anchor of a pyramid scored at once, by focal loss.

Lin et al., "Focal loss for dense object detection" (2017).
"""

import math
from functools import partial

import tallow
from tallow import nn
from tallowvision.models.detection._builders import detector
from tallowvision.models.detection._detector import DenseDetector, transform_of
from tallowvision.models.detection._utils import (
    BoxCoder,
    Matcher,
    apply_to_convolutions,
    box_loss,
    match_with,
    rows,
)
from tallowvision.models.detection.anchor_utils import AnchorGenerator
from tallowvision.ops import Conv2dNormActivation, sigmoid_focal_loss
from tallowvision.ops.feature_pyramid_network import LastLevelP6P7

_draw = partial(nn.init.normal_, std=0.01)


def _default_anchorgen():
    """Three sizes to an octave, three shapes."""
    sizes = tuple(tuple(int(x * 2 ** (k / 3)) for k in range(3)) for x in (32, 64, 128, 256, 512))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


class RetinaNetHead(nn.Module):
    """The classes and boxes of each anchor, from a list of maps."""

    def __init__(self, in_channels, num_anchors, num_classes, norm_layer=None):
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(
            in_channels, num_anchors, num_classes, norm_layer=norm_layer
        )
        self.regression_head = RetinaNetRegressionHead(
            in_channels, num_anchors, norm_layer=norm_layer
        )

    def compute_loss(self, targets, head_outputs, anchors, matched_idxs):
        """Losses of classes and boxes; `matched_idxs` are as a `Matcher` gives them."""
        return {
            "classification": self.classification_head.compute_loss(
                targets, head_outputs, matched_idxs
            ),
            "bbox_regression": self.regression_head.compute_loss(
                targets, head_outputs, anchors, matched_idxs
            ),
        }

    def forward(self, x):
        return {
            "cls_logits": self.classification_head(x), "bbox_regression": self.regression_head(x),
        }  # fmt: skip


class _Tower(nn.Module):
    """The base: four convolutions, then one more."""

    _version = 2

    def __init__(self, in_channels, norm_layer):
        super().__init__()
        layers = [Conv2dNormActivation(in_channels, in_channels, norm_layer=norm_layer)
                  for _ in range(4)]  # fmt: skip
        self.conv = nn.Sequential(*layers)
        apply_to_convolutions(self.conv, _draw)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 1) < 2:  # convolutions were not in blocks of their own
            for i in range(4):
                for kind in ("weight", "bias"):
                    old = f"{prefix}conv.{2 * i}.{kind}"
                    if old in state_dict:
                        state_dict[f"{prefix}conv.{i}.0.{kind}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class RetinaNetClassificationHead(_Tower):
    """Logits (N, anchors, num_classes); at first each class has `prior_probability`."""

    def __init__(
        self, in_channels, num_anchors, num_classes, prior_probability=0.01, norm_layer=None
    ):
        super().__init__(in_channels, norm_layer)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, 3, padding=1)
        _draw(self.cls_logits.weight)
        bias = -math.log((1 - prior_probability) / prior_probability)
        nn.init.constant_(self.cls_logits.bias, bias)
        self.num_classes = num_classes
        self.num_anchors = num_anchors

    def compute_loss(self, targets, head_outputs, matched_idxs):
        """Focal loss over the number of anchors of things, a mean over images."""
        losses = []
        for target, logits, matched in zip(
            targets, head_outputs["cls_logits"], matched_idxs, strict=True
        ):
            place = tallow.where(matched >= 0)[0]
            truth = tallow.zeros_like(logits)
            truth[place, target["labels"][matched[place]]] = 1.0
            counts = matched != Matcher.BETWEEN_THRESHOLDS
            loss = sigmoid_focal_loss(logits[counts], truth[counts], reduction="sum")
            losses.append(loss / max(1, len(place)))
        return sum(losses) / len(targets)

    def forward(self, x):
        found = [rows(self.cls_logits(self.conv(one)), self.num_classes) for one in x]
        return tallow.cat(found, 1)


class RetinaNetRegressionHead(_Tower):
    """Codes (N, anchors, 4) of boxes."""

    def __init__(self, in_channels, num_anchors, norm_layer=None):
        super().__init__(in_channels, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)
        _draw(self.bbox_reg.weight)
        nn.init.zeros_(self.bbox_reg.bias)
        self.box_coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self._loss_type = "l1"

    def compute_loss(self, targets, head_outputs, anchors, matched_idxs):
        """A loss of the boxes of the anchors of things, a mean over these and over images."""
        losses = []
        for target, codes, own, matched in zip(
            targets, head_outputs["bbox_regression"], anchors, matched_idxs, strict=True
        ):
            place = tallow.where(matched >= 0)[0]
            wanted = target["boxes"][matched[place]]
            loss = box_loss(self._loss_type, self.box_coder, own[place], wanted, codes[place])
            losses.append(loss / max(1, len(place)))
        return sum(losses) / max(1, len(targets))

    def forward(self, x):
        return tallow.cat([rows(self.bbox_reg(self.conv(one)), 4) for one in x], 1)


class RetinaNet(DenseDetector):
    """RetinaNet on the maps of a backbone, a dict of them with `backbone.out_channels` each.

    Called as every detector here: a list of images (C, H, W) and, in training, of targets; see
    `fasterrcnn_resnet50_fpn`. `num_classes` counts the background.
    """

    def __init__(
        self, backbone, num_classes, min_size=800, max_size=1333, image_mean=None, image_std=None,
        anchor_generator=None, head=None, proposal_matcher=None, score_thresh=0.05,
        nms_thresh=0.5, detections_per_img=300, fg_iou_thresh=0.5, bg_iou_thresh=0.4,
        topk_candidates=1000, **kwargs,
    ):  # fmt: skip
        self.check("RetinaNet", backbone, anchor_generator)
        anchor_generator = anchor_generator or _default_anchorgen()
        each = anchor_generator.num_anchors_per_location()[0]
        head = head or RetinaNetHead(backbone.out_channels, each, num_classes)
        super().__init__(
            backbone, transform_of(min_size, max_size, image_mean, image_std, **kwargs),
            anchor_generator, head, score_thresh, nms_thresh, detections_per_img, topk_candidates,
        )  # fmt: skip
        self.proposal_matcher = proposal_matcher or Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.box_coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))

    def compute_loss(self, targets, head_outputs, anchors, num_anchors_per_level):
        matched = [
            match_with(self.proposal_matcher, target["boxes"], own)
            for target, own in zip(targets, anchors, strict=True)
        ]
        return self.head.compute_loss(targets, head_outputs, anchors, matched)

    def scored(self, outputs):
        return outputs["cls_logits"].sigmoid()

    def decoded(self, codes, anchors):
        return self.box_coder.decode_single(codes, anchors)


def _first(backbone, num_classes, **kwargs):
    """RetinaNet on a ResNet-50 with a pyramid."""
    body = backbone.resnet_fpn(returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
    return RetinaNet(body, num_classes, **kwargs)


def _second(backbone, num_classes, **kwargs):
    """RetinaNet with the improvements of 2020 (Zhang et al.), on a ResNet-50 with a pyramid."""
    body = backbone.resnet_fpn(returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(2048, 256))
    anchors = _default_anchorgen()
    head = RetinaNetHead(
        body.out_channels, anchors.num_anchors_per_location()[0], num_classes,
        norm_layer=partial(nn.GroupNorm, 32),
    )  # fmt: skip
    head.regression_head._loss_type = "giou"
    return RetinaNet(body, num_classes, anchor_generator=anchors, head=head, **kwargs)


retinanet_resnet50_fpn, RetinaNet_ResNet50_FPN_Weights = detector(
    "RetinaNet_ResNet50_FPN", _first, "resnet50", exact_norms=True
)
retinanet_resnet50_fpn_v2, RetinaNet_ResNet50_FPN_V2_Weights = detector(
    "RetinaNet_ResNet50_FPN_V2", _second, "resnet50", weights_backbone=None, frozen_norms=False
)
