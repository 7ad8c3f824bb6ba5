"""Transformers on patches of an image (Dosovitskiy et al., 2021)."""

import math
from functools import partial
from typing import Any, NamedTuple

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.ops.misc import MLP, Conv2dNormActivation

_norm = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """One convolution of a stem in place of cutting patches (Xiao et al., 2021)."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Any = nn.BatchNorm2d
    activation_layer: Any = nn.ReLU


class MLPBlock(MLP):
    """Two linear layers with GELU between them."""

    _version = 2

    def __init__(self, in_dim, mlp_dim, dropout):
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, dropout=dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.normal_(module.bias, std=1e-6)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        for name in ("weight", "bias"):  # keys of published files
            for old, new in (("linear_1", "0"), ("linear_2", "3")):
                key = f"{prefix}{old}.{name}"
                if key in state_dict:
                    state_dict[f"{prefix}{new}.{name}"] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)


class EncoderBlock(nn.Module):
    """Attention, then a network at each place, each after layer norm and beside a shortcut."""

    def __init__(
        self, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer=_norm
    ):
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(
            hidden_dim, num_heads, dropout=attention_dropout, batch_first=True
        )
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, x):
        _check_sequence(x)
        y = self.ln_1(x)
        y, _ = self.self_attention(y, y, y, need_weights=False)
        x = x + self.dropout(y)
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Sequences (N, seq_length, hidden_dim) to the same shape: places added, then the blocks."""

    def __init__(
        self, seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout,
        norm_layer=_norm,
    ):  # fmt: skip
        super().__init__()
        self.pos_embedding = nn.Parameter(tallow.empty(1, seq_length, hidden_dim))
        nn.init.normal_(self.pos_embedding, std=0.02)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential()
        for i in range(num_layers):
            block = EncoderBlock(
                num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer
            )
            self.layers.add_module(f"encoder_layer_{i}", block)
        self.ln = norm_layer(hidden_dim)

    def forward(self, x):
        _check_sequence(x)
        return self.ln(self.layers(self.dropout(x + self.pos_embedding)))


def _check_sequence(x):
    if isinstance(x, tallow.Tensor) and x.dim() != 3:
        raise ShapeError(f"Encoder: expected (N, seq_length, hidden_dim), got {tuple(x.shape)}")


class VisionTransformer(nn.Module):
    """Images (N, 3, image_size, image_size) to class scores (N, num_classes).

    >>> model = VisionTransformer(32, 16, num_layers=1, num_heads=2, hidden_dim=8, mlp_dim=16)
    >>> model(tallow.ones(1, 3, 32, 32)).shape
    tallow.Size([1, 1000])
    """

    def __init__(
        self, image_size, patch_size, num_layers, num_heads, hidden_dim, mlp_dim, dropout=0.0,
        attention_dropout=0.0, num_classes=1000, representation_size=None, norm_layer=_norm,
        conv_stem_configs=None,
    ):  # fmt: skip
        super().__init__()
        if image_size % patch_size:
            raise ArgumentError(
                f"VisionTransformer: expected image_size to be a multiple of {patch_size}, the "
                f"patch_size, got {image_size}"
            )
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.num_classes = num_classes
        self.conv_proj = _stem(patch_size, hidden_dim, conv_stem_configs)
        self.class_token = nn.Parameter(tallow.zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(
            self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout,
            attention_dropout, norm_layer,
        )  # fmt: skip
        self.heads = nn.Sequential()
        if representation_size is not None:
            self.heads.pre_logits = nn.Linear(hidden_dim, representation_size)
            self.heads.act = nn.Tanh()
        self.heads.head = nn.Linear(representation_size or hidden_dim, num_classes)
        self._initialize()

    def _initialize(self):
        if isinstance(self.conv_proj, nn.Conv2d):
            fan_in = 3 * self.patch_size**2
            nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / fan_in))
            nn.init.zeros_(self.conv_proj.bias)
        else:
            last = self.conv_proj.conv_last
            nn.init.normal_(last.weight, std=math.sqrt(2 / self.hidden_dim))
            nn.init.zeros_(last.bias)
        if len(self.heads) > 1:
            nn.init.trunc_normal_(self.heads.pre_logits.weight, std=math.sqrt(1 / self.hidden_dim))
            nn.init.zeros_(self.heads.pre_logits.bias)
        nn.init.zeros_(self.heads.head.weight)
        nn.init.zeros_(self.heads.head.bias)

    def forward(self, x):
        size = self.image_size
        if isinstance(x, tallow.Tensor) and tuple(x.shape[-2:]) != (size, size):
            got = " x ".join(str(n) for n in x.shape[-2:])
            raise ShapeError(
                f"VisionTransformer: expected images of {size} x {size}, got {got}; see image_size "
                "and interpolate_embeddings"
            )
        x = self.conv_proj(x).flatten(2).transpose(1, 2)  # (N, patches, hidden_dim)
        x = tallow.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1)
        return self.heads(self.encoder(x)[:, 0])


