"""Random words, what dropout keeps, and numbers by rejection, by position."""

import numpy as np
from ml_dtypes import finfo

from tallow import rejection
from tallow.kernels.cuda.launch import Source, empty, in_order, is_real, size
from tallow.ops import dropout, random

numbers = Source("philox.cuh", "random.cu")
rejecting = Source("philox.cuh", "sample.cu")


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


@random.poisson.on("cuda")
def _(rate, move, *, seed, offset):
    if not is_real(rate):
        return NotImplemented
    out = empty(rate.shape, rate)
    given = in_order(rate), out, signed(seed), offset, move
    rejecting.each("poisson", rate, rate.size, *given)
    return out


@random.binomial.on("cuda")
def _(count, chance, move, *, seed, offset):
    if not is_real(count, chance) or count.shape != chance.shape:
        return NotImplemented
    out, lanes = empty(count.shape, count), -(-count.size // 512) * 128
    given = in_order(count), in_order(chance), out, count.size, signed(seed), offset, move
    rejecting.each("binomial", count, lanes, *given)
    return out


@random.gamma.on("cuda")
def _(alpha, move, *, seed, offset):
    if not is_real(alpha):
        return NotImplemented
    out, least = empty(alpha.shape, alpha), float(finfo(alpha.dtype).tiny)
    given = in_order(alpha), out, rejection.THIRD, least, signed(seed), offset, move
    rejecting.each("gamma_of", alpha, alpha.size, *given)
    return out
