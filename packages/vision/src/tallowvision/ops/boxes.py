"""Boxes: their areas, overlaps and formats, and the best of those that overlap.

Boxes are (..., N, 4): left, top, right, bottom in pixels, unless a format says otherwise.
"""

import math

import numpy as np

import tallow
from tallow.errors import ArgumentError, NotSupportedError, ShapeError, describe
from tallowvision._boxes import convert_boxes
from tallowvision.tv_tensors import BoundingBoxFormat, is_rotated_bounding_format

_BLOCK = 64  # boxes whose overlaps with all others are computed at once


def nms(boxes, scores, iou_threshold):
    """The numbers of the boxes (N, 4) to keep, best score first.

    A box goes if one that stays has a higher score and overlaps with it by more than
    `iou_threshold`.

    >>> import tallow
    >>> from tallowvision import ops
    >>> boxes = tallow.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
    >>> ops.nms(boxes, tallow.tensor([0.5, 0.9, 0.7]), 0.5)
    tensor([1, 2])
    """
    _check_scores("nms", boxes, scores)
    order = scores.detach().argsort(descending=True, stable=True)
    exact = boxes.detach()[order].cpu()
    exact = exact.numpy() if exact.dtype in (tallow.float32, tallow.float64) else exact.double()
    kept = _kept(np.asarray(exact), iou_threshold)
    return order[tallow.from_numpy(kept).to(order.device)]


def _kept(boxes, iou_threshold):
    """The places of the boxes to keep, of boxes in order."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    alive, kept = np.arange(len(boxes)), []
    while len(alive):
        head, rest = alive[:_BLOCK], alive[_BLOCK:]
        own = _overlaps(boxes, areas, head, head, iou_threshold)
        stays = np.ones(len(head), bool)
        for i in range(len(head)):
            if stays[i]:
                stays[i + 1 :] &= ~own[i, i + 1 :]
        kept.append(head[stays])
        gone = _overlaps(boxes, areas, head[stays], rest, iou_threshold).any(0)
        alive = rest[~gone]
    return np.concatenate([alive, *kept])


def _overlaps(boxes, areas, first, second, iou_threshold):
    """Which of `first` overlap with which of `second` too much: bools (len(first), len(second))."""
    ones, others = boxes[first, :, None], boxes[second].T
    width = np.minimum(ones[:, 2], others[2]) - np.maximum(ones[:, 0], others[0])
    height = np.minimum(ones[:, 3], others[3]) - np.maximum(ones[:, 1], others[1])
    shared = np.maximum(width, 0, out=width) * np.maximum(height, 0, out=height)
    with np.errstate(invalid="ignore", divide="ignore"):  # boxes without an area
        return shared / (areas[first, None] + areas[second] - shared) > iou_threshold


def batched_nms(boxes, scores, idxs, iou_threshold):
    """`nms` within each category: boxes with different `idxs` (N) leave each other alone."""
    _check_scores("batched_nms", boxes, scores)
    if idxs.shape != scores.shape:
        raise ShapeError(f"batched_nms: expected idxs {tuple(scores.shape)}, got {describe(idxs)}")
    if not len(boxes):
        return tallow.empty(0, dtype=tallow.int64, device=boxes.device)
    exact = boxes.detach().double()
    apart = idxs.double() * (exact.max() - exact.min() + 1)
    return nms(exact + apart[:, None], scores, iou_threshold)


def _check_scores(name, boxes, scores):
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise ShapeError(
            f"{name}: expected boxes (N, 4) and scores (N), got {describe(boxes)} and "
            f"{describe(scores)}"
        )


def remove_small_boxes(boxes, min_size):
    """The numbers of the boxes with both sides at least `min_size` long."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return tallow.where((sides >= min_size).all(-1))[0]


def clip_boxes_to_image(boxes, size):
    """Boxes (..., 4) cut at the edges of an image of `size` (height, width)."""
    height, width = size
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return tallow.stack([x, y], -1).reshape(boxes.shape)


def box_convert(boxes, in_fmt, out_fmt):
    """Boxes in another format: xyxy, xywh, cxcywh, or xywhr, cxcywhr, xyxyxyxy for turned ones.

    See `tv_tensors.BoundingBoxFormat`. ArgumentError for another, NotSupportedError between an
    upright and a turned one.
    """
    old, new = (_format("box_convert", name) for name in (in_fmt, out_fmt))
    if is_rotated_bounding_format(old) != is_rotated_bounding_format(new):
        raise NotSupportedError(
            f"box_convert: expected both formats upright or both turned, got {in_fmt} and {out_fmt}"
        )
    if old == new:
        return boxes.clone()
    if BoundingBoxFormat.CXCYWH in (old, new) and not boxes.is_floating_point():
        boxes = boxes.float()  # centres may lie between pixels
    return convert_boxes(boxes, old, new)


