"""Batch norm, over all axes but the second, with what follows it, and layer norm, over the last."""

from tallow.kernels.cuda import launch
from tallow.kernels.cuda.launch import Source, block_for, empty, in_order, is_real, size, wide
from tallow.kernels.cuda.reduce import ADD, reduced
from tallow.ops import norm

norms = Source("norm.cu")
BLOCKS, LEAST, MOST = 1024, 4096, 512  # that are wanted; elements of a part; parts of a group


def _groups(x, axes, factor):
    """(groups, images, inner, stride, by_place) as the kernels take them; or None.

    `factor` is the shape of weights, or None without.
    """
    if not x.size:
        return None
    if axes == (0, *range(2, x.ndim)) and x.ndim > 1:
        images, channels, inner = *x.shape[:2], size(x.shape[2:])
        return channels, images, inner, channels * inner, False
    if axes == tuple(range(x.ndim - len(axes), x.ndim)) and axes:
        tail = x.shape[x.ndim - len(axes) :]
        if x.size // size(tail) > launch.MOST_BLOCKS:
            return None
        if factor is None or tuple(factor[-len(axes) :]) == tail:
            return x.size // size(tail), 1, size(tail), 0, True
    return None


def _blocks(groups, count, x):
    """((groups, parts) of a launch, its threads): a group of many elements is shared by blocks."""
    parts = max(1, min(BLOCKS // groups, count // LEAST, MOST))
    return (groups, parts), block_for(-(-count // parts), x.itemsize)


def _kept(x, axes):
    """The shape of x with `axes` as 1."""
    return tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))


def _normalize(x, weight, bias, residual, factor, axes, eps, centre, relu):
    parted = _groups(x, axes, None if weight is None and bias is None else factor)
    if parted is None or not is_real(x, weight, bias, residual):
        return NotImplemented
    if residual is not None and residual.shape != x.shape:
        return NotImplemented
    groups, images, inner, stride, by_place = parted
    blocks, threads = _blocks(groups, images * inner, x)
    x, weight, bias, residual = map(in_order, (x, weight, bias, residual))
    out, kept, parts = empty(x.shape, x), _kept(x, axes), None
    average, variance = (empty(kept, x, wide(x.dtype)) for _ in range(2))
    if blocks[1] > 1:
        parts = empty((*blocks, 3), average)
        norms("moments", x, blocks, threads, x, parts, images, inner, stride)
    norms(
        "normalize", x, blocks, threads, x, weight, bias, residual, parts, out, average, variance,
        images, inner, stride, by_place, eps, centre, relu,
    )  # fmt: skip
    return out, average, variance


@norm.normalize.on("cuda")
def _(x, weight, bias, *, factor, axes, eps, centre):
    return _normalize(x, weight, bias, None, factor, axes, eps, centre, False)


@norm.normalize_relu.on("cuda")
def _(x, weight, bias, *, factor, axes, eps):
    return _normalize(x, weight, bias, None, factor, axes, eps, True, True)


@norm.normalize_add_relu.on("cuda")
def _(x, y, weight, bias, *, factor, axes, eps):
    return _normalize(x, weight, bias, y, factor, axes, eps, True, True)


def _normalize_grad(g, x, weight, bias, average, variance, axes, eps, centre, relu):
    parted = _groups(x, axes, None if weight is None else weight.shape)
    if parted is None or not is_real(g, x, weight, bias) or g.shape != x.shape:
        return NotImplemented
    if {average.dtype, variance.dtype} != {wide(x.dtype)} or (relu and parted[-1]):
        return NotImplemented
    groups, images, inner, stride, by_place = parted
    blocks, threads = _blocks(groups, images * inner, x)
    out, parts, (along, level) = empty(x.shape, x), None, empty((2, groups), average)
    given = map(in_order, (g, x, weight, bias, average, variance))
    given = (*given, images, inner, stride, by_place, eps, centre, relu)
    if blocks[1] > 1:
        parts = empty((*blocks, 2), average)
        norms("slope_sums", x, blocks, threads, *given, parts)
    norms("normalize_grad", x, blocks, threads, *given, parts, out, along, level)
    if weight is None:
        return out, *(part.sum().reshape((1,) * x.ndim) for part in (along, level))
    if by_place:
        g, x, _, _, average, variance = given[:6]
        along, level = _columns(g, x, average, variance, groups, inner, eps, centre)
    return out, along.reshape(weight.shape), level.reshape(weight.shape)


@norm.normalize_grad.on("cuda")
def _(g, x, weight, average, variance, *, axes, eps, centre):
    return _normalize_grad(g, x, weight, None, average, variance, axes, eps, centre, False)


@norm.normalize_relu_grad.on("cuda")
def _(g, x, weight, bias, average, variance, *, axes, eps):
    return _normalize_grad(g, x, weight, bias, average, variance, axes, eps, True, True)


def _columns(g, x, average, variance, rows, n, eps, centre):
    """The gradients by a weight and a bias for each place of a row."""
    parts = max(1, min(rows // 32, 4096 // -(-n // 32)))
    by_weight, by_bias = (empty((parts, n), average) for _ in range(2))
    norms(
        "columns", x, (-(-n // 32), parts), 256, g, x, average, variance, by_weight, by_bias,
        rows, n, eps, centre,
    )  # fmt: skip
    if parts == 1:
        return by_weight, by_bias
    return tuple(reduced(ADD, made, (0,), (n,)) for made in (by_weight, by_bias))
