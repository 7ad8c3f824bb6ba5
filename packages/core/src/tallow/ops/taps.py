"""Tables of weights by which an axis is resampled: made on the host, once per pair of sizes."""

from functools import cached_property, lru_cache
from math import floor

import numpy as np


class Taps:
    """A linear map along an axis: result i is the sum over t of weight[i, t] * x[index[i, t]].

    The axis has `size` elements; `index` and `weight` are (count, taps). A result with fewer taps
    than others has weights of 0.
    """

    def __init__(self, index, weight, size):
        self.index = index
        self.weight = weight
        self.size = size

    @property
    def plain(self):
        """True if each result is one element as it is."""
        return self.weight.shape[1] == 1 and bool((self.weight == 1).all())

    @cached_property
    def matrix(self):
        """The map as a matrix (size, count)."""
        matrix = np.zeros((self.size, len(self.index)))
        np.add.at(matrix, (self.index, np.arange(len(self.index))[:, None]), self.weight)
        return matrix

    @cached_property
    def transposed(self):
        """The adjoint map: from `count` elements to `size`."""
        used = self.weight != 0
        source = self.index[used]
        order = np.argsort(source, kind="stable")
        target = np.nonzero(used)[0][order]
        source, weights = source[order], self.weight[used][order]
        often = np.bincount(source, minlength=self.size)
        place = np.arange(len(source)) - np.repeat(np.cumsum(often) - often, often)
        index = np.zeros((self.size, max(often.max(initial=0), 1)), np.int64)
        weight = np.zeros(index.shape)
        index[source, place], weight[source, place] = target, weights
        # places without a weight are near those that have one
        near = np.maximum.accumulate(index[:, :1])
        index = np.where(weight == 0, np.maximum(index, near), index)
        return Taps(index, weight, len(self.index))

    @cached_property
    def for_bytes(self):
        """The map with weights that are multiples of a power of 2, 16 bits each, as PyTorch's."""
        weight = self.weight.copy()
        for t in range(1, weight.shape[1]):  # what the edge stands in for counts as one
            same = self.index[:, t] == self.index[:, t - 1]
            weight[same, t] += weight[same, t - 1]
            weight[same, t - 1] = 0
        largest = weight.max(initial=0)
        bits = next((n for n in range(22) if floor(largest * 2 ** (n + 1) + 0.5) >= 2**15), 22)
        whole = np.trunc(weight * 2**bits + np.copysign(0.5, weight))
        return Taps(self.index, whole / 2**bits, self.size)

    @cached_property
    def packed(self):
        """The table as compiled kernels take it: count, index, first, weight.

        Index and weight are (taps, count), of int32 and float32, up to a multiple of 16. `first`
        (2, count / 16) has the first element of those that each 16 results are made of, -1 where
        these are more than 64 apart, and how many times 16 they are apart.
        """
        count, taps = self.index.shape
        rest = ((0, 0), (0, -count % 16))
        index = np.pad(self.index.astype(np.int32).T, rest, "edge").copy("C")
        weight = np.pad(self.weight.astype(np.float32).T, rest).copy("C")
        groups = index.reshape(taps, -1, 16)
        first = groups.min((0, 2))
        reach = (groups.max((0, 2)) - first) // 16 + 1
        return (
            count,
            index,
            np.stack([np.where(reach > 4, -1, first), reach], dtype=np.int32),
            weight,
        )


# Windows that adapt to their number m: window i is from floor(i n / m) to ceil((i + 1) n / m)


def window_bounds(size, count):
    """Where the windows of adaptive pooling begin and end."""
    i = np.arange(count)
    return i * size // count, -(-(i + 1) * size // count)


def window_places(size, count):
    """The elements of each window (count, widest); shorter ones repeat their last."""
    start, end = window_bounds(size, count)
    places = start[:, None] + np.arange((end - start).max(initial=1))
    return np.minimum(places, end[:, None] - 1)


