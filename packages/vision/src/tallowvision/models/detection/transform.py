"""What happens to images and targets before a detector's network, and to detections after it."""

import math

import tallow
from tallow import nn
from tallow.errors import ShapeError, TypeMismatchError, describe
from tallow.nn import functional as F
from tallowvision.models.detection._masks import paste_masks_in_image
from tallowvision.models.detection.image_list import ImageList


class GeneralizedRCNNTransform(nn.Module):
    """Normalise images, resize them, and put them into one batch.

    Called with a list of images (C, H, W) in [0, 1] and, perhaps, of targets: dicts with `boxes`,
    maybe `masks` and `keypoints`. The shorter side becomes `min_size` (in training one of several
    at random), but the longer one at most `max_size`; or all become `fixed_size` (width, height).
    The batch's sides are multiples of `size_divisible`.
    """

    def __init__(
        self, min_size, max_size, image_mean, image_std, size_divisible=32, fixed_size=None,
        _skip_resize=False,
    ):  # fmt: skip
        super().__init__()
        self.min_size = min_size if isinstance(min_size, list | tuple) else (min_size,)
        self.max_size = max_size
        self.image_mean = image_mean
        self.image_std = image_std
        self.size_divisible = size_divisible
        self.fixed_size = fixed_size
        self._skip_resize = _skip_resize

    def forward(self, images, targets=None):
        for image in images:
            if image.ndim != 3:
                raise ShapeError(f"detection: expected images (C, H, W), got {describe(image)}")
        changed = [
            self.resize(self.normalize(image), None if targets is None else dict(target))
            for image, target in zip(images, targets or [None] * len(images), strict=True)
        ]
        images = [image for image, _ in changed]
        sizes = [tuple(image.shape[-2:]) for image in images]
        batch = ImageList(self.batch_images(images, self.size_divisible), sizes)
        return batch, None if targets is None else [target for _, target in changed]

    def normalize(self, image):
        """The image less the mean, over the standard deviation, of each channel."""
        if not image.is_floating_point():
            raise TypeMismatchError(
                f"detection: expected images of floating-point numbers in [0, 1], got "
                f"{describe(image)}"
            )
        mean, std = (image.new_tensor(x)[:, None, None] for x in (self.image_mean, self.image_std))
        return (image - mean) / std

    def _size(self, height, width):
        """The (height, width) that an image is resized to."""
        if self.fixed_size is not None:
            return self.fixed_size[1], self.fixed_size[0]
        size = self.min_size[-1]
        if self.training:
            drawn = tallow.empty(1).uniform_(0.0, float(len(self.min_size))).item()
            size = self.min_size[int(drawn)]
        scale = min(size / min(height, width), self.max_size / max(height, width))
        return math.floor(height * scale), math.floor(width * scale)

    def resize(self, image, target=None):
        """The image and its target in the size for the network."""
        if self.training and self._skip_resize:
            return image, target
        old = tuple(image.shape[-2:])
        new = self._size(*old)
        image = F.interpolate(image[None], size=new, mode="bilinear", align_corners=False)[0]
        if target is not None:
            target["boxes"] = resize_boxes(target["boxes"], old, new)
            if "masks" in target:
                masks = target["masks"][:, None].float()
                target["masks"] = F.interpolate(masks, size=new)[:, 0].byte()
            if "keypoints" in target:
                target["keypoints"] = resize_keypoints(target["keypoints"], old, new)
        return image, target

    def batch_images(self, images, size_divisible=32):
        """Images (C, H, W), with zeros at their right and bottom, in one tensor (N, C, H', W')."""
        height, width = (
            math.ceil(max(image.shape[dim] for image in images) / size_divisible) * size_divisible
            for dim in (1, 2)
        )
        return tallow.stack([
            F.pad(image, (0, width - image.shape[2], 0, height - image.shape[1]))
            for image in images
        ])  # fmt: skip

    def postprocess(self, result, image_shapes, original_image_sizes):
        """Detections in pixels of the images as they were given."""
        if self.training:
            return result
        for found, old, new in zip(result, image_shapes, original_image_sizes, strict=True):
            found["boxes"] = resize_boxes(found["boxes"], old, new)
            if "masks" in found:
                found["masks"] = paste_masks_in_image(found["masks"], found["boxes"], new)
            if "keypoints" in found:
                found["keypoints"] = resize_keypoints(found["keypoints"], old, new)
        return result

    def extra_repr(self):
        names = ("image_mean", "image_std", "min_size", "max_size", "fixed_size")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


def _ratios(like, original_size, new_size):
    """How much wider and higher an image has become: (2)."""
    sizes = (tallow.tensor(size, dtype=tallow.float32) for size in (new_size, original_size))
    new, original = sizes
    return (new / original).flip(0).to(like.device)


def resize_keypoints(keypoints, original_size, new_size):
    """Points (..., 3), x, y and visibility, when an image of (height, width) becomes another."""
    ratios = _ratios(keypoints, original_size, new_size)
    return tallow.cat([keypoints[..., :2] * ratios, keypoints[..., 2:]], -1)


def resize_boxes(boxes, original_size, new_size):
    """Boxes (N, 4) when an image of (height, width) becomes another."""
    return boxes * _ratios(boxes, original_size, new_size).repeat(2)
