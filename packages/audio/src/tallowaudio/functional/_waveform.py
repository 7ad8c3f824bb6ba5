"""Functions of samples: companding and gain."""

import math

import tallow
from tallow.errors import ArgumentError, ShapeError, describe


def mu_law_encoding(x, quantization_channels):
    """Samples in [-1, 1] as whole numbers from 0 to `quantization_channels` - 1, finer near 0.

    sign(x) log(1 + mu |x|) / log(1 + mu), mu being one less than the channels (ITU-T G.711).

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.mu_law_encoding(tallow.tensor([-1.0, -0.01, 0.0, 0.01, 1.0]), 256)
    tensor([  0,  98, 128, 157, 255])
    """
    x = x if x.is_floating_point() else x.float()
    mu = quantization_channels - 1.0
    squeezed = x.sign() * (mu * x.abs()).log1p() / math.log1p(mu)
    return ((squeezed + 1) / 2 * mu + 0.5).to(tallow.int64)


def mu_law_decoding(x_mu, quantization_channels):
    """The inverse of `mu_law_encoding`: numbers from 0 to channels - 1 as samples in [-1, 1]."""
    x_mu = x_mu if x_mu.is_floating_point() else x_mu.float()
    mu = quantization_channels - 1.0
    x = x_mu / mu * 2 - 1.0
    return x.sign() * ((x.abs() * math.log1p(mu)).exp() - 1.0) / mu


def gain(waveform, gain_db=1.0):
    """The waveform made louder by decibels."""
    return waveform if gain_db == 0 else waveform * 10 ** (gain_db / 20)


def preemphasis(waveform, coeff=0.97):
    """The waveform with its high frequencies stronger: y[i] = x[i] - coeff * x[i - 1]."""
    return tallow.cat([waveform[..., :1], waveform[..., 1:] - coeff * waveform[..., :-1]], -1)


def add_noise(waveform, noise, snr, lengths=None):
    """A waveform (..., time) with noise, as much as gives the ratio `snr` (...) to it in dB.

    `lengths` (...) are those of the signals that count; by default all of it does.
    """
    if not waveform.ndim == noise.ndim == snr.ndim + 1 or (
        lengths is not None and lengths.ndim != snr.ndim
    ):
        raise ArgumentError(
            f"add_noise: expected an snr (and a length) for each signal, got {describe(snr)} for "
            f"{describe(waveform)} and noise {describe(noise)}"
        )
    if waveform.shape[-1] != noise.shape[-1]:
        raise ArgumentError(
            f"add_noise: expected noise of {waveform.shape[-1]} samples, got {describe(noise)}"
        )
    signals = (waveform, noise)
    if lengths is not None:
        counts = tallow.arange(waveform.shape[-1], device=lengths.device) < lengths[..., None]
        signals = tuple(signal * counts for signal in signals)
    loud, quiet = (signal.square().sum(-1) for signal in signals)
    decibels = 10 * (loud.log10() - quiet.log10())
    return waveform + tallow.pow(10.0, (decibels - snr) / 20.0)[..., None] * noise


# Convolution


def _cut_to(mode, result, x_length, y_length):
    """The part of a full convolution that a mode gives."""
    lengths = {
        "full": result.shape[-1], "same": x_length,
        "valid": max(x_length, y_length) - min(x_length, y_length) + 1,
    }  # fmt: skip
    if mode not in lengths:
        raise ArgumentError(f"convolve: expected mode {', '.join(lengths)}, got {mode!r}")
    start = (result.shape[-1] - lengths[mode]) // 2
    return result[..., start : start + lengths[mode]]


def _check_signals(name, x, y):
    if x.ndim != y.ndim:
        raise ShapeError(
            f"{name}: expected as many dims, got {describe(x)} and {describe(y)}; unsqueeze one"
        )


def fftconvolve(x, y, mode="full"):
    """Signals (..., N) and (..., M) convolved by Fourier transforms: (..., N + M - 1).

    Leading dims broadcast. `mode` "same" gives the middle N samples, "valid" those for which the
    shorter signal lies wholly in the other.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.fftconvolve(tallow.tensor([1.0, 2.0, 3.0]), tallow.tensor([1.0, 1.0]))
    tensor([1., 3., 5., 3.])
    """
    _check_signals("fftconvolve", x, y)
    n = x.shape[-1] + y.shape[-1] - 1
    product = tallow.fft.rfft(x, n=n) * tallow.fft.rfft(y, n=n)
    return _cut_to(mode, tallow.fft.irfft(product, n=n), x.shape[-1], y.shape[-1])


def convolve(x, y, mode="full"):
    """As `fftconvolve`, term by term: faster if one of the signals is short."""
    _check_signals("convolve", x, y)
    lengths = x.shape[-1], y.shape[-1]
    lead = tallow.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    long, short = (x, y) if lengths[0] >= lengths[1] else (y, x)
    long, short = (z.expand(*lead, z.shape[-1]).reshape(-1, z.shape[-1]) for z in (long, short))
    result = tallow.nn.functional.conv1d(
        long[None], short.flip(-1)[:, None], padding=short.shape[-1] - 1, groups=len(long)
    )
    return _cut_to(mode, result.reshape(*lead, result.shape[-1]), *lengths)
