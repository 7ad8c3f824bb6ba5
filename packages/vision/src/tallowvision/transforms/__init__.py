"""Transforms of pictures, and of the boxes, masks and points that go with them.

There is one implementation, with the semantics of torchvision's v2; `transforms.v2` is the same.
Random transforms draw from tallow's generator as torchvision draws: the same seed, the same crop.
"""

from tallowvision.transforms import functional
from tallowvision.transforms._auto_augment import (
    AutoAugment,
    AutoAugmentPolicy,
    RandAugment,
    TrivialAugmentWide,
)
from tallowvision.transforms._color import (
    RGB,
    ColorJitter,
    GaussianBlur,
    Grayscale,
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomChannelPermutation,
    RandomEqualize,
    RandomGrayscale,
    RandomInvert,
    RandomPhotometricDistort,
    RandomPosterize,
    RandomSolarize,
)
from tallowvision.transforms._container import Compose, RandomApply, RandomChoice, RandomOrder
from tallowvision.transforms._conversion import (
    ConvertImageDtype,
    Identity,
    Lambda,
    Normalize,
    PILToTensor,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
)
from tallowvision.transforms._erase import (
    JPEG,
    RandomErasing,
)
from tallowvision.transforms._geometry import (
    CenterCrop,
    FiveCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
    TenCrop,
)
from tallowvision.transforms._targets import (
    ClampBoundingBoxes,
    ClampKeyPoints,
    ConvertBoundingBoxFormat,
    SetClampingMode,
)
from tallowvision.transforms._transform import Transform
from tallowvision.transforms._warp import (
    RandomAffine,
    RandomPerspective,
    RandomRotation,
)
from tallowvision.transforms.functional import InterpolationMode

__all__ = [
    "AutoAugment", "AutoAugmentPolicy", "CenterCrop", "ClampBoundingBoxes", "ClampKeyPoints",
    "ColorJitter", "Compose", "ConvertBoundingBoxFormat", "ConvertImageDtype", "FiveCrop",
    "GaussianBlur", "Grayscale", "Identity", "InterpolationMode", "JPEG", "Lambda", "Normalize",
    "PILToTensor", "Pad", "RGB", "RandAugment", "RandomAdjustSharpness", "RandomAffine",
    "RandomApply", "RandomAutocontrast", "RandomChannelPermutation", "RandomChoice",
    "RandomCrop", "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomHorizontalFlip",
    "RandomInvert", "RandomOrder", "RandomPerspective", "RandomPhotometricDistort",
    "RandomPosterize", "RandomResizedCrop", "RandomRotation", "RandomSolarize",
    "RandomVerticalFlip", "Resize", "SetClampingMode", "TenCrop", "ToDtype", "ToImage",
    "ToPILImage", "ToPureTensor", "ToTensor", "Transform", "TrivialAugmentWide", "functional",
]  # fmt: skip
