"""FCOS: every pixel of a pyramid says what it is of, and how far the sides of its box are.

Tian et al., "FCOS: fully convolutional one-stage object detection" (2019).
"""

import math
from functools import partial

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallowvision.models.detection._builders import detector
from tallowvision.models.detection._detector import DenseDetector, transform_of
from tallowvision.models.detection._utils import BoxLinearCoder, apply_to_convolutions, rows
from tallowvision.models.detection.anchor_utils import AnchorGenerator
from tallowvision.ops import generalized_box_iou_loss, sigmoid_focal_loss
from tallowvision.ops.feature_pyramid_network import LastLevelP6P7

_draw = partial(nn.init.normal_, std=0.01)


class FCOSHead(nn.Module):
    """The classes, boxes and centreness of each pixel, from a list of maps."""

    def __init__(self, in_channels, num_anchors, num_classes, num_convs=4, norm_layer=None):
        super().__init__()
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.classification_head = FCOSClassificationHead(
            in_channels, num_anchors, num_classes, num_convs, norm_layer=norm_layer
        )
        self.regression_head = FCOSRegressionHead(
            in_channels, num_anchors, num_convs, norm_layer=norm_layer
        )

    def forward(self, x):
        codes, centreness = self.regression_head(x)
        return {
            "cls_logits": self.classification_head(x), "bbox_regression": codes,
            "bbox_ctrness": centreness,
        }  # fmt: skip

    def compute_loss(self, targets, head_outputs, anchors, matched_idxs):
        """Losses of classes, boxes and centreness; `matched_idxs` are -1 for anchors of nothing."""
        matched = tallow.stack(list(matched_idxs))
        is_thing = matched >= 0
        image, place = tallow.where(is_thing)
        count = max(1, len(image))
        logits = head_outputs["cls_logits"]
        wanted = [
            (target["labels"][own[own >= 0]], target["boxes"][own[own >= 0]])
            for target, own in zip(targets, matched_idxs, strict=True)
        ]
        labels, boxes = (tallow.cat(part) for part in zip(*wanted, strict=True))
        truth = tallow.zeros_like(logits)
        truth[image, place, labels] = 1.0
        own_anchors = tallow.stack(list(anchors))[is_thing]
        found = self.box_coder.decode(head_outputs["bbox_regression"][is_thing], own_anchors)
        losses = {
            "classification": sigmoid_focal_loss(logits, truth, reduction="sum"),
            "bbox_regression": generalized_box_iou_loss(found, boxes, reduction="sum"),
            "bbox_ctrness": F.binary_cross_entropy_with_logits(
                head_outputs["bbox_ctrness"][is_thing][:, 0],
                self._centreness(own_anchors, boxes), reduction="sum",
            ),
        }  # fmt: skip
        return {name: loss / count for name, loss in losses.items()}

    def _centreness(self, anchors, boxes):
        """How central anchors are in their boxes, from 0 to 1 (equation 3)."""
        distances = self.box_coder.encode(anchors, boxes)
        before, after = distances[:, :2], distances[:, 2:]
        return (tallow.minimum(before, after) / tallow.maximum(before, after)).prod(1).sqrt()


def _tower(in_channels, num_convs, norm_layer):
    """Convolutions with norms, as in the paper groups of 32 channels."""
    norm_layer = norm_layer or partial(nn.GroupNorm, 32)
    layers = []
    for _ in range(num_convs):
        layers += [nn.Conv2d(in_channels, in_channels, 3, padding=1), norm_layer(in_channels)]
        layers.append(nn.ReLU())
    tower = nn.Sequential(*layers)
    apply_to_convolutions(tower, _draw)
    return tower


def _last(in_channels, out_channels, bias=0.0):
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    _draw(layer.weight)
    nn.init.constant_(layer.bias, bias)
    return layer


class FCOSClassificationHead(nn.Module):
    """Logits (N, pixels, num_classes) from a list of maps.

    At first, each class has `prior_probability` everywhere.
    """

    def __init__(
        self, in_channels, num_anchors, num_classes, num_convs=4, prior_probability=0.01,
        norm_layer=None,
    ):  # fmt: skip
        super().__init__()
        self.num_classes = num_classes
        self.num_anchors = num_anchors
        self.conv = _tower(in_channels, num_convs, norm_layer)
        bias = -math.log((1 - prior_probability) / prior_probability)
        self.cls_logits = _last(in_channels, num_anchors * num_classes, bias)

    def forward(self, x):
        found = [rows(self.cls_logits(self.conv(one)), self.num_classes) for one in x]
        return tallow.cat(found, 1)


