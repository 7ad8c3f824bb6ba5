"""Rows taken from a table by index, and added back; and keys, which CuPy does not check.

Indices out of range take zeros and add nothing, or as CuPy does count from the other end, until the
host learns of them (`faults`).
"""

import numpy as np

from tallow import backend
from tallow.kernels.cuda import faults
from tallow.kernels.cuda.launch import Source, empty, in_order, is_real, wide
from tallow.ops import embedding, index, loss

table = Source("index.cu")


@embedding.embedding.on("cuda")
def _(weight, index, *, padding_idx, by_frequency):
    if not is_real(weight) or index.dtype != np.int64 or weight.ndim != 2:
        return NotImplemented
    weight, index = in_order(weight), in_order(index)
    rows, width = weight.shape
    out = empty((*index.shape, width), weight)
    table.each("take_rows", weight, out.size, weight, index, out, width, rows)
    return out


@embedding.embedding_grad.on("cuda")
def _(g, index, *, rows, padding_idx):
    if not is_real(g) or index.dtype != np.int64:
        return NotImplemented
    g, index, width = in_order(g), in_order(index), g.shape[-1]
    skipped = -1 if padding_idx is None else padding_idx
    total = backend.for_array(g).xp.zeros((rows, width), wide(g.dtype))
    table.each("add_rows", g, g.size, g, index, total, width, rows, skipped)
    return total.astype(g.dtype, copy=False)


def _checked(shape, key):
    """Have the indices of a key that holds full slices and arrays checked."""
    axis = 0
    for part in key:
        kind = getattr(getattr(part, "dtype", None), "kind", "")
        if kind in "iu" and kind:
            faults.in_range("index", part, -shape[axis], shape[axis])
        axis += part.ndim if kind == "b" else part is not None


@index.take.on("cuda")
def _(x, *, key):
    _checked(x.shape, key)
    return x[key]


@index.index_put.on("cuda")
def _(x, value, *, key, accumulate):
    _checked(x.shape, key)
    how = {"key": key, "accumulate": accumulate}
    return index.index_put.op.body(backend.for_array(x).xp, x, value, **how)


@loss.nll.on("cuda")
def _(x, label, weight, *, ignore_index, reduction):
    classes = x.shape[loss.class_axis(x)]
    faults.in_range("nll_loss", label, 0, classes, ignore_index)
    how = {"ignore_index": ignore_index, "reduction": reduction}
    return loss.nll.op.body(backend.for_array(x).xp, x, label, weight, **how)
