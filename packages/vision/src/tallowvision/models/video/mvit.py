"""Multiscale vision transformers (Fan et al., 2021), and version 2 (Li et al., 2022)."""

import math
from dataclasses import dataclass
from functools import partial

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError
from tallow.nn import functional as F
from tallowvision.models._api import variant
from tallowvision.ops import StochasticDepth
from tallowvision.ops.misc import MLP


@dataclass
class MSBlockConfig:
    """One block: kernels and strides (T, H, W) that pool queries, and keys and values; or []."""

    num_heads: int
    input_channels: int
    output_channels: int
    kernel_q: list[int]
    kernel_kv: list[int]
    stride_q: list[int]
    stride_kv: list[int]


class Pool(nn.Module):
    """Places (N, heads, 1 + T H W, C), all but the class token's pooled: then (T', H', W') too."""

    def __init__(self, pool, norm):
        super().__init__()
        self.pool = pool
        self.norm_act = None if norm is None else nn.Sequential(norm)

    def forward(self, x, thw):
        n, heads, _, channels = x.shape
        token, places = x[:, :, :1], x[:, :, 1:].transpose(2, 3)
        places = self.pool(places.reshape(n * heads, channels, *thw))
        thw = tuple(places.shape[2:])
        x = tallow.cat([token, places.reshape(n, heads, channels, -1).transpose(2, 3)], 2)
        return (x if self.norm_act is None else self.norm_act(x)), thw


