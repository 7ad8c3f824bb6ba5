"""Flips, crops and padding: pixels moved, not computed."""

import numbers

import numpy as np
import PIL.Image
import PIL.ImageOps

import tallow
from tallow.errors import ArgumentError, TypeMismatchError, describe
from tallowvision import tv_tensors
from tallowvision._boxes import convert_boxes
from tallowvision.transforms.functional._meta import (
    clamp_boxes,
    get_size,
    size_pair,
)
from tallowvision.transforms.functional._registry import DENSE, EVERYTHING, functional
from tallowvision.transforms.functional._resize import InterpolationMode, resize
from tallowvision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask

# Flips


@functional(types=DENSE)
def horizontal_flip(image):
    """The picture mirrored, left and right exchanged; boxes and points move along."""
    return image.flip(-1)


@functional(types=DENSE)
def vertical_flip(image):
    """The picture upside down, mirrored; boxes and points move along."""
    return image.flip(-2)


@horizontal_flip.on(PIL.Image.Image)
def _(image):
    return image.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)


@vertical_flip.on(PIL.Image.Image)
def _(image):
    return image.transpose(PIL.Image.Transpose.FLIP_TOP_BOTTOM)


def _mirrored_points(points, axis):
    """x (axis 0) or y of pixels counted from the other edge."""
    last = points.canvas_size[1 - axis] - 1
    parts = [points[..., 0], points[..., 1]]
    parts[axis] = last - parts[axis]
    return tv_tensors.wrap(tallow.stack(parts, -1), like=points)


def _mirrored_boxes(boxes, axis):
    mirrored = _mirrored_numbers(boxes, boxes.format, axis, boxes.canvas_size[1 - axis])
    return tv_tensors.wrap(mirrored, like=boxes)


def _mirrored_numbers(boxes, format, axis, length):
    """Numbers (N, K) of boxes with x (axis 0) or y counted from the other edge of the canvas."""
    if format is BoundingBoxFormat.XYWHR:
        centred = convert_boxes(boxes, format, BoundingBoxFormat.CXCYWHR)
        centred = _mirrored_numbers(centred, BoundingBoxFormat.CXCYWHR, axis, length)
        return convert_boxes(centred, BoundingBoxFormat.CXCYWHR, format)
    columns = list(boxes.unbind(1))
    if format is BoundingBoxFormat.XYXYXYXY:
        columns[axis::2] = [length - column for column in columns[axis::2]]
        columns = [columns[i] for i in (2, 3, 0, 1, 6, 7, 4, 5)]  # the same way around
    elif format is BoundingBoxFormat.XYXY:
        columns[axis], columns[axis + 2] = length - columns[axis + 2], length - columns[axis]
    elif format is BoundingBoxFormat.XYWH:
        columns[axis] = length - columns[axis] - columns[axis + 2]
    else:
        columns[axis] = length - columns[axis]
        columns[4:] = [180 * axis - angle for angle in columns[4:]]
    return tallow.stack(columns, 1)


for _flip, _axis in ((horizontal_flip, 0), (vertical_flip, 1)):
    _flip.on(KeyPoints)(lambda points, axis=_axis: _mirrored_points(points, axis))
    _flip.on(BoundingBoxes)(lambda boxes, axis=_axis: _mirrored_boxes(boxes, axis))

hflip, vflip = horizontal_flip, vertical_flip

# Crops


