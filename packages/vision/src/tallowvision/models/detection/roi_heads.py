"""What is in the proposed regions: classes, boxes, masks and keypoints."""

import tallow
from tallow import nn
from tallow.errors import TypeMismatchError, describe
from tallow.nn import functional as F
from tallowvision import ops
from tallowvision.models.detection._detector import TargetError, check_labels
from tallowvision.models.detection._keypoints import (
    heatmaps_to_keypoints as heatmaps_to_keypoints,
)
from tallowvision.models.detection._keypoints import (
    keypointrcnn_inference,
    keypointrcnn_loss,
)
from tallowvision.models.detection._masks import maskrcnn_inference, maskrcnn_loss
from tallowvision.models.detection._masks import paste_masks_in_image as paste_masks_in_image
from tallowvision.models.detection._utils import (
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Matcher,
    match_with,
)
from tallowvision.models.detection.rpn import chosen_boxes


def fastrcnn_loss(class_logits, box_regression, labels, regression_targets):
    """Losses of the classes (L, C) and of the boxes (L, 4 * C); lists are by image."""
    labels, wanted = tallow.cat(list(labels)), tallow.cat(list(regression_targets))
    things = tallow.where(labels > 0)[0]
    codes = box_regression.reshape(len(labels), -1, 4)[things, labels[things]]
    box_loss = F.smooth_l1_loss(codes, wanted[things], beta=1 / 9, reduction="sum")
    return F.cross_entropy(class_logits, labels), box_loss / len(labels)


