"""Rows and elements added where an index says, as the compiled kernels do them."""

import numpy as np

from tallow.kernels.cpu import compiled
from tallow.ops import embedding, index


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
    if _names_rows(key):
        width = int(np.multiply.reduce(shape[1:]))
        out = compiled.add_rows(key[0], value, shape[0], width)
    else:
        out = _by_places(value, shape, lambda places: places[key])
    return out if out is NotImplemented else out.reshape(shape)


@index.index_put.on("cpu")
def _(x, value, *, key, accumulate):
    if not accumulate or not _names_rows(key) or not x.size:
        return NotImplemented
    if getattr(value, "shape", None) != (*key[0].shape, *x.shape[1:]):
        return NotImplemented
    out = compiled.add_rows(key[0], value, len(x), x.size // len(x), x)
    return out if out is NotImplemented else out.reshape(x.shape)


def _names_rows(key):
    """True if a key has an index along the first axis, and takes all of the others."""
    first, *rest = key
    whole = slice(None)
    return getattr(first, "dtype", None) == np.int64 and all(
        type(part) is slice and part == whole for part in rest
    )


def _by_places(value, shape, pick):
    """Zeros with value added at the places in memory that a function picks of all of them."""
    size = int(np.multiply.reduce(shape))
    places = np.ascontiguousarray(pick(np.arange(size).reshape(shape)))
    if getattr(value, "shape", None) != places.shape:
        return NotImplemented
    return compiled.add_rows(places, value, size, 1)