class FCOSRegressionHead(nn.Module):
    """Distances (N, pixels, 4) to the sides, and logits (N, pixels, 1) of being in the centre."""

    def __init__(self, in_channels, num_anchors, num_convs=4, norm_layer=None):
        super().__init__()
        self.conv = _tower(in_channels, num_convs, norm_layer)
        self.bbox_reg = _last(in_channels, num_anchors * 4)
        self.bbox_ctrness = _last(in_channels, num_anchors)

    def forward(self, x):
        maps = [self.conv(one) for one in x]
        codes = [rows(self.bbox_reg(one).relu(), 4) for one in maps]
        centreness = [rows(self.bbox_ctrness(one), 1) for one in maps]
        return tallow.cat(codes, 1), tallow.cat(centreness, 1)


class FCOS(DenseDetector):
    """FCOS on the maps of a backbone, a dict of them with `backbone.out_channels` each.

    Called as every detector here: a list of images (C, H, W) and, in training, of targets; see
    `fasterrcnn_resnet50_fpn`. `num_classes` counts the background. A pixel learns from a box whose
    centre is within `center_sampling_radius` of its own size.
    """

    def __init__(
        self, backbone, num_classes, min_size=800, max_size=1333, image_mean=None, image_std=None,
        anchor_generator=None, head=None, center_sampling_radius=1.5, score_thresh=0.2,
        nms_thresh=0.6, detections_per_img=100, topk_candidates=1000, **kwargs,
    ):  # fmt: skip
        self.check("FCOS", backbone, anchor_generator)
        if anchor_generator is None:
            sizes = ((8,), (16,), (32,), (64,), (128,))  # the strides of the maps
            anchor_generator = AnchorGenerator(sizes, ((1.0,),) * len(sizes))
        each = anchor_generator.num_anchors_per_location()[0]
        if each != 1:
            raise ArgumentError(f"FCOS: expected one anchor for each pixel of maps, got {each}")
        super().__init__(
            backbone, transform_of(min_size, max_size, image_mean, image_std, **kwargs),
            anchor_generator, head or FCOSHead(backbone.out_channels, each, num_classes),
            score_thresh, nms_thresh, detections_per_img, topk_candidates,
        )  # fmt: skip
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.center_sampling_radius = center_sampling_radius

    def compute_loss(self, targets, head_outputs, anchors, num_anchors_per_level):
        matched = [
            self._matched(own, target["boxes"], num_anchors_per_level)
            for own, target in zip(anchors, targets, strict=True)
        ]
        return self.head.compute_loss(targets, head_outputs, anchors, matched)

    def _matched(self, anchors, boxes, counts):
        """The number of the box that each anchor (A, 4) is of, the smallest of several; -1: none.

        A box belongs to the map whose pixels are 4 to 8 times smaller than its farthest side is
        away (all that are larger to the last map, and smaller to the first).
        """
        if not len(boxes):
            return tallow.full((len(anchors),), -1, dtype=tallow.int64, device=anchors.device)
        centres = ((anchors[:, :2] + anchors[:, 2:]) / 2)[:, None]
        sizes = (anchors[:, 2] - anchors[:, 0])[:, None]
        off = (centres - (boxes[:, :2] + boxes[:, 2:]) / 2).abs().amax(2)
        distances = tallow.cat([centres - boxes[:, :2], boxes[:, 2:] - centres], 2)
        farthest = distances.amax(2)
        lower, upper = sizes * 4, sizes * 8
        lower[: counts[0]] = 0
        upper[-counts[-1] :] = float("inf")
        match = (off < self.center_sampling_radius * sizes) & (distances.amin(2) > 0)
        match = match & (farthest > lower) & (farthest < upper)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        smallest = tallow.where(match, areas, float("inf")).min(1)
        return tallow.where(smallest.values.isinf(), -1, smallest.indices)

    def scored(self, outputs):
        return (outputs["cls_logits"].sigmoid() * outputs["bbox_ctrness"].sigmoid()).sqrt()

    def decoded(self, codes, anchors):
        return self.box_coder.decode(codes, anchors)


def _fcos(backbone, num_classes, **kwargs):
    """FCOS on a ResNet-50 with a pyramid."""
    body = backbone.resnet_fpn(returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
    return FCOS(body, num_classes, **kwargs)


fcos_resnet50_fpn, FCOS_ResNet50_FPN_Weights = detector("FCOS_ResNet50_FPN", _fcos, "resnet50")
