"""Rows taken from a table by index, and combined there; and keys, which CuPy does not check.

What meets in one place is combined in its order, so that results are the same each time. Indices
out of range take zeros and add nothing, or as CuPy does count from the other end, until the host
learns of them (`faults`).
"""

import numpy as np

from tallow import backend, generator
from tallow.kernels.cuda import faults
from tallow.kernels.cuda.launch import REALS, Source, empty, in_order, is_real
from tallow.ops import embedding, index, loss

table = Source("index.cu")


@embedding.embedding.on("cuda")
def _(weight, index, *, padding_idx, by_frequency):
    if not is_real(weight) or index.dtype != np.int64 or weight.ndim != 2:
        return NotImplemented
    weight, index = in_order(weight), in_order(index)
    rows, width = weight.shape
    out = empty((*index.shape, width), weight)
    packs = -(-width * weight.itemsize // 16)
    table.each("take_rows", weight, index.size * packs, weight, index, out, index.size, width, rows)
    return out


@embedding.embedding_grad.on("cuda")
def _(g, index, *, rows, padding_idx):
    if not is_real(g) or index.dtype != np.int64:
        return NotImplemented
    out = backend.for_array(g).xp.zeros((rows, g.shape[-1]), g.dtype)
    _combine(out, in_order(index), in_order(g), ADD, padding_idx)
    return out


ADD = 0
HOW = {"add": ADD, "multiply": 1, "maximum": 2, "minimum": 3}
FEW = 1 << 13  # so many are sorted by comparing all to all, which makes nobody wait, more by CuPy


def _sorted(index):
    """The places of indices in the order of their values, those of one in theirs; these in it."""
    xp, n = backend.for_array(index).xp, index.size
    if n <= FEW or generator.captured is not None:
        order, values = empty(index.shape, index), empty(index.shape, index)
        table.each("rank", index, n, index, order, values)
        return order, values
    order = xp.argsort(index)
    return order, index[order]


def _combine(out, index, x, how, skipped=None):
    """Combine the rows of x (..., width) with those of `out` (rows, width) at `index` (...)."""
    index, (rows, width) = index.reshape(-1), out.shape
    skipped = -1 if skipped is None else skipped
    order, values = _sorted(index)
    packs = -(-width * out.itemsize // 16)
    lanes = min(32, packs)
    table(
        "combine", out, (index.size, -(-packs // lanes)), 32 if lanes == 1 else 128, x, order,
        values, out, index.size, width, rows, skipped, lanes, how,
    )  # fmt: skip


def combine_at(out, place, value, how):
    """`ufunc.at` for places in the flattened `out`; integers are combined as int64."""
    flat, kind = out.reshape(-1), out.dtype
    if kind.kind == "c" and how != "add":
        flat = _by_turns(flat, place, value, getattr(backend.for_array(out).xp, how))
    else:
        wide, width = kind if kind in REALS else np.dtype(np.int64), 1
        if kind.kind == "c":
            wide, width = kind.type(0).real.dtype, 2
        rows = in_order(flat if width > 1 else flat.astype(wide)).view(wide).reshape(-1, width)
        value = in_order(value if width > 1 else value.astype(wide)).view(wide)
        _combine(rows, in_order(place.astype(np.int64)), value, HOW[how])
        flat = rows.reshape(-1).view(kind) if width > 1 else rows.astype(kind)
    out[...] = flat.reshape(out.shape)


def _by_turns(flat, place, value, function):
    """The same for complex products: of what meets in a place, one after the other."""
    order, place = _sorted(in_order(place))
    later = place[1:] == place[:-1]
    xp = backend.for_array(flat).xp
    at = xp.nonzero(xp.concatenate([xp.ones(1, bool), ~later]))[0]
    while at.size:
        flat[place[at]] = function(flat[place[at]], value[order[at]])
        at = at[at + 1 < place.size]
        at = at[later[at]] + 1
    return flat


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
