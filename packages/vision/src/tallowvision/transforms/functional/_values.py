"""The numbers of pixels: their dtype, their range, normalization."""

import functools

import numpy as np
import PIL.Image

import tallow
from tallow.errors import (
    ArgumentError,
    DtypeError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.nn.utils import standardize
from tallowvision import tv_tensors
from tallowvision._pil import pil_to_tensor
from tallowvision.transforms.functional._registry import functional
from tallowvision.tv_tensors import BoundingBoxes, KeyPoints, Mask


def to_image(inpt):
    """A Pillow image, a tensor (..., C, H, W) or an array (H, W, C) as `tv_tensors.Image`."""
    if isinstance(inpt, np.ndarray):
        inpt = tallow.from_numpy(np.ascontiguousarray(np.atleast_3d(inpt).transpose(2, 0, 1)))
    elif isinstance(inpt, PIL.Image.Image):
        inpt = pil_to_tensor(inpt)
    elif not isinstance(inpt, tallow.Tensor):
        raise TypeMismatchError(
            f"to_image: expected a tensor, an array or a PIL image, got {type(inpt).__name__}"
        )
    return tv_tensors.Image(inpt)


def max_value(dtype):
    """The number that stands for white: 1 for floating-point pixels."""
    return 1 if dtype.is_floating_point or dtype is tallow.bool else tallow.iinfo(dtype).max


@functional
def to_dtype(image, dtype=tallow.float32, scale=False):
    """The image in another dtype. With `scale`, black stays black and white white.

    Integers hold 0 to their largest number, floating-point pixels 0 to 1. Between integer types
    bits are added or dropped. DtypeError where floats cannot hold all numbers of the integer dtype.

    >>> import tallow
    >>> from tallowvision.transforms import functional as F
    >>> F.to_dtype(tallow.tensor([[[0, 255]]], dtype=tallow.uint8), tallow.float32, scale=True)
    tensor([[[0., 1.]]])
    """
    source = image.dtype
    if source is dtype:
        return image
    if not scale or (source.is_floating_point and dtype.is_floating_point):
        return image.to(dtype)
    if source.is_floating_point:
        return _to_integers(image, dtype)
    if dtype.is_floating_point:
        return image.to(dtype) * (1.0 / max_value(source))
    bits = [max_value(kind).bit_length() for kind in (source, dtype)]
    if bits[0] > bits[1]:
        return (image // 2 ** (bits[0] - bits[1])).to(dtype)
    return image.to(dtype) * 2 ** (bits[1] - bits[0])


def _to_integers(image, dtype):
    """Each of the integers gets an equal part of [0, 1]."""
    wide = {tallow.float32: (tallow.int32, tallow.int64), tallow.float64: (tallow.int64,)}
    if dtype in wide.get(image.dtype, ()):
        raise DtypeError(
            f"to_dtype: expected a dtype whose integers {image.dtype} can hold, got {dtype}"
        )
    return (image * (max_value(dtype) + 1.0 - 1e-3)).to(dtype)


@to_dtype.on(Mask, BoundingBoxes, KeyPoints)
def _(targets, dtype=tallow.float32, scale=False):
    return targets.to(dtype)


def convert_image_dtype(image, dtype=tallow.float32):
    """`to_dtype` with scaling."""
    return to_dtype(image, dtype, scale=True)


@functional
def normalize(image, mean, std, inplace=False):
    """(image - mean) / std, by channel. Floating-point images (..., C, H, W) only.

    Raises TypeError for other dtypes, and ArgumentError for a std of 0.
    """
    if not image.is_floating_point():
        raise TypeMismatchError(
            f"normalize: expected a floating-point image, got {describe(image)}; convert it with "
            "ToDtype(tallow.float32, scale=True) or ToTensor()"
        )
    mean, std = _statistics(image, mean, std, image.dtype)
    if inplace:
        return image.sub_(mean).div_(std)
    return standardize(image, mean, std)


def normalize_values(image, mean, std):
    """`normalize` of the image as `convert_image_dtype` makes it float32: bytes in one pass."""
    if image.dtype is not tallow.uint8:
        return normalize(convert_image_dtype(image), mean, std)
    mean, std = _statistics(image, mean, std, tallow.float32)
    return standardize(image, mean, std, scale=1.0 / max_value(image.dtype))


def _statistics(image, mean, std, dtype):
    """Mean and std beside the image, checked."""
    if image.ndim < 3:
        raise ShapeError(f"normalize: expected (..., C, H, W), got {describe(image)}")
    if not (all(std) if isinstance(std, tuple | list) else tallow.as_tensor(std).all()):
        raise ArgumentError(f"normalize: expected a std above 0, got {std}")
    return [_per_channel(image, values, dtype) for values in (mean, std)]


def _per_channel(image, values, dtype):
    """Numbers, one for each channel or one for all, as a tensor beside the image."""
    kind = image.shape[-3], dtype, image.device
    if isinstance(values, tuple | list):
        return _constants(tuple(values), *kind)
    return _beside(tallow.as_tensor(values), *kind)


@functools.lru_cache(64)
def _constants(values, *kind):
    with tallow.inference_mode(False):  # they outlive the call
        return _beside(tallow.tensor(values), *kind)


def _beside(values, channels, dtype, device):
    if values.ndim == 1:
        if len(values) not in (1, channels):
            raise ShapeError(
                f"normalize: expected one number for each of {channels} channels, got {len(values)}"
            )
        values = values.reshape(-1, 1, 1)
    return values.to(device, dtype)
