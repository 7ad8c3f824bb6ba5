"""Transforms between Pillow images, arrays and tensors, and of dtypes and values."""

import math
import warnings

import numpy as np
import PIL.Image

import tallow
from tallow.errors import ArgumentError, TypeMismatchError, describe
from tallowvision import tv_tensors
from tallowvision.transforms import functional as F
from tallowvision.transforms._sample import has_any
from tallowvision.transforms._transform import Transform
from tallowvision.tv_tensors import TVTensor, is_pure_tensor


class ToTensor(Transform):
    """Pillow images and arrays (H, W, C) as tensors (C, H, W), bytes scaled to [0, 1].

    >>> import PIL.Image
    >>> from tallowvision import transforms
    >>> transforms.ToTensor()(PIL.Image.new("RGB", (4, 2), "white")).mean()
    tensor(1.)
    """

    _transformed_types = (PIL.Image.Image, np.ndarray)

    def transform(self, inpt, params):
        return F.to_tensor(inpt)


class PILToTensor(Transform):
    """Pillow images as tensors (C, H, W), their numbers as they are."""

    _transformed_types = (PIL.Image.Image,)

    def transform(self, inpt, params):
        return F.pil_to_tensor(inpt)


class ToImage(Transform):
    """Pillow images, arrays (H, W, C) and tensors as `tv_tensors.Image`, numbers as they are."""

    _transformed_types = (tallow.Tensor, PIL.Image.Image, np.ndarray)

    def transform(self, inpt, params):
        return inpt if isinstance(inpt, TVTensor) else F.to_image(inpt)


class ToPILImage(Transform):
    """Tensors (C, H, W) and arrays (H, W, C) as Pillow images; see `functional.to_pil_image`."""

    _transformed_types = (tallow.Tensor, np.ndarray)

    def __init__(self, mode=None):
        super().__init__()
        self.mode = mode

    def transform(self, inpt, params):
        if isinstance(inpt, TVTensor) and not isinstance(inpt, tv_tensors.Image):
            return inpt
        return F.to_pil_image(inpt, mode=self.mode)


class ToPureTensor(Transform):
    """`tv_tensors` as plain tensors, without what they know."""

    _transformed_types = (TVTensor,)

    def transform(self, inpt, params):
        return inpt.as_subclass(tallow.Tensor)


class ToDtype(Transform):
    """Images and videos in another dtype; with `scale`, black stays black and white white.

    `dtype` may be a dict from types (and "others") to dtypes, to convert targets too; None leaves a
    type as it is.
    """

    _transformed_types = (tallow.Tensor,)

    def __init__(self, dtype, scale=False):
        super().__init__()
        if not isinstance(dtype, dict | tallow.dtype):
            raise ArgumentError(
                f"ToDtype: expected a dtype or a dict of them, got {type(dtype).__name__}"
            )
        pictures = {tv_tensors.Image, tv_tensors.Video}
        if isinstance(dtype, dict) and tallow.Tensor in dtype and pictures & dtype.keys():
            warnings.warn(
                "ToDtype: plain tensors are not converted in samples that have an Image or a Video",
                stacklevel=2,
            )
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt, params):
        is_picture = is_pure_tensor(inpt) or isinstance(inpt, tv_tensors.Image | tv_tensors.Video)
        if isinstance(self.dtype, tallow.dtype):
            dtype = self.dtype if is_picture else None
        elif type(inpt) in self.dtype:
            dtype = self.dtype[type(inpt)]
        elif "others" in self.dtype:
            dtype = self.dtype["others"]
        else:
            raise ArgumentError(
                f"ToDtype: expected a dtype for {type(inpt).__name__} in the dict, got none; "
                'add "others": None to leave other types as they are'
            )
        if dtype is None:
            return inpt
        return self._call_kernel(F.to_dtype, inpt, dtype=dtype, scale=self.scale)


class ConvertImageDtype(Transform):
    """Images in another dtype, scaled: `ToDtype(dtype, scale=True)`."""

    _transformed_types = (tallow.Tensor,)

    def __init__(self, dtype=tallow.float32):
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt, params):
        return self._call_kernel(F.to_dtype, inpt, dtype=self.dtype, scale=True)


class Normalize(Transform):
    """(image - mean) / std by channel, for floating-point images (..., C, H, W)."""

    _transformed_types = (tallow.Tensor,)

    def __init__(self, mean, std, inplace=False):
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.inplace = inplace

    def check_inputs(self, flat_inputs):
        if has_any(flat_inputs, PIL.Image.Image):
            raise TypeMismatchError(
                "Normalize: expected tensors, got a PIL image; put ToTensor() before it"
            )

    def transform(self, inpt, params):
        return self._call_kernel(
            F.normalize, inpt, mean=self.mean, std=self.std, inplace=self.inplace
        )


class Lambda(Transform):
    """A function applied to the leaves of a sample, or to those of some types."""

    _transformed_types = (object,)

    def __init__(self, lambd, *types):
        super().__init__()
        if not callable(lambd):
            raise TypeMismatchError(f"Lambda: expected a function, got {type(lambd).__name__}")
        self.lambd = lambd
        self.types = types or self._transformed_types

    def _chosen(self, leaves):
        return [i for i, leaf in enumerate(leaves) if isinstance(leaf, self.types)]

    def transform(self, inpt, params):
        return self.lambd(inpt)

    def extra_repr(self):
        name = getattr(self.lambd, "__name__", "")
        return f"{name}, types={[kind.__name__ for kind in self.types]}"


class Identity(Transform):
    """Nothing is changed."""

    def transform(self, inpt, params):
        return inpt


class LinearTransformation(Transform):
    """Images (..., C, H, W) as rows of numbers, less `mean_vector` (D), times a matrix (D, D).

    D is C * H * W. It can whiten: remove what pixels have in common.
    """

    _transformed_types = (tallow.Tensor,)

    def __init__(self, transformation_matrix, mean_vector):
        super().__init__()
        size = len(mean_vector)
        if tuple(transformation_matrix.shape) != (size, size):
            raise ArgumentError(
                f"LinearTransformation: expected a matrix ({size}, {size}) for a mean_vector of "
                f"{size}, got {describe(transformation_matrix)}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def check_inputs(self, flat_inputs):
        if has_any(flat_inputs, PIL.Image.Image):
            raise TypeMismatchError(
                "LinearTransformation: expected tensors, got a PIL image; put ToTensor() before it"
            )

    def transform(self, inpt, params):
        size = len(self.mean_vector)
        if math.prod(inpt.shape[-3:]) != size:
            raise ArgumentError(
                f"LinearTransformation: expected images of {size} numbers, got {describe(inpt)}"
            )
        rows = inpt.reshape(-1, size) - self.mean_vector
        changed = rows @ self.transformation_matrix.to(rows.dtype)
        return tv_tensors.wrap(changed.reshape(inpt.shape), like=inpt)


class UniformTemporalSubsample(Transform):
    """`num_samples` frames of a video (..., T, C, H, W), evenly from the first to the last."""

    _transformed_types = (tallow.Tensor,)

    def __init__(self, num_samples):
        super().__init__()
        self.num_samples = num_samples

    def transform(self, inpt, params):
        return self._call_kernel(F.uniform_temporal_subsample, inpt, self.num_samples)
