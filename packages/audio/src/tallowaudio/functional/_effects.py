"""Effects on waveforms (..., time), as SoX has them; results are cut at -1 and 1."""

import math

import numpy as np

import tallow
from tallow.errors import ArgumentError, describe
from tallowaudio.functional._filters import lfilter


def contrast(waveform, enhancement_amount=75.0):
    """The waveform louder and brighter, as a compressor makes it; the amount is 0 to 100."""
    if not 0 <= enhancement_amount <= 100:
        raise ArgumentError(f"contrast: expected an amount from 0 to 100, got {enhancement_amount}")
    angle = waveform * (math.pi / 2)
    return (angle + enhancement_amount / 750.0 * (angle * 4).sin()).sin()


def dcshift(waveform, shift, limiter_gain=None):
    """The waveform moved by `shift`, from -2 to 2.

    What would pass the end is squeezed, with `limiter_gain` (around 0.05), rather than cut.
    """
    shifted = (waveform + shift).clamp(-1, 1)
    if limiter_gain is None or shift == 0:
        return shifted
    threshold = 1.0 - (abs(shift) - limiter_gain)
    side = 1 if shift > 0 else -1
    beyond = side * waveform - threshold
    squeezed = beyond * limiter_gain / (1 - threshold) + threshold + abs(shift)
    return tallow.where(beyond > 0, side * squeezed.clamp(max=threshold), shifted)


def overdrive(waveform, gain=20, colour=20):
    """The waveform distorted, by a gain in dB and a colour from 0 to 100: how many even harmonics.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.overdrive(tallow.tensor([0.0, 0.3, -0.3]))
    tensor([ 0.0748,  0.6496, -0.6529])
    """
    driven = waveform * 10 ** (gain / 20) + colour / 200
    cubic = driven - driven**3 / 3
    bent = tallow.where(driven.abs() > 1, driven.sign() * (2 / 3), cubic)
    blocked = lfilter(bent, *_coefficients(waveform, [1.0, -0.995], [1.0, -1.0]), clamp=False)
    return (waveform * 0.5 + blocked * 0.75).clamp(-1, 1)


def _coefficients(like, *rows):
    return (tallow.tensor(row, dtype=like.dtype, device=like.device) for row in rows)


# Dither


def dither(waveform, density_function="TPDF", noise_shaping=False):
    """The waveform rounded to 16 bits, with something added first that hides the steps.

    `density_function` is that of what is added: TPDF (triangular), RPDF (uniform) or GPDF (normal),
    as torchaudio draws it. `noise_shaping` adds the error of each sample to the next.
    """
    noises = {"TPDF": _triangle, "RPDF": _uniform, "GPDF": _normal}
    if density_function not in noises:
        raise ArgumentError(f"dither: expected {', '.join(noises)}, got {density_function!r}")
    rows = waveform.reshape(-1, waveform.shape[-1])
    channel, time = (_drawn(n - 1) for n in rows.shape)
    noise = noises[density_function](rows, channel, time)
    dithered = (rows * (2**15 - 2) + noise).round() / 2**15
    if noise_shaping:
        error = dithered - rows
        dithered = dithered + tallow.nn.functional.pad(error[:, :-1], (1, 0))
    return dithered.reshape(waveform.shape)


def _drawn(bound):
    """A random whole number below a bound; 0, without a draw, if there is none."""
    return int(tallow.randint(bound, [1])) if bound > 0 else 0


def _triangle(rows, channel, time):
    return tallow.bartlett_window(rows.shape[1], dtype=rows.dtype, device=rows.device)


def _uniform(rows, channel, time):
    return rows[channel, time] - 0.5


def _normal(rows, channel, time):
    """About normal: the sum of seven samples of the waveform."""
    total = rows[channel, time]
    for _ in range(6):
        channel = _drawn(rows.shape[0] - 1)
        total = total + rows[channel, _drawn(rows.shape[1] - 1)]
    return total


# Delays that swing


def _swing(shape, size, low, high, phase):
    """A period of `size` samples from `low` to `high`, "sine" or "triangle", in float64."""
    places = (np.arange(size) + int(phase / math.pi / 2 * size + 0.5)) % size
    if shape == "sine":
        wave = (np.sin(places / size * 2 * math.pi) + 1) / 2
    else:
        wave = places * 2 / size
        quarter = 4 * places // size
        wave = np.select([quarter == 0, quarter == 3], [wave + 0.5, wave - 1.5], 1.5 - wave)
    return wave * (high - low) + low


