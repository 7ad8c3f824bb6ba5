"""The random part of dropout; the rest is a product."""

from tallow import generator as streams
from tallow.autograd.op import op


@op
def dropout_mask(xp, x, *, shape, p, generator):
    """0 with probability p, else 1 / (1 - p), drawn from a `Generator`, in the dtype of x."""
    keep = xp.asarray(streams.dropout_mask(generator, shape, p)).astype(x.dtype)
    keep /= x.dtype.type(1 - p)
    return keep
