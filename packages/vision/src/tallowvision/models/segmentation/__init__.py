"""Networks that say of each pixel what it shows, with torchvision's names and weights.

>>> import tallow
>>> from tallowvision.models import segmentation
>>> model = segmentation.lraspp_mobilenet_v3_large(weights_backbone=None, num_classes=4).eval()
>>> model(tallow.rand(1, 3, 64, 48))["out"].shape
tallow.Size([1, 4, 64, 48])
"""

from tallowvision.models._api import lazy

_FAMILIES = {  # module: (classes, what its builders and weights are called after)
    "deeplabv3": (
        "DeepLabV3",
        "DeepLabV3_ResNet50 DeepLabV3_ResNet101 DeepLabV3_MobileNet_V3_Large",
    ),
    "fcn": ("FCN", "FCN_ResNet50 FCN_ResNet101"),
    "lraspp": ("LRASPP", "LRASPP_MobileNet_V3_Large"),
    "tiny": ("UNet", "UNet_Tiny"),
}

__getattr__, __all__ = lazy(__name__, _FAMILIES)
