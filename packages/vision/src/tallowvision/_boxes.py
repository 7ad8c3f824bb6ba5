"""Numbers of boxes from one format to another."""

import math

import tallow
from tallow.errors import ArgumentError
from tallowvision.tv_tensors import BoundingBoxFormat

# Numbers of an integer dtype stay integers, as in PyTorch's family: halves are computed in floating
# point and truncated.

_XYXY, _XYWH, _CXCYWH = (
    BoundingBoxFormat.XYXY,
    BoundingBoxFormat.XYWH,
    BoundingBoxFormat.CXCYWH,
)
_XYWHR, _CXCYWHR, _CORNERS = (
    BoundingBoxFormat.XYWHR,
    BoundingBoxFormat.CXCYWHR,
    BoundingBoxFormat.XYXYXYXY,
)


def _halves(boxes, sizes):
    """Half the sizes; of integers rounded down."""
    return sizes / 2 if boxes.is_floating_point() else sizes.div(2, rounding_mode="floor")


def _centres_of_xywh(boxes):
    first, sizes = boxes[..., :2], boxes[..., 2:]
    return tallow.cat([first + _halves(boxes, sizes), sizes], -1)


def _centres_of_xyxy(boxes):
    first, last = boxes[..., :2], boxes[..., 2:]
    middle = (first + last) / 2 if boxes.is_floating_point() else _middle(first, last)
    return tallow.cat([middle, last - first], -1)


def _middle(first, last):
    return (first + last).div(2, rounding_mode="floor")


def _corners_of_centres(boxes):
    exact = boxes if boxes.is_floating_point() else boxes.float()
    first = exact[..., :2] - exact[..., 2:] / 2
    return tallow.cat([first, first + exact[..., 2:]], -1).to(boxes.dtype)


def _sizes_of_corners(boxes):
    return tallow.cat([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], -1)


def _turn(boxes):
    angle = boxes[..., 4:5] * (math.pi / 180)
    return angle.cos(), angle.sin()


def _to_centre(boxes, sign):
    """The first point moved by half a turned diagonal: to the centre (1), or from it (-1)."""
    cos, sin = _turn(boxes)
    half_w, half_h = boxes[..., 2:3] * (sign / 2), boxes[..., 3:4] * (sign / 2)
    x = boxes[..., 0:1] + half_w * cos + half_h * sin
    y = boxes[..., 1:2] - half_w * sin + half_h * cos
    return tallow.cat([x, y, boxes[..., 2:]], -1)


def _four_corners(boxes):
    """The corners in order, the second along the width of the turned box."""
    cos, sin = _turn(boxes)
    x, y, w, h = (boxes[..., i : i + 1] for i in range(4))
    along = (w * cos, -w * sin)
    down = (h * sin, h * cos)
    points = [x, y, x + along[0], y + along[1], x + along[0] + down[0], y + along[1] + down[1]]
    return tallow.cat([*points, x + down[0], y + down[1]], -1)


def _of_four_corners(boxes):
    x1, y1, x2, y2, x3, y3 = (boxes[..., i : i + 1] for i in range(6))
    width = ((x2 - x1) ** 2 + (y2 - y1) ** 2).sqrt()
    height = ((x3 - x2) ** 2 + (y3 - y2) ** 2).sqrt()
    angle = tallow.atan2(y1 - y2, x2 - x1) * (180 / math.pi)
    return tallow.cat([x1, y1, width, height, angle], -1)


def _xywh_of_centres(boxes):
    return _sizes_of_corners(_corners_of_centres(boxes))


_CONVERSIONS = {
    (_XYXY, _XYWH): _sizes_of_corners,
    (_XYXY, _CXCYWH): _centres_of_xyxy,
    (_XYWH, _XYXY): lambda boxes: tallow.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], -1),
    (_XYWH, _CXCYWH): _centres_of_xywh,
    (_CXCYWH, _XYXY): _corners_of_centres,
    (_CXCYWH, _XYWH): _xywh_of_centres,
    (_XYWHR, _CXCYWHR): lambda boxes: _to_centre(boxes, 1),
    (_XYWHR, _CORNERS): _four_corners,
    (_CXCYWHR, _XYWHR): lambda boxes: _to_centre(boxes, -1),
    (_CXCYWHR, _CORNERS): lambda boxes: _four_corners(_to_centre(boxes, -1)),
    (_CORNERS, _XYWHR): _of_four_corners,
    (_CORNERS, _CXCYWHR): lambda boxes: _to_centre(_of_four_corners(boxes), 1),
}


def convert_boxes(boxes, old, new):
    """Numbers (..., K) of boxes from one format to another."""
    if old == new:
        return boxes
    if (old, new) not in _CONVERSIONS:
        raise ArgumentError(
            "convert_bounding_box_format: expected two formats of turned boxes or two of upright "
            f"ones, got {old.name} and {new.name}"
        )
    return _CONVERSIONS[old, new](boxes)


