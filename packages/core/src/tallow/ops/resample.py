"""Resampling along axes by tables of weights, `Taps`."""

from tallow.autograd.op import op
from tallow.ops.reduce import widened

FEW = 8  # taps a result; beyond, one matrix product is faster than a pass for each


@op
def resample(xp, x, *, axes, taps):
    """Weighted sums of the elements along each axis, the last one first, by a table for each.

    That is interpolation, and means of windows.
    """
    for axis, table in zip(reversed(axes), reversed(taps), strict=True):
        x = _along(xp, x, axis, table)
    return x


def _along(xp, x, axis, taps):
    if taps.plain:
        return xp.take(x, xp.asarray(taps.index[:, 0]), axis)
    wide = widened(xp, x)
    if taps.weight.shape[1] > FEW:
        out = xp.swapaxes(wide, axis, -1) @ xp.asarray(taps.matrix, wide.dtype)
        return xp.ascontiguousarray(xp.swapaxes(out, axis, -1)).astype(x.dtype, copy=False)
    index, weight = xp.asarray(taps.index), xp.asarray(taps.weight, wide.dtype)
    shape = (-1, *(1,) * (x.ndim - axis - 1))
    out = xp.take(wide, index[:, 0], axis)
    out *= weight[:, 0].reshape(shape)
    for tap in range(1, weight.shape[1]):
        part = xp.take(wide, index[:, tap], axis)
        part *= weight[:, tap].reshape(shape)
        out += part
    return out.astype(x.dtype, copy=False)


resample.vjp(lambda g, axes, taps: resample(g, axes=axes, taps=tuple([t.transposed for t in taps])))
