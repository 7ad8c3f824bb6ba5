"""Losses of detectors: how far boxes (..., 4) are from those they should be, and focal loss."""

import math

import tallow
from tallow.errors import ArgumentError
from tallow.nn.functional import binary_cross_entropy_with_logits


def _reduced(name, loss, reduction):
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if reduction == "mean":
        return loss.mean() if loss.numel() else 0.0 * loss.sum()
    raise ArgumentError(f"{name}: expected reduction 'none', 'mean' or 'sum', got {reduction!r}")


def sigmoid_focal_loss(inputs, targets, alpha=0.25, gamma=2, reduction="none"):
    """Binary cross entropy of logits, less of it where they are right already.

    `targets` are 0 or 1. Its factor is (1 - p) ** gamma, p being the probability of the target,
    times `alpha` for ones and 1 - alpha for zeros (alpha -1: neither). Lin et al., "Focal loss for
    dense object detection" (2017).
    """
    if not 0 <= alpha <= 1 and alpha != -1:
        raise ArgumentError(f"sigmoid_focal_loss: expected alpha from 0 to 1, or -1, got {alpha}")
    p = inputs.sigmoid()
    right = p * targets + (1 - p) * (1 - targets)
    loss = binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    loss = loss * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return _reduced("sigmoid_focal_loss", loss, reduction)


def _exact(boxes):
    return boxes if boxes.dtype in (tallow.float32, tallow.float64) else boxes.float()


def _area(boxes):
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _shared_and_union(boxes1, boxes2):
    first = tallow.maximum(boxes1[..., :2], boxes2[..., :2])
    last = tallow.minimum(boxes1[..., 2:], boxes2[..., 2:])
    meet = (last > first).all(-1)
    shared = tallow.where(meet, _area(tallow.cat([first, last], -1)), 0.0)
    return shared, _area(boxes1) + _area(boxes2) - shared


def _around(boxes1, boxes2):
    first = tallow.minimum(boxes1[..., :2], boxes2[..., :2])
    return tallow.cat([first, tallow.maximum(boxes1[..., 2:], boxes2[..., 2:])], -1)


def generalized_box_iou_loss(boxes1, boxes2, reduction="none", eps=1e-7):
    """1 - `generalized_box_iou`, box by box."""
    boxes1, boxes2 = _exact(boxes1), _exact(boxes2)
    shared, union = _shared_and_union(boxes1, boxes2)
    around = _area(_around(boxes1, boxes2))
    loss = 1 - shared / (union + eps) + (around - union) / (around + eps)
    return _reduced("generalized_box_iou_loss", loss, reduction)


def _distance_loss(boxes1, boxes2, eps):
    """The loss by distance, and the overlaps."""
    shared, union = _shared_and_union(boxes1, boxes2)
    overlap = shared / (union + eps)
    around = _around(boxes1, boxes2)
    diagonal = ((around[..., 2:] - around[..., :2]) ** 2).sum(-1) + eps
    one, other = ((x[..., :2] + x[..., 2:]) / 2 for x in (boxes1, boxes2))
    return 1 - overlap + ((one - other) ** 2).sum(-1) / diagonal, overlap


def distance_box_iou_loss(boxes1, boxes2, reduction="none", eps=1e-7):
    """1 - `distance_box_iou`, box by box."""
    loss, _ = _distance_loss(_exact(boxes1), _exact(boxes2), eps)
    return _reduced("distance_box_iou_loss", loss, reduction)


def complete_box_iou_loss(boxes1, boxes2, reduction="none", eps=1e-7):
    """1 - `complete_box_iou`, box by box."""
    boxes1, boxes2 = _exact(boxes1), _exact(boxes2)
    loss, overlap = _distance_loss(boxes1, boxes2, 1e-7)
    one, other = (x[..., 2:] - x[..., :2] for x in (boxes1, boxes2))
    slopes = [(x[..., 0] / x[..., 1]).atan() for x in (one, other)]
    differ = 4 / math.pi**2 * (slopes[1] - slopes[0]) ** 2
    with tallow.no_grad():
        share = differ / (1 - overlap + differ + eps)
    return _reduced("complete_box_iou_loss", loss + share * differ, reduction)
