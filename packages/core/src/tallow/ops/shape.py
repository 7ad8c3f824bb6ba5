"""Operations that rearrange elements without changing them. Axes are non-negative ints."""

from tallow.autograd.builtin import in_rows, sum_to
from tallow.autograd.op import op

reshape = op(lambda x, *, shape: x.reshape(shape), name="reshape", view=True).vjp(
    lambda g, shapes: reshape(g, shape=shapes[0])
)
permute = op(lambda x, *, axes: x.transpose(axes), name="permute", view=True).vjp(
    lambda g, axes: permute(g, axes=inverse(axes))
)
swap = op(lambda x, *, axis1, axis2: x.swapaxes(axis1, axis2), name="swap", view=True).vjp(
    lambda g, axis1, axis2: swap(g, axis1=axis1, axis2=axis2)
)
flip = op(lambda xp, x, *, axis: xp.flip(x, axis).copy(), name="flip").vjp(
    lambda g, axis: flip(g, axis=axis)
)
roll = op(lambda xp, x, *, shifts, axis: in_rows(xp.roll(x, shifts, axis)), name="roll").vjp(
    lambda g, shifts, axis: roll(g, shifts=tuple(-s for s in shifts), axis=axis)
)


@op
def repeat(xp, x, *, repeats):
    """Tile x `repeats[i]` times along axis i; as many entries as axes."""
    return in_rows(xp.tile(x, repeats))


@op
def sum_tiles(xp, x, *, repeats, shape):
    """The adjoint of `repeat`: the sum of the tiles, each of `shape`."""
    tiles = x.reshape([n for pair in zip(repeats, shape, strict=True) for n in pair])
    return xp.add.reduce(tiles, tuple(range(0, tiles.ndim, 2)), x.dtype)


@op
def repeat_each(xp, x, *, axis, count):
    """Each element (or slice along `axis`) `count` times in a row."""
    return xp.take(x, xp.arange(x.shape[axis]).repeat(count), axis)


def inverse(axes):
    """The permutation that undoes `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


repeat.vjp(lambda g, shapes, repeats: sum_tiles(g, repeats=repeats, shape=shapes[0]))
sum_tiles.vjp(lambda g, repeats: repeat(g, repeats=repeats))


@repeat_each.vjp
def _(g, shapes, axis, count):
    before, after = shapes[0][: axis + 1], shapes[0][axis + 1 :]
    g = reshape(g, shape=(*before, count, *after))
    return reshape(sum_to(g, shape=(*before, 1, *after)), shape=shapes[0])


# Joining and cutting


@op(view=True)
def cut(x, *, axis, start, stop):
    """x[start:stop] along one axis."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


@op
def pad(xp, x, *, widths, value):
    """Put `value` around x: `widths` is a pair (before, after) per axis."""
    shape = [low + n + high for n, (low, high) in zip(x.shape, widths, strict=True)]
    out = xp.full(shape, value, x.dtype) if value else xp.zeros(shape, x.dtype)
    inside = [slice(low, low + n) for n, (low, _) in zip(x.shape, widths, strict=True)]
    out[tuple(inside)] = x
    return out


@op
def crop(x, *, widths):
    """The adjoint of `pad`: cut `widths` off."""
    region = tuple(slice(low, n - high) for n, (low, high) in zip(x.shape, widths, strict=True))
    return x[region].copy()


@op
def cat(xp, *xs, axis):
    return in_rows(xp.concatenate(xs, axis=axis))


@cat.joint_vjp
def _(g, shapes, axis):
    parts, start = [], 0
    for shape in shapes:
        stop = start + shape[axis]
        parts.append(cut(g, axis=axis, start=start, stop=stop))
        start = stop
    return parts


def around(shape, axis, start, stop):
    """The padding that puts a slice back where it was cut from."""
    widths = [(0, 0)] * len(shape)
    widths[axis] = (start, shape[axis] - stop)
    return tuple(widths)


cut.vjp(
    lambda g, shapes, axis, start, stop: pad(
        g, widths=around(shapes[0], axis, start, stop), value=0
    )
)
pad.vjp(lambda g, widths: crop(g, widths=widths))
crop.vjp(lambda g, widths: pad(g, widths=widths, value=0))

# Triangles and diagonals

tril = op(lambda xp, x, *, k: in_rows(xp.tril(x, k)), name="tril").vjp(lambda g, k: tril(g, k=k))
triu = op(lambda xp, x, *, k: in_rows(xp.triu(x, k)), name="triu").vjp(lambda g, k: triu(g, k=k))


@op(view=True)
def diagonal(xp, x, *, offset, axis1, axis2):
    """The diagonal over two axes, as the last axis; a view that may be written to."""
    x = xp.moveaxis(x, (axis1, axis2), (-2, -1))[..., max(-offset, 0) :, max(offset, 0) :]
    *strides, down, right = x.strides
    shape = (*x.shape[:-2], min(x.shape[-2:]))
    return xp.lib.stride_tricks.as_strided(x, shape, (*strides, down + right))


@diagonal.on("cpu")
def _(x, *, offset, axis1, axis2):
    out = x.diagonal(offset, axis1, axis2)
    out.flags.writeable = x.flags.writeable
    return out


@op
def diagonal_scatter(xp, x, *, shape, offset, axis1, axis2):
    """The adjoint of `diagonal`: zeros with x on the diagonal."""
    out = xp.zeros(shape, x.dtype)
    view = xp.moveaxis(out, (axis1, axis2), (-2, -1))
    rows = xp.arange(x.shape[-1]) + max(-offset, 0)
    view[..., rows, rows + offset] = x
    return out


diagonal.vjp(
    lambda g, shapes, offset, axis1, axis2: diagonal_scatter(
        g, shape=shapes[0], offset=offset, axis1=axis1, axis2=axis2
    )
)
diagonal_scatter.vjp(
    lambda g, offset, axis1, axis2: diagonal(g, offset=offset, axis1=axis1, axis2=axis2)
)
