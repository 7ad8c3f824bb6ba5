"""Dropout: what is kept, and the product with it.

On the CPU it is drawn from a `Generator`, in the order of memory. On a device that draws by
position it is made of the device's generator's seed and of each element's place.
"""

from math import prod

from tallow import backend
from tallow import generator as streams
from tallow.autograd.op import op
from tallow.ops.random import philox


@op
def dropout_keep(xp, x, *, shape, p, generator):
    """False with probability p, else True: bool of `shape`, on the device of x."""
    return xp.asarray(streams.dropout_mask(generator, shape, p))


@op
def keep_by_position(xp, x, move, *, shape, p, seed, offset):
    """`dropout_keep` by the blocks of Philox at `offset`, each of which four elements share.

    `move` is as in `random_words`.
    """
    count = prod(shape)
    words = philox(xp, move, 1, -(-count // 4), seed, offset)[0].T.reshape(-1)[:count]
    return ((words >> 8) * 2.0**-24 < 1 - p).reshape(shape)


def kept(x, *, shape, p):
    """What dropout keeps of x, drawn as it is drawn on its device."""
    if not by_position(x):
        return dropout_keep(x, shape=shape, p=p, generator=_generator(x))
    seed, offset, move = next_place(x)
    return keep_by_position(x, move, shape=shape, p=p, seed=seed, offset=offset)


def by_position(x):
    """True if numbers are drawn by position on the device of a tensor."""
    return backend.for_array(x.array).random_blocks is not None


def next_place(x):
    """(seed, offset, move) of the next block of words on the device of a tensor."""
    return _generator(x).take(1)


def _generator(x):
    return streams.generator_of(backend.for_array(x.array).device_of(x.array))


@op
def dropout_mask(xp, x, keep, *, p):
    """1 / (1 - p) where `keep` is True, else 0, in the dtype of x."""
    return keep.astype(x.dtype) / x.dtype.type(1 - p)


@op
def masked(xp, x, keep, *, p):
    """x / (1 - p) where `keep`, of the shape of x or one that broadcasts to it, is True, else 0."""
    one = x.dtype.type(1)
    return x * xp.where(keep, one / x.dtype.type(1 - p), one - one)


masked.vjp(lambda g, keep, p: masked(g, keep, p=p), None)


@op
def masked_sum(x, keep, y, *, p):
    """masked(x) + y, for x and y of one shape."""
    return masked(x, keep, p=p) + y


masked_sum.vjp(lambda g, keep, p: masked(g, keep, p=p), None, lambda g: g)