_UPRIGHT = ("xyxy", "xywh", "cxcywh")
_FORMATS = tuple(kind.name.lower() for kind in BoundingBoxFormat)


def _format(name, fmt, known=_FORMATS):
    if fmt not in known:
        raise ArgumentError(f"{name}: expected a format of {', '.join(known)}, got {fmt!r}")
    return BoundingBoxFormat[fmt.upper()]


# Overlaps


def _wide(x):
    """Numbers whose products do not overflow."""
    if x.is_floating_point():
        return x if x.dtype in (tallow.float32, tallow.float64) else x.float()
    return x if x.dtype in (tallow.int32, tallow.int64) else x.int()


def box_area(boxes, fmt="xyxy"):
    """The areas (...) of boxes (..., 4)."""
    _format("box_area", fmt, _UPRIGHT)
    boxes = _wide(boxes)
    sides = boxes[..., 2:] - boxes[..., :2] if fmt == "xyxy" else boxes[..., 2:]
    return sides[..., 0] * sides[..., 1]


def _all_pairs(boxes1, boxes2):
    return boxes1[..., :, None, :], boxes2[..., None, :, :]


def _shared_and_union(boxes1, boxes2):
    """The areas (..., N, M) that boxes share, and that they cover together."""
    ones, others = _all_pairs(boxes1, boxes2)
    first = tallow.maximum(ones[..., :2], others[..., :2])
    last = tallow.minimum(ones[..., 2:], others[..., 2:])
    sides = _wide(last - first).clamp(min=0)
    shared = sides[..., 0] * sides[..., 1]
    return shared, box_area(ones) + box_area(others) - shared


def _around(boxes1, boxes2):
    """The sides (..., N, M, 2) of the smallest boxes around two."""
    ones, others = _all_pairs(boxes1, boxes2)
    first = tallow.minimum(ones[..., :2], others[..., :2])
    last = tallow.maximum(ones[..., 2:], others[..., 2:])
    return _wide(last - first).clamp(min=0)


def box_iou(boxes1, boxes2, fmt="xyxy"):
    """What boxes (..., N, 4) and (..., M, 4) share, as a part of both together: (..., N, M).

    Turned boxes, (N, K) and (M, K), too; there is no gradient through these.

    >>> import tallow
    >>> from tallowvision import ops
    >>> ops.box_iou(tallow.tensor([[0.0, 0, 2, 2]]), tallow.tensor([[1.0, 0, 3, 2], [4, 4, 5, 5]]))
    tensor([[0.3333, 0.0000]])
    """
    kind = _format("box_iou", fmt)
    if is_rotated_bounding_format(kind):
        corners = (convert_boxes(x.double(), kind, BoundingBoxFormat.XYXYXYXY) for x in (
            boxes1, boxes2))  # fmt: skip
        found = _turned_iou(*(x.detach().cpu().numpy().reshape(-1, 4, 2) for x in corners))
        return tallow.from_numpy(found).to(boxes1.device, boxes1.dtype)
    if fmt != "xyxy":
        boxes1, boxes2 = (box_convert(x, fmt, "xyxy") for x in (boxes1, boxes2))
    shared, union = _shared_and_union(boxes1, boxes2)
    return shared / union


def generalized_box_iou(boxes1, boxes2):
    """`box_iou` less the part of the box around two that neither covers (Rezatofighi 2019)."""
    shared, union = _shared_and_union(boxes1, boxes2)
    sides = _around(boxes1, boxes2)
    around = sides[..., 0] * sides[..., 1]
    return shared / union - (around - union) / around


def distance_box_iou(boxes1, boxes2, eps=1e-7):
    """`box_iou` less the squared distance of centres over that of corners (Zheng et al., 2020)."""
    boxes1, boxes2 = _wide(boxes1), _wide(boxes2)
    diagonal = (_around(boxes1, boxes2) ** 2).sum(-1) + eps
    ones, others = _all_pairs(*((x[..., :2] + x[..., 2:]) / 2 for x in (boxes1, boxes2)))
    return box_iou(boxes1, boxes2) - ((ones - others) ** 2).sum(-1) / diagonal


