"""Transforms from waveforms to waveforms (..., time)."""

import inspect
import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError
from tallowaudio import functional as F
from tallowaudio.functional._resample import Filters, apply_filters, new_lengths, ratio_of


class Resample(nn.Module):
    """Another sample rate, by the filters of `functional.resample`, made once.

    They are computed in float64 and kept in `dtype` (float32).

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> transforms.Resample(8000, 16000)(tallow.zeros(3, 100)).shape
    tallow.Size([3, 200])
    """

    def __init__(
        self, orig_freq=16000, new_freq=16000, resampling_method="sinc_interp_hann",
        lowpass_filter_width=6, rolloff=0.99, beta=None, *, dtype=None,
    ):  # fmt: skip
        super().__init__()
        self.orig_freq = orig_freq
        self.new_freq = new_freq
        ratio = ratio_of(orig_freq, new_freq)
        if orig_freq != new_freq:
            self.filters = Filters(*ratio, lowpass_filter_width, rolloff, resampling_method, beta)
            kernels = tallow.from_numpy(self.filters.kernels()).to(dtype or tallow.float32)
            self.register_buffer("kernel", kernels)

    def forward(self, waveform):
        if self.orig_freq == self.new_freq:
            return waveform
        kernels = [self.kernel[phases, :, taps] for phases, taps in self.filters.groups]
        return apply_filters(waveform, self.filters, kernels)

    def extra_repr(self):
        return f"orig_freq={self.orig_freq}, new_freq={self.new_freq}"


class MuLawEncoding(nn.Module):
    """Samples in [-1, 1] as whole numbers below `quantization_channels`, finer near 0."""

    def __init__(self, quantization_channels=256):
        super().__init__()
        self.quantization_channels = quantization_channels

    def forward(self, x):
        return F.mu_law_encoding(x, self.quantization_channels)


class MuLawDecoding(nn.Module):
    """The inverse of `MuLawEncoding`."""

    def __init__(self, quantization_channels=256):
        super().__init__()
        self.quantization_channels = quantization_channels

    def forward(self, x_mu):
        return F.mu_law_decoding(x_mu, self.quantization_channels)


# How loud a fade is at a part x of its length, from 0 to 1.
_FADES = {
    "linear": lambda x: x,
    "exponential": lambda x: tallow.pow(2.0, x - 1) * x,
    "logarithmic": lambda x: (0.1 + x).log10() + 1,
    "quarter_sine": lambda x: (x * (math.pi / 2)).sin(),
    "half_sine": lambda x: (x * math.pi - math.pi / 2).sin() / 2 + 0.5,
}


class Fade(nn.Module):
    """A waveform that begins and ends softly, over `fade_in_len` and `fade_out_len` samples.

    `fade_shape` is one of linear, exponential, logarithmic, quarter_sine and half_sine.

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> transforms.Fade(3, 2)(tallow.ones(6))
    tensor([0.0000, 0.5000, 1.0000, 1.0000, 1.0000, 0.0000])
    """

    def __init__(self, fade_in_len=0, fade_out_len=0, fade_shape="linear"):
        super().__init__()
        if fade_shape not in _FADES:
            raise ArgumentError(
                f"Fade: expected a shape of {', '.join(_FADES)}, got {fade_shape!r}"
            )
        self.fade_in_len = fade_in_len
        self.fade_out_len = fade_out_len
        self.fade_shape = fade_shape

    def forward(self, waveform):
        length = waveform.shape[-1]
        if max(self.fade_in_len, self.fade_out_len) > length:
            raise ArgumentError(
                f"Fade: expected fades within {length} samples, got {self.fade_in_len} and "
                f"{self.fade_out_len}"
            )
        fade_in = self._fade(self.fade_in_len, length, waveform.device)
        fade_out = self._fade(self.fade_out_len, length, waveform.device).flip(0)
        return fade_in * fade_out * waveform

    def _fade(self, count, length, device):
        rise = _FADES[self.fade_shape](tallow.linspace(0, 1, count, device=device))
        return tallow.cat([rise.clamp(0, 1), tallow.ones(length - count, device=device)])


