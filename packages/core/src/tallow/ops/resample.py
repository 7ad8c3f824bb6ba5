"""Resampling along an axis by a table of weights, `Taps`."""

from tallow.autograd.op import op
from tallow.ops.reduce import widened

FEW = 8  # taps a result; beyond, one matrix product is faster than a pass for each


@op
def resample(xp, x, *, axis, taps):
    """Weighted sums of the elements along `axis`: interpolation, and means of windows."""
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


resample.vjp(lambda g, axis, taps: resample(g, axis=axis, taps=taps.transposed))
