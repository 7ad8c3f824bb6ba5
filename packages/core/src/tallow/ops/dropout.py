"""Dropout: what is kept, drawn from a `Generator`, and the product with it."""

from tallow import generator as streams
from tallow.autograd.op import op


@op
def dropout_keep(xp, x, *, shape, p, generator):
    """False with probability p, else True: bool of `shape`, on the device of x."""
    return xp.asarray(streams.dropout_mask(generator, shape, p))


@op
def dropout_mask(xp, x, *, shape, p, generator):
    """0 with probability p, else 1 / (1 - p), in the dtype of x."""
    keep = dropout_keep(x, shape=shape, p=p, generator=generator).astype(x.dtype)
    keep /= x.dtype.type(1 - p)
    return keep


@op
def masked(xp, x, keep, *, p):
    """x / (1 - p) where `keep`, of the shape of x or one that broadcasts to it, is True, else 0."""
    one = x.dtype.type(1)
    return x * xp.where(keep, one / x.dtype.type(1 - p), one - one)


masked.vjp(lambda g, keep, p: masked(g, keep, p=p), None)
