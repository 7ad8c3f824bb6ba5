"""The network that proposes regions: Ren et al., "Faster R-CNN" (2015)."""

from functools import partial

import tallow
from tallow import nn
from tallow.nn import functional as F
from tallowvision import ops
from tallowvision.models.detection._utils import (
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Matcher,
    apply_to_convolutions,
    match_with,
    rows,
)
from tallowvision.models.detection.anchor_utils import AnchorGenerator as AnchorGenerator


class RPNHead(nn.Module):
    """Whether each anchor is of anything, and codes of its box, for each of a list of maps."""

    _version = 2

    def __init__(self, in_channels, num_anchors, conv_depth=1):
        super().__init__()
        self.conv = nn.Sequential(*(
            ops.Conv2dNormActivation(in_channels, in_channels, norm_layer=None)
            for _ in range(conv_depth)
        ))  # fmt: skip
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, 1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, 1)
        apply_to_convolutions(self, partial(nn.init.normal_, std=0.01))

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 1) < 2:  # the convolution was not in a block
            for kind in ("weight", "bias"):
                if f"{prefix}conv.{kind}" in state_dict:
                    state_dict[f"{prefix}conv.0.0.{kind}"] = state_dict.pop(f"{prefix}conv.{kind}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def forward(self, x):
        maps = [self.conv(one) for one in x]
        return [self.cls_logits(one) for one in maps], [self.bbox_pred(one) for one in maps]


class RegionProposalNetwork(nn.Module):
    """Proposals from a pyramid of maps: a list of boxes (P, 4) for each image, and losses.

    Of each map the best `pre_nms_top_n` are looked at, and the best `post_nms_top_n` of all are
    given that do not overlap by more than `nms_thresh` and score at least `score_thresh`; these two
    are dicts with "training" and "testing". In training an anchor is of something from an overlap
    of `fg_iou_thresh` on, of nothing below `bg_iou_thresh`; `batch_size_per_image` of them count,
    at most the fraction `positive_fraction` of something.
    """

    def __init__(
        self, anchor_generator, head, fg_iou_thresh, bg_iou_thresh, batch_size_per_image,
        positive_fraction, pre_nms_top_n, post_nms_top_n, nms_thresh, score_thresh=0.0,
    ):  # fmt: skip
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.box_coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.proposal_matcher = Matcher(
            fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True
        )
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(
            batch_size_per_image, positive_fraction
        )
        self._pre_nms_top_n = pre_nms_top_n
        self._post_nms_top_n = post_nms_top_n
        self.nms_thresh = nms_thresh
        self.score_thresh = score_thresh
        self.min_size = 1e-3

    def pre_nms_top_n(self):
        return self._pre_nms_top_n["training" if self.training else "testing"]

    def post_nms_top_n(self):
        return self._post_nms_top_n["training" if self.training else "testing"]

    def forward(self, images, features, targets=None):
        maps = list(features.values())
        objectness, codes = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        counts = [x[0].numel() for x in objectness]
        scores = tallow.cat([rows(x, 1) for x in objectness], 1)[..., 0]  # (N, anchors)
        codes = tallow.cat([rows(x, 4) for x in codes], 1)
        proposals = self.box_coder.decode(codes.detach().flatten(0, 1), anchors)
        proposals = proposals.reshape(len(anchors), -1, 4)
        boxes, _ = self.filter_proposals(proposals, scores, images.image_sizes, counts)
        if not self.training:
            return boxes, {}
        labels, matched = self.assign_targets_to_anchors(anchors, targets)
        wanted = self.box_coder.encode(matched, anchors)
        return boxes, self.compute_loss(scores.flatten(), codes.flatten(0, 1), labels, wanted)

    def filter_proposals(self, proposals, objectness, image_shapes, num_anchors_per_level):
        """The best of proposals (N, A, 4) by objectness (N, A): boxes and scores of each image."""
        chosen, levels, first = [], [], 0
        for level, scores in enumerate(objectness.detach().split(num_anchors_per_level, 1)):
            best = scores.topk(min(self.pre_nms_top_n(), scores.shape[1]), 1).indices
            chosen.append(best + first)
            levels += [level] * best.shape[1]
            first += scores.shape[1]
        chosen = tallow.cat(chosen, 1)
        levels = tallow.tensor(levels, device=chosen.device)
        image = tallow.arange(len(chosen), device=chosen.device)[:, None]
        scores = objectness.detach()[image, chosen].sigmoid()
        kept = [
            self._kept(*each, levels)
            for each in zip(proposals[image, chosen], scores, image_shapes, strict=True)
        ]
        return tuple(map(list, zip(*kept, strict=True)))

    def _kept(self, boxes, scores, shape, levels):
        boxes = ops.clip_boxes_to_image(boxes, shape)
        sides = boxes[:, 2:] - boxes[:, :2]
        counts = (sides >= self.min_size).all(1) & (scores >= self.score_thresh)
        boxes, scores = boxes[counts], scores[counts]
        kept = ops.batched_nms(boxes, scores, levels[counts], self.nms_thresh)
        kept = kept[: self.post_nms_top_n()]
        return boxes[kept], scores[kept]

    def assign_targets_to_anchors(self, anchors, targets):
        """Lists of labels (A), 1 of something, 0 of nothing, -1 undecided, and of boxes (A, 4)."""
        labels, boxes = [], []
        for own, target in zip(anchors, targets, strict=True):
            matched = match_with(self.proposal_matcher, target["boxes"], own)
            undecided = matched == Matcher.BETWEEN_THRESHOLDS
            labels.append(tallow.where(undecided, -1.0, (matched >= 0).float()))
            boxes.append(chosen_boxes(target["boxes"], matched))
        return labels, boxes

    def compute_loss(self, objectness, pred_bbox_deltas, labels, regression_targets):
        """Losses of anchors (N * A) of all images; the others are lists by image."""
        positive, negative = self.fg_bg_sampler(labels)
        positive = tallow.where(tallow.cat(positive))[0]
        sampled = tallow.cat([positive, tallow.where(tallow.cat(negative))[0]])
        wanted = tallow.cat(list(regression_targets))[positive]
        box_loss = F.smooth_l1_loss(pred_bbox_deltas[positive], wanted, beta=1 / 9, reduction="sum")
        labels = tallow.cat(labels)
        return {
            "loss_objectness": F.binary_cross_entropy_with_logits(
                objectness[sampled], labels[sampled]
            ),
            "loss_rpn_box_reg": box_loss / len(sampled),
        }


def chosen_boxes(boxes, matched):
    """The box (A, 4) that each match is of; the first, or zeros, where there is none."""
    if not len(boxes):
        return boxes.new_zeros(len(matched), 4)
    return boxes[matched.clamp(min=0)]
