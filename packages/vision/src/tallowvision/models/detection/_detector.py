"""The frame of all detectors: images and targets in, losses or detections out."""

from collections import OrderedDict

import tallow
from tallow import nn
from tallow.errors import (
    ArgumentError,
    OutOfRangeError,
    TallowError,
    TypeMismatchError,
    describe,
)
from tallowvision import ops
from tallowvision.models.detection.anchor_utils import AnchorGenerator
from tallowvision.models.detection.transform import GeneralizedRCNNTransform


class TargetError(TallowError, AssertionError, ValueError):
    """A target that a detector cannot learn from."""


class Detector(nn.Module):
    """The base of detectors: `transform`, `backbone`, and `detected`, which subclasses have.

    Called with a list of images (C, H, W), in [0, 1] and of any sizes. In evaluation it gives a
    dict for each of them: `boxes` (N, 4), XYXY in pixels of that image, `labels` (N) and `scores`
    (N), best first. In training it takes a list of dicts with `boxes` and `labels` (int64), too,
    and gives a dict of losses to be added.

    Raises AssertionError or ValueError for targets that are missing, of other shapes, or with
    boxes without an area, IndexError for labels out of range. An image without any thing has boxes
    (0, 4).
    """

    def __init__(self, backbone, transform):
        super().__init__()
        self.transform = transform
        self.backbone = backbone

    def forward(self, images, targets=None):
        if self.training:
            _check_targets(targets)
        original_sizes = [tuple(image.shape[-2:]) for image in images]
        images, targets = self.transform(images, targets)
        _check_areas(targets or [])
        features = self.backbone(images.tensors)
        if isinstance(features, tallow.Tensor):
            features = OrderedDict([("0", features)])
        losses, detections = self.detected(images, features, targets)
        if self.training:
            return losses
        return self.transform.postprocess(detections, images.image_sizes, original_sizes)

    def detected(self, images, features, targets):
        """The losses, in training, or the detections, in evaluation, from a dict of maps."""
        raise NotImplementedError


def transform_of(min_size, max_size, image_mean=None, image_std=None, **kwargs):
    """A `GeneralizedRCNNTransform`, with the colours of ImageNet if nothing else is said."""
    mean = (0.485, 0.456, 0.406) if image_mean is None else image_mean
    std = (0.229, 0.224, 0.225) if image_std is None else image_std
    return GeneralizedRCNNTransform(min_size, max_size, mean, std, **kwargs)


def _check_targets(targets):
    if targets is None:
        raise TargetError("detection: expected targets in training mode, got None")
    for number, target in enumerate(targets):
        missing = {"boxes", "labels"} - set(target)
        if missing:
            raise TargetError(
                f"detection: expected boxes and labels in targets[{number}], got {list(target)}"
            )
        boxes, labels = target["boxes"], target["labels"]
        if not isinstance(boxes, tallow.Tensor) or boxes.ndim != 2 or boxes.shape[1] != 4:
            raise TargetError(
                f"detection: expected a tensor of boxes (N, 4) in targets[{number}], got "
                f"{describe(boxes)}; an image without any has one of (0, 4)"
            )
        if labels.dtype is not tallow.int64:
            raise TypeMismatchError(
                f"detection: expected int64 labels in targets[{number}], got {describe(labels)}"
            )
        if labels.shape != boxes.shape[:1]:
            raise TargetError(
                f"detection: expected {len(boxes)} labels in targets[{number}], as many as boxes, "
                f"got {describe(labels)}"
            )


def _check_areas(targets):
    for number, target in enumerate(targets):
        boxes = target["boxes"]
        empty = (boxes[:, 2:] <= boxes[:, :2]).any(1)
        if empty.any():
            raise TargetError(
                "detection: expected boxes (left, top, right, bottom) with positive sides, got "
                f"{boxes[empty][0].tolist()} in targets[{number}], as resized for the network"
            )


