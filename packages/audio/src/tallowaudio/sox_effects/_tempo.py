"""Faster or slower at the same pitch: WSOLA, overlapping segments where they fit best.

Verhelst and Roelands, "An overlap-add technique based on waveform similarity" (1993).
"""

import math

import numpy as np

import tallow

# By profile: ms of a segment, the power of the factor that shortens it, and how many times as short
# the overlap and the search for it are.
PROFILES = {"": (82, 0, 6.833, 5.587), "-m": (82, 1, 7, 6), "-s": (35, 0.33, 2.5, 2.14)}


def stretched(samples, rate, factor, profile=""):
    """Samples (channels, time), `factor` times as fast."""
    if factor == 1 or not samples.shape[1]:
        return samples
    length, power, overlap_part, search_part = PROFILES[profile]
    length = max(10, length / max(factor**power, 1)) / 1000 * rate
    size, search = int(length + 0.5), int(length / search_part + 0.5)
    overlap = max(int(length / overlap_part + 4.5), 16) & ~7
    overlap -= 8 if 2 * overlap > size else 0
    rows = samples.detach().cpu().numpy()
    made = _joined(rows, factor, size, search, overlap, int(rows.shape[1] / factor + 0.5))
    return tallow.from_numpy(made).to(samples.device)


def _joined(rows, factor, size, search, overlap, count):
    """`count` samples of segments of a size, each from the best of the places searched."""
    step = size - overlap
    segments = -(-count // step)
    rows = np.pad(
        rows, ((0, 0), (search // 2, math.ceil(segments * step * factor) + size + search))
    )
    rise = np.arange(overlap) / overlap
    parts, tail = [rows[:, search // 2 :][:, :step]], rows[:, search // 2 :][:, step:size]
    for number in range(1, segments):
        place = int(number * step * factor + 0.5)
        window = rows[:, place : place + search + overlap - 1]
        views = np.lib.stride_tricks.sliding_window_view(window, overlap, 1)
        start = place + int(((views - tail[:, None]) ** 2).sum((0, 2)).argmin())
        segment = rows[:, start : start + size].copy()
        segment[:, :overlap] = tail * (1 - rise) + segment[:, :overlap] * rise
        parts.append(segment[:, :step])
        tail = segment[:, step:]
    return np.concatenate(parts, 1)[:, :count]
