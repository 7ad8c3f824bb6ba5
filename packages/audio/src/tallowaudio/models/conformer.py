"""The Conformer: self-attention with convolutions (Gulati et al., 2020)."""

from tallow import nn
from tallow.errors import ArgumentError, ShapeError, describe
from tallowaudio.models._common import check_lengths, padding_mask


class _Convolution(nn.Module):
    """A gated convolution over time, each channel by itself: (N, time, dim) -> the same."""

    def __init__(self, dim, kernel, dropout, use_group_norm):
        super().__init__()
        if kernel % 2 == 0:
            raise ArgumentError(
                f"Conformer: expected an odd depthwise_conv_kernel_size, got {kernel}"
            )
        self.layer_norm = nn.LayerNorm(dim)
        self.sequential = nn.Sequential(
            nn.Conv1d(dim, 2 * dim, 1), nn.GLU(1),
            nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim),
            nn.GroupNorm(1, dim) if use_group_norm else nn.BatchNorm1d(dim), nn.SiLU(),
            nn.Conv1d(dim, dim, 1), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, x):
        return self.sequential(self.layer_norm(x).transpose(1, 2)).transpose(1, 2)


class _FeedForward(nn.Module):
    def __init__(self, dim, hidden, dropout):
        super().__init__()
        self.sequential = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.SiLU(), nn.Dropout(dropout),
            nn.Linear(hidden, dim), nn.Dropout(dropout),
        )  # fmt: skip

    def forward(self, x):
        return self.sequential(x)


class ConformerLayer(nn.Module):
    """Half a feed-forward step, attention, convolution, the other half: (time, N, input_dim)."""

    def __init__(
        self, input_dim, ffn_dim, num_attention_heads, depthwise_conv_kernel_size, dropout=0.0,
        use_group_norm=False, convolution_first=False,
    ):  # fmt: skip
        super().__init__()
        self.ffn1 = _FeedForward(input_dim, ffn_dim, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(input_dim)
        self.self_attn = nn.MultiheadAttention(input_dim, num_attention_heads, dropout=dropout)
        self.self_attn_dropout = nn.Dropout(dropout)
        self.conv_module = _Convolution(
            input_dim, depthwise_conv_kernel_size, dropout, use_group_norm
        )
        self.ffn2 = _FeedForward(input_dim, ffn_dim, dropout)
        self.final_layer_norm = nn.LayerNorm(input_dim)
        self.convolution_first = convolution_first

    def _attend(self, x, mask):
        normal = self.self_attn_layer_norm(x)
        found, _ = self.self_attn(normal, normal, normal, mask, need_weights=False)
        return x + self.self_attn_dropout(found)

    def _convolve(self, x):
        return x + self.conv_module(x.transpose(0, 1)).transpose(0, 1)

    def forward(self, input, key_padding_mask):
        x = input + 0.5 * self.ffn1(input)
        if self.convolution_first:
            x = self._attend(self._convolve(x), key_padding_mask)
        else:
            x = self._convolve(self._attend(x, key_padding_mask))
        return self.final_layer_norm(x + 0.5 * self.ffn2(x))


class Conformer(nn.Module):
    """Features (N, time, input_dim) and their lengths (N,) in frames -> the same, in context.

    Gulati et al., "Conformer: Convolution-augmented Transformer for Speech Recognition", 2020.

    >>> import tallow
    >>> from tallowaudio.models import Conformer
    >>> model = Conformer(80, num_heads=4, ffn_dim=128, num_layers=2, depthwise_conv_kernel_size=31)
    >>> out, lengths = model(tallow.rand(2, 40, 80), tallow.tensor([40, 31]))
    >>> out.shape
    tallow.Size([2, 40, 80])
    """

    def __init__(
        self, input_dim, num_heads, ffn_dim, num_layers, depthwise_conv_kernel_size, dropout=0.0,
        use_group_norm=False, convolution_first=False,
    ):  # fmt: skip
        super().__init__()
        self.conformer_layers = nn.ModuleList(
            ConformerLayer(
                input_dim, ffn_dim, num_heads, depthwise_conv_kernel_size, dropout,
                use_group_norm, convolution_first,
            )
            for _ in range(num_layers)
        )  # fmt: skip

    def forward(self, input, lengths):
        if input.ndim != 3:
            raise ShapeError(f"Conformer: expected (N, time, input_dim), got {describe(input)}")
        check_lengths("Conformer", lengths, len(input), input.shape[1])
        mask = padding_mask(lengths, input.shape[1])
        x = input.transpose(0, 1)
        for layer in self.conformer_layers:
            x = layer(x, mask)
        return x.transpose(0, 1), lengths
