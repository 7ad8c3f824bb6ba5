"""Batch norm, over all axes but the second, and layer norm, over the last axes."""

from tallow.kernels.cuda import launch
from tallow.kernels.cuda.launch import Source, block_for, empty, in_order, is_real, size, wide
from tallow.ops import norm

norms = Source("norm.cu")


def _groups(x, axes, factor):
    """(groups, count, inner, stride, by_place) as the kernels take them; or None.

    `factor` is the shape of weights, or None without.
    """
    if not x.size:
        return None
    if axes == (0, *range(2, x.ndim)) and x.ndim > 1:
        channels, inner = x.shape[1], size(x.shape[2:])
        return channels, x.size // channels, inner, x.shape[1] * inner, False
    if axes == tuple(range(x.ndim - len(axes), x.ndim)) and axes:
        tail = x.shape[x.ndim - len(axes) :]
        if x.size // size(tail) > launch.MOST_BLOCKS:
            return None
        if factor is None or tuple(factor[-len(axes) :]) == tail:
            return x.size // size(tail), size(tail), size(tail), 0, True
    return None


def _kept(x, axes):
    """The shape of x with `axes` as 1."""
    return tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))


@norm.normalize.on("cuda")
def _(x, weight, bias, *, factor, axes, eps, centre):
    parted = _groups(x, axes, None if weight is None and bias is None else factor)
    if parted is None or not is_real(x, weight, bias):
        return NotImplemented
    groups, count, *layout = parted
    out, kept = empty(x.shape, x), _kept(x, axes)
    average, variance = (empty(kept, x, wide(x.dtype)) for _ in range(2))
    norms(
        "normalize", x, groups, block_for(count), *map(in_order, (x, weight, bias)), out,
        average, variance, count, *layout, eps, centre,
    )  # fmt: skip
    return out, average, variance


@norm.normalize_grad.on("cuda")
def _(g, x, weight, average, variance, *, axes, eps, centre):
    parted = _groups(x, axes, None if weight is None else weight.shape)
    if parted is None or not is_real(g, x, weight) or g.shape != x.shape:
        return NotImplemented
    if {average.dtype, variance.dtype} != {wide(x.dtype)}:
        return NotImplemented
    groups, count, inner, stride, by_place = parted
    out = empty(x.shape, x)
    g, x, weight, average, variance = map(in_order, (g, x, weight, average, variance))
    along, level = (empty((groups,), average) for _ in range(2))
    norms(
        "normalize_grad", x, groups, block_for(count), g, x, weight, average, variance, out, along,
        level, count, inner, stride, by_place, eps, centre,
    )  # fmt: skip
    if weight is None:
        return out, *(part.sum().reshape((1,) * x.ndim) for part in (along, level))
    if by_place:
        along, level = _columns(g, x, average, variance, groups, count, eps, centre)
    return out, along.reshape(weight.shape), level.reshape(weight.shape)


def _columns(g, x, average, variance, rows, n, eps, centre):
    """The gradients by a weight and a bias for each place of a row."""
    parts = max(1, min(rows // 32, 4096 // -(-n // 32)))
    by_weight, by_bias = (empty((parts, n), average) for _ in range(2))
    norms(
        "columns", x, (-(-n // 32), parts), 256, g, x, average, variance, by_weight, by_bias,
        rows, n, eps, centre,
    )  # fmt: skip
    return by_weight.sum(axis=0), by_bias.sum(axis=0)
