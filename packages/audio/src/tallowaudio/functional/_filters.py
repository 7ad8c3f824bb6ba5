"""Filters with feedback: `lfilter`, and second-order sections designed as SoX does.

The designs are those of Robert Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter
coefficients", unless they name another. Frequencies are in Hz and gains in decibels; each may be a
tensor, and gets a gradient then.
"""

import cmath
import math

import tallow
from tallow.errors import ArgumentError, describe


def lfilter(waveform, a_coeffs, b_coeffs, clamp=True, batching=True):
    """Filter a waveform (..., time): a[0] y[t] = sum of b[k] x[t - k] - sum of a[k] y[t - k].

    The coefficients are (K,), or (C, K) for C filters: with `batching` one for each channel of a
    waveform (..., C, time), without it all for every waveform: (..., time) -> (..., C, time).
    `clamp` cuts the result at -1 and 1. Waveform and coefficients get gradients.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> wave, half = tallow.tensor([1.0, 0.0, 0.0, 0.0]), tallow.tensor([1.0, -0.5])
    >>> F.lfilter(wave, a_coeffs=half, b_coeffs=tallow.tensor([1.0, 0.0]))
    tensor([1.0000, 0.5000, 0.2500, 0.1250])
    """
    if a_coeffs.shape != b_coeffs.shape or a_coeffs.ndim not in (1, 2):
        raise ArgumentError(
            f"lfilter: expected coefficients of one shape, (K,) or (C, K), got "
            f"{describe(a_coeffs)} and {describe(b_coeffs)}"
        )
    if a_coeffs.ndim == 2 and not batching:
        waveform = tallow.stack([waveform] * len(a_coeffs), -2)
    elif a_coeffs.ndim == 2 and (waveform.ndim < 2 or waveform.shape[-2] != len(a_coeffs)):
        raise ArgumentError(
            f"lfilter: expected a waveform (..., {len(a_coeffs)}, time), a channel for each filter,"
            f" got {describe(waveform)}"
        )
    filtered = tallow.signal.recursive_filter(waveform, b_coeffs, a_coeffs)
    return filtered.clamp(-1, 1) if clamp else filtered


def filtfilt(waveform, a_coeffs, b_coeffs, clamp=True):
    """`lfilter` forward and then backward in time, so that nothing is delayed: (..., time)."""
    forward = lfilter(waveform, a_coeffs, b_coeffs, clamp=False)
    return lfilter(forward.flip(-1), a_coeffs, b_coeffs, clamp=clamp).flip(-1)


def biquad(waveform, b0, b1, b2, a0, a1, a2):
    """`lfilter` of second order, with six numbers or tensors of one element: (..., time)."""

    def vector(*coefficients):
        return tallow.cat([_as_tensor(c, waveform).reshape(1) for c in coefficients])

    return lfilter(waveform, vector(a0, a1, a2), vector(b0, b1, b2))


def _as_tensor(value, like):
    return tallow.as_tensor(value, dtype=like.dtype, device=like.device)


def _angle(waveform, sample_rate, frequency, Q):
    """A frequency's cosine, its sine over 2 Q (alpha), its sine."""
    frequency, Q = _as_tensor(frequency, waveform), _as_tensor(Q, waveform)
    w0 = 2 * math.pi * frequency / sample_rate
    return w0.cos(), w0.sin() / 2 / Q, w0.sin()


def lowpass_biquad(waveform, sample_rate, cutoff_freq, Q=0.707):
    """What is below a frequency, 12 dB an octave.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.lowpass_biquad(tallow.ones(2, 16000), 16000, cutoff_freq=300.0)[:, -1]
    tensor([1.0000, 1.0000])
    """
    cos, alpha, _ = _angle(waveform, sample_rate, cutoff_freq, Q)
    b0 = (1 - cos) / 2
    return biquad(waveform, b0, 1 - cos, b0, 1 + alpha, -2 * cos, 1 - alpha)


def highpass_biquad(waveform, sample_rate, cutoff_freq, Q=0.707):
    """What is above a frequency, 12 dB an octave."""
    cos, alpha, _ = _angle(waveform, sample_rate, cutoff_freq, Q)
    b0 = (1 + cos) / 2
    return biquad(waveform, b0, -1 - cos, b0, 1 + alpha, -2 * cos, 1 - alpha)


def bandpass_biquad(waveform, sample_rate, central_freq, Q=0.707, const_skirt_gain=False):
    """What is around a frequency: at 0 dB there, or, with `const_skirt_gain`, Q times that."""
    cos, alpha, sin = _angle(waveform, sample_rate, central_freq, Q)
    b0 = sin / 2 if const_skirt_gain else alpha
    return biquad(waveform, b0, 0.0, -b0, 1 + alpha, -2 * cos, 1 - alpha)


def bandreject_biquad(waveform, sample_rate, central_freq, Q=0.707):
    """All but what is around a frequency."""
    cos, alpha, _ = _angle(waveform, sample_rate, central_freq, Q)
    return biquad(waveform, 1.0, -2 * cos, 1.0, 1 + alpha, -2 * cos, 1 - alpha)


