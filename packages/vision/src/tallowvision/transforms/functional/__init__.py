"""The transforms as functions, on Pillow images, tensors and `tv_tensors`; none draws numbers."""

from tallowvision._pil import pil_to_tensor, to_pil_image, to_tensor
from tallowvision.transforms.functional._color import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    adjust_sharpness,
    autocontrast,
    equalize,
    gaussian_blur,
    grayscale_to_rgb,
    invert,
    permute_channels,
    posterize,
    rgb_to_grayscale,
    solarize,
    to_grayscale,
)
from tallowvision.transforms.functional._erase import (
    erase,
    jpeg,
)
from tallowvision.transforms.functional._geometry import (
    center_crop,
    crop,
    five_crop,
    hflip,
    horizontal_flip,
    pad,
    resized_crop,
    ten_crop,
    vertical_flip,
    vflip,
)
from tallowvision.transforms.functional._meta import (
    clamp_bounding_boxes,
    clamp_keypoints,
    convert_bounding_box_format,
    get_dimensions,
    get_image_num_channels,
    get_image_size,
    get_num_channels,
    get_num_frames,
    get_size,
)
from tallowvision.transforms.functional._registry import register_kernel
from tallowvision.transforms.functional._resize import InterpolationMode, resize
from tallowvision.transforms.functional._targets import (
    gaussian_noise,
    sanitize_bounding_boxes,
    sanitize_keypoints,
    uniform_temporal_subsample,
)
from tallowvision.transforms.functional._values import (
    convert_image_dtype,
    normalize,
    to_dtype,
    to_image,
)
from tallowvision.transforms.functional._warp import (
    affine,
    elastic,
    elastic_transform,
    perspective,
    rotate,
)
from tallowvision.tv_tensors import is_pure_tensor

__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue",
    "adjust_saturation", "adjust_sharpness", "affine", "autocontrast", "center_crop",
    "clamp_bounding_boxes", "clamp_keypoints", "convert_bounding_box_format",
    "convert_image_dtype", "crop", "elastic", "elastic_transform", "equalize", "erase",
    "five_crop", "gaussian_blur", "gaussian_noise", "get_dimensions", "get_image_num_channels",
    "get_image_size", "get_num_channels", "get_num_frames", "get_size", "grayscale_to_rgb",
    "hflip", "horizontal_flip", "invert", "is_pure_tensor", "jpeg", "normalize", "pad",
    "permute_channels", "perspective", "pil_to_tensor", "posterize", "register_kernel", "resize",
    "resized_crop", "rgb_to_grayscale", "rotate", "sanitize_bounding_boxes", "sanitize_keypoints",
    "solarize", "ten_crop", "to_dtype", "to_grayscale", "to_image", "to_pil_image", "to_tensor",
    "uniform_temporal_subsample", "vertical_flip", "vflip",
]  # fmt: skip
