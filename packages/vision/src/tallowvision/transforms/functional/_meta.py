"""What pictures are (sizes, channels), and the formats of boxes."""

import numbers

import PIL.Image

import tallow
from tallow.errors import (
    ArgumentError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallowvision import tv_tensors
from tallowvision._boxes import clamp_turned, convert_boxes
from tallowvision.transforms.functional._registry import DENSE, functional
from tallowvision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, box_format

# Sizes


@functional
def get_dimensions(image):
    """[channels, height, width] of an image."""
    return [get_num_channels(image), *get_size(image)]


@functional
def get_num_channels(image):
    """How many channels an image has."""
    get_size(image)
    return image.shape[-3] if image.ndim > 2 else 1


@functional(types=DENSE)
def get_size(image):
    """[height, width] of an image, a mask, or the canvas of boxes or points."""
    if image.ndim < 2:
        raise ShapeError(f"get_size: expected (..., H, W), got {describe(image)}")
    return list(image.shape[-2:])


@get_dimensions.on(PIL.Image.Image)
def _(image):
    return [get_num_channels(image), *get_size(image)]


@get_num_channels.on(PIL.Image.Image)
def _(image):
    return len(image.getbands())


@get_size.on(PIL.Image.Image)
def _(image):
    return [image.height, image.width]


@get_size.on(BoundingBoxes, KeyPoints)
def _(targets):
    return list(targets.canvas_size)


@functional
def get_num_frames(video):
    """How many frames a video (..., T, C, H, W) has."""
    if video.ndim < 4:
        raise ShapeError(f"get_num_frames: expected (..., T, C, H, W), got {describe(video)}")
    return video.shape[-4]


get_image_num_channels = get_num_channels


def get_image_size(img):
    """[width, height] of an image: the other way round than `get_size`."""
    return get_size(img)[::-1]


def size_pair(name, size):
    """[height, width] of a size: an int, or a sequence of one or two; one stands for both."""
    sizes = [size] if isinstance(size, numbers.Integral) else list(size)
    if len(sizes) not in (1, 2) or not all(isinstance(n, numbers.Integral) for n in sizes):
        raise ArgumentError(f"{name}: expected an int, or (height, width), got {size!r}")
    return [int(n) for n in sizes] * (3 - len(sizes))


# Formats of boxes


def convert_bounding_box_format(inpt, old_format=None, new_format=None, inplace=False):
    """Boxes in another format. Plain tensors need `old_format`; `BoundingBoxes` know theirs.

    >>> import tallow
    >>> from tallowvision.transforms import functional as F
    >>> F.convert_bounding_box_format(tallow.tensor([1, 2, 4, 6]), "XYXY", "CXCYWH")
    tensor([2, 4, 3, 4])
    """
    if new_format is None:
        raise TypeMismatchError("convert_bounding_box_format: expected new_format, got none")
    new, typed = box_format(new_format), isinstance(inpt, BoundingBoxes)
    if typed != (old_format is None):
        raise ArgumentError(
            "convert_bounding_box_format: expected old_format with plain tensors, and only there"
        )
    if typed:
        boxes = convert_boxes(inpt, inpt.format, new)
        return tv_tensors.wrap(boxes, like=inpt, format=new)
    boxes = convert_boxes(inpt, box_format(old_format), new)
    return inpt.copy_(boxes) if inplace and boxes.shape == inpt.shape else boxes


def clamp_boxes(boxes, format, canvas_size, clamping_mode="soft"):
    """Numbers (..., K) of boxes cut at the edges of a canvas (height, width)."""
    if clamping_mode is None:
        return boxes.clone()
    if tv_tensors.is_rotated_bounding_format(format):
        return clamp_turned(boxes, format, canvas_size, clamping_mode)
    exact = boxes if boxes.is_floating_point() else boxes.float()
    height, width = canvas_size
    corners = convert_boxes(exact, format, BoundingBoxFormat.XYXY)
    limits = tallow.tensor([width, height, width, height], dtype=corners.dtype, device=boxes.device)
    corners = tallow.minimum(corners.clamp(min=0), limits)
    return convert_boxes(corners, BoundingBoxFormat.XYXY, format).to(boxes.dtype)


def clamp_bounding_boxes(inpt, format=None, canvas_size=None, clamping_mode="auto"):
    """Boxes cut at the edges of their canvas. Plain tensors need all arguments."""
    if isinstance(inpt, BoundingBoxes):
        if format is not None or canvas_size is not None:
            raise ArgumentError(
                "clamp_bounding_boxes: expected neither format nor canvas_size with BoundingBoxes"
            )
        mode = inpt.clamping_mode if clamping_mode == "auto" else clamping_mode
        boxes = clamp_boxes(inpt, inpt.format, inpt.canvas_size, mode)
        return tv_tensors.wrap(boxes, like=inpt)
    if format is None or canvas_size is None or clamping_mode == "auto":
        raise ArgumentError(
            "clamp_bounding_boxes: expected plain tensors with format, canvas_size and mode"
        )
    return clamp_boxes(inpt, box_format(format), canvas_size, clamping_mode)


def clamp_keypoints(inpt, canvas_size=None):
    """Points moved onto their canvas. Plain tensors need `canvas_size`."""
    typed = isinstance(inpt, KeyPoints)
    if typed == (canvas_size is not None):
        raise ArgumentError(
            "clamp_keypoints: expected canvas_size with plain tensors, and only with them"
        )
    height, width = inpt.canvas_size if typed else canvas_size
    limits = tallow.tensor([width - 1, height - 1], device=inpt.device).to(inpt.dtype)
    points = tallow.minimum(inpt.clamp(min=0), limits)
    return tv_tensors.wrap(points, like=inpt) if typed else points