def phaser(
    waveform, sample_rate, gain_in=0.4, gain_out=0.74, delay_ms=3.0, decay=0.4, mod_speed=0.5,
    sinusoidal=True,
):  # fmt: skip
    """The waveform with an echo of itself, whose delay swings up to `delay_ms`, `mod_speed` in Hz.

    y[t] = gain_in x[t] + decay y[t - d[t]], times gain_out. Chains of echoes are followed by
    doubling: each step joins two links, and squares the decay.
    """
    longest = int(delay_ms * 0.001 * sample_rate + 0.5)
    if longest < 1:
        raise ArgumentError(f"phaser: expected a delay of a sample or more, got {delay_ms} ms")
    period = int(sample_rate / mod_speed + 0.5)
    swing = _swing("sine" if sinusoidal else "triangle", period, 1.0, float(longest), math.pi / 2)
    delays = longest + 1 - np.trunc(swing + 0.5).astype(int)
    count = waveform.shape[-1]
    source = np.maximum(np.arange(count) - np.resize(delays, count) + 1, 0)  # 0: before the start
    source = np.concatenate([[0], source])
    echoed = tallow.nn.functional.pad(waveform * gain_in, (1, 0))
    while source.any() and abs(decay) > 1e-30:
        echoed = echoed + decay * _at(echoed, source)
        source, decay = source[source], decay * decay
    return (echoed[..., 1:] * gain_out).clamp(-1, 1)


def _at(waveform, places):
    """The samples at places, an array (time,), or (channels, time) for (..., channels, time)."""
    index = tallow.from_numpy(places).to(waveform.device)
    if index.ndim == 1:
        return waveform.index_select(-1, index)
    return waveform.gather(-1, index.expand(*waveform.shape[:-1], index.shape[-1]))


def flanger(
    waveform, sample_rate, delay=0.0, depth=2.0, regen=0.0, width=71.0, speed=0.5, phase=25.0,
    modulation="sinusoidal", interpolation="linear",
):  # fmt: skip
    """A waveform (..., channels, time), up to 4 channels, with itself later by a swinging delay.

    The delay swings from `delay` to `delay` + `depth` ms, `speed` times a second, sinusoidal or
    triangular; `phase` % of a swing lie between channels. `regen` % of what is delayed is delayed
    again, and `width` % mixed in. Delays between samples are interpolated, linear or quadratic.
    """
    for given, known in (
        (modulation, ("sinusoidal", "triangular")), (interpolation, ("linear", "quadratic")),
    ):  # fmt: skip
        if given not in known:
            raise ArgumentError(f"flanger: expected {' or '.join(known)}, got {given!r}")
    if waveform.ndim < 2 or waveform.shape[-2] > 4:
        raise ArgumentError(
            f"flanger: expected (..., channels, time), up to 4 channels, got {describe(waveform)}"
        )
    if not -100 < regen < 100:
        raise ArgumentError(f"flanger: expected regen between -100 and 100 %, got {regen}")
    regen, mixed = regen / 100, width / 100
    lags, weights = _swinging_taps(
        waveform, sample_rate, delay / 1000, depth / 1000, speed, phase / 100, modulation,
        interpolation,
    )  # fmt: skip

    def delayed(x):
        x = tallow.nn.functional.pad(x, (1, 0))
        places = (np.maximum(np.arange(1, x.shape[-1]) - lag, 0) for lag in lags)
        return sum(weight * _at(x, place) for weight, place in zip(weights, places, strict=True))

    fed, rest = waveform, abs(regen)
    while rest > 1e-9:  # regen times itself delayed, again and again
        fed = waveform + regen * tallow.nn.functional.pad(delayed(fed)[..., :-1], (1, 0))
        rest *= abs(regen)
    loud = mixed / (1 + mixed) * (1 - abs(regen))
    return (waveform / (1 + mixed) + delayed(fed) * loud).clamp(-1, 1)


def _swinging_taps(waveform, sample_rate, delay, depth, speed, phase, modulation, interpolation):
    """Delays in samples, arrays (channels, time), and tensors of their weights."""
    channels, time = waveform.shape[-2:]
    size = int((delay + depth) * sample_rate + 0.5) + 2
    period = int(sample_rate / speed)
    shape = "sine" if modulation == "sinusoidal" else "triangle"
    low = math.floor(delay * sample_rate + 0.5)
    swing = _swing(shape, period, low, size - 2.0, 3 * math.pi / 2).astype(np.float32)
    starts = (np.arange(channels) * period * phase + 0.5).astype(int)
    delays = swing[(np.arange(time) + starts[:, None]) % period]
    whole = np.floor(delays)
    part = tallow.from_numpy(delays - whole).to(waveform.device, waveform.dtype)
    lags = [(whole.astype(int) + n) % size for n in range(3)]
    if interpolation == "linear":
        return lags[:2], (1 - part, part)
    weights = (1 - part) * (2 - part) / 2, part * (2 - part), part * (part - 1) / 2
    return lags, weights
