"""Mask R-CNN: Faster R-CNN with a mask for each thing (He et al., 2017)."""

from collections import OrderedDict

from tallow import nn
from tallow.errors import ArgumentError
from tallowvision.models.detection._builders import detector
from tallowvision.models.detection._detector import check_backbone, check_kind
from tallowvision.models.detection._utils import apply_to_convolutions
from tallowvision.models.detection.faster_rcnn import FasterRCNN, draw, with_better_heads
from tallowvision.ops import Conv2dNormActivation, MultiScaleRoIAlign


class MaskRCNN(FasterRCNN):
    """Mask R-CNN; detections have `masks` (N, 1, H, W), too, with the probability of each pixel.

    Targets have `masks` (N, H, W) of 0 and 1. The arguments are those of `FasterRCNN`, and what
    cuts out regions for masks, and the layers that look at them.
    """

    def __init__(
        self, backbone, num_classes=None, *args, mask_roi_pool=None, mask_head=None,
        mask_predictor=None, **kwargs,
    ):  # fmt: skip
        check_backbone("MaskRCNN", backbone)
        check_kind("MaskRCNN", "mask_roi_pool", mask_roi_pool, MultiScaleRoIAlign)
        if num_classes is not None and mask_predictor is not None:
            raise ArgumentError("MaskRCNN: expected either num_classes or mask_predictor, got both")
        pool = mask_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2)
        head = mask_head or MaskRCNNHeads(backbone.out_channels, (256,) * 4, 1)
        predictor = mask_predictor or MaskRCNNPredictor(256, 256, num_classes)
        super().__init__(backbone, num_classes, *args, **kwargs)
        self.roi_heads.mask_roi_pool = pool
        self.roi_heads.mask_head = head
        self.roi_heads.mask_predictor = predictor


class MaskRCNNHeads(nn.Sequential):
    """Convolutions of regions (L, C, M, M), with `layers` channels."""

    _version = 2

    def __init__(self, in_channels, layers, dilation, norm_layer=None):
        parts = []
        for channels in layers:
            parts.append(Conv2dNormActivation(
                in_channels, channels, padding=dilation, dilation=dilation, norm_layer=norm_layer
            ))  # fmt: skip
            in_channels = channels
        super().__init__(*parts)
        apply_to_convolutions(self, draw)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 1) < 2:  # convolutions were not in blocks of their own
            for i in range(len(self)):
                for kind in ("weight", "bias"):
                    old = f"{prefix}mask_fcn{i + 1}.{kind}"
                    if old in state_dict:
                        state_dict[f"{prefix}{i}.0.{kind}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class MaskRCNNPredictor(nn.Sequential):
    """Logits (L, num_classes, 2 M, 2 M) of masks of regions (L, C, M, M)."""

    def __init__(self, in_channels, dim_reduced, num_classes):
        super().__init__(OrderedDict([
            ("conv5_mask", nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2)),
            ("relu", nn.ReLU(inplace=True)),
            ("mask_fcn_logits", nn.Conv2d(dim_reduced, num_classes, 1)),
        ]))  # fmt: skip
        draw(self.conv5_mask.weight)
        draw(self.mask_fcn_logits.weight)


def _first(backbone, num_classes, **kwargs):
    """Mask R-CNN on a ResNet-50 with a pyramid."""
    return MaskRCNN(backbone.resnet_fpn(), num_classes, **kwargs)


def _second(backbone, num_classes, **kwargs):
    """Mask R-CNN with the improvements of 2021 (Li et al.), on a ResNet-50 with a pyramid."""
    body = backbone.resnet_fpn(norm_layer=nn.BatchNorm2d)
    head = MaskRCNNHeads(body.out_channels, [256] * 4, 1, norm_layer=nn.BatchNorm2d)
    return MaskRCNN(body, num_classes, mask_head=head, **with_better_heads(body), **kwargs)


maskrcnn_resnet50_fpn, MaskRCNN_ResNet50_FPN_Weights = detector(
    "MaskRCNN_ResNet50_FPN", _first, "resnet50", exact_norms=True
)
maskrcnn_resnet50_fpn_v2, MaskRCNN_ResNet50_FPN_V2_Weights = detector(
    "MaskRCNN_ResNet50_FPN_V2", _second, "resnet50", weights_backbone=None, frozen_norms=False
)