def check_labels(targets, num_classes):
    """OutOfRangeError unless all labels are from 0 to num_classes - 1."""
    for number, target in enumerate(targets):
        wrong = target["labels"][(target["labels"] < 0) | (target["labels"] >= num_classes)]
        if len(wrong):
            raise OutOfRangeError(
                f"detection: expected labels below {num_classes}, the number of classes, got "
                f"{wrong[0].item()} in targets[{number}]"
            )


def check_backbone(name, backbone):
    """ArgumentError unless the backbone says how many channels its maps have."""
    if not hasattr(backbone, "out_channels"):
        raise ArgumentError(
            f"{name}: expected a backbone with the attribute out_channels, the channels of all of "
            f"its maps, got {type(backbone).__name__}"
        )


def check_kind(name, argument, value, kind):
    """TypeMismatchError unless the value is None or of a kind."""
    if not isinstance(value, kind | None):
        raise TypeMismatchError(
            f"{name}: expected {argument} to be of {kind.__name__} or None, got "
            f"{type(value).__name__}"
        )


class DenseDetector(Detector):
    """The base of detectors that score each anchor of each map: RetinaNet and FCOS.

    Subclasses have `anchor_generator`, `head`, `compute_loss` and `scored`.
    """

    def __init__(
        self, backbone, transform, anchor_generator, head, score_thresh, nms_thresh,
        detections_per_img, topk_candidates,
    ):  # fmt: skip
        super().__init__(backbone, transform)
        self.anchor_generator = anchor_generator
        self.head = head
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates

    @staticmethod
    def check(name, backbone, anchor_generator):
        """Errors for arguments of a wrong kind."""
        check_backbone(name, backbone)
        check_kind(name, "anchor_generator", anchor_generator, AnchorGenerator)

    def detected(self, images, features, targets):
        maps = list(features.values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        places = [x.shape[2] * x.shape[3] for x in maps]
        each = outputs["cls_logits"].shape[1] // sum(places)
        counts = [count * each for count in places]
        if self.training:
            check_labels(targets, outputs["cls_logits"].shape[-1])
            return self.compute_loss(targets, outputs, anchors, counts), []
        levels = {name: x.split(counts, 1) for name, x in outputs.items()}
        split_anchors = [x.split(counts) for x in anchors]
        return {}, self.postprocess_detections(levels, split_anchors, images.image_sizes)

    def compute_loss(self, targets, head_outputs, anchors, num_anchors_per_level):
        """A dict of losses."""
        raise NotImplementedError

    def scored(self, outputs):
        """The scores (A, classes) of the anchors of one map."""
        raise NotImplementedError

    def decoded(self, codes, anchors):
        """The boxes (L, 4) that codes (L, 4) lead to from anchors."""
        raise NotImplementedError

    def postprocess_detections(self, head_outputs, anchors, image_shapes):
        """Detections from the head's outputs and anchors, in a list for each map.

        The best `topk_candidates` of each map, then of these, by class, those that no better one
        overlaps with.
        """
        detections = []
        for index, (of_levels, shape) in enumerate(zip(anchors, image_shapes, strict=True)):
            found = [
                self._best({name: x[level][index] for name, x in head_outputs.items()}, own, shape)
                for level, own in enumerate(of_levels)
            ]
            detections.append(self._kept(*(tallow.cat(part) for part in zip(*found, strict=True))))
        return detections

    def _best(self, outputs, anchors, shape):
        """Boxes, scores and labels of the best candidates of one map of one image."""
        scores = self.scored(outputs)
        classes = scores.shape[1]
        scores = scores.flatten()
        candidates = tallow.where(scores > self.score_thresh)[0]
        best = scores[candidates].topk(min(self.topk_candidates, len(candidates)))
        chosen = candidates[best.indices]
        place = chosen // classes
        boxes = self.decoded(outputs["bbox_regression"][place], anchors[place])
        return ops.clip_boxes_to_image(boxes, shape), best.values, chosen % classes

    def _kept(self, boxes, scores, labels):
        kept = ops.batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
        return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}