def complete_box_iou(boxes1, boxes2, eps=1e-7):
    """`distance_box_iou` less a measure of how the shapes differ (Zheng et al., 2020)."""
    boxes1, boxes2 = _wide(boxes1), _wide(boxes2)
    ones, others = _all_pairs(*(x[..., 2:] - x[..., :2] for x in (boxes1, boxes2)))
    slopes = [(x[..., 0] / x[..., 1]).atan() for x in (ones, others)]
    differ = 4 / math.pi**2 * (slopes[0] - slopes[1]) ** 2
    with tallow.no_grad():
        share = differ / (1 - box_iou(boxes1, boxes2) + differ + eps)
    return distance_box_iou(boxes1, boxes2, eps) - share * differ


# Turned boxes: what two share is the polygon of the corners of each that lie in the other and of
# the points where sides cross. (x, y) are complex numbers here, so that a product turns.


def _turned_iou(first, second):
    """The overlaps (N, M) of quadrilaterals (N, 4, 2) and (M, 4, 2)."""
    ones, others = (np.ascontiguousarray(x).view(np.complex128)[..., 0] for x in (first, second))
    shape = (len(ones), len(others), 4)
    ones, others = np.broadcast_to(ones[:, None], shape), np.broadcast_to(others, shape)
    crossings, cross = _crossings(ones, others)
    points = np.concatenate([ones, others, crossings], -1)
    valid = np.concatenate([_inside(ones, others), _inside(others, ones), cross], -1)
    shared = _hull_area(points, valid)
    areas = [_hull_area(x, np.ones(x.shape, bool)) for x in (ones, others)]
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(shared / (areas[0] + areas[1] - shared))


def _cross(a, b):
    return (a.conj() * b).imag


def _sides(quads):
    return np.roll(quads, -1, -1) - quads


def _inside(points, quads):
    """Which points (..., 4) lie in quadrilaterals (..., 4), or within rounding on their edges."""
    sides = _sides(quads)[..., None, :]
    turns = _cross(sides, points[..., :, None] - quads[..., None, :])
    slack = 1e-9 * (1 + np.abs(sides) ** 2)
    return (turns >= -slack).all(-1) | (turns <= slack).all(-1)


def _crossings(ones, others):
    """The points (..., 16) where sides cross, and which of them are within both sides."""
    a, b = _sides(ones)[..., :, None], _sides(others)[..., None, :]
    between = others[..., None, :] - ones[..., :, None]
    scale = _cross(a, b)
    parallel = np.abs(scale) < 1e-14
    scale = np.where(parallel, 1, scale)
    along_a, along_b = _cross(between, b) / scale, _cross(between, a) / scale
    within = ~parallel & (along_a >= 0) & (along_a <= 1) & (along_b >= 0) & (along_b <= 1)
    flat = (*ones.shape[:-1], 16)
    return (ones[..., :, None] + along_a * a).reshape(flat), within.reshape(flat)


def _hull_area(points, valid):
    """The areas of convex polygons, of the valid ones of points (..., P) in any order."""
    count = np.maximum(valid.sum(-1, keepdims=True), 1)
    points = points - np.where(valid, points, 0).sum(-1, keepdims=True) / count
    order = np.argsort(np.where(valid, np.angle(points), np.inf), -1)
    points = np.take_along_axis(np.where(valid, points, 0), order, -1)
    valid = np.take_along_axis(valid, order, -1)
    points = np.where(valid, points, points[..., :1])  # the first again in place of the others
    return np.abs(_cross(points, np.roll(points, -1, -1)).sum(-1)) / 2


def masks_to_boxes(masks):
    """The boxes (N, 4) around the true pixels of masks (N, H, W), ends included; 0 if none is true.

    >>> import tallow
    >>> from tallowvision import ops
    >>> ops.masks_to_boxes(tallow.tensor([[[0, 0, 0], [0, 1, 1]]]))
    tensor([[1., 1., 2., 1.]])
    """
    if not masks.numel():
        return tallow.zeros(0, 4, device=masks.device)
    if masks.ndim != 3:
        raise ShapeError(f"masks_to_boxes: expected (N, H, W), got {describe(masks)}")
    found = masks != 0
    edges = []
    for dim in (1, 2):  # columns, then rows
        line = found.any(dim).float()
        last = line.shape[1] - 1 - line.flip(1).argmax(1)
        edges.append((line.argmax(1), last))
    (left, right), (top, bottom) = edges
    boxes = tallow.stack([left, top, right, bottom], 1).float()
    return tallow.where(found.flatten(1).any(1)[:, None], boxes, 0.0)
