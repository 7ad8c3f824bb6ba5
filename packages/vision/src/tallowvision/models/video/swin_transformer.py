"""Transformers with attention in shifted windows of videos (Liu et al., 2022)."""

from tallow import nn
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.models._windows import ShiftedWindowAttention
from tallowvision.models.swin_transformer import (
    BASE,
    SMALL,
    TINY,
    PatchMerging,
    SwinTransformerBlock,
    initialize_linear,
    make_stages,
)


class ShiftedWindowAttention3d(ShiftedWindowAttention):
    """Attention of (N, T, H, W, C); a window shrinks to videos that are smaller."""

    fits = True


class Block3d(SwinTransformerBlock):
    """`SwinTransformerBlock` of videos."""

    attention = ShiftedWindowAttention3d


class PatchEmbed3d(nn.Module):
    """Videos (N, C, T, H, W), padded to whole patches, to vectors (N, T', H', W', embed_dim)."""

    def __init__(self, patch_size, in_channels=3, embed_dim=96, norm_layer=None):
        super().__init__()
        self.patch_size = tuple(patch_size)
        self.proj = nn.Conv3d(in_channels, embed_dim, self.patch_size, stride=self.patch_size)
        self.norm = nn.Identity() if norm_layer is None else norm_layer(embed_dim)

    def forward(self, x):
        steps = zip(x.shape[2:], self.patch_size, strict=True)
        missing = [m for size, step in steps for m in (-size % step, 0)]
        return self.norm(self.proj(F.pad(x, [*reversed(missing)])).permute(0, 2, 3, 4, 1))


class SwinTransformer3d(nn.Module):
    """Videos (N, 3, T, H, W) to class scores (N, num_classes)."""

    def __init__(
        self, patch_size, embed_dim, depths, num_heads, window_size, mlp_ratio=4.0, dropout=0.0,
        attention_dropout=0.0, stochastic_depth_prob=0.1, num_classes=400, norm_layer=nn.LayerNorm,
        block=Block3d, downsample_layer=PatchMerging, patch_embed=PatchEmbed3d,
    ):  # fmt: skip
        super().__init__()
        self.num_classes = num_classes
        self.patch_embed = patch_embed(
            patch_size=patch_size, embed_dim=embed_dim, norm_layer=norm_layer
        )
        self.pos_drop = nn.Dropout(dropout)
        stages = make_stages(
            embed_dim, depths, num_heads, window_size, stochastic_depth_prob, block,
            downsample_layer, norm_layer, mlp_ratio=mlp_ratio, dropout=dropout,
            attention_dropout=attention_dropout,
        )  # fmt: skip
        self.features = nn.Sequential(*stages)
        self.num_features = embed_dim * 2 ** (len(depths) - 1)
        self.norm = norm_layer(self.num_features)
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.head = nn.Linear(self.num_features, num_classes)
        initialize_linear(self)

    def forward(self, x):
        x = self.norm(self.features(self.pos_drop(self.patch_embed(x))))
        return self.head(self.avgpool(x.permute(0, 4, 1, 2, 3)).flatten(1))


def _variant(stem, size):
    return variant(stem, SwinTransformer3d, patch_size=(2, 4, 4), window_size=(8, 7, 7), **size)


swin3d_t, Swin3D_T_Weights = _variant("Swin3D_T", TINY)
swin3d_s, Swin3D_S_Weights = _variant("Swin3D_S", SMALL)
swin3d_b, Swin3D_B_Weights = _variant("Swin3D_B", BASE)
