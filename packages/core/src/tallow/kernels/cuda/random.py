"""Random words, and what dropout keeps, by position."""

import numpy as np

from tallow.kernels.cuda.launch import Source, empty, size
from tallow.ops import dropout, random

numbers = Source("philox.cuh", "random.cu")


def signed(seed):
    """A seed of 64 bits as a signed number."""
    return (seed + 2**63) % 2**64 - 2**63


@random.random_words.on("cuda")
def _(x, move, *, rounds, lanes, seed, offset):
    out = empty((rounds, 4, lanes), x, np.uint32)
    numbers.each("random_words", x, rounds * lanes, out, lanes, signed(seed), offset, move)
    return out


@dropout.keep_by_position.on("cuda")
def _(x, move, *, shape, p, seed, offset):
    out, count = empty(shape, x, bool), size(shape)
    numbers.each("keep", x, -(-count // 4), out, count, 1.0 - p, signed(seed), offset, move)
    return out
