"""Random numbers drawn on a device, by the names that `generator` has for the host's.

Each function takes a `DeviceGenerator` and a shape and returns an array of its device. The words,
their order and what is made of them are PyTorch's on CUDA: a number stands in the lane of one of
the device's threads, hence beyond some 100,000 of them they depend on how many it runs at once.
Permutations, draws from weights and from tensors of probabilities are not PyTorch's.
"""

import math

import numpy as np

from tallow import backend
from tallow import generator as streams
from tallow.ops import random as ops
from tallow.ops.random import random_words

THREADS = 256  # of a block, each a lane


def _words(generator, count, each=1):
    """Words (rounds, 4, lanes) for `count` numbers of `each` of them."""
    where = backend.for_device(generator.device)
    blocks = min(-(-count // THREADS), where.random_blocks(generator.device.index))
    lanes = THREADS * max(blocks, 1)
    rounds = -(-count * each // (4 * lanes))
    seed, offset, move = generator.take(rounds)
    like = where.xp.empty((), np.float32)
    return random_words(like, move, rounds=rounds, lanes=lanes, seed=seed, offset=offset)


def _halves(words):
    """The first and the second words of pairs, as uint64."""
    return words[:, 0::2].astype(np.uint64), words[:, 1::2].astype(np.uint64)


def words32(generator, count):
    """Words of 32 bits, uint32."""
    return _words(generator, count).reshape(-1)[:count]


def words64(generator, count):
    """Words of 64 bits, uint64."""
    high, low = _halves(_words(generator, count, 2))
    return (high << 32 | low).reshape(-1)[:count]


def _unit32(words):
    """float32 in (0, 1] of words of 32 bits."""
    return words.astype(np.float32) * 2.0**-32 + 2.0**-33


def _unit64(words):
    """float64 in (0, 1] of pairs of words."""
    low, high = _halves(words)
    return (low ^ high << 21).astype(np.float64) * 2.0**-53 + 2.0**-54


def _unit(generator, shape, dtype):
    """Numbers in (0, 1], of 32 bits, or of 53 for float64, in float32 or float64."""
    count, double = math.prod(shape), dtype == np.float64
    words = _words(generator, count, 1 + double)
    return (_unit64 if double else _unit32)(words).reshape(-1)[:count].reshape(shape)


def uniform(generator, shape, dtype, low=0.0, high=1.0):
    """Numbers in [low, high); what rounds to `high` becomes `low`."""
    values = (_unit(generator, shape, dtype) * (high - low) + low).astype(dtype, copy=False)
    return _xp(values).where(values == _scalar(high, dtype), _scalar(low, dtype), values)


def normal(generator, shape, dtype, mean=0.0, std=1.0, contiguous=True):
    """Normal numbers by Box and Muller's transform, of pairs of numbers in one block."""
    count = math.prod(shape)
    if dtype == np.float64:
        unit = _unit64(_words(generator, count, 2))
        radius, turns = unit[:, 0], unit[:, 1]
        pairs = _normal_pairs(radius[:, None], turns[:, None])
    else:
        unit = _unit32(_words(generator, count))
        pairs = _normal_pairs(unit[:, 0::2], unit[:, 1::2])
    values = pairs.reshape(-1)[:count].reshape(shape)
    return (values * std + mean).astype(dtype, copy=False)


def _normal_pairs(unit, turns):
    """(rounds, pairs, 2, lanes) of numbers (rounds, pairs, lanes): sines, and cosines."""
    xp, angle = _xp(unit), turns * (2 * math.pi)
    radius = xp.sqrt(-2 * xp.log(unit))
    return xp.stack([radius * xp.sin(angle), radius * xp.cos(angle)], axis=2)


def integers(generator, shape, dtype, low, high):
    """Whole numbers from `low` to `high` - 1; ranges of 2**28 or more take two words each."""
    draw = words32 if high - low < 2**28 else words64
    words = draw(generator, math.prod(shape)).astype(np.uint64)
    return ((words % np.uint64(high - low)).astype(np.int64) + low).astype(dtype).reshape(shape)


def any_integers(generator, shape, dtype):
    """Whole numbers from 0 to the largest of the dtype (see `generator.largest`)."""
    draw = words64 if dtype.itemsize == 8 else words32
    words = draw(generator, math.prod(shape)).astype(np.uint64)
    return (words % np.uint64(streams.largest(dtype) + 1)).astype(dtype).reshape(shape)


def full_range(generator, shape, dtype):
    """Whole numbers of all 64 bits, negative ones included."""
    return words64(generator, math.prod(shape)).view(np.int64).astype(dtype).reshape(shape)


def bernoulli(generator, shape, dtype, probability=0.5):
    """Ones with a probability, else zeros."""
    return (_unit(generator, shape, dtype) <= probability).astype(dtype)


def bernoulli_each(generator, probabilities, dtype):
    """Ones with a probability for each element, else zeros, in the probabilities' shape."""
    unit = _unit(generator, probabilities.shape, probabilities.dtype)
    return (unit <= probabilities).astype(dtype)


def exponential(generator, shape, dtype, rate=1.0):
    """Waiting times of density rate * exp(-rate * x), above 0."""
    unit = _unit(generator, shape, dtype)
    least = float(np.finfo(unit.dtype).eps) / 2
    logarithm = _xp(unit).where(unit >= 1 - least, -least, _xp(unit).log(unit))
    return (logarithm * (-1 / rate)).astype(dtype, copy=False)


def geometric(generator, shape, dtype, probability=0.5):
    """The number of trials until the first success, 1 at least."""
    unit = _unit(generator, shape, dtype)
    trials = _xp(unit).ceil(_xp(unit).log(unit) * (1 / math.log1p(-probability)))
    return _xp(unit).maximum(trials, 1.0).astype(dtype, copy=False)


def cauchy(generator, shape, dtype, median=0.0, sigma=1.0):
    """Numbers of the Cauchy distribution, `sigma` being half its width at half its height."""
    unit = _unit(generator, shape, dtype)
    return (median + sigma * _xp(unit).tan(math.pi * (unit - 0.5))).astype(dtype, copy=False)


def log_normal(generator, shape, dtype, mean=1.0, std=2.0):
    """exp of normal numbers."""
    wide = np.dtype(np.float64 if dtype == np.float64 else np.float32)
    values = normal(generator, shape, wide, mean, std)
    return _xp(values).exp(values).astype(dtype, copy=False)


def randperm(generator, count, dtype):
    """The numbers from 0 to count - 1 in random order, that of random words of 64 bits."""
    words = words64(generator, count)
    return _xp(words).argsort(words).astype(dtype)


def multinomial(generator, weights, count, replacement=False):
    """`count` indices (int64) a row, drawn with the probabilities that weights (C,) or (N, C) give.

    Without replacement as on the host; with it, where numbers of (0, 1] fall among the sums.
    """
    xp = _xp(weights)
    if not replacement or count == 1:
        waits = exponential(generator, weights.shape, np.dtype(np.float32))
        return xp.argsort(-(weights / waits), axis=-1)[..., :count].astype(np.int64)
    sums = xp.cumsum(weights.astype(np.float64), axis=-1)
    sums = (sums / sums[..., -1:]).reshape(-1, weights.shape[-1])
    rows = xp.arange(len(sums))[:, None]
    points = _unit(generator, (len(sums), count), sums.dtype) + rows
    found = xp.searchsorted((sums + rows).reshape(-1), points.reshape(-1)).reshape(points.shape)
    found = xp.clip(found - rows * weights.shape[-1], 0, weights.shape[-1] - 1)
    return found.reshape(*weights.shape[:-1], count)


# By rejection: an element takes as many words as it needs of a lane, which are taken to be few


def poisson(generator, rates):
    """Poisson counts for an array of rates; PyTorch's on CUDA for rates below 64."""
    return _rejecting(ops.poisson, generator, 5, rates)


def binomial(generator, counts, chances):
    """The number of successes of `counts` trials with the probabilities `chances`."""
    return _rejecting(ops.binomial, generator, 11, *_xp(counts).broadcast_arrays(counts, chances))


def gamma(generator, concentrations):
    """Gamma numbers of rate 1 for an array of concentrations."""
    return _rejecting(ops.gamma, generator, 3, concentrations)


def dirichlet(generator, concentrations):
    """Points whose coordinates, the last axis, sum to 1, for an array of concentrations."""
    from ml_dtypes import finfo  # a tenth of what `import tallow` would take

    xp, dtype = _xp(concentrations), concentrations.dtype
    values = gamma(generator, concentrations.astype(np.float64))
    values = (values / values.sum(-1, keepdims=True)).astype(dtype)
    below = float(np.nextafter(dtype.type(1), dtype.type(0)))
    return xp.clip(values, float(finfo(dtype).tiny), below)


def _rejecting(made, generator, rounds, *arrays):
    seed, offset, move = generator.take(rounds)
    return made(*arrays, move, seed=seed, offset=offset)


def _xp(array):
    return backend.for_array(array).xp


def _scalar(value, dtype):
    """A number as an element of a dtype; bfloat16 has none that all libraries take."""
    return float(np.asarray(value, dtype).astype(np.float64))
