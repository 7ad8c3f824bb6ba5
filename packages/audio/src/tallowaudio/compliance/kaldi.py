"""Features as Kaldi computes them: `spectrogram`, `fbank` and `mfcc`, (frames, features).

Times are in milliseconds, frequencies in Hz. Waveforms are (channels, time), with samples in the
range of 16-bit integers if results are to be Kaldi's; `channel` -1 is the first. Povey et al., "The
Kaldi speech recognition toolkit" (2011).
"""

import math
from dataclasses import dataclass

import tallow
from tallow.errors import ArgumentError, describe
from tallowaudio.functional import create_dct

__all__ = [
    "fbank", "get_mel_banks", "inverse_mel_scale", "inverse_mel_scale_scalar", "mel_scale",
    "mel_scale_scalar", "mfcc", "spectrogram", "vtln_warp_freq", "vtln_warp_mel_freq",
]  # fmt: skip

_LEAST = float(tallow.finfo(tallow.float32).eps)


def mel_scale_scalar(freq):
    """Mels of a frequency in Hz: 1127 log(1 + f / 700)."""
    return 1127.0 * math.log(1.0 + freq / 700.0)


def inverse_mel_scale_scalar(mel_freq):
    """The frequency in Hz of mels."""
    return 700.0 * (math.exp(mel_freq / 1127.0) - 1.0)


def mel_scale(freq):
    """Mels of a tensor of frequencies in Hz."""
    return 1127.0 * (1.0 + freq / 700.0).log()


def inverse_mel_scale(mel_freq):
    """The frequencies in Hz of a tensor of mels."""
    return 700.0 * ((mel_freq / 1127.0).exp() - 1.0)


# Frames


