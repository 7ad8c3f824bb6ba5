"""Tables of which few rows are used: sparse gradients of them, and steps along these."""

from contextlib import contextmanager

from tallow import backend
from tallow.autograd.function import Function
from tallow.autograd.inplace import bump
from tallow.ops.embedding import embedding as embedding_op
from tallow.sparse.making import coalesce
from tallow.sparse.tensor import coo


class Taken(Function):
    """Rows of a table by index, (rows, width), (...) -> (..., width), with a sparse gradient."""

    @staticmethod
    def forward(ctx, weight, index, padding_idx):
        ctx.save_for_backward(index)
        ctx.shape, ctx.padding_idx = weight.array.shape, padding_idx
        return embedding_op(weight, index, padding_idx=None, by_frequency=False)

    @staticmethod
    def backward(ctx, g):
        (index,) = ctx.saved_tensors
        index, values = index.reshape(-1).long(), g.reshape(-1, ctx.shape[1])
        if ctx.padding_idx is not None:
            kept = index != ctx.padding_idx
            index, values = index[kept], values[kept]
        return coo(index.unsqueeze(0), values, ctx.shape), None, None


embedding = Taken.apply


@contextmanager
def changing(p, gradient):
    """For a step of a parameter: where a sparse gradient has values, and these, as arrays.

    The places are distinct, so that arrays may be changed at them in place.
    """
    g = coalesce(gradient)
    with backend.at(p.array):
        yield tuple(g.array.indices[0]), g.array.values
    bump(p)
