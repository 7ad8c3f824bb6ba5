"""Keypoint R-CNN: Faster R-CNN with points of each thing, people's joints as a rule."""

from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallowvision.models.detection._builders import detector
from tallowvision.models.detection._detector import check_backbone, check_kind
from tallowvision.models.detection._utils import apply_to_convolutions
from tallowvision.models.detection.faster_rcnn import FasterRCNN, draw
from tallowvision.ops import MultiScaleRoIAlign


class KeypointRCNN(FasterRCNN):
    """Faster R-CNN; detections have `keypoints` (N, K, 3) and `keypoints_scores` (N, K), too.

    Points are x, y and 1. Targets have `keypoints` (N, K, 3), x, y and whether it is visible. The
    arguments are those of `FasterRCNN`, what cuts out regions for points, and the layers that look
    at them. He et al., "Mask R-CNN" (2017), section 5.
    """

    def __init__(
        self, backbone, num_classes=None, min_size=None, *args, keypoint_roi_pool=None,
        keypoint_head=None, keypoint_predictor=None, num_keypoints=None, **kwargs,
    ):  # fmt: skip
        check_backbone("KeypointRCNN", backbone)
        check_kind("KeypointRCNN", "keypoint_roi_pool", keypoint_roi_pool, MultiScaleRoIAlign)
        if num_keypoints is not None and keypoint_predictor is not None:
            raise ArgumentError(
                "KeypointRCNN: expected either num_keypoints or keypoint_predictor, got both"
            )
        pool = keypoint_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2)
        head = keypoint_head or KeypointRCNNHeads(backbone.out_channels, (512,) * 8)
        predictor = keypoint_predictor or KeypointRCNNPredictor(512, num_keypoints or 17)
        sizes = (640, 672, 704, 736, 768, 800)
        super().__init__(backbone, num_classes, min_size or sizes, *args, **kwargs)
        self.roi_heads.keypoint_roi_pool = pool
        self.roi_heads.keypoint_head = head
        self.roi_heads.keypoint_predictor = predictor


class KeypointRCNNHeads(nn.Sequential):
    """Convolutions of regions (L, C, M, M), with `layers` channels."""

    def __init__(self, in_channels, layers):
        parts = []
        for channels in layers:
            parts += [nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU(inplace=True)]
            in_channels = channels
        super().__init__(*parts)
        apply_to_convolutions(self, draw)


class KeypointRCNNPredictor(nn.Module):
    """A map (L, num_keypoints, 4 M, 4 M) for each point, of regions (L, C, M, M)."""

    def __init__(self, in_channels, num_keypoints):
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(in_channels, num_keypoints, 4, 2, 1)
        draw(self.kps_score_lowres.weight)
        nn.init.zeros_(self.kps_score_lowres.bias)
        self.up_scale = 2
        self.out_channels = num_keypoints

    def forward(self, x):
        x = self.kps_score_lowres(x)
        return F.interpolate(
            x, scale_factor=float(self.up_scale), mode="bilinear", align_corners=False,
            recompute_scale_factor=False,
        )  # fmt: skip


def _first(backbone, num_classes, **kwargs):
    """Keypoint R-CNN on a ResNet-50 with a pyramid."""
    return KeypointRCNN(backbone.resnet_fpn(), num_classes, **kwargs)


keypointrcnn_resnet50_fpn, KeypointRCNN_ResNet50_FPN_Weights = detector(
    "KeypointRCNN_ResNet50_FPN", _first, "resnet50", classes=2, exact_norms=True
)
