"""Where speech begins, as SoX's `vad` finds it: by the power of the cepstrum."""

import math
import warnings

import numpy as np

from tallow.errors import ArgumentError


def vad(
    waveform, sample_rate, trigger_level=7.0, trigger_time=0.25, search_time=1.0, allowed_gap=0.25,
    pre_trigger_time=0.0, boot_time=0.35, noise_up_time=0.1, noise_down_time=0.01,
    noise_reduction_amount=1.35, measure_freq=20.0, measure_duration=None, measure_smooth_time=0.4,
    hp_filter_freq=50.0, lp_filter_freq=6000.0, hp_lifter_freq=150.0, lp_lifter_freq=2000.0,
):  # fmt: skip
    """A waveform (time,) or (channels, time) from where speech begins, by its energy and pitch.

    `measure_freq` times a second, over `measure_duration` s, the power of the cepstrum between the
    `lifter` frequencies is measured, of a spectrum between the `filter` frequencies (Hz) from which
    `noise_reduction_amount` times the noise is taken. Once its mean over `trigger_time` s is
    above `trigger_level`, the beginning is searched in the `search_time` s before, over gaps of up
    to `allowed_gap`, and `pre_trigger_time` more is kept. Noise is estimated over `boot_time` s,
    then follows in `noise_up_time` and `noise_down_time`. Where nothing triggers, nothing is left.
    """
    if waveform.ndim > 2:
        warnings.warn(
            f"vad: expected (time,) or (channels, time), got {waveform.ndim} dims; all that sounds "
            "at once counts as one recording",
            stacklevel=2,
        )
    measure = _Measure(
        sample_rate, 2.0 / measure_freq if measure_duration is None else measure_duration,
        (hp_filter_freq, lp_filter_freq), (hp_lifter_freq, lp_lifter_freq), noise_reduction_amount,
        *(math.exp(-1.0 / (time * measure_freq))
          for time in (measure_smooth_time, noise_up_time, noise_down_time)),
    )  # fmt: skip
    period = int(sample_rate / measure_freq + 0.5)
    searched = math.ceil(search_time * measure_freq)
    gap = int(allowed_gap * measure_freq + 0.5)
    kept = int(pre_trigger_time * sample_rate + 0.5)
    rows = waveform.detach().cpu().numpy().reshape(-1, waveform.shape[-1]).astype(np.float32)
    measures = np.zeros((len(rows), searched), np.float32)
    mean, smooth = np.zeros(len(rows), np.float32), math.exp(-1.0 / (trigger_time * measure_freq))
    booted = int(boot_time * measure_freq - 0.5)
    for count, stop in enumerate(range(measure.size, rows.shape[1], period)):
        boot = count if count <= booted else -1
        place = count % searched
        measures[:, place] = measure(rows[:, stop - measure.size : stop], boot)
        mean = mean * np.float32(smooth) + measures[:, place] * np.float32(1 - smooth)
        if (mean >= trigger_level).any():
            first = int(np.argmax(mean >= trigger_level))
            recent = np.roll(measures[first:, ::-1], place + 1, axis=1)  # newest first
            back = max(_beginning(row, trigger_level, gap) for row in recent)
            whole = kept + searched * period + measure.size
            return waveform[..., max(stop - whole + (searched - back) * period, 0) :]
    return waveform[..., :kept]


def _beginning(measures, level, gap):
    """How many measures back speech begins, of measures with the newest first."""
    count = len(measures)
    trigger = zero = count
    for j, value in enumerate(measures):
        if value >= level and j <= trigger + gap:
            zero = trigger = j
        elif value == 0 and trigger >= zero:
            zero = j
    return min(count - 1, zero)


class _Measure:
    """The power of the cepstrum of frames (channels, size), with what is known of the noise."""

    def __init__(
        self, sample_rate, duration, filters, lifters, reduction, smooth, noise_up, noise_down
    ):
        self.size = int(sample_rate * duration + 0.5)
        self.points = max(16, 2 ** math.ceil(math.log2(self.size)))
        low, high = (int(f / sample_rate * self.points + 0.5) for f in filters)
        self.band = slice(max(low, 1), min(high, self.points // 2))
        first = math.ceil(sample_rate * 0.5 / lifters[1])
        last = min(math.floor(sample_rate * 0.5 / lifters[0]), self.points // 4)
        if last <= first or self.band.stop <= self.band.start:
            raise ArgumentError(
                f"vad: expected a band of frequencies and of the cepstrum, got {filters} and "
                f"{lifters} Hz at {sample_rate} Hz"
            )
        self.lifter = slice(first, last)
        self.window = _window(self.size)
        self.cepstrum_window = _window(self.band.stop - self.band.start)
        self.reduction, self.smooth = reduction, smooth
        self.noise_up, self.noise_down = noise_up, noise_down
        self.spectrum = self.noise = np.float32(0)

    def __call__(self, frames, boot):
        """The measures (channels,); `boot` counts those of the beginning, then it is -1."""
        magnitudes = np.abs(np.fft.rfft(frames * self.window, self.points))[:, self.band]
        keep = np.float32(boot / (1.0 + boot) if boot >= 0 else self.smooth)
        self.spectrum = self.spectrum * keep + magnitudes * (1 - keep)
        power = self.spectrum**2
        if boot >= 0:
            self.noise = power
        else:
            keep = np.where(power > self.noise, self.noise_up, self.noise_down).astype(np.float32)
            self.noise = self.noise * keep + power * (1 - keep)
        clean = np.sqrt(np.maximum(power - self.reduction * self.noise, 0))
        spectrum = np.zeros((len(frames), self.points // 2), np.float32)
        spectrum[:, self.band] = clean * self.cepstrum_window
        cepstrum = np.abs(np.fft.rfft(spectrum)[:, self.lifter]) ** 2
        total = cepstrum.sum(1) / (self.lifter.stop - self.lifter.start)
        logs = np.log(total, out=np.full(len(total), -np.inf), where=total > 0)
        return np.maximum(0, 21 + logs)


def _window(size):
    """Hann's, periodic, of root mean square about 1."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return (hann * 2.0 / math.sqrt(size)).astype(np.float32)
