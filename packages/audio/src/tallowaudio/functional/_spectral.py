"""Spectrograms, their inverse, and decibels."""

import tallow
from tallow.errors import ArgumentError, DtypeError, describe

_NORMALIZATIONS = {False: None, True: "window", "window": "window", "frame_length": "frame_length"}


def _normalization(name, normalized):
    """None, "window" (by the energy of the window) or "frame_length" (by the root of n_fft)."""
    if normalized not in _NORMALIZATIONS:
        raise ArgumentError(
            f"{name}: expected normalized False, True, 'window' or 'frame_length', "
            f"got {normalized!r}"
        )
    return _NORMALIZATIONS[normalized]


def _energy(window):
    return (window * window).sum().sqrt()


def spectrogram(
    waveform, pad, window, n_fft, hop_length, win_length, power, normalized, center=True,
    pad_mode="reflect", onesided=True, return_complex=None,
):  # fmt: skip
    """Magnitudes of the frequencies in a waveform over time: (..., time) -> (..., freq, frames).

    The waveform gets `pad` zeros at both ends. `power` is the magnitudes' exponent, 1 or 2 (energy)
    as a rule; None gives the complex spectrum. `normalized` divides by the root of the window's
    energy (True or "window") or of n_fft ("frame_length"). The rest is as in `tallow.stft`, and
    `return_complex` changes nothing.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> wave = tallow.sin(tallow.arange(32) * (2 * tallow.pi / 8))
    >>> F.spectrogram(wave, 0, tallow.ones(8), 8, 8, 8, 2.0, False, center=False)[:, 0].round()
    tensor([ 0., 16.,  0.,  0.,  0.])
    """
    norm = _normalization("spectrogram", normalized)
    if not waveform.is_floating_point():
        raise DtypeError(
            f"spectrogram: expected a floating-point waveform, got {describe(waveform)}"
        )
    if pad > 0:
        waveform = tallow.nn.functional.pad(waveform, (pad, pad))
    lead = waveform.shape[:-1]
    spectrum = tallow.stft(
        waveform.reshape(-1, waveform.shape[-1]), n_fft, hop_length, win_length, window, center,
        pad_mode, norm == "frame_length", onesided, return_complex=True,
    )  # fmt: skip
    spectrum = spectrum.reshape(*lead, *spectrum.shape[-2:])
    if norm == "window":
        spectrum = spectrum / _energy(window)
    if power is None:
        return spectrum
    if power == 2:
        return spectrum.real.square() + spectrum.imag.square()
    magnitudes = spectrum.abs()
    return magnitudes if power == 1 else magnitudes.pow(power)


def inverse_spectrogram(
    spectrogram, length, pad, window, n_fft, hop_length, win_length, normalized, center=True,
    pad_mode="reflect", onesided=True,
):  # fmt: skip
    """The waveform whose complex spectrum this is: (..., freq, frames) -> (..., time).

    `length` is that of the waveform, without the `pad` at its ends, which is dropped only where it
    is given. The arguments are those that made the spectrum; `pad_mode` changes nothing.
    """
    if not spectrogram.is_complex():
        raise ArgumentError(
            f"inverse_spectrogram: expected a complex spectrum, got {describe(spectrogram)}"
        )
    norm = _normalization("inverse_spectrogram", normalized)
    if norm == "window":
        spectrogram = spectrogram * _energy(window)
    lead = spectrogram.shape[:-2]
    waveform = tallow.istft(
        spectrogram.reshape(-1, *spectrogram.shape[-2:]), n_fft, hop_length, win_length, window,
        center, norm == "frame_length", onesided, None if length is None else length + 2 * pad,
    )  # fmt: skip
    if length is not None:
        waveform = waveform[:, pad : pad + length]
    return waveform.reshape(*lead, waveform.shape[-1])


def amplitude_to_DB(x, multiplier, amin, db_multiplier, top_db=None):
    """Decibels: multiplier * (log10(x) - db_multiplier), x being at least `amin`.

    The multiplier is 10 for powers and 20 for amplitudes. `top_db` cuts what is that far below the
    maximum of each (channel, freq, time) of the input.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.amplitude_to_DB(tallow.tensor([[1.0, 10.0, 1e-9]]), 10.0, 1e-10, 0.0, top_db=80.0)
    tensor([[  0.,  10., -70.]])
    """
    decibels = multiplier * x.clamp(min=amin).log10() - multiplier * db_multiplier
    if top_db is None:
        return decibels
    dims = tuple(range(-min(x.ndim, 3), 0))
    return tallow.maximum(decibels, decibels.amax(dims, keepdim=True) - top_db)


def DB_to_amplitude(x, ref, power):
    """From decibels to ref * 10 ** (x * power / 10): powers for `power` 1, amplitudes for 0.5."""
    return ref * tallow.pow(tallow.pow(10.0, 0.1 * x), power)


def spectral_centroid(waveform, sample_rate, pad, window, n_fft, hop_length, win_length):
    """The mean frequency of each frame, in Hz, weighted by magnitude: (..., frames)."""
    magnitudes = spectrogram(waveform, pad, window, n_fft, hop_length, win_length, 1.0, False)
    frequencies = tallow.linspace(0, sample_rate // 2, n_fft // 2 + 1, device=waveform.device)
    return (frequencies[:, None] * magnitudes).sum(-2) / magnitudes.sum(-2)


def compute_deltas(specgram, win_length=5, mode="replicate"):
    """How fast (..., freq, time) changes: the slope of a line through `win_length` frames.

    `mode` says how the ends are padded, as in `nn.functional.pad`.
    """
    if win_length < 3:
        raise ArgumentError(f"compute_deltas: expected a win_length of 3 or more, got {win_length}")
    n = (win_length - 1) // 2
    rows = specgram.reshape(-1, 1, specgram.shape[-1])
    rows = tallow.nn.functional.pad(rows, (n, n), mode=mode)
    steps = tallow.arange(-n, n + 1, dtype=specgram.dtype, device=specgram.device)
    slopes = tallow.nn.functional.conv1d(rows, steps[None, None]) / (n * (n + 1) * (2 * n + 1) / 3)
    return slopes.reshape(specgram.shape)
