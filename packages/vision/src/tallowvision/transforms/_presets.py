"""What makes of a picture the input of a model: `weights.transforms()` gives one of these."""

import tallow
from tallow import nn
from tallowvision.transforms import functional as F
from tallowvision.transforms.functional._values import normalize_values

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
KINETICS = {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)}


class _Preset(nn.Module):
    """Its attributes are its repr."""

    def extra_repr(self):
        own = {k: v for k, v in vars(self).items() if not k.startswith("_") and k != "training"}
        return ", ".join(f"{key}={value}" for key, value in own.items())


def _tensor(image):
    return image if isinstance(image, tallow.Tensor) else F.pil_to_tensor(image)


def _values(image):
    """A picture as a float tensor in [0, 1]."""
    return F.convert_image_dtype(_tensor(image), tallow.float)


def _normalized(image, mean, std):
    """A picture as a float tensor, by channel of this mean and deviation."""
    return normalize_values(_tensor(image), mean, std)


class ObjectDetection(_Preset):
    """A PIL image or a tensor (..., C, H, W) with values in [0, 1]."""

    def forward(self, img):
        return _values(img)


class ImageClassification(_Preset):
    """A PIL image or a tensor (..., C, H, W), resized, its centre cut out, and normalised."""

    def __init__(
        self, *, crop_size, resize_size=256, mean=IMAGENET["mean"], std=IMAGENET["std"],
        interpolation="bilinear", antialias=True,
    ):  # fmt: skip
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = F.InterpolationMode(interpolation)
        self.antialias = antialias

    def forward(self, img):
        img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        img = F.center_crop(img, self.crop_size)
        return _normalized(img, self.mean, self.std)


class GreyClassification(_Preset):
    """A PIL image or a tensor (..., C, H, W), bright on dark: (..., 1, size, size) in [0, 1]."""

    def __init__(self, *, size):
        super().__init__()
        self.size = size

    def forward(self, img):
        return F.resize(F.rgb_to_grayscale(_values(img)), [self.size, self.size], antialias=True)


class VideoClassification(_Preset):
    """Frames (..., T, C, H, W), resized and normalised, their centre cut out: (..., C, T, H, W)."""

    def __init__(
        self, *, crop_size, resize_size, mean=KINETICS["mean"], std=KINETICS["std"],
        interpolation="bilinear",
    ):  # fmt: skip
        super().__init__()
        self.crop_size = list(crop_size)
        self.resize_size = list(resize_size)
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = F.InterpolationMode(interpolation)

    def forward(self, vid):
        vid = F.resize(vid, self.resize_size, self.interpolation, antialias=False)
        vid = F.center_crop(vid, self.crop_size)
        return _normalized(vid, self.mean, self.std).transpose(-4, -3)


class SemanticSegmentation(_Preset):
    """A PIL image or a tensor (..., C, H, W), resized unless that is None, and normalised."""

    def __init__(
        self, *, resize_size, mean=IMAGENET["mean"], std=IMAGENET["std"],
        interpolation="bilinear", antialias=True,
    ):  # fmt: skip
        super().__init__()
        self.resize_size = None if resize_size is None else [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = F.InterpolationMode(interpolation)
        self.antialias = antialias

    def forward(self, img):
        if self.resize_size is not None:
            img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        return _normalized(img, self.mean, self.std)


class OpticalFlow(_Preset):
    """Two PIL images or tensors (..., C, H, W) with values in [-1, 1]."""

    def forward(self, img1, img2):
        return tuple(_values(img) * 2 - 1 for img in (img1, img2))
