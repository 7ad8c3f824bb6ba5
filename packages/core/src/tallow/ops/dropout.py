"""Dropout: what is kept, and the product with it.

On the CPU it is drawn from a `Generator`, in the order of memory. On a device that draws by
position (`Backend.by_position`) it is made of a seed, which is drawn from the generator, and of
each element's place.
"""

from math import prod

from tallow import backend
from tallow import generator as streams
from tallow.autograd.op import op

captured = None  # while a CUDA graph is captured: its `Move`


class Move:
    """What the replays of a graph move the seeds in it by: `array`, int64 (1,); is it used?"""

    def __init__(self, array):
        self.array = array
        self.used = False


@op
def dropout_keep(xp, x, *, shape, p, generator):
    """False with probability p, else True: bool of `shape`, on the device of x."""
    return xp.asarray(streams.dropout_mask(generator, shape, p))


@op
def keep_by_position(xp, x, move, *, shape, p, seed):
    """`dropout_keep` by a seed of 64 bits, to which `move`, int64 (1,) or None, is added.

    Four elements each have a block of Philox 4x32-10 (Salmon et al., "Parallel random numbers: as
    easy as 1, 2, 3", 2011), which counts blocks and whose key is the seed.
    """
    count, low = prod(shape), 2**32 - 1
    key = xp.asarray([seed % 2**64], xp.uint64)
    key = key if move is None else key + move.astype(xp.uint64)
    key, other_key = key & low, key >> 32
    blocks = xp.arange(-(-count // 4), dtype=xp.uint64)
    a, b, c, d = blocks & low, blocks >> 32, blocks * 0, blocks * 0
    for _ in range(10):
        left, right = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (right >> 32) ^ b ^ key, right & low, (left >> 32) ^ d ^ other_key, left & low
        key, other_key = (key + 0x9E3779B9) & low, (other_key + 0xBB67AE85) & low
    words = xp.stack([a, b, c, d], axis=1).reshape(-1)[:count]
    return ((words >> 8) * 2.0**-24 < 1 - p).reshape(shape)


def kept(x, *, shape, p, generator):
    """What dropout keeps of x, drawn as it is drawn on its device."""
    if not backend.for_array(x.array).by_position:
        return dropout_keep(x, shape=shape, p=p, generator=generator)
    seed, move = int(streams.words64(generator, 1)[0]), None
    if captured is not None:
        captured.used, move = True, captured.array
    return keep_by_position(x, move, shape=shape, p=p, seed=seed)


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
