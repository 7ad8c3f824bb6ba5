"""Views made by strides: overlapping windows, and any layout of the elements in memory."""

from math import prod

from tallow.autograd.op import op
from tallow.ops.index import combine


@op(view=True)
def frames(xp, x, *, axis, size, step):
    """Windows of `size` elements every `step` along an axis, as a new last axis; no copy."""
    count = (x.shape[axis] - size) // step + 1
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :], size)
    stride = x.strides[axis]
    strides = (*x.strides[:axis], stride * step, *x.strides[axis + 1 :], stride)
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


@op
def overlap_add(xp, x, *, axis, length, step):
    """Frames added where `frames` read them, on an axis of `length`: its adjoint."""
    size, count = x.shape[-1], x.shape[axis]
    blocks = -(-size // step)  # of each frame: the first ones of all frames do not overlap
    if size % step:
        x = xp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, blocks * step - size)])
    room = max(length, (count + blocks - 1) * step)
    out = xp.zeros((*x.shape[:axis], room, *x.shape[axis + 1 : -1]), x.dtype)
    lead = (slice(None),) * axis
    for i in range(blocks):
        region = out[(*lead, slice(i * step, (i + count) * step))]
        block = x[..., i * step : (i + 1) * step]
        region += xp.moveaxis(block, -1, axis + 1).reshape(region.shape)
    return out[(*lead, slice(length))]


frames.vjp(
    lambda g, shapes, axis, step: overlap_add(g, axis=axis, length=shapes[0][axis], step=step)
)
overlap_add.vjp(lambda g, shapes, axis, step: frames(g, axis=axis, size=shapes[0][-1], step=step))


@op(view=True)
def as_strided(xp, x, *, shape, strides, start):
    """Elements of x in row-major order from `start` on, `strides[i]` apart along axis i."""
    flat = xp.ascontiguousarray(x).reshape(-1)[start:]
    steps = tuple(n * x.itemsize for n in strides)
    return xp.lib.stride_tricks.as_strided(flat, shape, steps)


@op
def add_strided(xp, g, *, shape, strides, start):
    """Zeros of `shape` with g added where `as_strided` read: its adjoint."""
    out = xp.zeros(prod(shape), g.dtype)
    axes = xp.ogrid[tuple(slice(n) for n in g.shape)]
    place = sum((axis * n for axis, n in zip(axes, strides, strict=True)), start)
    combine(xp, out, xp.asarray(place), g)
    return out.reshape(shape)


as_strided.vjp(
    lambda g, shapes, strides, start: add_strided(g, shape=shapes[0], strides=strides, start=start)
)
add_strided.vjp(
    lambda g, shapes, strides, start: as_strided(g, shape=shapes[0], strides=strides, start=start)
)