class RoIHeads(nn.Module):
    """Detections, or losses, from a dict of maps and a list of proposals for each image.

    Regions are cut out by `box_roi_pool`, and `box_head` and `box_predictor` give a class and
    codes of boxes; the parts for masks and for keypoints, where there are any, look at what was
    found, or in training at the proposals that are of something.
    """

    def __init__(
        self, box_roi_pool, box_head, box_predictor, fg_iou_thresh, bg_iou_thresh,
        batch_size_per_image, positive_fraction, bbox_reg_weights, score_thresh, nms_thresh,
        detections_per_img, mask_roi_pool=None, mask_head=None, mask_predictor=None,
        keypoint_roi_pool=None, keypoint_head=None, keypoint_predictor=None,
    ):  # fmt: skip
        super().__init__()
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self.box_coder = BoxCoder(bbox_reg_weights or (10.0, 10.0, 5.0, 5.0))
        self.box_roi_pool = box_roi_pool
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.mask_roi_pool = mask_roi_pool
        self.mask_head = mask_head
        self.mask_predictor = mask_predictor
        self.keypoint_roi_pool = keypoint_roi_pool
        self.keypoint_head = keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def has_mask(self):
        return None not in (self.mask_roi_pool, self.mask_head, self.mask_predictor)

    def has_keypoint(self):
        return None not in (self.keypoint_roi_pool, self.keypoint_head, self.keypoint_predictor)

    def forward(self, features, proposals, image_shapes, targets=None):
        matched = labels = codes = None
        if self.training:
            self._check(targets)
            proposals, matched, labels, codes = self.select_training_samples(proposals, targets)
        x = self.box_head(self.box_roi_pool(features, proposals, image_shapes))
        class_logits, box_regression = self.box_predictor(x)
        if self.training:
            check_labels(targets, class_logits.shape[-1])
            of_classes, of_boxes = fastrcnn_loss(class_logits, box_regression, labels, codes)
            losses = {"loss_classifier": of_classes, "loss_box_reg": of_boxes}
            things = [tallow.where(own > 0)[0] for own in labels]
            regions = [own[place] for own, place in zip(proposals, things, strict=True)]
            matched = [own[place] for own, place in zip(matched, things, strict=True)]
            found = []
        else:
            losses = {}
            found = self.postprocess_detections(
                class_logits, box_regression, proposals, image_shapes
            )
            regions = [one["boxes"] for one in found]
        if self.has_mask():
            x = self.mask_roi_pool(features, regions, image_shapes)
            logits = self.mask_predictor(self.mask_head(x))
            losses |= self._masks(logits, regions, matched, targets, found)
        if self.has_keypoint():
            x = self.keypoint_roi_pool(features, regions, image_shapes)
            logits = self.keypoint_predictor(self.keypoint_head(x))
            losses |= self._keypoints(logits, regions, matched, targets, found)
        return found, losses

    def _check(self, targets):
        wanted = {"masks"} if self.has_mask() else set()
        wanted |= {"keypoints"} if self.has_keypoint() else set()
        for number, target in enumerate(targets):
            if not wanted <= set(target):
                raise TargetError(
                    f"detection: expected {' and '.join(sorted(wanted))} in targets[{number}], "
                    f"got {list(target)}"
                )
            if "keypoints" in wanted and target["keypoints"].dtype is not tallow.float32:
                raise TypeMismatchError(
                    f"detection: expected float32 keypoints in targets[{number}], got "
                    f"{describe(target['keypoints'])}"
                )

    def _masks(self, logits, regions, matched, targets, found):
        """The loss of masks; in evaluation they go into `found`."""
        if self.training:
            masks, labels = ([target[key] for target in targets] for key in ("masks", "labels"))
            return {"loss_mask": maskrcnn_loss(logits, regions, masks, labels, matched)}
        masks = maskrcnn_inference(logits, [one["labels"] for one in found])
        for one, own in zip(found, masks, strict=True):
            one["masks"] = own
        return {}

    def _keypoints(self, logits, regions, matched, targets, found):
        """The loss of keypoints; in evaluation they and their scores go into `found`."""
        if self.training:
            points = [target["keypoints"] for target in targets]
            return {"loss_keypoint": keypointrcnn_loss(logits, regions, points, matched)}
        for one, points, scores in zip(
            found, *keypointrcnn_inference(logits, regions), strict=True
        ):
            one["keypoints"], one["keypoints_scores"] = points, scores
        return {}

    def select_training_samples(self, proposals, targets):
        """Some of the proposals and boxes of targets, which targets they are of, labels, codes.

        All are lists by image.
        """
        dtype = proposals[0].dtype
        chosen, matched, labels = [], [], []
        for own, target in zip(proposals, targets, strict=True):
            own = tallow.cat([own, target["boxes"].to(dtype)])
            match = match_with(self.proposal_matcher, target["boxes"], own)
            label = tallow.where(match == Matcher.BETWEEN_THRESHOLDS, -1, 0)
            if len(target["boxes"]):
                label = tallow.where(match >= 0, target["labels"][match.clamp(min=0)], label)
            chosen.append(own)
            matched.append(match.clamp(min=0))
            labels.append(label)
        places = [
            tallow.where(positive | negative)[0]
            for positive, negative in zip(*self.fg_bg_sampler(labels), strict=True)
        ]
        chosen, matched, labels = (
            [own[place] for own, place in zip(part, places, strict=True)]
            for part in (chosen, matched, labels)
        )
        boxes = [
            chosen_boxes(target["boxes"].to(dtype), own)
            for target, own in zip(targets, matched, strict=True)
        ]
        return chosen, matched, labels, self.box_coder.encode(boxes, chosen)

    def postprocess_detections(self, class_logits, box_regression, proposals, image_shapes):
        """Detections: the boxes of all classes but the background, less overlapping ones."""
        counts = [len(own) for own in proposals]
        boxes = self.box_coder.decode(box_regression, proposals).split(counts)
        scores = class_logits.softmax(-1).split(counts)
        return [self._found(*each) for each in zip(boxes, scores, image_shapes, strict=True)]

    def _found(self, boxes, scores, shape):
        boxes = ops.clip_boxes_to_image(boxes, shape)[:, 1:]
        scores = scores[:, 1:]
        large = ((boxes[..., 2:] - boxes[..., :2]) >= 1e-2).all(-1)
        place, label = tallow.where((scores > self.score_thresh) & large)
        boxes, scores, label = boxes[place, label], scores[place, label], label + 1
        kept = ops.batched_nms(boxes, scores, label, self.nms_thresh)[: self.detections_per_img]
        return {"boxes": boxes[kept], "labels": label[kept], "scores": scores[kept]}