class Vol(nn.Module):
    """A waveform made louder, and cut at -1 and 1.

    `gain` is a factor ("amplitude"), that of the power ("power"), or in decibels ("db").

    >>> import tallow
    >>> from tallowaudio import transforms
    >>> transforms.Vol(20, "db")(tallow.tensor([0.05, -0.2]))
    tensor([ 0.5000, -1.0000])
    """

    def __init__(self, gain, gain_type="amplitude"):
        super().__init__()
        if gain_type not in ("amplitude", "power", "db"):
            raise ArgumentError(f"Vol: expected amplitude, power or db, got {gain_type!r}")
        if gain_type != "db" and gain < 0:
            raise ArgumentError(f"Vol: expected a gain of 0 or more, got {gain}")
        self.gain = gain
        self.gain_type = gain_type

    def forward(self, waveform):
        if self.gain_type == "db":
            return F.gain(waveform, self.gain).clamp(-1, 1)
        factor = math.sqrt(self.gain) if self.gain_type == "power" else self.gain
        return (waveform * factor).clamp(-1, 1)


class Preemphasis(nn.Module):
    """The waveform with its high frequencies stronger: y[i] = x[i] - coeff * x[i - 1]."""

    def __init__(self, coeff=0.97):
        super().__init__()
        self.coeff = coeff

    def forward(self, waveform):
        return F.preemphasis(waveform, self.coeff)


class Deemphasis(nn.Module):
    """`Preemphasis` undone; see `functional.deemphasis`."""

    def __init__(self, coeff=0.97):
        super().__init__()
        self.coeff = coeff

    def forward(self, waveform):
        return F.deemphasis(waveform, self.coeff)


class AddNoise(nn.Module):
    """A waveform with noise; see `functional.add_noise`."""

    def forward(self, waveform, noise, snr, lengths=None):
        return F.add_noise(waveform, noise, snr, lengths)


class Convolve(nn.Module):
    """Two signals convolved, term by term; see `functional.convolve`."""

    def __init__(self, mode="full"):
        super().__init__()
        self.mode = mode

    def forward(self, x, y):
        return F.convolve(x, y, self.mode)


class FFTConvolve(Convolve):
    """Two signals convolved, by Fourier transforms; see `functional.fftconvolve`."""

    def forward(self, x, y):
        return F.fftconvolve(x, y, self.mode)


# Speed and pitch


class Speed(nn.Module):
    """A waveform faster by a factor, and so higher; see `functional.speed`."""

    def __init__(self, orig_freq, factor):
        super().__init__()
        self.orig_freq = orig_freq
        self.factor = factor
        self.ratio = ratio_of(int(factor * orig_freq), int(orig_freq))
        self.resampler = Resample(*self.ratio)

    def forward(self, waveform, lengths=None):
        lengths = None if lengths is None else new_lengths(lengths, *self.ratio)
        return self.resampler(waveform), lengths


class SpeedPerturbation(nn.Module):
    """A waveform at a speed drawn from `factors`; see `functional.speed`."""

    def __init__(self, orig_freq, factors):
        super().__init__()
        self.speeders = nn.ModuleList(Speed(orig_freq, factor) for factor in factors)

    def forward(self, waveform, lengths=None):
        return self.speeders[int(tallow.randint(len(self.speeders), ()))](waveform, lengths)


class PitchShift(nn.Module):
    """A waveform higher by `n_steps`, just as long; see `functional.pitch_shift`."""

    def __init__(
        self, sample_rate, n_steps, bins_per_octave=12, n_fft=512, win_length=None,
        hop_length=None, window_fn=tallow.hann_window, wkwargs=None,
    ):  # fmt: skip
        super().__init__()
        self.sample_rate = sample_rate
        self.n_steps = n_steps
        self.bins_per_octave = bins_per_octave
        self.n_fft = n_fft
        self.win_length = n_fft if win_length is None else win_length
        self.hop_length = self.win_length // 4 if hop_length is None else hop_length
        self.register_buffer("window", window_fn(self.win_length, **(wkwargs or {})))

    def forward(self, waveform):
        return F.pitch_shift(
            waveform, self.sample_rate, self.n_steps, self.bins_per_octave, self.n_fft,
            self.win_length, self.hop_length, self.window,
        )  # fmt: skip


# What waveforms hold


class Loudness(nn.Module):
    """How loud waveforms (..., channels, time) are, in LKFS; see `functional.loudness`."""

    def __init__(self, sample_rate):
        super().__init__()
        self.sample_rate = sample_rate

    def forward(self, waveform):
        return F.loudness(waveform, self.sample_rate)


class Vad(nn.Module):
    """A waveform from where speech begins; the arguments are those of `functional.vad`."""

    def __init__(self, sample_rate, *settings, **named):
        super().__init__()
        self.sample_rate = sample_rate
        self.settings = inspect.signature(F.vad).bind(None, sample_rate, *settings, **named)

    def forward(self, waveform):
        return F.vad(**self.settings.arguments | {"waveform": waveform})