def allpass_biquad(waveform, sample_rate, central_freq, Q=0.707):
    """All frequencies as loud as before, their phases turned around one."""
    cos, alpha, _ = _angle(waveform, sample_rate, central_freq, Q)
    return biquad(waveform, 1 - alpha, -2 * cos, 1 + alpha, 1 + alpha, -2 * cos, 1 - alpha)


def band_biquad(waveform, sample_rate, central_freq, Q=0.707, noise=False):
    """What is around a frequency, less the farther from it; `noise` suits drums, not pitches.

    SoX's `band`, a resonator with two poles.
    """
    frequency, Q = _as_tensor(central_freq, waveform), _as_tensor(Q, waveform)
    w0 = 2 * math.pi * frequency / sample_rate
    a2 = (-2 * math.pi * (frequency / Q) / sample_rate).exp()
    a1 = -4 * a2 / (1 + a2) * w0.cos()
    b0 = (1 - a1 * a1 / (4 * a2)).sqrt() * (1 - a2)
    if noise:
        b0 = (((1 + a2) * (1 + a2) - a1 * a1) * (1 - a2) / (1 + a2)).sqrt()
    return biquad(waveform, b0, 0.0, 0.0, 1.0, a1, a2)


def equalizer_biquad(waveform, sample_rate, center_freq, gain, Q=0.707):
    """What is around a frequency, louder by a gain in dB."""
    cos, alpha, _ = _angle(waveform, sample_rate, center_freq, Q)
    A = (_as_tensor(gain, waveform) / 40.0 * math.log(10)).exp()
    return biquad(
        waveform, 1 + alpha * A, -2 * cos, 1 - alpha * A, 1 + alpha / A, -2 * cos, 1 - alpha / A
    )


def bass_biquad(waveform, sample_rate, gain, central_freq=100, Q=0.707):
    """What is below a frequency, louder by a gain in dB."""
    return _shelf(waveform, sample_rate, gain, central_freq, Q, 1)


def treble_biquad(waveform, sample_rate, gain, central_freq=3000, Q=0.707):
    """What is above a frequency, louder by a gain in dB."""
    return _shelf(waveform, sample_rate, gain, central_freq, Q, -1)


def _shelf(waveform, sample_rate, gain, frequency, Q, side):
    """A shelf below (`side` 1) or above (-1) a frequency."""
    cos, alpha, _ = _angle(waveform, sample_rate, frequency, Q)
    A = (_as_tensor(gain, waveform) / 40 * math.log(10)).exp()
    slope = 2 * A.sqrt() * alpha
    cos = side * cos
    a0 = A + 1 + (A - 1) * cos + slope
    coefficients = (
        A * (A + 1 - (A - 1) * cos + slope), side * 2 * A * (A - 1 - (A + 1) * cos),
        A * (A + 1 - (A - 1) * cos - slope), a0, -side * 2 * (A - 1 + (A + 1) * cos),
        A + 1 + (A - 1) * cos - slope,
    )  # fmt: skip
    return biquad(waveform, *(c / a0 for c in coefficients))


# Compact discs' and tapes' emphasis by sample rate: frequency, slope, gain.
_EMPHASES = {44100: (5283, 0.4845, -9.477), 48000: (5356, 0.479, -9.62)}


def deemph_biquad(waveform, sample_rate):
    """The emphasis of compact discs (44.1 kHz) or digital tapes (48 kHz) undone (ISO 908)."""
    _check_rate("deemph_biquad", sample_rate, _EMPHASES)
    frequency, slope, gain = _EMPHASES[sample_rate]
    A = 10 ** (gain / 40)
    Q = 1 / math.sqrt((A + 1 / A) * (1 / slope - 1) + 2)
    return _shelf(waveform, sample_rate, gain, frequency, Q, -1)


# The curve of records by sample rate: two zeros, two poles.
_RECORDS = {
    44100: (-0.2014898, 0.9233820, 0.7083149, 0.9924091),
    48000: (-0.1766069, 0.9321590, 0.7396325, 0.9931330),
    88200: (-0.1168735, 0.9648312, 0.8590646, 0.9964002),
    96000: (-0.1141486, 0.9676817, 0.8699137, 0.9966946),
}


def riaa_biquad(waveform, sample_rate):
    """What records are cut with undone, as phono amplifiers do (RIAA); 0 dB at 1,000 Hz."""
    _check_rate("riaa_biquad", sample_rate, _RECORDS)
    z1, z2, p1, p2 = _RECORDS[sample_rate]
    b, a = (1.0, -(z1 + z2), z1 * z2), (1.0, -(p1 + p2), p1 * p2)
    turn = 2 * math.pi * 1000 / sample_rate
    above, below = (
        abs(sum(c * cmath.exp(-1j * k * turn) for k, c in enumerate(cs))) for cs in (b, a)
    )
    return biquad(waveform, *(c * below / above for c in b), *a)


def _check_rate(name, sample_rate, known):
    if sample_rate not in known:
        rates = ", ".join(map(str, known))
        raise ArgumentError(f"{name}: expected a sample rate of {rates} Hz, got {sample_rate}")


def deemphasis(waveform, coeff=0.97):
    """`preemphasis` undone: y[t] = x[t] + coeff * y[t - 1], cut at -1 and 1."""
    one = tallow.ones(1, dtype=waveform.dtype, device=waveform.device)
    return lfilter(waveform, tallow.cat([one, one * -coeff]), tallow.cat([one, one * 0]))
