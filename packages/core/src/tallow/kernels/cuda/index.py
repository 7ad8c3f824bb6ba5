"""Rows taken from a table by index, and added back. Indices out of range take and add nothing."""

import numpy as np

from tallow import backend
from tallow.kernels.cuda.launch import Source, empty, in_order, is_real, wide
from tallow.ops import embedding

index_source = Source("index.cu")


@embedding.embedding.on("cuda")
def _(weight, index, *, padding_idx, by_frequency):
    if not is_real(weight) or index.dtype != np.int64 or weight.ndim != 2:
        return NotImplemented
    weight, index = in_order(weight), in_order(index)
    rows, width = weight.shape
    out = empty((*index.shape, width), weight)
    index_source.each("take_rows", weight, out.size, weight, index, out, width, rows)
    return out


@embedding.embedding_grad.on("cuda")
def _(g, index, *, rows, padding_idx):
    if not is_real(g) or index.dtype != np.int64:
        return NotImplemented
    g, index, width = in_order(g), in_order(index), g.shape[-1]
    skipped = -1 if padding_idx is None else padding_idx
    total = backend.for_array(g).xp.zeros((rows, width), wide(g.dtype))
    index_source.each("add_rows", g, g.size, g, index, total, width, rows, skipped)
    return total.astype(g.dtype, copy=False)
