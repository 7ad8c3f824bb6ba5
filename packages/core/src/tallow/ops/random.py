"""Random words by position, of which a device's random numbers are made.

They are those of Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
2011), whose key is a seed and whose counter has two halves: a block's place in the stream, and the
lane that it is made in.
"""

import math
from functools import partial

import numpy as np

from tallow import backend, rejection
from tallow.autograd.op import op

LOW = 2**32 - 1


@op
def random_words(xp, x, move, *, rounds, lanes, seed, offset):
    """uint32 (rounds, 4, lanes): blocks of four words, from place `offset` / 4 of every lane on.

    `move`, int64 (2,) or None, holds an offset that is added and a seed that replaces the given
    one. x says on which device.
    """
    return philox(xp, move, rounds, lanes, seed, offset).astype(xp.uint32)


def philox(xp, move, rounds, lanes, seed, offset):
    """The words of `random_words`, as uint64."""
    key = xp.asarray([seed], xp.uint64)
    place = xp.arange(rounds, dtype=xp.uint64)[:, None] + offset // 4
    if move is not None:
        place, key = place + (move[:1] >> 2).astype(xp.uint64), move[1:].astype(xp.uint64)
    lane = xp.arange(lanes, dtype=xp.uint64) + 0 * place
    place = place + 0 * lane
    key, other_key = key & LOW, key >> 32
    a, b, c, d = place & LOW, place >> 32, lane & LOW, lane >> 32
    for _ in range(10):
        left, right = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (right >> 32) ^ b ^ key, right & LOW, (left >> 32) ^ d ^ other_key, left & LOW
        key, other_key = (key + 0x9E3779B9) & LOW, (other_key + 0xBB67AE85) & LOW
    return xp.stack([a, b, c, d], axis=1)


# By rejection: an element takes as many words as it needs, from place `offset` of a lane on. The
# bodies loop over elements, and are what kernels are held against.


class Lane:
    """The words of a lane, one after the other, and what is made of them."""

    def __init__(self, number, seed, offset):
        self.number, self.seed, self.place, self.left = number, seed, offset // 4, []
        self.spare = None  # the second number of a pair of normal ones

    def word(self):
        """The next word, of 32 bits."""
        if not self.left:
            self.left = _block(self.seed, self.place, self.number)
            self.place += 1
        return self.left.pop(0)

    def below(self):
        """A number in [0, 1), of 24 bits."""
        return (self.word() & 0xFFFFFF) * 2.0**-24

    def above(self):
        """A number in (0, 1]."""
        return (self.word() + 0.5) * 2.0**-32

    def normal(self):
        """A normal number, by Box and Muller's transform of two others."""
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        radius, angle = math.sqrt(-2 * math.log(self.above())), 2 * math.pi * self.above()
        self.spare = radius * math.cos(angle)
        return radius * math.sin(angle)


def _block(seed, place, lane):
    """Four words as ints."""
    a, b, c, d = place & LOW, place >> 32, lane & LOW, lane >> 32
    key, other_key = seed & LOW, seed >> 32 & LOW
    for _ in range(10):
        left, right = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (right >> 32) ^ b ^ key, right & LOW, (left >> 32) ^ d ^ other_key, left & LOW
        key, other_key = (key + 0x9E3779B9) & LOW, (other_key + 0xBB67AE85) & LOW
    return [a, b, c, d]


def _each(rule, lane_of, arrays, move, seed, offset):
    """rule(lane, *elements) for the elements of arrays of one shape, in their dtype."""
    host = backend.for_array(arrays[0]).to_host
    if move is not None:
        ahead, seed = host(move).tolist()
        offset += ahead
    lanes: dict = {}
    values, rows = [], zip(*(host(x).ravel().tolist() for x in arrays), strict=True)
    for i, row in enumerate(rows):
        number = lane_of(i)
        lane = lanes.setdefault(number, Lane(number, seed, offset))
        values.append(rule(lane, *row))
    made = np.array(values, np.float64).reshape(arrays[0].shape)
    return backend.for_array(arrays[0]).xp.asarray(made.astype(arrays[0].dtype))


def _poisson(lane, rate):
    """Knuth's method, or for rates of 64 and more Hoermann's."""
    if rate >= 64:
        return rejection.poisson_by_rejection(lane.below, rate)
    count, product = 0, math.exp(rate) * lane.above()
    while product > 1:
        count, product = count + 1, product * lane.above()
    return count


@op
def poisson(rate, move, *, seed, offset):
    """Counts of events at rates, each drawn in the lane of its place. `move` is as above."""
    return _each(_poisson, int, [rate], move, seed, offset)


def _binomial(lane, count, chance):
    rarer = min(chance, 1 - chance)
    return rejection.binomial_count(lane.below, count, chance, rarer, count * rarer)


def _four_in_a_row(i):
    """The lane of element i: of 512 elements, 128 lanes have four each, 128 from each other."""
    return i // 512 * 128 + i % 128


@op
def binomial(count, chance, move, *, seed, offset):
    """Successes of `count` trials with chances of an array of its shape."""
    return _each(_binomial, _four_in_a_row, [count, chance], move, seed, offset)


def _gamma(lane, alpha, least):
    if alpha == 0:
        return least
    scale = (1 - lane.above()) ** (1 / alpha) if alpha < 1 else 1.0
    d = (alpha + 1 if alpha < 1 else alpha) - rejection.THIRD
    return max(scale * rejection.gamma_number(lane.above, d, lane.normal), least)


@op
def gamma(alpha, move, *, seed, offset):
    """Gamma numbers of rate 1 and concentrations `alpha`; the least is the smallest normal one."""
    from ml_dtypes import finfo  # a tenth of what `import tallow` would take

    least = float(finfo(alpha.dtype).tiny)
    return _each(partial(_gamma, least=least), int, [alpha], move, seed, offset)
