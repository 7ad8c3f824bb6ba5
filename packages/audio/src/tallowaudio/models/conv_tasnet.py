"""Conv-TasNet: sources apart by masks over learnt features (Luo and Mesgarani, 2019)."""

from tallow import nn
from tallow.errors import ArgumentError
from tallowaudio.models._common import check_waveforms


class ConvBlock(nn.Module):
    """A dilated convolution, each channel by itself, between two of width 1; residual and skip."""

    def __init__(
        self, io_channels, hidden_channels, kernel_size, padding, dilation=1, no_residual=False
    ):
        super().__init__()
        self.conv_layers = nn.Sequential(
            nn.Conv1d(io_channels, hidden_channels, 1), nn.PReLU(),
            nn.GroupNorm(1, hidden_channels, eps=1e-8),
            nn.Conv1d(
                hidden_channels, hidden_channels, kernel_size, padding=padding, dilation=dilation,
                groups=hidden_channels,
            ),
            nn.PReLU(), nn.GroupNorm(1, hidden_channels, eps=1e-8),
        )  # fmt: skip
        self.res_out = None if no_residual else nn.Conv1d(hidden_channels, io_channels, 1)
        self.skip_out = nn.Conv1d(hidden_channels, io_channels, 1)

    def forward(self, input):
        hidden = self.conv_layers(input)
        residual = None if self.res_out is None else self.res_out(hidden)
        return residual, self.skip_out(hidden)


class MaskGenerator(nn.Module):
    """Masks of features (N, input_dim, frames), one a source: (N, num_sources, input_dim, frames).

    Stacks of convolutions whose dilation doubles from layer to layer.
    """

    def __init__(
        self, input_dim, num_sources, kernel_size, num_feats, num_hidden, num_layers, num_stacks,
        msk_activate,
    ):  # fmt: skip
        super().__init__()
        if msk_activate not in ("sigmoid", "relu"):
            raise ArgumentError(
                f"ConvTasNet: expected msk_activate 'sigmoid' or 'relu', got {msk_activate!r}"
            )
        self.input_dim = input_dim
        self.num_sources = num_sources
        self.input_norm = nn.GroupNorm(1, input_dim, eps=1e-8)
        self.input_conv = nn.Conv1d(input_dim, num_feats, 1)
        dilations = [2**layer for layer in range(num_layers)] * num_stacks
        self.receptive_field = 1 + (kernel_size - 1) * sum(dilations)
        last = len(dilations) - 1
        self.conv_layers = nn.ModuleList(
            ConvBlock(num_feats, num_hidden, kernel_size, dilation, dilation, i == last)
            for i, dilation in enumerate(dilations)
        )
        self.output_prelu = nn.PReLU()
        self.output_conv = nn.Conv1d(num_feats, input_dim * num_sources, 1)
        self.mask_activate = nn.Sigmoid() if msk_activate == "sigmoid" else nn.ReLU()

    def forward(self, input):
        x, total = self.input_conv(self.input_norm(input)), 0.0
        for layer in self.conv_layers:
            residual, skip = layer(x)
            total = total + skip
            if residual is not None:
                x = x + residual
        masks = self.mask_activate(self.output_conv(self.output_prelu(total)))
        return masks.reshape(len(input), self.num_sources, self.input_dim, -1)


class ConvTasNet(nn.Module):
    """The sources in a mixture: (N, 1, time) -> (N, num_sources, time).

    Luo and Mesgarani, "Conv-TasNet: Surpassing Ideal Time-Frequency Magnitude Masking for Speech
    Separation", 2019, not causal. In its letters `enc_num_feats` is N, `enc_kernel_size` L,
    `msk_num_feats` B and Sc, `msk_num_hidden_feats` H, `msk_kernel_size` P, `msk_num_layers` X,
    `msk_num_stacks` R.

    >>> import tallow
    >>> from tallowaudio.models import ConvTasNet
    >>> model = ConvTasNet(enc_num_feats=32, msk_num_feats=16, msk_num_hidden_feats=32)
    >>> model(tallow.rand(1, 1, 1000)).shape
    tallow.Size([1, 2, 1000])
    """

    def __init__(
        self, num_sources=2, enc_kernel_size=16, enc_num_feats=512, msk_kernel_size=3,
        msk_num_feats=128, msk_num_hidden_feats=512, msk_num_layers=8, msk_num_stacks=3,
        msk_activate="sigmoid",
    ):  # fmt: skip
        super().__init__()
        self.num_sources = num_sources
        self.enc_num_feats = enc_num_feats
        self.enc_kernel_size = enc_kernel_size
        self.enc_stride = enc_kernel_size // 2
        sizes = {"stride": self.enc_stride, "padding": self.enc_stride, "bias": False}
        self.encoder = nn.Conv1d(1, enc_num_feats, enc_kernel_size, **sizes)
        self.mask_generator = MaskGenerator(
            enc_num_feats, num_sources, msk_kernel_size, msk_num_feats, msk_num_hidden_feats,
            msk_num_layers, msk_num_stacks, msk_activate,
        )  # fmt: skip
        self.decoder = nn.ConvTranspose1d(enc_num_feats, 1, enc_kernel_size, **sizes)

    def forward(self, input):
        check_waveforms("ConvTasNet", input, "(N, 1, time)", channels=1)
        samples = input.shape[2]
        missing = (self.enc_kernel_size % 2 - samples) % self.enc_stride
        features = self.encoder(nn.functional.pad(input, (0, missing)))
        masked = self.mask_generator(features) * features[:, None]
        sources = self.decoder(masked.flatten(0, 1))
        return sources.reshape(len(input), self.num_sources, -1)[..., :samples]


def conv_tasnet_base(num_sources=2):
    """The `ConvTasNet` that separated best in the paper, with rectified masks."""
    return ConvTasNet(num_sources, msk_activate="relu")
