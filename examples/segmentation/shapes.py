"""Pictures of circles, squares and triangles in front of noise, and what each pixel shows."""

import numpy as np

import tallow
from tallow.utils.data import TensorDataset

CLASSES = ["background", "circle", "square", "triangle"]


def make(count, size, seed, most=4):
    """`count` pictures (N, 3, size, size) in [0, 1] and classes (N, size, size) of their pixels.

    In each are up to `most` shapes; those that come later lie in front.
    """
    rng = np.random.default_rng(seed)
    each = (count, most, 1, 1)
    y, x = np.mgrid[:size, :size] / size
    turn = rng.uniform(0, 2 * np.pi, each)
    across, down = x - rng.uniform(0.1, 0.9, each), y - rng.uniform(0.1, 0.9, each)
    u, v = across * np.cos(turn) - down * np.sin(turn), across * np.sin(turn) + down * np.cos(turn)
    radius = rng.uniform(0.1, 0.25, each)
    inside = np.stack([
        np.hypot(u, v) < radius,
        np.maximum(abs(u), abs(v)) < 0.8 * radius,
        np.maximum(v, 0.866 * abs(u) - 0.5 * v) < 0.55 * radius,
    ])  # fmt: skip
    kind = rng.integers(3, size=each)
    there = np.arange(most).reshape(1, -1, 1, 1) < rng.integers(1, most + 1, (count, 1, 1, 1))
    shown = np.take_along_axis(inside, kind[None], 0)[0] & there  # (N, most, size, size)

    def colours(*shape):
        return rng.uniform(0.1, 0.9, shape).astype(np.float32)

    slope = colours(count, 3, 1, 1) - 0.5
    pictures = colours(count, 3, 1, 1) + slope * (x - 0.5)
    labels = np.zeros((count, size, size), np.int64)
    for i in range(most):
        pictures = np.where(shown[:, i, None], colours(count, 3, 1, 1), pictures)
        labels = np.where(shown[:, i], kind[:, i] + 1, labels)
    pictures += rng.normal(0, 0.06, pictures.shape)
    return pictures.clip(0, 1).astype(np.float32), labels


def dataset(count, size, seed):
    """Samples (picture, classes)."""
    return TensorDataset(*map(tallow.from_numpy, make(count, size, seed)))
