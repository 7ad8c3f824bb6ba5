"""Networks for videos (N, 3, T, H, W): class scores of Kinetics-400's 400 actions."""

from tallowvision.models._api import lazy

# Its module has the name of its builder: imported later, it would take its place.
from tallowvision.models.video.s3d import S3D, S3D_Weights, s3d

_FAMILIES = {
    "mvit": ("MViT", "MViT_V1_B MViT_V2_S"),
    "resnet": ("VideoResNet", "R3D_18 MC3_18 R2Plus1D_18"),
    "swin_transformer": ("SwinTransformer3d", "Swin3D_T Swin3D_S Swin3D_B"),
    "tiny": ("R2Plus1DTiny", "R2Plus1D_Tiny"),
}

__getattr__, _lazy = lazy(__name__, _FAMILIES)
__all__ = ["S3D", "S3D_Weights", "s3d", *_lazy]
