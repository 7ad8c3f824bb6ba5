"""Tables of weights by which an axis is resampled: made on the host, once per pair of sizes."""

from functools import cached_property, lru_cache

import numpy as np


class Taps:
    """A linear map along an axis of `size`: y[i] is the sum of weight[i, t] * x[index[i, t]].

    `index` and `weight` are (count, taps); a result with fewer taps than others has weights of 0.
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
        return Taps(index, weight, len(self.index))


def window_bounds(size, count):
    """The windows of adaptive pooling: from floor(i n / m) to ceil((i + 1) n / m)."""
    i = np.arange(count)
    return i * size // count, -(-(i + 1) * size // count)


def window_places(size, count):
    """The elements of adaptive pooling's windows (count, widest); short ones repeat their last."""
    start, end = window_bounds(size, count)
    places = start[:, None] + np.arange((end - start).max(initial=1))
    return np.minimum(places, end[:, None] - 1)


@lru_cache(256)
def window_means(size, count):
    """The means of the windows of adaptive pooling."""
    start, end = window_bounds(size, count)
    inside = np.arange((end - start).max(initial=1)) < (end - start)[:, None]
    return Taps(window_places(size, count), inside / (end - start)[:, None], size)