@functional(types=DENSE)
def crop(image, top, left, height, width):
    """The part of the picture with its upper left corner at (top, left); black beyond the edges.

    >>> import tallow
    >>> from tallowvision.transforms import functional as F
    >>> F.crop(tallow.arange(9).reshape(1, 3, 3), 1, 1, 2, 3)
    tensor([[[4, 5, 0],
             [7, 8, 0]]])
    """
    old_height, old_width = get_size(image)
    bottom, right = top + height, left + width
    inside = image[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if top >= 0 and left >= 0 and bottom <= old_height and right <= old_width:
        return inside
    missing = (
        min(max(-left, 0), width), min(max(right - old_width, 0), width),
        min(max(-top, 0), height), min(max(bottom - old_height, 0), height),
    )  # fmt: skip
    return tallow.nn.functional.pad(inside, missing)


@crop.on(PIL.Image.Image)
def _(image, top, left, height, width):
    return image.crop((left, top, left + width, top + height))


@crop.on(BoundingBoxes, KeyPoints)
def _(targets, top, left, height, width):
    return _shifted(targets, -left, -top, (height, width))


def _shifted(targets, x, y, canvas_size):
    """Boxes or points moved by pixels, on another canvas; boxes are cut at its edges."""
    if isinstance(targets, KeyPoints):
        shift = [x, y]
    elif targets.format in (BoundingBoxFormat.XYXY, BoundingBoxFormat.XYXYXYXY):
        shift = [x, y] * (targets.shape[-1] // 2)
    else:
        shift = [x, y] + [0] * (targets.shape[-1] - 2)
    moved = targets + tallow.tensor(shift, dtype=targets.dtype, device=targets.device)
    if isinstance(targets, BoundingBoxes):
        moved = clamp_boxes(moved, targets.format, canvas_size, targets.clamping_mode)
    return tv_tensors.wrap(moved, like=targets, canvas_size=canvas_size)


@functional(types=EVERYTHING)
def center_crop(inpt, output_size):
    """The middle of the picture, (height, width) or a square; black around where it is smaller."""
    crop_height, crop_width = size_pair("center_crop", output_size)
    height, width = get_size(inpt)
    if (height, width) == (crop_height, crop_width):
        return inpt
    top, left = _margin(height - crop_height), _margin(width - crop_width)
    return crop(inpt, top, left, crop_height, crop_width)


def _margin(excess):
    """What lies before the middle, of the pixels that are too many (or, negative, too few)."""
    return round(excess / 2) if excess > 0 else -(-excess // 2)


@functional(types=EVERYTHING)
def resized_crop(
    inpt, top, left, height, width, size, interpolation=InterpolationMode.BILINEAR, antialias=True
):
    """`crop`, then `resize` to `size`."""
    inpt = crop(inpt, top, left, height, width)
    return resize(inpt, size, interpolation=interpolation, antialias=antialias)


@functional(types=EVERYTHING)
def five_crop(inpt, size):
    """Crops of one size: upper left, upper right, lower left, lower right, middle.

    ArgumentError if the picture is smaller than they are.
    """
    crop_height, crop_width = size_pair("five_crop", size)
    height, width = get_size(inpt)
    if crop_height > height or crop_width > width:
        raise ArgumentError(
            f"five_crop: expected a size within the picture's {[height, width]}, "
            f"got {[crop_height, crop_width]}"
        )
    corners = [(y, x) for y in (0, height - crop_height) for x in (0, width - crop_width)]
    crops = [crop(inpt, y, x, crop_height, crop_width) for y, x in corners]
    return (*crops, center_crop(inpt, [crop_height, crop_width]))


@functional(types=EVERYTHING)
def ten_crop(inpt, size, vertical_flip=False):
    """`five_crop`, and the same of the mirrored picture (upside down with `vertical_flip`)."""
    mirrored = vflip(inpt) if vertical_flip else hflip(inpt)
    return (*five_crop(inpt, size), *five_crop(mirrored, size))


# Padding

_MODES = ("constant", "edge", "reflect", "symmetric")


def padding_sides(padding):
    """(left, top, right, bottom) of padding given as one number, two (x, y) or four."""
    sides = [padding] if isinstance(padding, numbers.Integral) else padding
    if not isinstance(sides, tuple | list):
        raise TypeMismatchError(f"pad: expected an int or a sequence of them, got {padding!r}")
    if len(sides) not in (1, 2, 4):
        raise ArgumentError(f"pad: expected one, two or four numbers, got {padding!r}")
    return tuple(int(n) for n in sides) * (4 // len(sides))


def check_padding_mode(padding_mode):
    """ArgumentError for a padding mode that there is not."""
    if padding_mode not in _MODES:
        raise ArgumentError(f"pad: expected one of {', '.join(_MODES)}, got {padding_mode!r}")


@functional
def pad(image, padding, fill=None, padding_mode="constant"):
    """The picture with borders of `padding` pixels: an int, (x, y) or (left, top, right, bottom).

    `padding_mode` says what they show: "constant" `fill` (a number, or one for each channel),
    "edge" the last pixel, "reflect" the picture mirrored at its last pixel, "symmetric" at its
    edge.

    >>> import tallow
    >>> from tallowvision.transforms import functional as F
    >>> F.pad(tallow.tensor([[[1, 2, 3]]]), [2, 0], padding_mode="symmetric")
    tensor([[[2, 1, 1, 2, 3, 3, 2]]])
    """
    left, top, right, bottom = padding_sides(padding)
    check_padding_mode(padding_mode)
    if padding_mode != "constant":
        _check_single_fill(fill, padding_mode)
        for dim, before, after in ((-2, top, bottom), (-1, left, right)):
            index = np.pad(np.arange(image.shape[dim]), (before, after), padding_mode)
            image = image.index_select(dim, tallow.from_numpy(index).to(image.device))
        return image
    fills = [0] if fill is None else [fill] if isinstance(fill, int | float) else list(fill)
    padded = tallow.nn.functional.pad(image, (left, right, top, bottom), value=fills[0])
    if len(fills) == 1:
        return padded
    if len(fills) != image.shape[-3]:
        raise ArgumentError(
            f"pad: expected a fill for each channel of {describe(image)}, got {fill}"
        )
    height, width = image.shape[-2:]
    frame = tallow.tensor(fills, device=image.device).to(image.dtype)[:, None, None]
    padded = frame.expand(padded.shape).clone()
    padded[..., top : top + height, left : left + width] = image
    return padded


def _check_single_fill(fill, padding_mode):
    if isinstance(fill, tuple | list) and len(fill) > 1:
        raise ArgumentError(f"pad: expected a single fill with mode {padding_mode!r}, got {fill}")


@pad.on(PIL.Image.Image)
def _(image, padding, fill=None, padding_mode="constant"):
    left, top, right, bottom = padding_sides(padding)
    check_padding_mode(padding_mode)
    if padding_mode != "constant":
        _check_single_fill(fill, padding_mode)
        return _padded_by_pixels(image, ((top, bottom), (left, right)), padding_mode)
    return PIL.ImageOps.expand(image, (left, top, right, bottom), pillow_fill(image, fill))


def pillow_fill(image, fill):
    """A fill as Pillow takes it: one number, or one for each band; whole ones for bytes."""
    bands = len(image.getbands())
    fills = [0] if fill is None else list(fill) if isinstance(fill, tuple | list) else [fill]
    if len(fills) not in (1, bands):
        raise ArgumentError(f"fill: expected a number or {bands} of them, got {fill}")
    if image.mode != "F":
        fills = [int(x) for x in fills]
    return fills[0] if bands == 1 else tuple(fills * (bands // len(fills)))


def _padded_by_pixels(image, widths, mode):
    pixels = np.asarray(image)
    padded = np.pad(pixels, [*widths, (0, 0)][: pixels.ndim], mode)
    result = PIL.Image.fromarray(padded)
    if image.mode == "P":
        result.putpalette(image.getpalette())
    return result


@pad.on(Mask)
def _(mask, padding, fill=None, padding_mode="constant"):
    if isinstance(fill, tuple | list):
        raise ArgumentError(f"pad: expected a single fill for a mask, got {fill}")
    return pad.table[tallow.Tensor](mask, padding, fill, padding_mode)


@pad.on(BoundingBoxes, KeyPoints)
def _(targets, padding, fill=None, padding_mode="constant"):
    if padding_mode != "constant":
        name = type(targets).__name__
        raise ArgumentError(f"pad: expected mode 'constant' for {name}, got {padding_mode!r}")
    left, top, right, bottom = padding_sides(padding)
    height, width = targets.canvas_size
    return _shifted(targets, left, top, (height + top + bottom, width + left + right))
