"""Rows and elements added where an index says, as the compiled kernels do them."""

import numpy as np

from tallow.kernels.cpu import compiled
from tallow.ops import embedding, index
from tallow.ops.index import grid


@embedding.embedding_grad.on("cpu")
def _(g, index, *, rows, padding_idx):
    out = compiled.add_rows(index, g, rows, g.shape[-1])
    if out is not NotImplemented and padding_idx is not None:
        out[padding_idx] = 0
    return out


@index.add_at.on("cpu")
def _(value, *, key, shape):
    if index._only_masks(key):
        return NotImplemented
    first, *rest = key
    if getattr(first, "dtype", None) == np.int64 and all(_is_whole(part) for part in rest):
        width = int(np.multiply.reduce(shape[1:]))
        out = compiled.add_rows(first, value, shape[0], width)
    else:
        out = _by_places(value, shape, lambda places: places[key])
    return out if out is NotImplemented else out.reshape(shape)


def _is_whole(part):
    return type(part) is slice and part == slice(None)


@index.gathered_back.on("cpu")
def _(value, *, axis, index, shape):
    key = grid(np, index, axis)
    out = _by_places(value, shape, lambda places: places[key])
    return out if out is NotImplemented else out.reshape(shape)


def _by_places(value, shape, pick):
    """Zeros with value added at the places in memory that a function picks of all of them."""
    size = int(np.multiply.reduce(shape))
    places = np.ascontiguousarray(pick(np.arange(size).reshape(shape)))
    if getattr(value, "shape", None) != places.shape:
        return NotImplemented
    return compiled.add_rows(places, value, size, 1)
