"""Spectrograms on the Bark scale, and by note."""

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallowaudio import functional as F
from tallowaudio.transforms._spectral import Spectrogram, by_matrix


class BarkScale(nn.Module):
    """A spectrogram gathered into barks: (..., n_stft, time) -> (..., n_barks, time).

    See `functional.barkscale_fbanks`; `f_max` is half the sample rate by default.
    """

    def __init__(
        self, n_barks=128, sample_rate=16000, f_min=0.0, f_max=None, n_stft=201,
        bark_scale="traunmuller",
    ):  # fmt: skip
        super().__init__()
        f_max = float(sample_rate // 2) if f_max is None else f_max
        if f_min > f_max:
            raise ArgumentError(f"BarkScale: expected f_min <= f_max, got {f_min} and {f_max}")
        bank = F.barkscale_fbanks(n_stft, f_min, f_max, n_barks, sample_rate, bark_scale)
        self.register_buffer("fb", bank)

    def forward(self, specgram):
        return by_matrix(specgram, self.fb)


class BarkSpectrogram(nn.Module):
    """A `Spectrogram` gathered by `BarkScale`: (..., time) -> (..., n_barks, frames)."""

    def __init__(
        self, sample_rate=16000, n_fft=400, win_length=None, hop_length=None, f_min=0.0,
        f_max=None, pad=0, n_barks=128, window_fn=tallow.hann_window, power=2.0, normalized=False,
        wkwargs=None, center=True, pad_mode="reflect", bark_scale="traunmuller",
    ):  # fmt: skip
        super().__init__()
        self.spectrogram = Spectrogram(
            n_fft, win_length, hop_length, pad, window_fn, power, normalized, wkwargs, center,
            pad_mode,
        )  # fmt: skip
        self.bark_scale = BarkScale(n_barks, sample_rate, f_min, f_max, n_fft // 2 + 1, bark_scale)

    def forward(self, waveform):
        return self.bark_scale(self.spectrogram(waveform))


class ChromaScale(nn.Module):
    """A spectrogram gathered by note: (..., n_freqs, time) -> (..., n_chroma, time).

    `settings` are those of `functional.chroma_filterbank`.
    """

    def __init__(self, sample_rate, n_freqs, *, n_chroma=12, **settings):
        super().__init__()
        bank = F.chroma_filterbank(sample_rate, n_freqs, n_chroma, **settings)
        self.register_buffer("fb", bank)

    def forward(self, x):
        return by_matrix(x, self.fb)


class ChromaSpectrogram(nn.Module):
    """A `Spectrogram` gathered by `ChromaScale`: (..., time) -> (..., n_chroma, frames).

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> tone = tallow.sin(tallow.arange(16000) * (2 * tallow.pi * 440 / 16000))
    >>> transforms.ChromaSpectrogram(16000, 1024)(tone).mean(1).argmax()  # C is 0, A is 9
    tensor(9)
    """

    def __init__(
        self, sample_rate, n_fft, *, win_length=None, hop_length=None, pad=0,
        window_fn=tallow.hann_window, power=2.0, normalized=False, wkwargs=None, center=True,
        pad_mode="reflect", n_chroma=12, tuning=0.0, ctroct=5.0, octwidth=2.0, norm=2, base_c=True,
    ):  # fmt: skip
        super().__init__()
        self.spectrogram = Spectrogram(
            n_fft, win_length, hop_length, pad, window_fn, power, normalized, wkwargs, center,
            pad_mode,
        )  # fmt: skip
        self.chroma_scale = ChromaScale(
            sample_rate, n_fft // 2 + 1, n_chroma=n_chroma, tuning=tuning, ctroct=ctroct,
            octwidth=octwidth, norm=norm, base_c=base_c,
        )  # fmt: skip

    def forward(self, waveform):
        return self.chroma_scale(self.spectrogram(waveform))
