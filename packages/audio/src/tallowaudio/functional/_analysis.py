"""What waveforms sound like in numbers: loudness, pitch; and spectra set against their means."""

import math

import tallow
from tallow.errors import ArgumentError, describe
from tallowaudio.functional._filters import highpass_biquad, treble_biquad

# ITU-R BS.1770-4: seconds of a block, the part that blocks share, LKFS of silence, dB from the mean
# on, weights of channels (left, right, centre, and those behind).
_BLOCK, _SHARED, _SILENT, _BELOW = 0.4, 0.75, -70.0, -10.0
_CHANNELS = (1.0, 1.0, 1.0, 1.41, 1.41)


def loudness(waveform, sample_rate):
    """How loud a waveform (..., channels, time) is, in LKFS: (...), as ITU-R BS.1770-4 has it.

    Up to 5 channels: left, right, centre, left and right behind. Blocks that are silent, or 10 dB
    below the rest, do not count.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> tone = tallow.sin(tallow.arange(48000) * (2 * tallow.pi * 997 / 48000))
    >>> print(f"{F.loudness(tone[None], 48000).item():.2f}")
    -3.05
    """
    if waveform.ndim < 2 or waveform.shape[-2] > len(_CHANNELS):
        raise ArgumentError(
            f"loudness: expected (..., channels, time), up to {len(_CHANNELS)} channels, got "
            f"{describe(waveform)}"
        )
    size = round(_BLOCK * sample_rate)
    if waveform.shape[-1] < size:
        raise ArgumentError(
            f"loudness: expected {_BLOCK} s, {size} samples, or more, got {waveform.shape[-1]}"
        )
    quiet = waveform / 16  # filters cut at 1
    heard = treble_biquad(quiet, sample_rate, 4.0, 1500.0, 1 / math.sqrt(2))
    heard = highpass_biquad(heard, sample_rate, 38.0, 0.5) * 16
    energy = heard.square().unfold(-1, size, round(size * (1 - _SHARED))).mean(-1)
    weights = tallow.tensor(_CHANNELS, dtype=waveform.dtype, device=waveform.device)
    weights = weights[: energy.shape[-2]]
    blocks = _lkfs((weights[:, None] * energy).sum(-2))
    counted = blocks > _SILENT
    level = _gated(energy, counted, weights)
    return _gated(energy, counted & (blocks > level[..., None] + _BELOW), weights)


def _lkfs(energy):
    return -0.691 + 10 * energy.log10()


def _gated(energy, counted, weights):
    """The loudness of the blocks that count: (..., channels, blocks) and (..., blocks)."""
    mean = (counted[..., None, :] * energy).sum(-1) / counted.sum(-1)[..., None]
    return _lkfs((weights * mean).sum(-1))


