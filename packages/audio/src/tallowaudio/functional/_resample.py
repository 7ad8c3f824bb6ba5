"""Other sample rates."""

import functools
import math
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Filters:
    """Filters, one for each place (phase) that new samples have between old ones.

    Each is a sinc cut by a window after `zeros` zeros: Smith, "Digital Audio Resampling", CCRMA
    (2002). Rates are `orig` and `new`, without a common divisor.
    """

    orig: int
    new: int
    zeros: int = 6
    rolloff: float = 0.99
    method: str = "sinc_interp_hann"
    beta: float | None = None

    def __post_init__(self):
        if self.method not in METHODS:
            raise ArgumentError(
                f"resample: expected method {' or '.join(METHODS)}, got {self.method!r}"
            )
        if self.zeros <= 0:
            raise ArgumentError(
                f"resample: expected a lowpass_filter_width above 0, got {self.zeros}"
            )

    @property
    def cutoff(self):
        """The highest frequency that passes, twice."""
        return min(self.orig, self.new) * self.rolloff

    @property
    def reach(self):
        """How many old samples the filters reach to the left."""
        return math.ceil(self.zeros * self.orig / self.cutoff)

    def kernels(self, phases=None, taps=None):
        """The filters (phases, 1, taps), float64: all of them, or those of slices."""
        old = np.arange(-self.reach, self.reach + self.orig)[taps or slice(None)] / self.orig
        new = np.arange(self.new)[phases or slice(None), None] / self.new
        t = ((old - new) * self.cutoff).clip(-self.zeros, self.zeros)
        if self.method == "sinc_interp_hann":
            window = np.cos(t * np.pi / self.zeros / 2) ** 2
        else:
            beta = 14.769656459379492 if self.beta is None else self.beta
            window = np.i0(beta * np.sqrt(1 - (t / self.zeros) ** 2)) / np.i0(beta)
        return (np.sinc(t) * window * (self.cutoff / self.orig))[:, None]

    @functools.cached_property
    def groups(self):
        """Slices of phases, with those of the taps that are not 0 in them: (phases, taps).

        A group spans about as much as a filter is long, so that half of its taps count.
        """
        size = max(16, math.ceil(2 * self.reach * self.new / self.orig))
        found = []
        for first in range(0, self.new, size):
            last = min(first + size, self.new)
            start, stop = first * self.orig // self.new, -(-(last - 1) * self.orig // self.new)
            found.append((slice(first, last), slice(start, stop + 2 * self.reach + 1)))
        return found


@functools.lru_cache(8)
def _grouped_kernels(filters):
    """The kernels of each group, float64."""
    return [filters.kernels(*group) for group in filters.groups]


def apply_filters(waveform, filters, kernels):
    """The waveform (..., time) through filters, whose kernels are given by group."""
    if not waveform.is_floating_point():
        raise TypeMismatchError(
            f"resample: expected a floating-point waveform, got {describe(waveform)}"
        )
    lead, length = waveform.shape[:-1], waveform.shape[-1]
    orig, new, reach = filters.orig, filters.new, filters.reach
    steps = length // orig + 1
    padded = tallow.nn.functional.pad(
        waveform.reshape(-1, 1, length), (reach, reach + orig + steps * orig - length)
    )
    phases = []
    for (_, taps), kernel in zip(filters.groups, kernels, strict=True):
        last = taps.start + (steps - 1) * orig + kernel.shape[-1]
        phases.append(
            tallow.nn.functional.conv1d(padded[..., taps.start : last], kernel, stride=orig)
        )
    phases = tallow.cat(phases, 1) if len(phases) > 1 else phases[0]  # (N, new, steps)
    resampled = phases.transpose(1, 2).reshape(*lead, new * steps)
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
    filters = Filters(orig, new, lowpass_filter_width, rolloff, resampling_method, beta)
    dtype = waveform.dtype if waveform.is_floating_point() else tallow.float64
    kernels = [tallow.from_numpy(k).to(waveform.device, dtype) for k in _grouped_kernels(filters)]
    return apply_filters(waveform, filters, kernels)


def new_lengths(lengths, orig, new):
    """How many samples signals of some lengths have afterwards."""
    return (lengths * new / orig).ceil().to(lengths.dtype)


def speed(waveform, orig_freq, factor, lengths=None):
    """A waveform (..., time) faster by a factor, and so higher: (waveform, lengths).

    `lengths` (...) are those of the signals, or None; returned are their new ones.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.speed(tallow.zeros(2, 800), 8000, 1.25)[0].shape
    tallow.Size([2, 640])
    """
    orig, new = ratio_of(int(factor * orig_freq), int(orig_freq))
    lengths = None if lengths is None else new_lengths(lengths, orig, new)
    return resample(waveform, orig, new), lengths
