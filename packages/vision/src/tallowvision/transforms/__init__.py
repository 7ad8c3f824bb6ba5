"""Transforms of pictures, and of the boxes, masks and points that go with them.

There is one implementation, with the semantics of torchvision's v2; `transforms.v2` is the same.
Random transforms draw from tallow's generator as torchvision draws: the same seed, the same crop.
"""

from tallowvision.transforms import functional
from tallowvision.transforms._auto_augment import (
    AugMix,
    AutoAugment,
    AutoAugmentPolicy,
    RandAugment,
    TrivialAugmentWide,
)
from tallowvision.transforms._color import (
    RGB,
    ColorJitter,
    GaussianBlur,
    GaussianNoise,
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
    LinearTransformation,
    Normalize,
    PILToTensor,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
    UniformTemporalSubsample,
)
from tallowvision.transforms._detection import (
    RandomIoUCrop,
    RandomZoomOut,
    SanitizeBoundingBoxes,
    SanitizeKeyPoints,
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
from tallowvision.transforms._mix import CutMix, MixUp
from tallowvision.transforms._sample import (
    check_type,
    get_bounding_boxes,
    get_keypoints,
    has_all,
    has_any,
    query_chw,
    query_size,
)
from tallowvision.transforms._sizes import RandomResize, RandomShortestSize, ScaleJitter
from tallowvision.transforms._targets import (
    ClampBoundingBoxes,
    ClampKeyPoints,
    ConvertBoundingBoxFormat,
    SetClampingMode,
)
from tallowvision.transforms._transform import Transform
from tallowvision.transforms._warp import (
    ElasticTransform,
    RandomAffine,
    RandomPerspective,
    RandomRotation,
)
from tallowvision.transforms.functional import InterpolationMode

__all__ = [
    "AugMix", "AutoAugment", "AutoAugmentPolicy", "CenterCrop", "ClampBoundingBoxes",
    "ClampKeyPoints", "ColorJitter", "Compose", "ConvertBoundingBoxFormat", "ConvertImageDtype",
    "CutMix", "ElasticTransform", "FiveCrop", "GaussianBlur", "GaussianNoise", "Grayscale",
    "Identity", "InterpolationMode", "JPEG", "Lambda", "LinearTransformation", "MixUp",
    "Normalize", "PILToTensor", "Pad", "RGB", "RandAugment", "RandomAdjustSharpness",
    "RandomAffine", "RandomApply", "RandomAutocontrast", "RandomChannelPermutation",
    "RandomChoice", "RandomCrop", "RandomEqualize", "RandomErasing", "RandomGrayscale",
    "RandomHorizontalFlip", "RandomInvert", "RandomIoUCrop", "RandomOrder", "RandomPerspective",
    "RandomPhotometricDistort", "RandomPosterize", "RandomResize", "RandomResizedCrop",
    "RandomRotation", "RandomShortestSize", "RandomSolarize", "RandomVerticalFlip",
    "RandomZoomOut", "Resize", "SanitizeBoundingBoxes", "SanitizeKeyPoints", "ScaleJitter",
    "SetClampingMode", "TenCrop", "ToDtype", "ToImage", "ToPILImage", "ToPureTensor", "ToTensor",
    "Transform", "TrivialAugmentWide", "UniformTemporalSubsample", "check_type", "functional",
    "get_bounding_boxes", "get_keypoints", "has_all", "has_any", "query_chw", "query_size",
]  # fmt: skip