def _pool(channels, kernel, stride, norm_layer):
    """A pooling convolution of each channel by itself; None if it would do nothing."""
    if math.prod(kernel) * math.prod(stride) <= 1:
        return None
    padding = [size // 2 for size in kernel]
    conv = nn.Conv3d(channels, channels, kernel, stride, padding, groups=channels, bias=False)
    return Pool(conv, norm_layer(channels))


def _offsets(table, q_size, k_size):
    """(q_size, k_size, C): rows of a table of offsets along a dim, for each query and key."""
    count = 2 * max(q_size, k_size) - 1
    if len(table) != count:
        table = F.interpolate(table.t()[None], size=count, mode="linear")[0].t()
    q = tallow.arange(q_size, device=table.device)[:, None] * max(k_size / q_size, 1.0)
    k = tallow.arange(k_size, device=table.device) + 1.0 - k_size
    return table[(q - k * max(q_size / k_size, 1.0)).long()]


class MultiscaleAttention(nn.Module):
    """Attention of (N, 1 + T H W, C), its queries, keys and values pooled."""

    def __init__(
        self, input_size, embed_dim, output_dim, num_heads, kernel_q, kernel_kv, stride_q,
        stride_kv, residual_pool, residual_with_cls_embed, rel_pos_embed, dropout=0.0,
        norm_layer=nn.LayerNorm,
    ):  # fmt: skip
        super().__init__()
        self.output_dim = output_dim
        self.num_heads = num_heads
        self.head_dim = output_dim // num_heads
        self.residual_pool = residual_pool
        self.residual_with_cls_embed = residual_with_cls_embed
        self.qkv = nn.Linear(embed_dim, 3 * output_dim)
        drop = [nn.Dropout(dropout, inplace=True)] if dropout > 0 else []
        self.project = nn.Sequential(nn.Linear(output_dim, output_dim), *drop)
        self.pool_q = _pool(self.head_dim, kernel_q, stride_q, norm_layer)
        self.pool_k = _pool(self.head_dim, kernel_kv, stride_kv, norm_layer)
        self.pool_v = _pool(self.head_dim, kernel_kv, stride_kv, norm_layer)
        self.rel_pos_h = self.rel_pos_w = self.rel_pos_t = None
        if rel_pos_embed:
            size = max(input_size[1:])
            largest = max(size // (stride[1] if stride else 1) for stride in (stride_q, stride_kv))
            self.rel_pos_h = self._table(largest)
            self.rel_pos_w = self._table(largest)
            self.rel_pos_t = self._table(input_size[0])

    def _table(self, size):
        table = tallow.empty(2 * size - 1, self.head_dim)
        return nn.Parameter(nn.init.trunc_normal_(table, std=0.02))

    def forward(self, x, thw):
        n, places, _ = x.shape
        qkv = self.qkv(x).reshape(n, places, 3, self.num_heads, self.head_dim)
        q, k, v = qkv.transpose(1, 3).unbind(2)  # (N, heads, places, head_dim)
        k_thw = thw
        if self.pool_k is not None:
            k, k_thw = self.pool_k(k, thw)
            v, _ = self.pool_v(v, thw)
        if self.pool_q is not None:
            q, thw = self.pool_q(q, thw)
        bias = None if self.rel_pos_h is None else self._bias(q, thw, k_thw)
        x = F.scaled_dot_product_attention(q, k, v, bias)
        if self.residual_pool and self.residual_with_cls_embed:
            x = x + q
        elif self.residual_pool:
            x = tallow.cat([x[:, :, :1], x[:, :, 1:] + q[:, :, 1:]], 2)
        return self.project(x.transpose(1, 2).flatten(2)), thw

    def _bias(self, q, q_thw, k_thw):
        """What queries say of the offsets to keys, 0 for the class token's."""
        n, heads, _, channels = q.shape
        q = q[:, :, 1:].reshape(n, heads, *q_thw, channels)
        tables = (self.rel_pos_t, self.rel_pos_h, self.rel_pos_w)
        t, h, w = (_offsets(*each) for each in zip(tables, q_thw, k_thw, strict=True))
        by_t = tallow.einsum("bnthwc,tkc->bnthwk", q, t)[..., :, None, None]
        by_h = tallow.einsum("bnthwc,hkc->bnthwk", q, h)[..., None, :, None]
        by_w = tallow.einsum("bnthwc,wkc->bnthwk", q, w)[..., None, None, :]
        bias = (by_t + by_h + by_w).reshape(n, heads, math.prod(q_thw), math.prod(k_thw))
        return F.pad(bias, (1, 0, 1, 0))


class MultiscaleBlock(nn.Module):
    """Attention and a network at each place, each after a norm and beside a shortcut."""

    def __init__(
        self, input_size, cnf, residual_pool, residual_with_cls_embed, rel_pos_embed,
        proj_after_attn, dropout=0.0, stochastic_depth_prob=0.0, norm_layer=nn.LayerNorm,
    ):  # fmt: skip
        super().__init__()
        self.proj_after_attn = proj_after_attn
        self.pool_skip = None
        if math.prod(cnf.stride_q) > 1:
            kernel = [step + 1 if step > 1 else step for step in cnf.stride_q]
            padding = [size // 2 for size in kernel]
            self.pool_skip = Pool(nn.MaxPool3d(kernel, cnf.stride_q, padding), None)
        width = cnf.output_channels if proj_after_attn else cnf.input_channels
        self.norm1 = norm_layer(cnf.input_channels)
        self.norm2 = norm_layer(width)
        self.attn = MultiscaleAttention(
            input_size, cnf.input_channels, width, cnf.num_heads, cnf.kernel_q, cnf.kernel_kv,
            cnf.stride_q, cnf.stride_kv, residual_pool, residual_with_cls_embed, rel_pos_embed,
            dropout, norm_layer,
        )  # fmt: skip
        self.mlp = MLP(
            width, [4 * width, cnf.output_channels], activation_layer=nn.GELU, dropout=dropout
        )
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.project = None
        if cnf.input_channels != cnf.output_channels:
            self.project = nn.Linear(cnf.input_channels, cnf.output_channels)

    def forward(self, x, thw):
        normed = self.norm1(x)
        attended, new_thw = self.attn(normed, thw)
        if self.project is not None and self.proj_after_attn:
            x = self.project(normed)
        if self.pool_skip is not None:
            x = self.pool_skip(x[:, None], thw)[0][:, 0]
        x = x + self.stochastic_depth(attended)
        normed = self.norm2(x)
        if self.project is not None and not self.proj_after_attn:
            x = self.project(normed)
        return x + self.stochastic_depth(self.mlp(normed)), new_thw


class PositionalEncoding(nn.Module):
    """Adds the class token, and unless `rel_pos_embed` what is learnt of each place and time."""

    def __init__(self, embed_size, spatial_size, temporal_size, rel_pos_embed):
        super().__init__()
        self.spatial_size = spatial_size
        self.temporal_size = temporal_size
        self.class_token = nn.Parameter(tallow.zeros(embed_size))
        self.spatial_pos = self.temporal_pos = self.class_pos = None
        if not rel_pos_embed:
            self.spatial_pos = nn.Parameter(tallow.zeros(math.prod(spatial_size), embed_size))
            self.temporal_pos = nn.Parameter(tallow.zeros(temporal_size, embed_size))
            self.class_pos = nn.Parameter(tallow.zeros(embed_size))

    def forward(self, x):
        x = tallow.cat([self.class_token.expand(len(x), 1, -1), x], 1)
        if self.spatial_pos is None:
            return x
        places = (self.temporal_pos[:, None] + self.spatial_pos).flatten(0, 1)
        return x + tallow.cat([self.class_pos[None], places])


class MViT(nn.Module):
    """Videos (N, 3, temporal_size, *spatial_size) to class scores (N, num_classes).

    `rel_pos_embed` adds biases by offset to the attention instead of places to the input;
    `residual_pool` adds pooled queries to its result, that of the class token also with
    `residual_with_cls_embed`; `proj_after_attn` widens in the attention rather than after it.
    """

    def __init__(
        self, spatial_size, temporal_size, block_setting, residual_pool, residual_with_cls_embed,
        rel_pos_embed, proj_after_attn, dropout=0.5, attention_dropout=0.0,
        stochastic_depth_prob=0.0, num_classes=400, block=MultiscaleBlock, norm_layer=None,
        patch_embed_kernel=(3, 7, 7), patch_embed_stride=(2, 4, 4), patch_embed_padding=(1, 3, 3),
    ):  # fmt: skip
        super().__init__()
        if not block_setting:
            raise ArgumentError("block_setting: expected a list of MSBlockConfig, got none")
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        first, last = block_setting[0], block_setting[-1]
        self.input_size = (temporal_size, *spatial_size)
        self.conv_proj = nn.Conv3d(
            3, first.input_channels, patch_embed_kernel, patch_embed_stride, patch_embed_padding
        )
        size = _divided(self.input_size, patch_embed_stride)
        self.pos_encoding = PositionalEncoding(
            first.input_channels, tuple(size[1:]), size[0], rel_pos_embed
        )
        self.blocks = nn.ModuleList()
        for i, cnf in enumerate(block_setting):
            probability = stochastic_depth_prob * i / (len(block_setting) - 1)
            self.blocks.append(
                block(
                    size, cnf, residual_pool, residual_with_cls_embed, rel_pos_embed,
                    proj_after_attn, attention_dropout, probability, norm_layer,
                )
            )  # fmt: skip
            size = _divided(size, cnf.stride_q) if cnf.stride_q else size
        self.norm = norm_layer(last.output_channels)
        self.head = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(last.output_channels, num_classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, PositionalEncoding):
                for parameter in module.parameters():
                    nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, x):
        if tuple(x.shape[2:]) != self.input_size:
            sizes = (self.input_size, x.shape[2:])
            expected, got = (" x ".join(str(n) for n in size) for size in sizes)
            raise ShapeError(
                f"MViT: expected videos of {expected} (T x H x W), got {got}; see spatial_size and "
                "temporal_size"
            )
        x = self.pos_encoding(self.conv_proj(x).flatten(2).transpose(1, 2))
        thw = (self.pos_encoding.temporal_size, *self.pos_encoding.spatial_size)
        for block in self.blocks:
            x, thw = block(x, thw)
        return self.head(self.norm(x)[:, 0])


def _divided(sizes, steps):
    return [size // step for size, step in zip(sizes, steps, strict=True)]


def _mvit(block_setting, spatial_size=(224, 224), temporal_size=16, **kwargs):
    return MViT(spatial_size, temporal_size, block_setting, **kwargs)


def _settings(widen_at, kernel_q, stride_q):
    """Sixteen blocks: the channels double at blocks `widen_at`, queries shrink at 1, 3 and 14."""
    settings, channels, kernel = [], 96, [3, 3, 3]
    for i in range(16):
        heads = 1 if i < 1 else 2 if i < 3 else 4 if i < 14 else 8
        stride_kv = 8 if i < 1 else 4 if i < 3 else 2 if i < 14 else 1
        out = 2 * channels if i in widen_at else channels
        shrinks = i in (1, 3, 14)
        settings.append(
            MSBlockConfig(
                heads, channels, out, kernel if shrinks else kernel_q, kernel,
                [1, 2, 2] if shrinks else stride_q, [1, stride_kv, stride_kv],
            )
        )  # fmt: skip
        channels = out
    return settings


def _size(weights):
    size = {"spatial_size": weights.meta["min_size"]}
    return size | {"temporal_size": weights.meta["min_temporal_size"]}


mvit_v1_b, MViT_V1_B_Weights = variant(
    "MViT_V1_B",
    _mvit,
    _settings((0, 2, 13), [], []),
    with_weights=_size,
    residual_pool=False,
    residual_with_cls_embed=False,
    rel_pos_embed=False,
    proj_after_attn=False,
    stochastic_depth_prob=0.2,
)
mvit_v2_s, MViT_V2_S_Weights = variant(
    "MViT_V2_S",
    _mvit,
    _settings((1, 3, 14), [3, 3, 3], [1, 1, 1]),
    with_weights=_size,
    residual_pool=True,
    residual_with_cls_embed=False,
    rel_pos_embed=True,
    proj_after_attn=True,
    stochastic_depth_prob=0.2,
)
