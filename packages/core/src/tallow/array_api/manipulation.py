"""Shapes: views where they can be."""

import tallow
from tallow.array_api.arrays import result_type
from tallow.errors import ArgumentError

__all__ = [
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "concat", "expand_dims", "flip",
    "moveaxis", "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "tile", "unstack",
]  # fmt: skip

broadcast_shapes = tallow.broadcast_shapes


def _axes(axis):
    return (axis,) if isinstance(axis, int) else tuple(axis)


def broadcast_arrays(*arrays):
    return list(tallow.broadcast_tensors(*arrays))


def broadcast_to(x, /, shape):
    return tallow.broadcast_to(x, tuple(shape))


def concat(arrays, /, *, axis=0):
    """Joined along an axis, None for the elements of all."""
    dtype = result_type(*arrays)
    arrays = [x.to(dtype) for x in arrays]
    if axis is None:
        arrays, axis = [x.reshape(-1) for x in arrays], 0
    return tallow.cat(arrays, axis)


def stack(arrays, /, *, axis=0):
    dtype = result_type(*arrays)
    return tallow.stack([x.to(dtype) for x in arrays], axis)


def unstack(x, /, *, axis=0):
    return tuple(tallow.unbind(x, axis))


def expand_dims(x, /, axis):
    """With dims of size 1 at `axis`, one or several."""
    axes = _axes(axis)
    ndim = x.ndim + len(axes)
    if any(not -ndim <= a < ndim for a in axes):
        raise IndexError(f"expand_dims: expected axes from {-ndim} to {ndim - 1}, got {axis}")
    for a in sorted(a % ndim for a in axes):
        x = x.unsqueeze(a)
    return x


def squeeze(x, /, axis):
    """Without dims of size 1."""
    if any(x.shape[a] != 1 for a in _axes(axis)):
        raise ArgumentError(f"squeeze: expected axes of size 1, got {axis} of {tuple(x.shape)}")
    return tallow.squeeze(x, _axes(axis))


def flip(x, /, *, axis=None):
    return tallow.flip(x, tuple(range(x.ndim)) if axis is None else _axes(axis))


def moveaxis(x, source, destination, /):
    return tallow.moveaxis(x, source, destination)


def permute_dims(x, /, axes):
    return tallow.permute(x, tuple(axes))


def repeat(x, repeats, /, *, axis=None):
    """Each element `repeats` times; of the elements in a row for axis None."""
    return tallow.repeat_interleave(x, repeats, axis)


def reshape(x, /, shape, *, copy=None):
    """In another shape; `copy` False only if that needs none."""
    if copy is False:
        return x.view(tuple(shape))
    return tallow.reshape(x.clone() if copy else x, tuple(shape))


def roll(x, /, shift, *, axis=None):
    return tallow.roll(x, shift, axis)


def tile(x, repetitions, /):
    return tallow.tile(x, tuple(repetitions))
