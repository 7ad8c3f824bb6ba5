"""SSD: boxes of maps of several sizes, scored at once.

Liu et al., "SSD: single shot multibox detector" (2016).
"""

from collections import OrderedDict

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallowvision import ops
from tallowvision.models.detection._builders import detector
from tallowvision.models.detection._detector import Detector, check_labels, transform_of
from tallowvision.models.detection._utils import (
    BoxCoder,
    SSDMatcher,
    apply_to_convolutions,
    match_with,
    retrieve_out_channels,
    rows,
)
from tallowvision.models.detection.anchor_utils import DefaultBoxGenerator
from tallowvision.models.detection.backbone_utils import freeze


class SSDHead(nn.Module):
    """The classes and boxes of each anchor, from a list of maps."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__()
        self.classification_head = SSDClassificationHead(in_channels, num_anchors, num_classes)
        self.regression_head = SSDRegressionHead(in_channels, num_anchors)

    def forward(self, x):
        return {
            "bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x),
        }  # fmt: skip


class SSDScoringHead(nn.Module):
    """Rows (N, anchors, num_columns) from a list of maps, each by a module of its own."""

    def __init__(self, module_list, num_columns):
        super().__init__()
        self.module_list = module_list
        self.num_columns = num_columns

    def forward(self, x):
        found = zip(self.module_list, x, strict=True)
        return tallow.cat([rows(part(one), self.num_columns) for part, one in found], 1)


def scoring(block, in_channels, num_anchors, columns, draw):
    """The modules of a head: `block(channels, outputs)` for each map."""
    parts = nn.ModuleList(
        block(channels, columns * count)
        for channels, count in zip(in_channels, num_anchors, strict=True)
    )
    apply_to_convolutions(parts, draw)
    return parts, columns


def _convolution(in_channels, out_channels):
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


class SSDClassificationHead(SSDScoringHead):
    """Logits (N, anchors, num_classes)."""

    def __init__(self, in_channels, num_anchors, num_classes):
        draw = nn.init.xavier_uniform_
        super().__init__(*scoring(_convolution, in_channels, num_anchors, num_classes, draw))


class SSDRegressionHead(SSDScoringHead):
    """Codes (N, anchors, 4) of boxes."""

    def __init__(self, in_channels, num_anchors):
        super().__init__(
            *scoring(_convolution, in_channels, num_anchors, 4, nn.init.xavier_uniform_)
        )


class SSD(Detector):
    """SSD on the maps of a backbone, with images resized to `size` (width, height).

    Called as every detector here: a list of images (C, H, W) and, in training, of targets; see
    `fasterrcnn_resnet50_fpn`. `num_classes` counts the background, which is 0. The backbone's
    attribute `out_channels`, a list of the channels of each map, is found out if there is none.
    """

    def __init__(
        self, backbone, anchor_generator, size, num_classes, image_mean=None, image_std=None,
        head=None, score_thresh=0.01, nms_thresh=0.45, detections_per_img=200, iou_thresh=0.5,
        topk_candidates=400, positive_fraction=0.25, **kwargs,
    ):  # fmt: skip
        transform = transform_of(
            min(size), max(size), image_mean, image_std, size_divisible=1, fixed_size=size, **kwargs
        )
        super().__init__(backbone, transform)
        self.anchor_generator = anchor_generator
        self.box_coder = BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
        self.head = head or self._default_head(size, num_classes)
        self.proposal_matcher = SSDMatcher(iou_thresh)
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates
        self.neg_to_pos_ratio = (1.0 - positive_fraction) / positive_fraction

    def _default_head(self, size, num_classes):
        channels = getattr(self.backbone, "out_channels", None)
        if channels is None:
            channels = retrieve_out_channels(self.backbone, size)
        counts = self.anchor_generator.num_anchors_per_location()
        if len(channels) != len(counts):
            raise ArgumentError(
                f"SSD: expected anchors for {len(channels)} maps of the backbone, got them for "
                f"{len(counts)}"
            )
        return SSDHead(channels, counts, num_classes)

    def detected(self, images, features, targets):
        maps = list(features.values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        if not self.training:
            return {}, self.postprocess_detections(outputs, anchors, images.image_sizes)
        check_labels(targets, outputs["cls_logits"].shape[-1])
        matched = [
            match_with(self.proposal_matcher, target["boxes"], own)
            for target, own in zip(targets, anchors, strict=True)
        ]
        return self.compute_loss(targets, outputs, anchors, matched), []

    def compute_loss(self, targets, head_outputs, anchors, matched_idxs):
        """Losses of boxes and classes, over the number of anchors of things.

        Of the anchors of nothing, those count that are the most wrong: `neg_to_pos_ratio` times
        as many as of things.
        """
        box_losses, labels, count = [], [], 0
        for target, codes, own, matched in zip(
            targets, head_outputs["bbox_regression"], anchors, matched_idxs, strict=True
        ):
            place = tallow.where(matched >= 0)[0]
            count += len(place)
            wanted = self.box_coder.encode_single(target["boxes"][matched[place]], own[place])
            box_losses.append(F.smooth_l1_loss(codes[place], wanted, reduction="sum"))
            truth = tallow.zeros_like(matched)
            truth[place] = target["labels"][matched[place]]
            labels.append(truth)
        truth = tallow.stack(labels)
        losses = F.cross_entropy(
            head_outputs["cls_logits"].flatten(0, 1), truth.flatten(), reduction="none"
        ).reshape(truth.shape)
        is_thing = truth > 0
        hard = self._hardest(losses.detach(), is_thing)
        of_classes = losses[is_thing].sum() + losses[hard].sum()
        return {
            "bbox_regression": sum(box_losses) / max(1, count),
            "classification": of_classes / max(1, count),
        }

    def _hardest(self, losses, is_thing):
        """The anchors of nothing that count: bool (N, anchors)."""
        most = self.neg_to_pos_ratio * is_thing.sum(1, keepdim=True)
        order = losses.masked_fill(is_thing, float("-inf")).argsort(1, descending=True)
        return order.argsort(1) < most

    def postprocess_detections(self, head_outputs, image_anchors, image_shapes):
        """Detections: of each class the best, less those that better ones overlap with."""
        scores = head_outputs["cls_logits"].softmax(-1)
        return [
            self._found(*each)
            for each in zip(
                head_outputs["bbox_regression"], scores, image_anchors, image_shapes, strict=True
            )
        ]

    def _found(self, codes, scores, anchors, shape):
        boxes = ops.clip_boxes_to_image(self.box_coder.decode_single(codes, anchors), shape)
        most = min(self.topk_candidates, len(boxes))
        best = scores[:, 1:].T.topk(most, 1)  # (classes, most)
        label, place = tallow.where(best.values > self.score_thresh)
        score, boxes = best.values[label, place], boxes[best.indices[label, place]]
        label = label + 1  # 0 is the background
        kept = ops.batched_nms(boxes, score, label, self.nms_thresh)[: self.detections_per_img]
        return {"boxes": boxes[kept], "scores": score[kept], "labels": label[kept]}


class SSDFeatureExtractorVGG(nn.Module):
    """The maps of a VGG of `images`, and those of further layers: {"0": (N, C, H, W), ...}.

    The finest is rescaled to unit length in its channels (Liu et al., 2015, "ParseNet"). `highres`
    is for images of 512 pixels.
    """

    def __init__(self, backbone, highres):
        super().__init__()
        pools = [i for i, layer in enumerate(backbone) if isinstance(layer, nn.MaxPool2d)]
        backbone[pools[2]].ceil_mode = True
        self.scale_weight = nn.Parameter(tallow.ones(512) * 20)
        self.features = nn.Sequential(*backbone[: pools[3]])
        further = [
            _narrowed(1024, 256, 512, padding=1, stride=2),
            _narrowed(512, 128, 256, padding=1, stride=2),
            _narrowed(256, 128, 256), _narrowed(256, 128, 256),
        ]  # fmt: skip
        if highres:
            further.append(_narrowed(256, 128, 256, kernel_size=4))
        fc = nn.Sequential(
            nn.MaxPool2d(3, 1, 1), nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
            nn.ReLU(inplace=True), nn.Conv2d(1024, 1024, 1), nn.ReLU(inplace=True),
        )  # fmt: skip
        for block in (*further, fc):
            apply_to_convolutions(block, nn.init.xavier_uniform_)
        self.extra = nn.ModuleList([nn.Sequential(*backbone[pools[3] : -1], fc), *further])

    def forward(self, x):
        x = self.features(x)
        maps = [self.scale_weight[:, None, None] * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), x) for i, x in enumerate(maps))


def _narrowed(inputs, between, outputs, kernel_size=3, **kwargs):
    """A convolution to fewer channels, and one that makes the map smaller."""
    return nn.Sequential(
        nn.Conv2d(inputs, between, 1), nn.ReLU(inplace=True),
        nn.Conv2d(between, outputs, kernel_size, **kwargs), nn.ReLU(inplace=True),
    )  # fmt: skip


def _ssd300(backbone, num_classes, **kwargs):
    """SSD of images of 300 x 300 pixels, on a VGG."""
    features = backbone.network().features
    pools = [i for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    freeze(features, [0, *pools[:-1]], backbone.layers)
    anchors = DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
        scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], steps=[8, 16, 32, 64, 100, 300],
    )  # fmt: skip
    defaults = {"image_mean": [0.48235, 0.45882, 0.40784], "image_std": [1 / 255] * 3}
    body = SSDFeatureExtractorVGG(features, highres=False)
    return SSD(body, anchors, (300, 300), num_classes, **{**defaults, **kwargs})


ssd300_vgg16, SSD300_VGG16_Weights = detector(
    "SSD300_VGG16", _ssd300, "vgg16", weights_backbone="IMAGENET1K_FEATURES", layers=4,
    frozen_norms=False,
)  # fmt: skip
