"""Videos of a bright square, triangle or bar that moves, grows, shrinks or turns."""

import numpy as np

import tallow
from tallow.utils.data import TensorDataset

CLASSES = [
    "moves left", "moves right", "moves up", "moves down", "grows", "shrinks", "turns left",
    "turns right",
]  # fmt: skip
SIZE = 32  # pixels of a side


def make(count, frames, seed):
    """`count` videos (N, 3, frames, 32, 32) in [0, 1], and what the shape in each does (N)."""
    rng = np.random.default_rng(seed)
    each = (count, 1, 1, 1)
    does = rng.integers(len(CLASSES), size=count)
    kind = does.reshape(each)
    time = np.linspace(-1, 1, frames).reshape(1, -1, 1, 1)
    step = rng.uniform(3, 8, each) * time  # half the way, in pixels
    sign = np.where(kind % 2 == 0, -1, 1)
    across = rng.uniform(12, 20, each) + np.where(kind < 2, sign * step, 0)
    down = rng.uniform(12, 20, each) + np.where((kind == 2) | (kind == 3), sign * step, 0)
    growth = rng.uniform(0.3, 0.6, each) * time
    radius = rng.uniform(5, 8, each) * np.exp(
        np.where((kind == 4) | (kind == 5), -sign * growth, 0)
    )
    turn = rng.uniform(0.4, 0.7, each) * time  # radians: under the eighth of a square
    angle = rng.uniform(0, 2 * np.pi, each) + np.where(kind > 5, sign * turn, 0)
    shown = _inside(across, down, radius, angle, rng.integers(3, size=each))

    def colours(low, high):
        return rng.uniform(low, high, (count, 3, 1, 1, 1)).astype(np.float32)

    videos = np.where(shown[:, None], colours(0.5, 1), colours(0, 0.4))
    videos += rng.normal(0, 0.05, videos.shape)
    return videos.clip(0, 1).astype(np.float32), does


def _inside(across, down, radius, angle, kind):
    """Which pixels (N, T, 32, 32) lie in a square, a triangle or a bar."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    x, y = x - across, y - down
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = np.stack([
        np.maximum(abs(u), abs(v)) < 0.8 * radius,
        np.maximum(v, 0.866 * abs(u) - 0.5 * v) < 0.6 * radius,
        np.maximum(abs(u), 2.5 * abs(v)) < 1.1 * radius,
    ])  # fmt: skip
    return np.take_along_axis(inside, np.broadcast_to(kind, inside.shape[1:])[None], 0)[0]


def dataset(count, frames, seed):
    """Samples (video, what its shape does)."""
    return TensorDataset(*map(tallow.from_numpy, make(count, frames, seed)))
