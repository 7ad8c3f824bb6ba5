"""Filter banks that gather the frequencies of a spectrum into bands, and the cosine transform."""

import math
import warnings

import tallow
from tallow.errors import ArgumentError

# Slaney's mel scale: linear below 1000 Hz, with a mel every 200 / 3 Hz, then logarithmic, with 27
# mels to a factor of 6.4 (Slaney, Auditory Toolbox, 1998).
_HZ_PER_MEL = 200.0 / 3
_LOG_FROM_HZ = 1000.0
_LOG_FROM_MEL = _LOG_FROM_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27.0


def _check_scale(mel_scale):
    if mel_scale not in ("htk", "slaney"):
        raise ArgumentError(f"mel_scale: expected 'htk' or 'slaney', got {mel_scale!r}")


def _mel_of_hz(hz, mel_scale):
    if mel_scale == "htk":
        return 2595.0 * math.log10(1.0 + hz / 700.0)
    if hz < _LOG_FROM_HZ:
        return hz / _HZ_PER_MEL
    return _LOG_FROM_MEL + math.log(hz / _LOG_FROM_HZ) / _LOG_STEP


def _hz_of_mel(mels, mel_scale):
    if mel_scale == "htk":
        return 700.0 * (tallow.pow(10.0, mels / 2595.0) - 1.0)
    high = _LOG_FROM_HZ * (_LOG_STEP * (mels - _LOG_FROM_MEL)).exp()
    return tallow.where(mels >= _LOG_FROM_MEL, high, _HZ_PER_MEL * mels)


def _triangles(frequencies, points):
    """Filters (freq, n - 2) that rise from one of n points to the next and fall to the third."""
    widths = points[1:] - points[:-1]
    slopes = points[None, :] - frequencies[:, None]
    rising, falling = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    return tallow.minimum(rising, falling).clamp(min=0)


def melscale_fbanks(n_freqs, f_min, f_max, n_mels, sample_rate, norm=None, mel_scale="htk"):
    """Triangular filters (n_freqs, n_mels) whose centres are equally far apart in mels.

    They lie between `f_min` and `f_max` in Hz, for a spectrum from 0 to half the sample rate (Hz).
    `norm` "slaney" gives all filters the same area, None the same height. The scale is HTK's,
    2595 log10(1 + f / 700), or Slaney's. Warns of filters that no frequency falls into.

    >>> from tallowaudio import functional as F
    >>> F.melscale_fbanks(201, 0.0, 8000.0, 80, 16000).shape
    tallow.Size([201, 80])
    """
    _check_scale(mel_scale)
    if norm not in (None, "slaney"):
        raise ArgumentError(f"melscale_fbanks: expected norm None or 'slaney', got {norm!r}")
    frequencies = tallow.linspace(0, sample_rate // 2, n_freqs)
    low, high = (_mel_of_hz(hz, mel_scale) for hz in (f_min, f_max))
    points = _hz_of_mel(tallow.linspace(low, high, n_mels + 2), mel_scale)
    bank = _triangles(frequencies, points)
    if norm == "slaney":
        bank = bank * (2.0 / (points[2:] - points[:-2]))
    empty = int((bank.amax(0) == 0).sum())
    if empty:
        warnings.warn(
            f"melscale_fbanks: {empty} of {n_mels} filters are empty; use fewer mels, or more than "
            f"{n_freqs} frequencies",
            stacklevel=2,
        )
    return bank


def linear_fbanks(n_freqs, f_min, f_max, n_filter, sample_rate):
    """Triangular filters (n_freqs, n_filter) whose centres are equally far apart in Hz."""
    points = tallow.linspace(f_min, f_max, n_filter + 2)
    return _triangles(tallow.linspace(0, sample_rate // 2, n_freqs), points)


def create_dct(n_mfcc, n_mels, norm):
    """The matrix (n_mels, n_mfcc) of the cosine transform DCT-II; `norm` is "ortho" or None."""
    if norm not in (None, "ortho"):
        raise ArgumentError(f"create_dct: expected norm None or 'ortho', got {norm!r}")
    n, k = tallow.arange(float(n_mels)), tallow.arange(float(n_mfcc))[:, None]
    matrix = tallow.cos(math.pi / n_mels * (n + 0.5) * k)
    if norm is None:
        return (matrix * 2.0).T
    scale = tallow.full((n_mfcc, 1), math.sqrt(2.0 / n_mels))
    scale[0] = math.sqrt(1.0 / n_mels)
    return (matrix * scale).T