def detect_pitch_frequency(
    waveform, sample_rate, frame_time=0.01, win_length=30, freq_low=85, freq_high=3400
):
    """The pitch of a voice over time, in Hz: (..., time) -> (..., frames).

    Each frame of `frame_time` seconds is compared with what follows it, by normalised
    cross-correlation; the lag of the best fit, the shorter of two about as good, is the period. A
    running median of `win_length` frames smooths it.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> tone = tallow.sin(tallow.arange(8000) * (2 * tallow.pi * 200 / 8000))
    >>> F.detect_pitch_frequency(tone, 8000)[10:13]
    tensor([200., 200., 200.])
    """
    lead = waveform.shape[:-1]
    fits = _lag_fits(waveform.reshape(-1, waveform.shape[-1]), sample_rate, frame_time, freq_low)
    shortest = math.ceil(sample_rate / freq_high)
    best, lag = fits[..., shortest:].max(-1)
    near, near_lag = fits[..., shortest : fits.shape[-1] // 2].max(-1)
    lags = tallow.where(near > 0.99 * best, near_lag, lag) + shortest + 1
    before = (win_length - 1) // 2
    lags = tallow.cat([lags[:, :1].expand(-1, before), lags], -1)
    if lags.shape[-1] < win_length:
        raise ArgumentError(
            f"detect_pitch_frequency: expected {win_length - before} frames or more, got "
            f"{fits.shape[1]}; make win_length smaller"
        )
    smooth = lags.unfold(-1, win_length, 1).median(-1).values
    return (sample_rate / (1e-9 + smooth.float())).reshape(*lead, smooth.shape[-1])


def _lag_fits(waveform, sample_rate, frame_time, freq_low):
    """How well frames fit what is 1, 2, ... samples later: (N, time) -> (N, frames, lags)."""
    lags, size = math.ceil(sample_rate / freq_low), math.ceil(sample_rate * frame_time)
    frames = math.ceil(waveform.shape[-1] / size)
    padding = lags + frames * size - waveform.shape[-1]
    spans = tallow.nn.functional.pad(waveform.double(), (0, padding)).unfold(-1, size + lags, size)
    points = 2 ** math.ceil(math.log2(size + lags))
    spectra = [tallow.fft.rfft(part, n=points) for part in (spans[..., :size], spans)]
    products = tallow.fft.irfft(spectra[0].conj() * spectra[1], n=points)[..., 1 : lags + 1]
    energies = tallow.nn.functional.pad(spans.square().cumsum(-1), (1, 0))
    energies = (energies[..., size:] - energies[..., :-size]).clamp(min=0)  # (N, frames, lags + 1)
    norms = (1e-9 + energies.sqrt()).square()
    return products / norms[..., :1] / norms[..., 1:]


def sliding_window_cmn(specgram, cmn_window=600, min_cmn_window=100, center=False, norm_vars=False):
    """Features (..., time, freq) less their mean over the frames around each, or up to it.

    The window has `cmn_window` frames, half of them later with `center`; without it, it begins with
    `min_cmn_window`. `norm_vars` divides by the standard deviation as well.
    """
    frames = specgram.shape[-2]
    place = tallow.arange(frames, device=specgram.device)
    if center:
        start = place - cmn_window // 2
        stop = start + cmn_window
        stop = tallow.where(start < 0, cmn_window, stop)
    else:
        start, stop = place - cmn_window, (place + 1).clamp(min=min_cmn_window)
    start = tallow.where(stop > frames, start - (stop - frames), start).clamp(min=0)
    stop = stop.clamp(max=frames)
    count = (stop - start)[:, None].double()

    def windowed_mean(x):
        sums = tallow.nn.functional.pad(x.double().cumsum(-2), (0, 0, 1, 0))
        return (sums.index_select(-2, stop) - sums.index_select(-2, start)) / count

    mean = windowed_mean(specgram)
    centred = specgram - mean.to(specgram.dtype)
    if not norm_vars:
        return centred
    variance = windowed_mean(specgram.square()) - mean.square()
    return tallow.where(count == 1, 0.0, centred * variance.pow(-0.5).to(specgram.dtype))


def frechet_distance(mu_x, sigma_x, mu_y, sigma_y):
    """The distance of two normal distributions, of means (N,) and covariances (N, N).

    |mu_x - mu_y|^2 + tr(sigma_x + sigma_y - 2 sqrt(sigma_x sigma_y)), of Dowson and Landau (1982).
    """
    n = mu_x.shape[0] if mu_x.ndim == 1 else -1
    if mu_y.shape != (n,) or sigma_x.shape != (n, n) or sigma_y.shape != (n, n):
        raise ArgumentError(
            "frechet_distance: expected means (N,) and covariances (N, N), got "
            + ", ".join(map(describe, (mu_x, sigma_x, mu_y, sigma_y)))
        )
    apart = (mu_x - mu_y).square().sum()
    shared = tallow.linalg.eigvals(sigma_x @ sigma_y).sqrt().real.sum()
    return apart + sigma_x.trace() + sigma_y.trace() - 2 * shared
