"""What dropout keeps, by position."""

from tallow.kernels.cuda.launch import Source, empty, size
from tallow.ops import dropout

numbers = Source("random.cu")


@dropout.keep_by_position.on("cuda")
def _(x, move, *, shape, p, seed):
    out, count = empty(shape, x, bool), size(shape)
    seed = (seed + 2**63) % 2**64 - 2**63  # as a signed number
    numbers.each("keep", x, -(-count // 4), out, count, 1.0 - p, seed, move)
    return out
