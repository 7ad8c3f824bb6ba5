"""Spectrograms and what is made of them."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError, describe
from tallowaudio import functional as F


class _Framed(nn.Module):
    """The base of transforms that cut frames: their sizes, in samples, and the window."""

    def __init__(self, n_fft, win_length, hop_length, pad, window_fn, wkwargs):
        super().__init__()
        self.n_fft = n_fft
        self.win_length = n_fft if win_length is None else win_length
        self.hop_length = self.win_length // 2 if hop_length is None else hop_length
        self.pad = pad
        self.register_buffer("window", window_fn(self.win_length, **(wkwargs or {})))


class Spectrogram(_Framed):
    """Magnitudes of the frequencies in a waveform: (..., time) -> (..., n_fft // 2 + 1, frames).

    Frames of `win_length` samples (n_fft) are `hop_length` (half of that) apart; `window_fn` makes
    their window. The rest is as in `functional.spectrogram`.

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> transforms.Spectrogram(n_fft=512)(tallow.zeros(2, 16000)).shape
    tallow.Size([2, 257, 63])
    """

    def __init__(
        self, n_fft=400, win_length=None, hop_length=None, pad=0, window_fn=tallow.hann_window,
        power=2.0, normalized=False, wkwargs=None, center=True, pad_mode="reflect", onesided=True,
        return_complex=None,
    ):  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, pad, window_fn, wkwargs)
        self.power = power
        self.normalized = normalized
        self.center = center
        self.pad_mode = pad_mode
        self.onesided = onesided

    def forward(self, waveform):
        return F.spectrogram(
            waveform, self.pad, self.window, self.n_fft, self.hop_length, self.win_length,
            self.power, self.normalized, self.center, self.pad_mode, self.onesided,
        )  # fmt: skip


class InverseSpectrogram(_Framed):
    """The waveform of a complex spectrum: (..., freq, frames) -> (..., time).

    The arguments are those of the `Spectrogram`, with power=None, that made it.

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> wave = tallow.rand(1000)
    >>> spectrum = transforms.Spectrogram(power=None)(wave)
    >>> tallow.allclose(transforms.InverseSpectrogram()(spectrum, 1000), wave, atol=1e-6)
    True
    """

    def __init__(
        self, n_fft=400, win_length=None, hop_length=None, pad=0, window_fn=tallow.hann_window,
        normalized=False, wkwargs=None, center=True, pad_mode="reflect", onesided=True,
    ):  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, pad, window_fn, wkwargs)
        self.normalized = normalized
        self.center = center
        self.pad_mode = pad_mode
        self.onesided = onesided

    def forward(self, spectrogram, length=None):
        return F.inverse_spectrogram(
            spectrogram, length, self.pad, self.window, self.n_fft, self.hop_length,
            self.win_length, self.normalized, self.center, self.pad_mode, self.onesided,
        )  # fmt: skip


class AmplitudeToDB(nn.Module):
    """A spectrogram in decibels; `stype` says whether it holds "power" or "magnitude".

    What is `top_db` below the maximum is cut; see `functional.amplitude_to_DB`.
    """

    amin = 1e-10

    def __init__(self, stype="power", top_db=None):
        super().__init__()
        if top_db is not None and top_db < 0:
            raise ArgumentError(f"AmplitudeToDB: expected top_db of 0 or more, got {top_db}")
        self.stype = stype
        self.top_db = top_db
        self.multiplier = 10.0 if stype == "power" else 20.0

    def forward(self, x):
        return F.amplitude_to_DB(x, self.multiplier, self.amin, 0.0, self.top_db)


class MelScale(nn.Module):
    """A spectrogram gathered into mel bands: (..., n_stft, time) -> (..., n_mels, time).

    The bands lie between `f_min` and `f_max` (half the sample rate), in Hz; `norm` and `mel_scale`
    are those of `functional.melscale_fbanks`.
    """

    def __init__(
        self, n_mels=128, sample_rate=16000, f_min=0.0, f_max=None, n_stft=201, norm=None,
        mel_scale="htk",
    ):  # fmt: skip
        super().__init__()
        self.n_mels = n_mels
        self.sample_rate = sample_rate
        self.f_min = f_min
        self.f_max = float(sample_rate // 2) if f_max is None else f_max
        self.n_stft = n_stft
        self.norm = norm
        self.mel_scale = mel_scale
        if f_min > self.f_max:
            raise ArgumentError(f"MelScale: expected f_min <= f_max, got {f_min} and {self.f_max}")
        bank = F.melscale_fbanks(n_stft, f_min, self.f_max, n_mels, sample_rate, norm, mel_scale)
        self.register_buffer("fb", bank)

    def forward(self, specgram):
        return by_matrix(specgram, self.fb)


class InverseMelScale(nn.Module):
    """A spectrogram whose mel bands are these: (..., n_mels, time) -> (..., n_stft, time).

    Of those that have them, the smallest (least squares), and 0 where that is negative. `driver` is
    taken for compatibility. The other arguments are those of the `MelScale`.
    """

    def __init__(
        self, n_stft, n_mels=128, sample_rate=16000, f_min=0.0, f_max=None, norm=None,
        mel_scale="htk", driver="gels",
    ):  # fmt: skip
        super().__init__()
        scale = MelScale(n_mels, sample_rate, f_min, f_max, n_stft, norm, mel_scale)
        self.n_stft = n_stft
        self.n_mels = n_mels
        self.sample_rate = sample_rate
        self.f_min = f_min
        self.f_max = scale.f_max
        self.register_buffer("fb", scale.fb)

    def forward(self, melspec):
        if melspec.shape[-2] != self.n_mels:
            raise ArgumentError(
                f"InverseMelScale: expected {self.n_mels} mel bands, got {describe(melspec)}"
            )
        return by_matrix(melspec, tallow.linalg.pinv(self.fb)).relu()


def by_matrix(spectrogram, matrix):
    """(..., freq, time) and (freq, bands) -> (..., bands, time)."""
    return (spectrogram.transpose(-1, -2) @ matrix).transpose(-1, -2)


class MelSpectrogram(nn.Module):
    """A `Spectrogram` gathered by `MelScale`: (..., time) -> (..., n_mels, frames).

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> transforms.MelSpectrogram(16000, n_mels=64)(tallow.zeros(1, 16000)).shape
    tallow.Size([1, 64, 81])
    """

    def __init__(
        self, sample_rate=16000, n_fft=400, win_length=None, hop_length=None, f_min=0.0,
        f_max=None, pad=0, n_mels=128, window_fn=tallow.hann_window, power=2.0, normalized=False,
        wkwargs=None, center=True, pad_mode="reflect", onesided=None, norm=None, mel_scale="htk",
    ):  # fmt: skip
        super().__init__()
        self.sample_rate = sample_rate
        self.n_mels = n_mels
        self.spectrogram = Spectrogram(
            n_fft, win_length, hop_length, pad, window_fn, power, normalized, wkwargs, center,
            pad_mode,
        )  # fmt: skip
        self.mel_scale = MelScale(
            n_mels, sample_rate, f_min, f_max, n_fft // 2 + 1, norm, mel_scale
        )

    def forward(self, waveform):
        return self.mel_scale(self.spectrogram(waveform))


class _Cepstrum(nn.Module):
    """The base of coefficients that a cosine transform makes of bands in decibels."""

    def __init__(self, name, count, bands, dct_type, norm, logarithmic):
        super().__init__()
        if dct_type != 2:
            raise ArgumentError(f"{name}: expected dct_type 2, got {dct_type}")
        if count > bands:
            raise ArgumentError(
                f"{name}: expected no more coefficients than the {bands} bands, got {count}"
            )
        self.amplitude_to_DB = AmplitudeToDB("power", top_db=80.0)
        self.logarithmic = logarithmic
        self.register_buffer("dct_mat", F.create_dct(count, bands, norm))

    def _coefficients(self, bands):
        bands = (bands + 1e-6).log() if self.logarithmic else self.amplitude_to_DB(bands)
        return by_matrix(bands, self.dct_mat)


class MFCC(_Cepstrum):
    """Cepstral coefficients on the mel scale: (..., time) -> (..., n_mfcc, frames).

    The DCT-II of a `MelSpectrogram` (of arguments `melkwargs`) in decibels, at most 80 below the
    maximum, or, with `log_mels`, of its natural logarithm. `norm` is "ortho" or None.

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> transforms.MFCC(n_mfcc=13, melkwargs={"n_mels": 40})(tallow.rand(16000)).shape
    tallow.Size([13, 81])
    """

    def __init__(
        self, sample_rate=16000, n_mfcc=40, dct_type=2, norm="ortho", log_mels=False,
        melkwargs=None,
    ):  # fmt: skip
        spectrogram = MelSpectrogram(sample_rate, **(melkwargs or {}))
        super().__init__("MFCC", n_mfcc, spectrogram.n_mels, dct_type, norm, log_mels)
        self.sample_rate = sample_rate
        self.n_mfcc = n_mfcc
        self.MelSpectrogram = spectrogram

    def forward(self, waveform):
        return self._coefficients(self.MelSpectrogram(waveform))


class LFCC(_Cepstrum):
    """Cepstral coefficients on a linear scale: (..., time) -> (..., n_lfcc, frames).

    As `MFCC`, of `n_filter` bands between `f_min` and `f_max` (half the sample rate), in Hz.
    `speckwargs` are the arguments of the `Spectrogram`.
    """

    def __init__(
        self, sample_rate=16000, n_filter=128, f_min=0.0, f_max=None, n_lfcc=40, dct_type=2,
        norm="ortho", log_lf=False, speckwargs=None,
    ):  # fmt: skip
        super().__init__("LFCC", n_lfcc, n_filter, dct_type, norm, log_lf)
        self.sample_rate = sample_rate
        self.n_lfcc = n_lfcc
        self.Spectrogram = Spectrogram(**(speckwargs or {}))
        f_max = float(sample_rate // 2) if f_max is None else f_max
        bins = self.Spectrogram.n_fft // 2 + 1
        bank = F.linear_fbanks(bins, f_min, f_max, n_filter, sample_rate)
        self.register_buffer("filter_mat", bank)

    def forward(self, waveform):
        return self._coefficients(by_matrix(self.Spectrogram(waveform), self.filter_mat))


class GriffinLim(_Framed):
    """A waveform of magnitudes to the power `power`: (..., freq, frames) -> (..., time).

    The arguments are those of the `Spectrogram` that made them, and of `functional.griffinlim`.
    """

    def __init__(
        self, n_fft=400, n_iter=32, win_length=None, hop_length=None, window_fn=tallow.hann_window,
        power=2.0, wkwargs=None, momentum=0.99, length=None, rand_init=True,
    ):  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, 0, window_fn, wkwargs)
        self.n_iter = n_iter
        self.power = power
        self.momentum = momentum
        self.length = length
        self.rand_init = rand_init

    def forward(self, specgram):
        return F.griffinlim(
            specgram, self.window, self.n_fft, self.hop_length, self.win_length, self.power,
            self.n_iter, self.momentum, self.length, self.rand_init,
        )  # fmt: skip


class TimeStretch(nn.Module):
    """A complex spectrum (..., n_freq, frames) faster by a rate, at the same pitch.

    The rate is `fixed_rate`, or what the call gives. `hop_length` is that of the spectrum, by
    default half of its n_fft; see `functional.phase_vocoder`.
    """

    def __init__(self, hop_length=None, n_freq=201, fixed_rate=None):
        super().__init__()
        hop_length = n_freq - 1 if hop_length is None else hop_length
        self.fixed_rate = fixed_rate
        advance = tallow.linspace(0, math.pi * hop_length, n_freq)[:, None]
        self.register_buffer("phase_advance", advance)

    def forward(self, complex_specgrams, overriding_rate=None):
        rate = self.fixed_rate if overriding_rate is None else overriding_rate
        if rate is None:
            raise ArgumentError("TimeStretch: expected a fixed_rate, or a rate with the call")
        return F.phase_vocoder(complex_specgrams, rate, self.phase_advance)


class SpectralCentroid(_Framed):
    """The mean frequency of each frame in Hz, weighted by magnitude: (..., frames)."""

    def __init__(
        self, sample_rate, n_fft=400, win_length=None, hop_length=None, pad=0,
        window_fn=tallow.hann_window, wkwargs=None,
    ):  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, pad, window_fn, wkwargs)
        self.sample_rate = sample_rate

    def forward(self, waveform):
        return F.spectral_centroid(
            waveform, self.sample_rate, self.pad, self.window, self.n_fft, self.hop_length,
            self.win_length,
        )  # fmt: skip


class ComputeDeltas(nn.Module):
    """How fast (..., freq, time) changes; see `functional.compute_deltas`."""

    def __init__(self, win_length=5, mode="replicate"):
        super().__init__()
        self.win_length = win_length
        self.mode = mode

    def forward(self, specgram):
        return F.compute_deltas(specgram, self.win_length, self.mode)


class SlidingWindowCmn(nn.Module):
    """Features (..., time, freq) less their running mean; see `functional.sliding_window_cmn`."""

    def __init__(self, cmn_window=600, min_cmn_window=100, center=False, norm_vars=False):
        super().__init__()
        self.cmn_window = cmn_window
        self.min_cmn_window = min_cmn_window
        self.center = center
        self.norm_vars = norm_vars

    def forward(self, specgram):
        return F.sliding_window_cmn(
            specgram, self.cmn_window, self.min_cmn_window, self.center, self.norm_vars
        )
