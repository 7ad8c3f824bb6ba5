"""Phases of spectra: found for magnitudes that lack them, and kept while time is stretched."""

import math

import tallow
from tallow.errors import ArgumentError
from tallowaudio.functional._resample import resample


def griffinlim(
    specgram, window, n_fft, hop_length, win_length, power, n_iter, momentum, length, rand_init
):
    """A waveform (..., time) of which (..., freq, frames) are the magnitudes to a power, about.

    It is found in `n_iter` steps, from random phases or, without `rand_init`, from 0. `momentum`,
    from 0 to below 1, makes them faster: Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim
    algorithm" (2013).
    """
    if not 0 <= momentum < 1:
        raise ArgumentError(f"griffinlim: expected momentum from 0 to below 1, got {momentum}")
    momentum = momentum / (1 + momentum)
    lead = specgram.shape[:-2]
    magnitudes = specgram.reshape(-1, *specgram.shape[-2:]).pow(1 / power)
    complex_dtype = tallow.complex128 if specgram.dtype is tallow.float64 else tallow.complex64
    start = tallow.rand if rand_init else tallow.ones
    phases = start(magnitudes.shape, dtype=complex_dtype, device=specgram.device)

    def waveform():
        return tallow.istft(magnitudes * phases, n_fft, hop_length, win_length, window,
                            length=length)  # fmt: skip

    before = 0.0
    for _ in range(n_iter):
        rebuilt = tallow.stft(
            waveform(), n_fft, hop_length, win_length, window, return_complex=True
        )
        phases = rebuilt - before * momentum if momentum else rebuilt
        phases = phases / (phases.abs() + 1e-16)
        before = rebuilt
    found = waveform()
    return found.reshape(*lead, found.shape[-1])


def phase_vocoder(complex_specgrams, rate, phase_advance):
    """A complex spectrum (..., freq, frames) faster by `rate`, at the same pitch.

    `phase_advance` (freq, 1) is how far the phase of each frequency goes from frame to frame. There
    are ceil(frames / rate) new frames. Flanagan and Golden, "Phase vocoder" (1966).

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> spectrum = tallow.ones(2, 5, 30, dtype=tallow.complex64)
    >>> F.phase_vocoder(spectrum, 1.3, tallow.linspace(0, tallow.pi * 4, 5)[:, None]).shape
    tallow.Size([2, 5, 24])
    """
    if rate == 1.0:
        return complex_specgrams
    real_dtype = complex_specgrams.real.dtype
    frames = complex_specgrams.shape[-1]
    steps = tallow.arange(0, frames, rate, dtype=real_dtype, device=complex_specgrams.device)
    padded = tallow.nn.functional.pad(complex_specgrams, (0, 2))
    left, right = (padded.index_select(-1, at.long()) for at in (steps, steps + 1))
    advance = right.angle() - left.angle() - phase_advance
    advance = advance - 2 * math.pi * (advance / (2 * math.pi)).round() + phase_advance
    first = complex_specgrams[..., :1].angle()
    phases = tallow.cat([first, advance[..., :-1]], -1).cumsum(-1)
    share = steps % 1.0
    return tallow.polar(share * right.abs() + (1 - share) * left.abs(), phases)


def pitch_shift(
    waveform, sample_rate, n_steps, bins_per_octave=12, n_fft=512, win_length=None,
    hop_length=None, window=None,
):  # fmt: skip
    """A waveform (..., time) higher by `n_steps` of the `bins_per_octave`, just as long.

    It is stretched by `phase_vocoder`, with frames of `n_fft` samples, and then played faster.
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    if window is None:
        window = tallow.hann_window(win_length, device=waveform.device)
    length = waveform.shape[-1]
    rate = 2.0 ** (-float(n_steps) / bins_per_octave)
    frames = (n_fft, hop_length, win_length, window)
    spectrum = tallow.stft(waveform.reshape(-1, length), *frames, return_complex=True)
    advance = tallow.linspace(0, math.pi * hop_length, spectrum.shape[-2], device=waveform.device)[
        :, None
    ]
    stretched = phase_vocoder(spectrum, rate, advance)
    stretched = tallow.istft(stretched, *frames, length=round(length / rate))
    shifted = resample(stretched, int(sample_rate / rate), sample_rate)[..., :length]
    shifted = tallow.nn.functional.pad(shifted, (0, length - shifted.shape[-1]))
    return shifted.reshape(waveform.shape)
