"""The layers of Hybrid Demucs (Défossez, 2021)."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallow.nn.functional import gelu, glu, pad


class ScaledEmbedding(nn.Module):
    """An embedding that learns `scale` times as fast, smooth from one entry to the next."""

    def __init__(self, num_embeddings, embedding_dim, scale, smooth):
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim)
        self.scale = scale
        with tallow.no_grad():
            weight = self.embedding.weight
            if smooth:
                steps = tallow.arange(1, num_embeddings + 1)[:, None]
                weight.copy_(weight.cumsum(0) / steps.sqrt())
            weight.div_(scale)

    def forward(self, x):
        return self.embedding(x) * self.scale


def _norm(kind, groups, channels):
    return nn.GroupNorm(groups, channels) if kind == "group_norm" else nn.Identity()


class EncoderLayer(nn.Module):
    """A strided convolution over frequency, (N, C, freq, time), or time, (N, C, time).

    `empty` is the convolution alone. `inject` is what the branch over time adds.
    """

    def __init__(
        self, inputs, outputs, kernel_size, stride, norm_groups, empty, freq, norm_type, context,
        residual, pad,
    ):  # fmt: skip
        super().__init__()
        self.freq, self.empty, self.stride = freq, empty, stride
        kind, kernel, step = nn.Conv1d, kernel_size, stride
        padding = kernel_size // 4 if pad else 0
        if freq:
            kind, kernel, step, padding = nn.Conv2d, (kernel, 1), (step, 1), (padding, 0)
        self.conv = kind(inputs, outputs, kernel, step, padding)
        self.norm1 = _norm(norm_type, norm_groups, outputs)
        if empty:
            self.rewrite, self.norm2, self.dconv = nn.Identity(), nn.Identity(), nn.Identity()
        else:
            self.rewrite = kind(outputs, 2 * outputs, 1 + 2 * context, 1, context)
            self.norm2 = _norm(norm_type, norm_groups, 2 * outputs)
            self.dconv = ResidualBranch(outputs, **residual)

    def forward(self, x, inject=None):
        if not self.freq:
            x = x.flatten(1, 2) if x.ndim == 4 else x
            x = pad(x, (0, -x.shape[-1] % self.stride))
        y = self.conv(x)
        if self.empty:
            return y
        if inject is not None:
            y = y + (inject[:, :, None] if inject.ndim < y.ndim else inject)
        y = gelu(self.norm1(y))
        if self.freq:
            rows = y.transpose(1, 2)  # each frequency by itself
            y = self.dconv(rows.flatten(0, 1)).reshape(rows.shape).transpose(1, 2)
        else:
            y = self.dconv(y)
        return glu(self.norm2(self.rewrite(y)), 1)


class DecoderLayer(nn.Module):
    """The way back of an `EncoderLayer`: what it gives, and what went into the last convolution."""

    def __init__(
        self, inputs, outputs, last, kernel_size, stride, norm_groups, empty, freq, norm_type,
        context, pad,
    ):  # fmt: skip
        super().__init__()
        if pad and (kernel_size - stride) % 2:
            raise ArgumentError(
                f"HDemucs: expected kernel_size - stride to be even, got {kernel_size} and {stride}"
            )
        self.pad = (kernel_size - stride) // 2 if pad else 0
        self.inputs, self.last, self.freq, self.empty = inputs, last, freq, empty
        kind, back, kernel, step = nn.Conv1d, nn.ConvTranspose1d, kernel_size, stride
        if freq:
            kind, back, kernel, step = nn.Conv2d, nn.ConvTranspose2d, (kernel, 1), (step, 1)
        self.conv_tr = back(inputs, outputs, kernel, step)
        self.norm2 = _norm(norm_type, norm_groups, outputs)
        if empty:
            self.rewrite, self.norm1 = nn.Identity(), nn.Identity()
        else:
            self.rewrite = kind(inputs, 2 * inputs, 1 + 2 * context, 1, context)
            self.norm1 = _norm(norm_type, norm_groups, 2 * inputs)

    def forward(self, x, skip, length):
        if self.freq and x.ndim == 3:
            x = x.unflatten(1, (self.inputs, -1))
        before = x if self.empty else glu(self.norm1(self.rewrite(x + skip)), 1)
        x = self.norm2(self.conv_tr(before))
        if not self.freq:
            x = x[..., self.pad : self.pad + length]
        elif self.pad:
            x = x[..., self.pad : -self.pad, :]
        return (x if self.last else gelu(x)), before


class LayerScale(nn.Module):
    """Each channel of (N, C, time) times a number that is small at first."""

    def __init__(self, channels, init):
        super().__init__()
        self.scale = nn.Parameter(tallow.full((channels,), float(init)))

    def forward(self, x):
        return self.scale[:, None] * x


class ResidualBranch(nn.Module):
    """What is added to (N, C, time): narrower dilated convolutions, with an LSTM and attention."""

    def __init__(self, channels, compress, depth, init, attn, lstm):
        super().__init__()
        hidden = int(channels / compress)
        self.layers = nn.ModuleList()
        for dilation in (2**i for i in range(depth)):
            middle = [LSTMBranch(hidden)] if lstm else []
            middle += [LocalState(hidden)] if attn else []
            self.layers.append(nn.Sequential(
                nn.Conv1d(channels, hidden, 3, dilation=dilation, padding=dilation),
                nn.GroupNorm(1, hidden), nn.GELU(), *middle,
                nn.Conv1d(hidden, 2 * channels, 1), nn.GroupNorm(1, 2 * channels), nn.GLU(1),
                LayerScale(channels, init),
            ))  # fmt: skip

    def forward(self, x):
        for layer in self.layers:
            x = x + layer(x)
        return x


class LSTMBranch(nn.Module):
    """A two-layer LSTM both ways, added to (N, C, time); long sounds in overlapping spans."""

    span = 200

    def __init__(self, dim):
        super().__init__()
        self.lstm = nn.LSTM(dim, dim, num_layers=2, bidirectional=True)
        self.linear = nn.Linear(2 * dim, dim)

    def _run(self, x):
        """(N, C, time) -> the same."""
        return self.linear(self.lstm(x.permute(2, 0, 1))[0]).permute(1, 2, 0)

    def forward(self, x):
        time, span, step = x.shape[2], self.span, self.span // 2
        if time <= span:
            return x + self._run(x)
        count = math.ceil(time / step)
        spans = pad(x, (0, (count - 1) * step + span - time)).unfold(2, span, step)
        found = self._run(spans.transpose(1, 2).flatten(0, 1)).unflatten(0, (len(x), count))
        edge = step // 2  # of a span is left to its neighbour
        middle = found[:, 1:-1, :, edge:-edge].transpose(1, 2).flatten(2)
        parts = [found[:, 0, :, :-edge], middle, found[:, -1, :, edge:]]
        return x + tallow.cat(parts, 2)[..., :time]


class LocalState(nn.Module):
    """Attention over (N, C, time) that fades with distance at a learnt rate, none to itself."""

    def __init__(self, channels, heads=4, ndecay=4):
        super().__init__()
        if channels % heads:
            raise ArgumentError(
                f"HDemucs: expected channels to be a multiple of {heads} heads, got {channels}"
            )
        self.heads = heads
        self.ndecay = ndecay
        self.content = nn.Conv1d(channels, channels, 1)
        self.query = nn.Conv1d(channels, channels, 1)
        self.key = nn.Conv1d(channels, channels, 1)
        self.query_decay = nn.Conv1d(channels, heads * ndecay, 1)
        with tallow.no_grad():
            self.query_decay.weight.mul_(0.01)
            self.query_decay.bias.fill_(-2.0)
        self.proj = nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        time = tallow.arange(x.shape[2], device=x.device)
        distance = (time[:, None] - time).abs().to(x.dtype)
        query, key, content = (
            layer(x).unflatten(1, (self.heads, -1))
            for layer in (self.query, self.key, self.content)
        )
        scores = key.transpose(2, 3) @ query / math.sqrt(key.shape[2])  # (N, heads, key, query)
        decay = self.query_decay(x).unflatten(1, (self.heads, -1)).sigmoid() / 2
        rates = tallow.arange(1, self.ndecay + 1, device=x.device, dtype=x.dtype)
        fade = (decay * rates[:, None]).sum(2, keepdim=True)  # (N, heads, 1, query)
        scores = scores - distance / math.sqrt(self.ndecay) * fade
        shares = scores.masked_fill(distance == 0, -100.0).softmax(2)
        return x + self.proj((content @ shares).flatten(1, 2))