@lru_cache(256)
def window_means(size, count):
    """The means of the windows of adaptive pooling."""
    start, end = window_bounds(size, count)
    inside = np.arange((end - start).max(initial=1)) < (end - start)[:, None]
    return Taps(window_places(size, count), inside / (end - start)[:, None], size)


def random_windows(size, width, count, sample):
    """The elements of windows at random places (..., count, width), for samples (...) from 0 to 1.

    The starts grow by steps of either of two sizes; the last window ends at the end. Graham,
    "Fractional max-pooling", 2014, with pseudorandom sequences.
    """
    sample = sample[..., None]
    last = size - width
    alpha = sample.dtype.type(last) / (count - 1) if count > 1 else 0
    start = ((np.arange(count).astype(sample.dtype) + sample) * alpha).astype(np.int64)
    start -= (sample * alpha).astype(np.int64)
    start[..., -1] = last
    return start[..., None] + np.arange(width)


# Interpolation. `scale` is the distance of two results in elements; None: size / count


@lru_cache(256)
def nearest(size, count, scale, exact):
    """The element at or before each result's place or, if `exact`, around its centre."""
    step = np.float32(size / count if scale is None else scale)  # PyTorch's places, bit for bit
    places = (np.arange(count, dtype=np.float32) + np.float32(0.5 if exact else 0)) * step
    index = np.minimum(np.floor(places).astype(np.int64), size - 1)
    return Taps(index[:, None], np.ones((count, 1)), size)


@lru_cache(256)
def linear(size, count, scale, align_corners):
    """The two elements around each result's place, weighted by how near they are."""
    places = np.maximum(_places(size, count, scale, align_corners), 0)
    first = np.minimum(np.floor(places).astype(np.int64), size - 1)
    far = np.minimum(places - first, 1)[:, None]
    index = np.stack([first, np.minimum(first + 1, size - 1)], axis=1)
    return Taps(index, np.concatenate([1 - far, far], axis=1), size)


@lru_cache(256)
def cubic(size, count, scale, align_corners):
    """Four elements around each result's place, weighted by a cubic spline."""
    places = _places(size, count, scale, align_corners)
    first = np.floor(places).astype(np.int64)[:, None] + np.arange(-1, 3)
    weight = cubic_kernel(places[:, None] - first, -0.75)
    return Taps(np.clip(first, 0, size - 1), weight, size)


def _places(size, count, scale, align_corners):
    if align_corners:
        return np.arange(count) * ((size - 1) / (count - 1) if count > 1 else 0)
    return (np.arange(count) + 0.5) * (size / count if scale is None else scale) - 0.5


@lru_cache(256)
def smoothed(size, count, scale, align_corners, kind):
    """Interpolation whose kernel, "linear", "cubic" or "lanczos", widens with the step.

    So nothing is skipped when an image shrinks, as in Pillow.
    """
    if align_corners:
        step = (size - 1) / (count - 1) if count > 1 else 0
    else:
        step = size / count if scale is None else scale
    reach, kernel = KERNELS[kind]
    wide = max(step, 1)
    rows = []
    for i in range(count):
        centre = step * (i + 0.5)
        start = max(floor(centre - reach * wide + 0.5), 0)
        stop = min(floor(centre + reach * wide + 0.5), size)
        weights = kernel((np.arange(start, stop) - centre + 0.5) / wide)
        rows.append((start, weights / weights.sum()))
    taps = max((len(weights) for _, weights in rows), default=1)
    index, weight = np.zeros((count, taps), np.int64), np.zeros((count, taps))
    for i, (start, weights) in enumerate(rows):
        index[i] = np.minimum(start + np.arange(taps), size - 1)
        weight[i, : len(weights)] = weights
    return Taps(index, weight, size)


def cubic_kernel(x, a):
    """Keys, "Cubic convolution interpolation for digital image processing", 1981."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _lanczos(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


KERNELS = {
    "linear": (1, lambda x: np.maximum(1 - np.abs(x), 0)),
    "cubic": (2, lambda x: cubic_kernel(x, -0.5)),
    "lanczos": (3, _lanczos),
}
