"""Self-attention of wav2vec 2.0, and WavLM's, which knows how far apart frames are."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn.functional import scaled_dot_product_attention


def _check_heads(embed_dim, num_heads):
    if embed_dim % num_heads:
        raise ArgumentError(
            f"attention: expected embed_dim to be a multiple of num_heads, got {embed_dim} and "
            f"{num_heads}"
        )


def _attend(query, key, value, heads, mask, dropout):
    """Attention of (N, frames, dim), by heads."""
    shape = (*query.shape[:2], heads, -1)
    split = [x.reshape(shape).transpose(1, 2) for x in (query, key, value)]
    return scaled_dot_product_attention(*split, mask, dropout).transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Frames (N, frames, embed_dim) in the light of each other; `position_bias` is passed on."""

    def __init__(self, embed_dim, num_heads, dropout=0.0):
        super().__init__()
        _check_heads(embed_dim, num_heads)
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.k_proj = nn.Linear(embed_dim, embed_dim)
        self.v_proj = nn.Linear(embed_dim, embed_dim)
        self.q_proj = nn.Linear(embed_dim, embed_dim)
        self.out_proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, x, attention_mask=None, position_bias=None):
        projected = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        dropout = self.dropout if self.training else 0.0
        found = _attend(*projected, self.num_heads, attention_mask, dropout)
        return self.out_proj(found), position_bias


class WavLMSelfAttention(nn.Module):
    """Self-attention with a gated bias for the distance of frames (Chen et al., WavLM, 2022).

    Distances fall into `num_buckets` buckets, those beyond `max_distance` frames into the last. The
    first layer makes the bias (heads, frames, frames) and the others get it.
    """

    def __init__(
        self, embed_dim, num_heads, dropout=0.0, bias=True, has_relative_attention_bias=False,
        num_buckets=32, max_distance=128, gru_rel_pos=True,
    ):  # fmt: skip
        super().__init__()
        _check_heads(embed_dim, num_heads)
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.num_buckets = num_buckets
        self.max_distance = max_distance
        self.dropout = dropout
        self.rel_attn_embed = (
            nn.Embedding(num_buckets, num_heads) if has_relative_attention_bias else None
        )
        self.attention = nn.MultiheadAttention(
            embed_dim, num_heads, dropout=dropout, bias=bias, batch_first=True
        )
        self.gru_rel_pos = gru_rel_pos
        if gru_rel_pos:
            self.gru_rel_pos_linear = nn.Linear(embed_dim // num_heads, 8)
            self.gru_rel_pos_const = nn.Parameter(tallow.ones(1, num_heads, 1, 1))

    def compute_bias(self, query_length, key_length):
        """What distance adds to the scores: (heads, query_length, key_length)."""
        steps = tallow.arange(key_length) - tallow.arange(query_length)[:, None]
        half = self.num_buckets // 2  # of the buckets are for what comes later
        exact = half // 2
        distance = steps.abs()
        # buckets of one distance each up to `exact`, then logarithmically wider ones
        far = (distance.clamp(min=1) / exact).log() / math.log(self.max_distance / exact)
        far = (exact + (far * (half - exact)).long()).clamp(max=half - 1)
        bucket = tallow.where(distance < exact, distance, far) + (steps > 0).long() * half
        return self.rel_attn_embed(bucket.to(self.rel_attn_embed.weight.device)).permute(2, 0, 1)

    def _gate(self, x):
        """By how much each frame (N, frames, dim) heeds distance: (N, heads, frames, 1)."""
        split = x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)
        parts = self.gru_rel_pos_linear(split).unflatten(-1, (2, 4)).sum(-1).sigmoid()
        update, reset = parts[..., :1], parts[..., 1:]
        return update * (reset * self.gru_rel_pos_const - 1.0) + 2.0

    def forward(self, x, attention_mask=None, position_bias=None):
        if self.rel_attn_embed is not None and position_bias is None:
            position_bias = self.compute_bias(x.shape[1], x.shape[1])
        mask = attention_mask
        if position_bias is not None:
            bias = self._gate(x) * position_bias if self.gru_rel_pos else position_bias
            mask = bias if mask is None else mask + bias
        weights, biases = self.attention.in_proj_weight, self.attention.in_proj_bias
        projected = nn.functional.linear(x, weights, biases).chunk(3, -1)
        dropout = self.dropout if self.training else 0.0
        found = _attend(*projected, self.num_heads, mask, dropout)
        return self.attention.out_proj(found), position_bias
