"""Pictures: cases as those of cases.py, each beside its like in TorchVision, where it is installed.

Augmentation is timed for one picture of Pillow's, as a training set has it read: one thread.
"""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import PIL.Image

CASES = {}


def case(name, needs_torchvision=True):
    """Decorator: keep a case under its name, if it can be run."""

    def keep(function):
        if not needs_torchvision or find_spec("torchvision"):
            CASES[name] = function
        return function

    return keep


def package(torch, part):
    """A part of the package for pictures that belongs to the module."""
    name = {"tallow": "tallowvision", "torch": "torchvision"}[torch.__name__]
    return import_module(f"{name}.{part}")


def picture(height, width):
    """A picture that is as smooth as photographs are."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    image = PIL.Image.fromarray(coarse.astype(np.uint8))
    return image.resize((width, height), PIL.Image.Resampling.BICUBIC)


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@case("augmenting a picture, 32 x 32: crop, flip, normalise")
def small_picture(torch):
    t = package(torch, "transforms")
    torch.manual_seed(0)
    augment = t.Compose([
        t.RandomCrop(32, padding=4), t.RandomHorizontalFlip(), t.ToTensor(), t.Normalize(MEAN, STD)
    ])  # fmt: skip
    image = picture(32, 32)
    return lambda: augment(image)


@case("augmenting a picture, 375 x 500 to 224: crop, flip, jitter, normalise")
def large_picture(torch):
    t = package(torch, "transforms")
    torch.manual_seed(0)
    augment = t.Compose([
        t.RandomResizedCrop(224), t.RandomHorizontalFlip(), t.ColorJitter(0.4, 0.4, 0.4, 0.1),
        t.ToTensor(), t.Normalize(MEAN, STD),
    ])  # fmt: skip
    image = picture(375, 500)
    return lambda: augment(image)


@case("TrivialAugmentWide of a picture, 224 x 224")
def trivial(torch):
    augment = package(torch, "transforms").TrivialAugmentWide()
    torch.manual_seed(0)
    image = picture(224, 224)
    return lambda: augment(image)


def resized(dtype):
    def prepare(torch):
        resize = package(torch, "transforms").functional.resize
        x = torch.from_numpy(np.asarray(picture(375, 500)).transpose(2, 0, 1).copy())
        x = x if dtype == "uint8" else x.to(getattr(torch, dtype)) / 255
        return lambda: resize(x, [224, 224], antialias=True)

    return prepare


for dtype in ("uint8", "float32"):
    case(f"resize of a tensor, 375 x 500 to 224, {dtype}, antialias")(resized(dtype))


@case("normalize a batch of 32 pictures, 224 x 224, float32")
def normalize(torch):
    image = torch.rand(32, 3, 224, 224)
    return lambda: package(torch, "transforms").functional.normalize(image, MEAN, STD)


@case("a batch of 32 pictures of bytes, 224 x 224, as a classifier takes it")
def preset(torch):
    presets = import_module(
        {"tallow": "tallowvision.transforms._presets", "torch": "torchvision.transforms._presets"}[
            torch.__name__
        ]
    )
    prepare = presets.ImageClassification(crop_size=224, resize_size=224)
    image = torch.randint(0, 256, (32, 3, 224, 224), dtype=torch.uint8)
    return lambda: prepare(image)


def boxes(torch, count, side=400):
    """Boxes (count, 4) of about a tenth of an image, many of which overlap."""
    rng = np.random.default_rng(0)
    start = rng.uniform(0, side, (count, 2))
    ends = start + rng.uniform(side / 40, side / 8, (count, 2))
    return torch.from_numpy(np.concatenate([start, ends], 1).astype(np.float32))


@case("nms of 10,000 boxes")
def nms(torch):
    function, torch_boxes = package(torch, "ops").nms, boxes(torch, 10000)
    scores = torch.from_numpy(np.random.default_rng(1).random(10000, np.float32))
    return lambda: function(torch_boxes, scores, 0.5)


def regions(torch, requires_grad):
    """Feature maps of two images, and 1,000 boxes in them, as a detector's head has them."""
    torch.manual_seed(0)
    x = torch.rand(2, 256, 50, 50, requires_grad=requires_grad)
    align = package(torch, "ops").roi_align
    found = [boxes(torch, 500), boxes(torch, 500) * 0.9]
    return x, lambda: align(x, found, 7, 0.125, 2)


@case("roi_align of 1,000 boxes in 256 maps: forward")
def roi_align(torch):
    return regions(torch, False)[1]


@case("roi_align of 1,000 boxes in 256 maps: forward and backward")
def roi_align_step(torch):
    x, align = regions(torch, True)
    seed = torch.ones_like(align())

    def run():
        align().backward(seed)
        x.grad = None

    return run


@case("interpolate 8 x 64 x 56 x 56 to twice the size, bilinear", needs_torchvision=False)
def interpolate(torch):
    torch.manual_seed(0)
    x, resize = torch.rand(8, 64, 56, 56), torch.nn.functional.interpolate
    return lambda: resize(x, scale_factor=2, mode="bilinear", align_corners=False)


@case("grid_sample 8 x 3 x 224 x 224", needs_torchvision=False)
def grid_sample(torch):
    torch.manual_seed(0)
    x, grid = torch.rand(8, 3, 224, 224), torch.rand(8, 224, 224, 2) * 2 - 1
    sample = torch.nn.functional.grid_sample
    return lambda: sample(x, grid, align_corners=False)
