"""Hybrid Demucs: instruments apart, in time and in frequency at once (Défossez, 2021)."""

import math

import tallow
from tallow import nn
from tallow.nn.functional import pad
from tallowaudio.models._common import check_waveforms
from tallowaudio.models._demucs_layers import DecoderLayer, EncoderLayer, ScaledEmbedding


def _rescaled(module):
    """Convolutions whose initial weights are brought towards a deviation of 0.1."""
    kinds = (nn.Conv1d, nn.ConvTranspose1d, nn.Conv2d, nn.ConvTranspose2d)
    with tallow.no_grad():
        for layer in module.modules():
            if isinstance(layer, kinds):
                scale = (layer.weight.std() / 0.1).sqrt()
                layer.weight.div_(scale)
                if layer.bias is not None:
                    layer.bias.div_(scale)


def _frequency_steps(freqs, kernel_size, stride, time_stride):
    """How a layer steps over `freqs` frequencies, or, where one is left, over time."""
    if freqs == 1:
        return {"kernel_size": 2 * time_stride, "stride": time_stride, "freq": False, "pad": True}
    last = freqs <= kernel_size
    kernel = freqs if last else kernel_size
    return {"kernel_size": kernel, "stride": stride, "freq": True, "pad": not last}


def _time_steps(narrow, kernel_size, stride):
    kernel, stride = (4, 2) if narrow else (kernel_size, stride)
    return {"kernel_size": kernel, "stride": stride, "freq": False, "pad": True}


