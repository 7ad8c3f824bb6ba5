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
