"""Rows of a table by index."""

from tallow.autograd.op import op
from tallow.ops.elementwise import where
from tallow.ops.shape import reshape


@op
def embedding(xp, weight, index, *, padding_idx, by_frequency):
    """weight[index]: (rows, width), (...) -> (..., width). Row `padding_idx` gets no gradient.

    `by_frequency` divides the gradient of a row by how often it was taken.
    """
    return xp.take(weight, index, axis=0)


@op
def embedding_grad(xp, g, index, *, rows, padding_idx):
    """Zeros (rows, width) with g added at the rows it was taken from, except at `padding_idx`."""
    out = xp.zeros((rows, g.shape[-1]), g.dtype)
    xp.add.at(out, index, g)
    if padding_idx is not None:
        out[padding_idx] = 0
    return out


@op
def frequency(xp, index, *, rows, dtype):
    """How often each index occurs: (...) -> (..., 1)."""
    return xp.bincount(index.reshape(-1), minlength=rows)[index][..., None].astype(dtype)


def _embedding_rule(g, index, shapes, padding_idx, by_frequency):
    rows = shapes[0][0]
    if by_frequency:
        g = g / frequency(index, rows=rows, dtype=g.dtype)
    return embedding_grad(g, index, rows=rows, padding_idx=padding_idx)


def _embedding_grad_rule(v, index, shapes, padding_idx):
    taken = embedding(v, index, padding_idx=None, by_frequency=False)
    if padding_idx is None:
        return taken
    return where(reshape(index, shape=(*shapes[1], 1)) == padding_idx, 0, taken)


embedding.vjp(_embedding_rule)
embedding_grad.vjp(_embedding_grad_rule)
