"""Resizing: the images of Pillow by Pillow, tensors by the same filters."""

import functools
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
    """Rows, then columns, as products with a matrix of weights: differentiable, on every device."""
    exact = image if image.dtype in (tallow.float32, tallow.float64) else image.float()
    for dim, new in ((-1, size[1]), (-2, size[0])):
        old = image.shape[dim]
        if old != new:
            parts = []
            how = name, old, new, antialias, exact.dtype, exact.device
            for first, count, weights in _bands(*how):
                part = exact.narrow(dim, first, count)
                parts.append(part @ weights.T if dim == -1 else weights @ part)
            exact = tallow.cat(parts, dim)
            if image.dtype is tallow.uint8:  # rows are bytes again before columns are made
                exact = exact.round().clamp(0, 255)
    if image.is_floating_point():
        return exact.to(image.dtype)
    limits = tallow.iinfo(image.dtype)
    return exact.round().clamp(limits.min, limits.max).to(image.dtype)


def _cubic(x, a):
    """The cubic convolution kernel of Keys (1981)."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0))


_FILTERS = {
    "bilinear": (1, lambda x: np.maximum(1 - np.abs(x), 0)),
    "bicubic": (2, lambda x: _cubic(x, -0.5)),
    "lanczos": (3, lambda x: np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)),
}
_POINT_FILTERS = {"bilinear": _FILTERS["bilinear"], "bicubic": (2, lambda x: _cubic(x, -0.75))}


@functools.lru_cache(64)
def _weights(name, old, new, antialias):
    """The matrix (new, old) that makes `new` pixels of `old`.

    Antialiased, the filter is widened to what a new pixel covers, and cut at the edges. Otherwise
    it is as wide as the old pixels, and pixels beyond the edge repeat the last one.
    """
    radius, kernel = (_FILTERS if antialias else _POINT_FILTERS)[name]
    scale = old / new
    centres = (np.arange(new)[:, None] + 0.5) * scale - 0.5
    if antialias:
        stretch = max(scale, 1)
        weights = kernel((np.arange(old) - centres) / stretch)
        return weights / weights.sum(1, keepdims=True)
    if name == "bilinear":
        centres = np.maximum(centres, 0)
    first = np.floor(centres).astype(np.int64) - radius + 1
    sources = first + np.arange(2 * radius)
    weights = np.zeros((new, old))
    rows = np.broadcast_to(np.arange(new)[:, None], sources.shape)
    np.add.at(weights, (rows, sources.clip(0, old - 1)), kernel(sources - centres))
    return weights


_BAND = 32  # new pixels at a time, which are made of few of the old ones


@functools.lru_cache(64)
def _bands(name, old, new, antialias, dtype, device):
    """The parts of `_weights`, rows by rows, without the zeros at both sides.

    Each is the first of the old pixels that count, how many do, and the tensor of their weights.
    """
    weights, bands = _weights(name, old, new, antialias), []
    for start in range(0, new, _BAND):
        rows = weights[start : start + _BAND]
        used = np.flatnonzero(rows.any(0))
        first, count = int(used[0]), int(used[-1] - used[0] + 1)
        part = tallow.from_numpy(np.ascontiguousarray(rows[:, first : first + count]))
        with tallow.inference_mode(False):  # it outlives the call
            bands.append((first, count, part.to(device, dtype)))
    return bands


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