@dataclass(frozen=True)
class _Framing:
    """How a waveform is cut into frames; the fields are `spectrogram`'s arguments."""

    blackman_coeff: float
    channel: int
    dither: float
    energy_floor: float
    frame_length: float
    frame_shift: float
    min_duration: float
    preemphasis_coefficient: float
    raw_energy: bool
    remove_dc_offset: bool
    round_to_power_of_two: bool
    sample_frequency: float
    snip_edges: bool
    window_type: str

    @property
    def size(self):
        """Samples of a frame."""
        return int(self.sample_frequency * self.frame_length * 0.001)

    @property
    def shift(self):
        """Samples from a frame to the next."""
        return int(self.sample_frequency * self.frame_shift * 0.001)

    @property
    def points(self):
        """Samples of a frame with zeros behind it: a power of 2 if asked for."""
        return 2 ** (self.size - 1).bit_length() if self.round_to_power_of_two else self.size

    def frames(self, name, waveform):
        """Windowed frames (frames, points) and the logarithms of their energies (frames,).

        None for a waveform that is shorter than `min_duration`, in seconds.
        """
        channel = max(self.channel, 0)
        self._check(name, waveform, channel)
        wave = waveform[channel]
        if len(wave) < self.min_duration * self.sample_frequency:
            return None
        frames = self._cut(wave)
        if self.dither:
            noise = tallow.randn(frames.shape, dtype=frames.dtype, device=frames.device)
            frames = frames + noise * self.dither
        if self.remove_dc_offset:
            frames = frames - frames.mean(1, keepdim=True)
        energy = self._log_energy(frames)
        if self.preemphasis_coefficient:
            before = tallow.cat([frames[:, :1], frames[:, :-1]], 1)
            frames = frames - self.preemphasis_coefficient * before
        frames = frames * self._window(frames)
        if not self.raw_energy:
            energy = self._log_energy(frames)
        return tallow.nn.functional.pad(frames, (0, self.points - self.size)), energy

    def _check(self, name, waveform, channel):
        if waveform.ndim != 2 or channel >= len(waveform):
            raise ArgumentError(
                f"{name}: expected a waveform (channels, time) with a channel {channel}, got "
                f"{describe(waveform)}"
            )
        if not 2 <= self.size <= waveform.shape[1] or self.shift < 1:
            raise ArgumentError(
                f"{name}: expected frames of 2 to {waveform.shape[1]} samples, and a shift of 1 or "
                f"more, got {self.size} and {self.shift}"
            )
        if self.points % 2 or not 0 <= self.preemphasis_coefficient <= 1:
            raise ArgumentError(
                f"{name}: expected an even number of samples in a frame, and a "
                f"preemphasis_coefficient from 0 to 1, got {self.points} and "
                f"{self.preemphasis_coefficient}"
            )
        if self.window_type not in _WINDOWS:
            raise ArgumentError(
                f"{name}: expected a window of {', '.join(_WINDOWS)}, got {self.window_type!r}"
            )

    def _cut(self, wave):
        """The frames: those that fit, or as many as shifts do, over a wave mirrored at its ends."""
        if self.snip_edges:
            return wave.unfold(0, self.size, self.shift)
        count = (len(wave) + self.shift // 2) // self.shift
        before = self.size // 2 - self.shift // 2
        mirrored = wave.flip(0)
        head = [mirrored[-before:], wave] if before > 0 else [wave[-before:]]
        return tallow.cat([*head, mirrored]).unfold(0, self.size, self.shift)[:count]

    def _log_energy(self, frames):
        energy = frames.square().sum(1).clamp(min=_LEAST).log()
        return energy.clamp(min=math.log(self.energy_floor)) if self.energy_floor else energy

    def _window(self, like):
        made = _WINDOWS[self.window_type]
        return made(self.size, self.blackman_coeff).to(like.device, like.dtype)


def _hann(size, _):
    return tallow.hann_window(size, periodic=False, dtype=tallow.float64)


def _blackman(size, a):
    turn = 2 * math.pi / (size - 1) * tallow.arange(size, dtype=tallow.float64)
    return a - 0.5 * turn.cos() + (0.5 - a) * (2 * turn).cos()


_WINDOWS = {
    "hamming": lambda size, _: tallow.hamming_window(size, periodic=False, dtype=tallow.float64),
    "hanning": _hann,
    "povey": lambda size, _: _hann(size, _).pow(0.85),
    "rectangular": lambda size, _: tallow.ones(size),
    "blackman": _blackman,
}


# Features


def spectrogram(
    waveform, blackman_coeff=0.42, channel=-1, dither=0.0, energy_floor=1.0, frame_length=25.0,
    frame_shift=10.0, min_duration=0.0, preemphasis_coefficient=0.97, raw_energy=True,
    remove_dc_offset=True, round_to_power_of_two=True, sample_frequency=16000.0, snip_edges=True,
    subtract_mean=False, window_type="povey",
):  # fmt: skip
    """The logarithm of the power of each frequency, (frames, points / 2 + 1), the energy first.

    >>> import tallow
    >>> from tallowaudio.compliance import kaldi
    >>> kaldi.spectrogram(tallow.randn(1, 16000)).shape
    tallow.Size([98, 257])
    """
    framing = _Framing(
        blackman_coeff, channel, dither, energy_floor, frame_length, frame_shift, min_duration,
        preemphasis_coefficient, raw_energy, remove_dc_offset, round_to_power_of_two,
        sample_frequency, snip_edges, window_type,
    )  # fmt: skip
    cut = framing.frames("spectrogram", waveform)
    if cut is None:
        return tallow.empty(0)
    frames, energy = cut
    power = tallow.fft.rfft(frames).abs().square().clamp(min=_LEAST).log()
    return _centred(tallow.cat([energy[:, None], power[:, 1:]], 1), subtract_mean)


def _centred(features, subtract_mean):
    return features - features.mean(0) if subtract_mean else features


def fbank(
    waveform, blackman_coeff=0.42, channel=-1, dither=0.0, energy_floor=1.0, frame_length=25.0,
    frame_shift=10.0, high_freq=0.0, htk_compat=False, low_freq=20.0, min_duration=0.0,
    num_mel_bins=23, preemphasis_coefficient=0.97, raw_energy=True, remove_dc_offset=True,
    round_to_power_of_two=True, sample_frequency=16000.0, snip_edges=True, subtract_mean=False,
    use_energy=False, use_log_fbank=True, use_power=True, vtln_high=-500.0, vtln_low=100.0,
    vtln_warp=1.0, window_type="povey",
):  # fmt: skip
    """Mel bands of each frame, (frames, num_mel_bins), as logarithms of power.

    With `use_energy` the logarithm of the energy comes first, or last with `htk_compat`.
    `vtln_warp` stretches frequencies, for longer or shorter vocal tracts; see `get_mel_banks`.

    >>> import tallow
    >>> from tallowaudio.compliance import kaldi
    >>> kaldi.fbank(tallow.randn(1, 16000), num_mel_bins=80).shape
    tallow.Size([98, 80])
    """
    framing = _Framing(
        blackman_coeff, channel, dither, energy_floor, frame_length, frame_shift, min_duration,
        preemphasis_coefficient, raw_energy, remove_dc_offset, round_to_power_of_two,
        sample_frequency, snip_edges, window_type,
    )  # fmt: skip
    cut = framing.frames("fbank", waveform)
    if cut is None:
        return tallow.empty(0, dtype=waveform.dtype, device=waveform.device)
    frames, energy = cut
    spectrum = tallow.fft.rfft(frames).abs()
    spectrum = spectrum.square() if use_power else spectrum
    banks, _ = get_mel_banks(
        num_mel_bins, framing.points, sample_frequency, low_freq, high_freq, vtln_low, vtln_high,
        vtln_warp,
    )  # fmt: skip
    features = spectrum[:, :-1] @ banks.to(spectrum.device, spectrum.dtype).T
    if use_log_fbank:
        features = features.clamp(min=_LEAST).log()
    if use_energy:
        columns = [energy[:, None], features]
        features = tallow.cat(columns[::-1] if htk_compat else columns, 1)
    return _centred(features, subtract_mean)


def mfcc(
    waveform, blackman_coeff=0.42, cepstral_lifter=22.0, channel=-1, dither=0.0, energy_floor=1.0,
    frame_length=25.0, frame_shift=10.0, high_freq=0.0, htk_compat=False, low_freq=20.0,
    num_ceps=13, min_duration=0.0, num_mel_bins=23, preemphasis_coefficient=0.97, raw_energy=True,
    remove_dc_offset=True, round_to_power_of_two=True, sample_frequency=16000.0, snip_edges=True,
    subtract_mean=False, use_energy=False, vtln_high=-500.0, vtln_low=100.0, vtln_warp=1.0,
    window_type="povey",
):  # fmt: skip
    """Cepstral coefficients of each frame, (frames, num_ceps): the DCT of `fbank`, lifted.

    `use_energy` puts the energy in place of the first; with `htk_compat` that is the last.

    >>> import tallow
    >>> from tallowaudio.compliance import kaldi
    >>> kaldi.mfcc(tallow.randn(1, 16000)).shape
    tallow.Size([98, 13])
    """
    if num_ceps > num_mel_bins:
        raise ArgumentError(
            f"mfcc: expected no more coefficients than the {num_mel_bins} mel bins, got {num_ceps}"
        )
    features = fbank(
        waveform, blackman_coeff, channel, dither, energy_floor, frame_length, frame_shift,
        high_freq, False, low_freq, min_duration, num_mel_bins, preemphasis_coefficient,
        raw_energy, remove_dc_offset, round_to_power_of_two, sample_frequency, snip_edges, False,
        use_energy, True, True, vtln_high, vtln_low, vtln_warp, window_type,
    )  # fmt: skip
    if not features.numel():
        return features
    matrix = create_dct(num_ceps, num_mel_bins, "ortho").to(features.device, features.dtype)
    cepstrum = features[:, int(use_energy) :] @ matrix
    if cepstral_lifter:
        place = tallow.arange(num_ceps, dtype=features.dtype, device=features.device)
        lift = (math.pi * place / cepstral_lifter).sin()
        cepstrum = cepstrum * (1.0 + 0.5 * cepstral_lifter * lift)
    first = features[:, :1] if use_energy else cepstrum[:, :1]
    if htk_compat:
        first = first if use_energy else first * math.sqrt(2)
        cepstrum = tallow.cat([cepstrum[:, 1:], first], 1)
    else:
        cepstrum = tallow.cat([first, cepstrum[:, 1:]], 1)
    return _centred(cepstrum, subtract_mean)


# Mel bands


def get_mel_banks(
    num_bins, window_length_padded, sample_freq, low_freq, high_freq, vtln_low, vtln_high,
    vtln_warp_factor,
):  # fmt: skip
    """Triangular filters (num_bins, window_length_padded / 2), and their centres in Hz.

    They are equally wide in mels, from `low_freq` to `high_freq` (0 or below: counted from half the
    sample rate), and warped between `vtln_low` and `vtln_high` by a factor other than 1.
    """
    nyquist = 0.5 * sample_freq
    high_freq = high_freq + nyquist if high_freq <= 0 else high_freq
    vtln_high = vtln_high + nyquist if vtln_high < 0 else vtln_high
    warped = vtln_warp_factor != 1.0
    if num_bins <= 3 or not 0 <= low_freq < high_freq <= nyquist:
        raise ArgumentError(
            f"get_mel_banks: expected 4 bins or more and frequencies from 0 to {nyquist} Hz, got "
            f"{num_bins}, {low_freq} and {high_freq}"
        )
    if warped and not low_freq < vtln_low < vtln_high < high_freq:
        raise ArgumentError(
            f"get_mel_banks: expected a warp between {low_freq} and {high_freq} Hz, got "
            f"{vtln_low} and {vtln_high}"
        )
    low, high = mel_scale_scalar(low_freq), mel_scale_scalar(high_freq)
    step = (high - low) / (num_bins + 1)
    edges = [low + (tallow.arange(num_bins)[:, None] + n) * step for n in (0.0, 1.0, 2.0)]
    if warped:
        limits = vtln_low, vtln_high, low_freq, high_freq, vtln_warp_factor
        edges = [vtln_warp_mel_freq(*limits, edge) for edge in edges]
    left, centre, right = edges
    width = sample_freq / window_length_padded
    mel = mel_scale(width * tallow.arange(float(window_length_padded // 2)))[None]
    slopes = (mel - left) / (centre - left), (right - mel) / (right - centre)
    return tallow.minimum(*slopes).clamp(min=0), inverse_mel_scale(centre)


def vtln_warp_freq(vtln_low_cutoff, vtln_high_cutoff, low_freq, high_freq, vtln_warp_factor, freq):
    """Frequencies (Hz) divided by a factor, in three linear parts that keep both ends in place."""
    low = vtln_low_cutoff * max(1.0, vtln_warp_factor)
    high = vtln_high_cutoff * min(1.0, vtln_warp_factor)
    if not (low_freq < vtln_low_cutoff and vtln_high_cutoff < high_freq and low_freq < low):
        raise ArgumentError(
            f"vtln_warp_freq: expected cutoffs between {low_freq} and {high_freq} Hz, got "
            f"{vtln_low_cutoff} and {vtln_high_cutoff}"
        )
    scale = 1.0 / vtln_warp_factor
    below = low_freq + (scale * low - low_freq) / (low - low_freq) * (freq - low_freq)
    above = high_freq + (high_freq - scale * high) / (high_freq - high) * (freq - high_freq)
    warped = tallow.where(freq < low, below, tallow.where(freq < high, scale * freq, above))
    return tallow.where((freq < low_freq) | (freq > high_freq), freq, warped)


def vtln_warp_mel_freq(
    vtln_low_cutoff, vtln_high_cutoff, low_freq, high_freq, vtln_warp_factor, mel_freq
):
    """As `vtln_warp_freq`, of mels."""
    warped = vtln_warp_freq(
        vtln_low_cutoff, vtln_high_cutoff, low_freq, high_freq, vtln_warp_factor,
        inverse_mel_scale(mel_freq),
    )  # fmt: skip
    return mel_scale(warped)
