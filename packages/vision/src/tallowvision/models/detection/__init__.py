"""Networks that find things in images, with torchvision's names and weights.

>>> import tallow
>>> from tallowvision.models import detection
>>> model = detection.ssdlite320_mobilenet_v3_large(weights_backbone=None, num_classes=5).eval()
>>> [sorted(found) for found in model([tallow.rand(3, 90, 120)])]
[['boxes', 'labels', 'scores']]
"""

from tallowvision.models._api import lazy

_FAMILIES = {  # module: (classes, what its builders and weights are called after)
    "anchor_utils": ("", ""),
    "backbone_utils": ("", ""),
    "faster_rcnn": (
        "FasterRCNN",
        "FasterRCNN_ResNet50_FPN FasterRCNN_ResNet50_FPN_V2 FasterRCNN_MobileNet_V3_Large_FPN "
        "FasterRCNN_MobileNet_V3_Large_320_FPN",
    ),
    "fcos": ("FCOS", "FCOS_ResNet50_FPN"),
    "generalized_rcnn": ("", ""),
    "image_list": ("", ""),
    "keypoint_rcnn": ("KeypointRCNN", "KeypointRCNN_ResNet50_FPN"),
    "mask_rcnn": ("MaskRCNN", "MaskRCNN_ResNet50_FPN MaskRCNN_ResNet50_FPN_V2"),
    "retinanet": ("RetinaNet", "RetinaNet_ResNet50_FPN RetinaNet_ResNet50_FPN_V2"),
    "roi_heads": ("", ""),
    "rpn": ("", ""),
    "ssd": ("SSD", "SSD300_VGG16"),
    "ssdlite": ("", "SSDLite320_MobileNet_V3_Large"),
    "tiny": ("", "FCOS_Tiny"),
    "transform": ("", ""),
}

__getattr__, __all__ = lazy(__name__, _FAMILIES)
