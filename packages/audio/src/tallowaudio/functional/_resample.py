"""Other sample rates."""

import functools
import math

import numpy as np

import tallow
from tallow.errors import ArgumentError, TypeMismatchError, describe

METHODS = ("sinc_interp_hann", "sinc_interp_kaiser")


def ratio_of(orig_freq, new_freq):
    """The two sample rates over their greatest common divisor."""
    if orig_freq <= 0 or new_freq <= 0 or int(orig_freq) != orig_freq or int(new_freq) != new_freq:
        raise ArgumentError(
            f"resample: expected whole sample rates above 0, got {orig_freq} and {new_freq}; only "
            "their ratio counts"
        )
    divisor = math.gcd(int(orig_freq), int(new_freq))
    return int(orig_freq) // divisor, int(new_freq) // divisor


@functools.lru_cache(32)
def sinc_kernels(orig, new, lowpass_filter_width, rolloff, resampling_method, beta):
    """Filters (new, 1, taps), float64, one for each place that new samples have between old ones.

    Also the number of samples that they reach to the left. Each is a sinc cut by a window after
    `lowpass_filter_width` zeros: Smith, "Digital Audio Resampling", CCRMA (2002).
    """
    if resampling_method not in METHODS:
        raise ArgumentError(
            f"resample: expected method {' or '.join(METHODS)}, got {resampling_method!r}"
        )
    if lowpass_filter_width <= 0:
        raise ArgumentError(
            f"resample: expected a lowpass_filter_width above 0, got {lowpass_filter_width}"
        )
    cutoff = min(orig, new) * rolloff
    reach = math.ceil(lowpass_filter_width * orig / cutoff)
    old_times = np.arange(-reach, reach + orig) / orig
    new_times = np.arange(new)[:, None] / new
    t = (old_times - new_times) * cutoff
    t = t.clip(-lowpass_filter_width, lowpass_filter_width)
    if resampling_method == "sinc_interp_hann":
        window = np.cos(t * np.pi / lowpass_filter_width / 2) ** 2
    else:
        beta = 14.769656459379492 if beta is None else beta
        window = np.i0(beta * np.sqrt(1 - (t / lowpass_filter_width) ** 2)) / np.i0(beta)
    return (np.sinc(t) * window * (cutoff / orig))[:, None], reach


def apply_kernels(waveform, kernels, reach, orig, new):
    """The waveform (..., time) through the filters of `sinc_kernels`."""
    if not waveform.is_floating_point():
        raise TypeMismatchError(
            f"resample: expected a floating-point waveform, got {describe(waveform)}"
        )
    lead, length = waveform.shape[:-1], waveform.shape[-1]
    padded = tallow.nn.functional.pad(waveform.reshape(-1, 1, length), (reach, reach + orig))
    phases = tallow.nn.functional.conv1d(padded, kernels, stride=orig)  # (N, new, steps)
    resampled = phases.transpose(1, 2).reshape(*lead, new * phases.shape[2])
    return resampled[..., : math.ceil(new * length / orig)]


def resample(
    waveform, orig_freq, new_freq, lowpass_filter_width=6, rolloff=0.99,
    resampling_method="sinc_interp_hann", beta=None,
):  # fmt: skip
    """A waveform (..., time) at another sample rate, by band-limited interpolation.

    Rates are whole numbers in Hz; only their ratio counts. The filter is a sinc, cut after
    `lowpass_filter_width` zeros by a Hann or Kaiser window (of shape `beta`), and passes
    frequencies up to `rolloff` times half the lower rate.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.resample(tallow.zeros(2, 441), 44100, 16000).shape
    tallow.Size([2, 160])
    """
    orig, new = ratio_of(orig_freq, new_freq)
    if orig == new:
        return waveform
    kernels, reach = sinc_kernels(orig, new, lowpass_filter_width, rolloff, resampling_method, beta)
    kernels = tallow.from_numpy(kernels).to(waveform.device)
    if waveform.is_floating_point():
        kernels = kernels.to(waveform.dtype)
    return apply_kernels(waveform, kernels, reach, orig, new)