class HDemucs(nn.Module):
    """The sources in music: (N, audio_channels, time) -> (N, sources, audio_channels, time).

    Two U-nets, over the spectrogram (`nfft`, hops of a quarter of it) and over the waveform, meet
    in the middle and are summed. `sources` are their names. Défossez, "Hybrid Spectrogram and
    Waveform Source Separation", 2021.

    >>> import tallow
    >>> from tallowaudio.models import HDemucs
    >>> model = HDemucs(["drums", "rest"], channels=8, nfft=1024, depth=5)
    >>> model(tallow.rand(1, 2, 6000)).shape
    tallow.Size([1, 2, 2, 6000])
    """

    def __init__(
        self, sources, audio_channels=2, channels=48, growth=2, nfft=4096, depth=6, freq_emb=0.2,
        emb_scale=10, emb_smooth=True, kernel_size=8, time_stride=2, stride=4, context=1,
        context_enc=0, norm_starts=4, norm_groups=4, dconv_depth=2, dconv_comp=4, dconv_attn=4,
        dconv_lstm=4, dconv_init=1e-4,
    ):  # fmt: skip
        super().__init__()
        self.sources = sources
        self.audio_channels = audio_channels
        self.depth = depth
        self.nfft = nfft
        self.hop_length = nfft // 4
        self.register_buffer("window", tallow.hann_window(nfft), persistent=False)
        self.freq_emb = None
        self.freq_emb_scale = freq_emb
        self.freq_encoder, self.freq_decoder = nn.ModuleList(), nn.ModuleList()
        self.time_encoder, self.time_decoder = nn.ModuleList(), nn.ModuleList()
        inputs, width, freqs = audio_channels, channels, nfft // 2
        inputs_freq = 2 * inputs  # real and imaginary parts
        for index in range(depth):
            freq = freqs > 1
            last_freq = freq and freqs <= kernel_size  # all frequencies become one
            kind = "group_norm" if index >= norm_starts else "none"
            shared = {"norm_groups": norm_groups, "norm_type": kind}
            timed = shared | _time_steps(last_freq and nfft == 2048, kernel_size, stride)
            shared |= _frequency_steps(freqs, kernel_size, stride, time_stride)
            residual = {
                "compress": dconv_comp, "depth": dconv_depth, "init": dconv_init,
                "attn": index >= dconv_attn, "lstm": index >= dconv_lstm,
            }  # fmt: skip
            encoding = {"context": context_enc, "residual": residual}
            self.freq_encoder.append(
                EncoderLayer(inputs_freq, width, empty=False, **shared, **encoding)
            )
            if freq:
                self.time_encoder.append(
                    EncoderLayer(inputs, width, empty=last_freq, **timed, **encoding)
                )
            if index == 0:
                inputs = audio_channels * len(sources)
                inputs_freq = 2 * inputs
            decoding = {"last": index == 0, "context": context}
            self.freq_decoder.insert(
                0, DecoderLayer(width, inputs_freq, empty=False, **shared, **decoding)
            )
            if freq:
                self.time_decoder.insert(
                    0, DecoderLayer(width, inputs, empty=last_freq, **timed, **decoding)
                )
                freqs = 1 if freqs <= kernel_size else freqs // stride
            if index == 0 and freq_emb:
                self.freq_emb = ScaledEmbedding(freqs, width, emb_scale, emb_smooth)
            inputs = inputs_freq = width
            width = int(growth * width)
        _rescaled(self)

    def _spectrum(self, x):
        """(N, C, time) -> complex (N, C, nfft / 2, frames), a frame every hop."""
        hop, samples = self.hop_length, x.shape[2]
        frames, edge = math.ceil(samples / hop), hop // 2 * 3
        ends = (edge, edge + frames * hop - samples)
        short = max(ends) + 1 - samples  # as many zeros as mirroring needs
        x = pad(pad(x, (0, max(0, short))), ends, mode="reflect")
        spectrum = tallow.stft(
            x.flatten(0, 1), self.nfft, hop, window=self.window, normalized=True,
            return_complex=True,
        )  # fmt: skip
        return spectrum[:, :-1, 2 : 2 + frames].unflatten(0, (-1, self.audio_channels))

    def _waveform(self, spectrum, samples):
        """Complex (..., nfft / 2, frames) -> (..., samples)."""
        hop = self.hop_length
        edge = hop // 2 * 3
        spectrum = pad(spectrum, (2, 2, 0, 1))
        x = tallow.istft(
            spectrum.flatten(0, -3), self.nfft, hop, window=self.window, normalized=True,
            length=hop * math.ceil(samples / hop) + 2 * edge,
        )  # fmt: skip
        return x[:, edge : edge + samples].reshape(*spectrum.shape[:-2], samples)

    def _encode(self, x, waves):
        """Both encoders: what is kept for the decoders, of frequency and of time, with lengths."""
        kept, kept_time = [], []
        for index, layer in enumerate(self.freq_encoder):
            inject, frames = None, x.shape[-1]
            if index < len(self.time_encoder):
                timed, samples = self.time_encoder[index], waves.shape[-1]
                waves = timed(waves)
                kept_time.append((None if timed.empty else waves, samples))
                inject = waves if timed.empty else None
            x = layer(x, inject)
            if index == 0 and self.freq_emb is not None:
                places = tallow.arange(x.shape[-2], device=x.device)
                x = x + self.freq_emb_scale * self.freq_emb(places).T[None, :, :, None]
            kept.append((x, frames))
        return kept, kept_time

    def _decode(self, kept, kept_time):
        """Both decoders: sources over frequency, and over time."""
        x = tallow.zeros_like(kept[-1][0])
        waves = None
        for index, layer in enumerate(self.freq_decoder):
            x, before = layer(x, *kept.pop())
            step = index - (self.depth - len(self.time_decoder))
            if step >= 0:
                timed, (skip, samples) = self.time_decoder[step], kept_time.pop()
                source = before[:, :, 0] if timed.empty else waves
                waves, _ = timed(source, skip, samples)
        return x, waves

    def forward(self, input):
        check_waveforms("HDemucs", input, "(N, channels, time)", self.audio_channels)
        count, _, samples = input.shape
        spectrum = tallow.view_as_real(self._spectrum(input)).permute(0, 1, 4, 2, 3).flatten(1, 2)
        mean, spread = _statistics(spectrum)
        mean_time, spread_time = _statistics(input)
        kept = self._encode(
            (spectrum - mean) / (1e-5 + spread), (input - mean_time) / (1e-5 + spread_time)
        )
        x, waves = self._decode(*kept)
        shape = (count, len(self.sources), self.audio_channels)
        x = (
            x.reshape(*shape, 2, *spectrum.shape[2:]) * spread[..., None, None]
            + mean[..., None, None]
        )
        x = tallow.view_as_complex(x.permute(0, 1, 2, 4, 5, 3).contiguous())
        waves = waves.reshape(*shape, samples) * spread_time[:, None] + mean_time[:, None]
        return waves + self._waveform(x, samples)


def _statistics(x):
    """The mean and deviation of each of a batch, with as many dimensions as it."""
    dims = tuple(range(1, x.ndim))
    return x.mean(dims, keepdim=True), x.std(dims, keepdim=True)


def hdemucs_low(sources):
    """An `HDemucs` for sounds at 8 kHz."""
    return HDemucs(sources, nfft=1024, depth=5)


def hdemucs_medium(sources):
    """An `HDemucs` for sounds at 16 to 32 kHz."""
    return HDemucs(sources, nfft=2048, depth=6)


def hdemucs_high(sources):
    """An `HDemucs` for sounds at 44.1 or 48 kHz."""
    return HDemucs(sources, nfft=4096, depth=6)
