"""The layers of GPT-2 and T5: transformers that keep keys and values while they write.

A cache is a list with an entry for each layer: (), or its keys and values (batch, heads, length,
features), of what it has read, and behind them those of the memory that it looks up.
"""

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn import functional as F

ACTIVATIONS = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
}


def activation_named(name):
    """The function of a name that configurations use; ArgumentError for others."""
    if callable(name):
        return name
    if name not in ACTIVATIONS:
        raise ArgumentError(f"activation: expected {', '.join(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]


class Attention(nn.Module):
    """Attention in heads, of a sequence to itself or to a memory.

    forward(x `(N, L, width)`, memory `(N, S, width)` or None, mask `(N or 1, heads or 1, L, S)`,
    past) gives `(N, L, width)` and the pair of keys and values, `past` among them. The mask says
    which keys are seen, or is added to the scores, which are multiplied by `scale`.
    """

    def __init__(self, width, heads, head_width, bias=True, dropout=0.0, scale=None):
        super().__init__()
        self.heads, self.dropout, self.scale = heads, dropout, scale
        inner = heads * head_width
        for name in "qkv":
            weight = nn.init.xavier_uniform_(tallow.empty(inner, width))
            self.register_parameter(f"{name}_proj_weight", nn.Parameter(weight))
            zeros = nn.Parameter(tallow.zeros(inner)) if bias else None
            self.register_parameter(f"{name}_proj_bias", zeros)
        self.out_proj = nn.Linear(inner, width, bias=bias)

    def _project(self, name, x):
        weight, bias = getattr(self, f"{name}_proj_weight"), getattr(self, f"{name}_proj_bias")
        return F.linear(x, weight, bias).unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x, memory=None, mask=None, past=()):
        if memory is not None and past:
            keys, values = past
        else:
            source = x if memory is None else memory
            keys, values = self._project("k", source), self._project("v", source)
            if past:
                keys = tallow.cat([past[0], keys], 2)
                values = tallow.cat([past[1], values], 2)
        dropout = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(
            self._project("q", x), keys, values, mask, dropout, scale=self.scale
        )
        return self.out_proj(out.transpose(1, 2).flatten(2)), (keys, values)


class Layer(nn.Module):
    """Self-attention, attention to a memory if `cross`, and two linear layers, each added to x.

    Each part normalizes what it reads. `gated` multiplies the activation by a second product.
    """

    def __init__(
        self, width, heads, ffn_width, head_width=None, norm=nn.LayerNorm, eps=1e-5,
        activation="relu", gated=False, cross=False, bias=True, dropout=0.0, scale=None,
    ):  # fmt: skip
        super().__init__()
        how = (width, heads, head_width or width // heads, bias, dropout, scale)
        self.self_attn = Attention(*how)
        self.cross_attn = Attention(*how) if cross else None
        self.norm1, self.norm2 = norm(width, eps=eps), norm(width, eps=eps)
        self.norm3 = norm(width, eps=eps) if cross else None
        for name in ("linear1_0", "linear1_1") if gated else ("linear1",):
            setattr(self, name, nn.Linear(width, ffn_width, bias=bias))
        self.linear2 = nn.Linear(ffn_width, width, bias=bias)
        self.dropout = nn.Dropout(dropout)
        self.gated = gated
        self.activation = activation_named(activation)

    def forward(self, x, mask=None, memory=None, memory_mask=None, past=()):
        attended, kept = self.self_attn(self.norm1(x), mask=mask, past=past[:2])
        x = x + self.dropout(attended)
        if self.cross_attn is not None:
            found, known = self.cross_attn(self.norm3(x), memory, memory_mask, past[2:])
            x, kept = x + self.dropout(found), kept + known
        return x + self.dropout(self._feed_forward(self.norm2(x))), kept

    def _feed_forward(self, x):
        if self.gated:
            x = self.activation(self.linear1_0(x)) * self.linear1_1(x)
        else:
            x = self.activation(self.linear1(x))
        return self.linear2(self.dropout(x))


def seen(length, total, causal=False, hidden=None, device=None):
    """Which of `total` keys the last `length` queries see, (N or 1, 1, L, S) bool, or None for all.

    `causal`: none that comes later. `hidden` (N, S) bool: keys that nobody sees.
    """
    mask = None
    if causal and length > 1:
        ones = tallow.ones(length, total, dtype=tallow.bool, device=device)
        mask = ones.tril(total - length)[None, None]
    if hidden is not None:
        shown = ~hidden[:, None, None, :]
        mask = shown if mask is None else mask & shown
    return mask


def cached_length(cache):
    """How many tokens a cache, or None, has the keys of."""
    return cache[0][0].shape[2] if cache and cache[0] else 0
