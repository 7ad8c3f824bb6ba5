"""Attention within windows of images and videos: (N, *sizes, C), channels last."""

import math

import tallow
from tallow import nn
from tallow.nn import functional as F


def relative_index(sizes):
    """(P, P): for each two of the P places in a window a number of where one lies to the other.

    It is the row of a table with a row for each offset; along a dim there are 2 size - 1 offsets.
    """
    axes = [tallow.arange(size) for size in sizes]
    places = tallow.stack(tallow.meshgrid(*axes, indexing="ij")).flatten(1)
    offsets = places[:, :, None] - places[:, None, :]
    index = 0
    for offset, size in zip(offsets, sizes, strict=True):
        index = index * (2 * size - 1) + offset + size - 1
    return index


def relative_bias(table, index, count):
    """(heads, count, count): what a table (offsets, heads) says of a window of `count` places."""
    full = math.isqrt(index.numel())
    return table[index.reshape(full, full)[:count, :count]].permute(2, 0, 1)


def to_windows(x, window):
    """(N, *sizes, C) to (N, windows, places, C); the sizes are multiples of the window's."""
    n, *sizes, channels = x.shape
    split = [m for size, step in zip(sizes, window, strict=True) for m in (size // step, step)]
    inner = [2 * i + 2 for i in range(len(window))]
    outer = [2 * i + 1 for i in range(len(window))]
    x = x.reshape(n, *split, channels).permute(0, *outer, *inner, len(split) + 1)
    return x.reshape(n, -1, math.prod(window), channels)


def from_windows(x, window, sizes):
    """The inverse of `to_windows`."""
    dims = len(window)
    counts = [size // step for size, step in zip(sizes, window, strict=True)]
    order = [m for i in range(dims) for m in (1 + i, 1 + dims + i)]
    x = x.reshape(len(x), *counts, *window, x.shape[-1]).permute(0, *order, 2 * dims + 1)
    return x.reshape(len(x), *sizes, x.shape[-1])


def shift_mask(sizes, window, shift, like):
    """(windows, places, places): -100 between places that a cyclic shift has brought together."""
    region = like.new_zeros((1, *sizes, 1))
    for dim, (size, step, by) in enumerate(zip(sizes, window, shift, strict=True)):
        if by:
            place = tallow.arange(size, device=like.device)
            part = (place >= size - step).to(like.dtype) + (place >= size - by)
            region = 3 * region + part.reshape(-1, *(1 for _ in range(len(sizes) - dim)))
    region = to_windows(region, window)[0, :, :, 0]
    return -100.0 * (region[:, None, :] != region[:, :, None]).to(like.dtype)


class ShiftedWindowAttention(nn.Module):
    """Attention of (N, H, W, C) within windows, shifted by `shift_size`, with a bias by offset."""

    fits = False  # whether windows shrink to sizes below theirs

    def __init__(
        self, dim, window_size, shift_size, num_heads, qkv_bias=True, proj_bias=True,
        attention_dropout=0.0, dropout=0.0,
    ):  # fmt: skip
        super().__init__()
        self.window_size = list(window_size)
        self.shift_size = list(shift_size)
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.define_relative_position_bias_table()
        self.define_relative_position_index()

    def define_relative_position_bias_table(self):
        offsets = math.prod(2 * size - 1 for size in self.window_size)
        self.relative_position_bias_table = nn.Parameter(tallow.zeros(offsets, self.num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def define_relative_position_index(self):
        index = relative_index(self.window_size)
        self.register_buffer("relative_position_index", index if self.fits else index.flatten())

    def get_relative_position_bias(self, window):
        table, index = self.relative_position_bias_table, self.relative_position_index
        return relative_bias(table, index, math.prod(window))

    def project(self, x):
        """Queries, keys and values (N, windows, heads, places, C / heads), and the scale."""
        return (*self._heads(x, self.qkv.bias), None)

    def _heads(self, x, bias):
        qkv = F.linear(x, self.qkv.weight, bias)
        qkv = qkv.reshape(*x.shape[:-1], 3, self.num_heads, x.shape[-1] // self.num_heads)
        return qkv.permute(3, 0, 1, 4, 2, 5).unbind(0)

    def forward(self, x):
        _, *sizes, channels = x.shape
        window, shift = list(self.window_size), list(self.shift_size)
        for i, size in enumerate(sizes):
            if size <= window[i]:
                shift[i] = 0
                window[i] = size if self.fits else window[i]
        dims = tuple(range(1, len(sizes) + 1))
        padded = [-(-size // step) * step for size, step in zip(sizes, window, strict=True)]
        missing = [m for low, high in zip(sizes, padded, strict=True) for m in (high - low, 0)]
        x = F.pad(x, (0, 0, *reversed(missing)))
        if any(shift):
            x = x.roll([-by for by in shift], dims)
        x = to_windows(x, window)
        q, k, v, scale = self.project(x)
        bias = self.get_relative_position_bias(window)
        if any(shift):
            bias = bias + shift_mask(padded, window, shift, x)[:, None]
        dropout = self.attention_dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(q, k, v, bias, dropout, scale=scale)
        x = self.proj(x.transpose(2, 3).flatten(3))
        x = from_windows(F.dropout(x, self.dropout, self.training), window, padded)
        if any(shift):
            x = x.roll(shift, dims)
        return x[(slice(None), *(slice(size) for size in sizes))]
