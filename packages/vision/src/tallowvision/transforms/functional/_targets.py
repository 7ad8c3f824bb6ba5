"""Targets and frames left out: boxes and points that no longer count, videos with fewer frames."""

import tallow
from tallow.errors import ArgumentError, DtypeError, describe
from tallowvision import tv_tensors
from tallowvision._boxes import convert_boxes
from tallowvision.transforms.functional._registry import functional
from tallowvision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Video, box_format


def sanitize_bounding_boxes(
    bounding_boxes, format=None, canvas_size=None, min_size=1.0, min_area=1.0
):
    """The boxes that are within their canvas and not too small, and which those are, bools (N).

    A box has sides of `min_size` and an area of `min_area` at least. Plain tensors need `format`
    and `canvas_size`; BoundingBoxes know theirs.
    """
    if isinstance(bounding_boxes, BoundingBoxes) != (format is None and canvas_size is None):
        raise ArgumentError(
            "sanitize_bounding_boxes: expected format and canvas_size with plain tensors, and only "
            "with them"
        )
    valid = _valid_boxes(
        bounding_boxes, format or bounding_boxes.format, canvas_size or bounding_boxes.canvas_size,
        min_size, min_area,
    )  # fmt: skip
    return tv_tensors.wrap(bounding_boxes[valid], like=bounding_boxes), valid


def _valid_boxes(boxes, format, canvas_size, min_size, min_area):
    format, turned = box_format(format), tv_tensors.is_rotated_bounding_format(format)
    corners = BoundingBoxFormat.XYXYXYXY if turned else BoundingBoxFormat.XYXY
    numbers = convert_boxes(boxes, format, corners)
    sides = numbers[:, 2:] - numbers[:, :-2]  # from each corner to the next
    if turned:
        width, height = (sides[:, i : i + 2].square().sum(1).sqrt() for i in (0, 2))
    else:
        width, height = sides.unbind(1)
    x, y = numbers[:, 0::2], numbers[:, 1::2]
    inside = (x >= 0) & (x <= canvas_size[1]) & (y >= 0) & (y <= canvas_size[0])
    large = (width >= min_size) & (height >= min_size) & (width * height >= min_area)
    return (large & inside.all(1)).as_subclass(tallow.Tensor)


def sanitize_keypoints(key_points, canvas_size=None):
    """The points within their canvas, and which those are; of groups (N, K, 2), whole ones.

    Plain tensors need `canvas_size`.
    """
    if isinstance(key_points, KeyPoints) != (canvas_size is None):
        raise ArgumentError(
            "sanitize_keypoints: expected canvas_size with plain tensors, and only with them"
        )
    height, width = canvas_size or key_points.canvas_size
    x, y = key_points[..., 0], key_points[..., 1]
    valid = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    valid = valid.flatten(1).all(1) if valid.ndim > 1 else valid
    return tv_tensors.wrap(key_points[valid], like=key_points), valid


@functional(types=(tallow.Tensor, Video))
def uniform_temporal_subsample(video, num_samples):
    """`num_samples` frames of a video (..., T, C, H, W), evenly from the first to the last."""
    last = video.shape[-4] - 1
    return video.index_select(-4, tallow.linspace(0, last, num_samples, device=video.device).long())


@functional
def gaussian_noise(image, mean=0.0, sigma=0.1, clip=True):
    """The image with normal noise added; `mean` and `sigma` are parts of white.

    Floating-point or uint8 images; `clip` keeps the first in [0, 1]. ArgumentError for a sigma
    below 0.
    """
    if sigma < 0:
        raise ArgumentError(f"gaussian_noise: expected sigma of 0 or more, got {sigma}")
    if image.is_floating_point():
        noisy = image + (mean + tallow.randn_like(image) * sigma)
        return noisy.clamp(0, 1) if clip else noisy
    if image.dtype is not tallow.uint8:
        raise DtypeError(f"gaussian_noise: expected float or uint8, got {describe(image)}")
    noise = mean * 255 + tallow.randn_like(image, dtype=tallow.float32) * (sigma * 255)
    noisy = image + noise.to(tallow.int16)
    return (noisy.clamp(0, 255) if clip else noisy).to(tallow.uint8)
