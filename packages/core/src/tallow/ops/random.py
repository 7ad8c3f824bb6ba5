"""Random words by position, of which a device's random numbers are made.

They are those of Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
2011), whose key is a seed and whose counter has two halves: a block's place in the stream, and the
lane that it is made in.
"""

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
