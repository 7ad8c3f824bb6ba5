"""Resizing: the images of Pillow by Pillow, tensors by the same filters."""

import math
from enum import Enum

import numpy as np
import PIL.Image

import tallow
from tallow.errors import ArgumentError, NotSupportedError
from tallowvision import tv_tensors
from tallowvision.transforms.functional._meta import get_size
from tallowvision.transforms.functional._registry import functional
from tallowvision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask


class InterpolationMode(Enum):
    """How the pixels between pixels are made. BOX and HAMMING are for Pillow images only."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PILLOW = {
    InterpolationMode.NEAREST: PIL.Image.Resampling.NEAREST,
    InterpolationMode.NEAREST_EXACT: PIL.Image.Resampling.NEAREST,
    InterpolationMode.BILINEAR: PIL.Image.Resampling.BILINEAR,
    InterpolationMode.BICUBIC: PIL.Image.Resampling.BICUBIC,
    InterpolationMode.BOX: PIL.Image.Resampling.BOX,
    InterpolationMode.HAMMING: PIL.Image.Resampling.HAMMING,
    InterpolationMode.LANCZOS: PIL.Image.Resampling.LANCZOS,
}
_OF_PILLOW = {int(number): mode for mode, number in reversed(_PILLOW.items())}


def interpolation_mode(interpolation):
    """An `InterpolationMode` of one, of its name, or of Pillow's number for it."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    try:
        if isinstance(interpolation, str):
            return InterpolationMode(interpolation.lower())
        return _OF_PILLOW[interpolation]
    except (KeyError, ValueError, TypeError):
        names = ", ".join(mode.value for mode in InterpolationMode)
        raise ArgumentError(
            f"interpolation: expected one of {names}, got {interpolation!r}"
        ) from None


def pillow_filter(interpolation):
    """Pillow's name for an interpolation."""
    return _PILLOW[interpolation_mode(interpolation)]


def resized_size(old, size, max_size=None):
    """[height, width] after `resize(size, max_size)` of a picture of `old` (height, width)."""
    if isinstance(size, int):
        size = [size]
    if size is not None and len(size) not in (1, 2):
        raise ArgumentError(f"resize: expected an int, or (height, width), got {size!r}")
    if size is not None and len(size) == 2:
        if max_size is not None:
            raise ArgumentError("resize: expected max_size only where size is an int or None")
        return list(size)
    short, long = sorted(old)
    if size is None:
        if not isinstance(max_size, int):
            raise ArgumentError(f"resize: expected max_size where size is None, got {max_size!r}")
        new_short, new_long = int(max_size * short / long), max_size
    else:
        new_short, new_long = size[0], int(size[0] * long / short)
        if max_size is not None:
            if max_size <= size[0]:
                raise ArgumentError(
                    f"resize: expected max_size above size {size[0]}, got {max_size}"
                )
            if new_long > max_size:
                new_short, new_long = int(max_size * new_short / new_long), max_size
    height, width = old
    return [new_short, new_long] if height <= width else [new_long, new_short]


@functional
def resize(
    image, size, interpolation=InterpolationMode.BILINEAR, max_size=None, antialias=True
):  # fmt: skip
    """The picture with other pixels: `size` is (height, width), or an int for the shorter edge.

    `max_size` limits the longer edge. `antialias` False makes tensors smaller from fewer pixels,
    faster and with artefacts; Pillow images are always antialiased. Boxes and points are scaled,
    masks take the nearest pixel.

    >>> import tallow
    >>> from tallowvision.transforms import functional as F
    >>> F.resize(tallow.zeros(3, 20, 30), 10).shape
    tallow.Size([3, 10, 15])
    """
    mode = interpolation_mode(interpolation)
    if mode in (InterpolationMode.BOX, InterpolationMode.HAMMING):
        raise NotSupportedError(
            f"resize: {mode.value} is for Pillow images; use bilinear or bicubic"
        )
    if mode is InterpolationMode.LANCZOS and not antialias:
        raise ArgumentError("resize: expected antialias=True with lanczos")
    old, new = list(image.shape[-2:]), resized_size(get_size(image), size, max_size)
    if old == new:
        return image
    if mode in (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT):
        return _nearest(image, new, exact=mode is InterpolationMode.NEAREST_EXACT)
    if image.dtype is tallow.uint8 and antialias and image.device.type == "cpu" and image.numel():
        return _by_pillow(image, new, mode)
    return _by_weights(image, new, mode.value, bool(antialias))


def _nearest(image, size, exact):
    for dim, new in ((-2, size[0]), (-1, size[1])):
        old = image.shape[dim]
        # in float32, as the index of PyTorch's kernel is computed
        scale = np.float32(old) / np.float32(new)
        steps = np.arange(new, dtype=np.float32) + np.float32(0.5 if exact else 0)
        index = np.minimum((steps * scale).astype(np.int64), old - 1)
        image = image.index_select(dim, tallow.from_numpy(index).to(image.device))
    return image


def _by_pillow(image, size, mode):
    """Each plane of a uint8 tensor as a grey Pillow image."""
    planes = np.ascontiguousarray(image.numpy()).reshape(-1, *image.shape[-2:])
    out = np.empty((len(planes), *size), np.uint8)
    for plane, result in zip(planes, out, strict=True):
        result[:] = PIL.Image.fromarray(plane).resize(size[::-1], _PILLOW[mode])
    return tallow.from_numpy(out.reshape(*image.shape[:-2], *size))


def _by_weights(image, size, name, antialias):
    """By the weights of `interpolate`: differentiable, on every device."""
    leading = image.shape[:-2]
    planes = image.reshape(math.prod(leading), 1, *image.shape[-2:])
    whole = not image.is_floating_point() and image.dtype is not tallow.uint8
    planes = planes.float() if whole else planes
    made = tallow.nn.functional.interpolate(planes, tuple(size), mode=name, antialias=antialias)
    if whole:
        limits = tallow.iinfo(image.dtype)
        made = made.round().clamp(limits.min, limits.max).to(image.dtype)
    return made.reshape(*leading, *size)


@resize.on(PIL.Image.Image)
def _(image, size, interpolation=InterpolationMode.BILINEAR, max_size=None, antialias=True):
    height, width = resized_size(get_size(image), size, max_size)
    if image.size == (width, height):
        return image
    return image.resize((width, height), pillow_filter(interpolation))


@resize.on(Mask)
def _(mask, size, interpolation=None, max_size=None, antialias=None):
    return _nearest(mask, resized_size(get_size(mask), size, max_size), exact=False)


@resize.on(BoundingBoxes, KeyPoints)
def _(targets, size, interpolation=None, max_size=None, antialias=None):
    height, width = targets.canvas_size
    new_height, new_width = resized_size(targets.canvas_size, size, max_size)
    if (height, width) == (new_height, new_width):
        return targets
    ratios = [new_width / width, new_height / height]
    if isinstance(targets, BoundingBoxes):
        upright = targets.shape[-1] == 4
        if not upright and targets.format is not BoundingBoxFormat.XYXYXYXY:
            raise NotSupportedError(
                f"resize: boxes of format {targets.format.name}; convert them to XYXYXYXY first"
            )
        ratios = ratios * (targets.shape[-1] // 2)
    scaled = (targets * tallow.tensor(ratios, device=targets.device)).to(targets.dtype)
    return tv_tensors.wrap(scaled, like=targets, canvas_size=(new_height, new_width))