def _stem(patch_size, hidden_dim, configs):
    """What makes vectors of patches: one convolution, or those of `configs` and one of 1 x 1."""
    if configs is None:
        return nn.Conv2d(3, hidden_dim, patch_size, stride=patch_size)
    stem, before = nn.Sequential(), 3
    for i, config in enumerate(configs):
        layer = Conv2dNormActivation(
            before, config.out_channels, config.kernel_size, config.stride,
            norm_layer=config.norm_layer, activation_layer=config.activation_layer,
        )  # fmt: skip
        stem.add_module(f"conv_bn_relu_{i}", layer)
        before = config.out_channels
    stem.conv_last = nn.Conv2d(before, hidden_dim, 1)
    return stem


def interpolate_embeddings(
    image_size, patch_size, model_state, interpolation_mode="bicubic", reset_heads=False
):
    """The state of a network for images of another size: its places interpolated.

    With `reset_heads` it is without the classifier. ValueError if the places are no square.
    """
    places = model_state["encoder.pos_embedding"]
    _, length, width = places.shape
    old, new = math.isqrt(length - 1), image_size // patch_size
    if old**2 != length - 1:
        raise ArgumentError(
            f"interpolate_embeddings: expected a square of places, got {length - 1}"
        )
    if new == old:
        return model_state
    grid = places[:, 1:].transpose(1, 2).reshape(1, width, old, old)
    grid = F.interpolate(grid, size=new, mode=interpolation_mode, align_corners=True)
    model_state["encoder.pos_embedding"] = tallow.cat(
        [places[:, :1], grid.flatten(2).transpose(1, 2)], 1
    )
    if reset_heads:
        model_state = {k: v for k, v in model_state.items() if not k.startswith("heads")}
    return model_state


def _vit(patch_size, num_layers, num_heads, hidden_dim, mlp_dim, image_size=224, **kwargs):
    return VisionTransformer(
        image_size, patch_size, num_layers, num_heads, hidden_dim, mlp_dim, **kwargs
    )


def _size(weights):
    return {"image_size": weights.meta["min_size"][0]}


def _variant(stem, *args):
    return variant(stem, _vit, *args, with_weights=_size)


vit_b_16, ViT_B_16_Weights = _variant("ViT_B_16", 16, 12, 12, 768, 3072)
vit_b_32, ViT_B_32_Weights = _variant("ViT_B_32", 32, 12, 12, 768, 3072)
vit_l_16, ViT_L_16_Weights = _variant("ViT_L_16", 16, 24, 16, 1024, 4096)
vit_l_32, ViT_L_32_Weights = _variant("ViT_L_32", 32, 24, 16, 1024, 4096)
vit_h_14, ViT_H_14_Weights = _variant("ViT_H_14", 14, 32, 16, 1280, 5120)