# Turned boxes cut at the edges of a canvas. What sticks out on the left is cut first; then, a
# quarter turn after the other, what sticks out on the other sides. A side is a line y = slope * x +
# constant, and it is moved along: angles stay. Corners (N, 4, 2) begin with the leftmost one, so
# that the sides are numbered: 0 and 2 lie across the cut corner from 3 and 1.


def clamp_turned(boxes, format, canvas_size, clamping_mode):
    """Numbers (..., K) of turned boxes cut at the edges of a canvas (height, width).

    "soft" gives the least box around what is on the canvas, "hard" the largest one that is on it.
    """
    height, width = canvas_size
    corners = convert_boxes(boxes, format, _CORNERS).reshape(-1, 4, 2)
    whole = corners
    for _ in range(4):
        order = _leftmost_first(corners)
        own, full = _reordered(corners, order), _reordered(whole, order)
        corners = _reordered(_cut_left(own, full, height, width, clamping_mode), -order)
        corners, whole = (_quarter_turn(x, width) for x in (corners, whole))
        height, width = width, height
    numbers = corners.reshape(*boxes.shape[:-1], 8)
    return convert_boxes(numbers, _CORNERS, format)


def _leftmost_first(corners):
    """By how many places (N) to move the corners."""
    x, y = (corners[..., i] / corners[..., i].abs().amax(1, keepdim=True) for i in (0, 1))
    return (y + 100 * x).argmin(1)


def _reordered(corners, first):
    place = (first[:, None] + tallow.arange(4, device=corners.device)) % 4
    return corners.gather(1, place[..., None].expand(-1, -1, 2))


def _quarter_turn(corners, width):
    return tallow.stack([corners[..., 1], width - corners[..., 0]], -1)


def _cut_left(corners, whole, height, width, clamping_mode):
    """The boxes without what is left of 0."""
    slope, constant = _lines(corners)
    constants = _moved(slope, constant, _lines(whole)[1], height, width, clamping_mode)
    before = slope.roll(1, 1), constants.roll(1, 1)
    x = (before[1] - constants) / (slope - before[0])
    cut = tallow.stack([x, slope * x + constants], -1)
    upright = tallow.cat([corners[:, :1].clamp_min(_axis(corners, 0)), corners[:, 1:3],
                          corners[:, 3:].clamp_min(_axis(corners, 0))], 1)  # fmt: skip
    (x1, x2, _, _), (y1, y2, y3, y4) = corners[..., 0].unbind(1), corners[..., 1].unbind(1)
    straight = tallow.isclose(y1, y2) | tallow.isclose(y3, y4)
    gone = (corners[..., 0] <= 0).all(1) | tallow.isclose(y1, y4) | tallow.isclose(y2, y3)
    gone |= straight & tallow.isclose(x1, x2)
    out = (x1 < 0) & ~cut.isnan().flatten(1).any(1)
    for chosen, case in ((out, cut), (straight, upright), (gone, tallow.zeros_like(corners))):
        corners = tallow.where(chosen[:, None, None], case, corners)
    return corners


def _axis(corners, least):
    """A bound for x alone."""
    return tallow.tensor([float(least), -math.inf], dtype=corners.dtype, device=corners.device)


def _lines(corners):
    """The slopes and constants (N, 4) of the sides, each from a corner to the next."""
    x, y = corners[..., 0], corners[..., 1]
    slope = (y.roll(-1, 1) - y) / (x.roll(-1, 1) - x)
    return slope, y - slope * x


def _moved(slope, constant, limits, height, width, clamping_mode):
    """The constants of the sides that are moved onto the canvas, within those of the whole box."""
    (a1, a2, a3, a4), (b1, b2, b3, b4) = slope.unbind(1), constant.unbind(1)
    first = _between(b2, b1, b3).clamp(0, height)
    last = _between(b3, b2, b4).clamp(0, height)
    if clamping_mode == "hard":
        first = last = (first + last) / 2
        upper = [first * a2 / a1, b3 * a2 / a3, (a1 - a2) * width + first, (a3 - a2) * width + b3]
        b2 = tallow.minimum(tallow.stack(upper, 1).amax(1), b2)
        lower = [height * (1 - a3 / a4) + last * a3 / a4, height * (1 - a3 / a2) + b2 * a3 / a2,
                 (a2 - a3) * width + b2, (a4 - a3) * width + last]  # fmt: skip
        b3 = tallow.maximum(tallow.stack(lower, 1).amin(1), b3)
    l1, l2, l3, l4 = limits.unbind(1)
    ends = (_between(first, l1, l3), _between(b2, l2, l4))
    return tallow.stack([*ends, _between(b3, l1, l3), _between(last, l2, l4)], 1)


def _between(x, low, high):
    return tallow.minimum(tallow.maximum(x, low), high)
