"""Pooling, windows as columns, and convolution of single channels: one to three spatial axes."""

import numpy as np

from tallow.kernels.cuda.launch import Source, empty, in_order, is_real, size
from tallow.ops import conv, pool

over = Source("windows.cu")
WINDOWS = np.dtype([("all", np.int32, 18)])


def described(sizes, kernel, stride, padding, dilation, count):
    """The struct `Windows`; or None for what the kernels do not do."""
    axes, extra = len(kernel), 3 - len(kernel)
    if extra < 0 or max(size(sizes), size(count), size(kernel)) > 2**31 - 1:
        return None
    rows = zip((sizes, kernel, stride, padding, dilation, count), (1, 1, 1, 0, 1, 1), strict=True)
    made = np.empty((), WINDOWS)
    made["all"] = [n for row, none in rows for n in (*(none,) * extra, *row[-axes:])]
    return made


def _pooled(name, x, out_sizes, sizes, how, *arrays, dtype=None):
    """A kernel from arrays like x, (N, C, ...), to a new (N, C, *out_sizes)."""
    windows = described(sizes, *how)
    if windows is None or not is_real(x, *arrays) or not x.size:
        return NotImplemented
    out = empty((*x.shape[:2], *out_sizes), x, dtype)
    over.each(name, x, out.size, *map(in_order, (x, *arrays)), out, windows)
    return out


@pool.max_pool.on("cuda")
def _(x, *, kernel, stride, padding, dilation, count):
    how = (kernel, stride, padding, dilation, count)
    return _pooled("max_pool", x, count, x.shape[2:], how)


@pool.max_pool_indices.on("cuda")
def _(x, *, kernel, stride, padding, dilation, count):
    how = (kernel, stride, padding, dilation, count)
    return _pooled("max_pool_indices", x, count, x.shape[2:], how, dtype=np.int64)


@pool.max_pool_grad.on("cuda")
def _(g, x, out, *, kernel, stride, padding, dilation, count):
    how = (kernel, stride, padding, dilation, count)
    return _pooled("max_pool_grad", g, x.shape[2:], x.shape[2:], how, x)


@pool.pool_sum.on("cuda")
def _(x, *, kernel, stride, padding, count):
    how = (kernel, stride, padding, (1,) * len(kernel), count)
    return _pooled("pool_sum", x, count, x.shape[2:], how)


@pool.pool_spread.on("cuda")
def _(g, *, size, kernel, stride, padding, count):
    how = (kernel, stride, padding, (1,) * len(kernel), count)
    windows = described(size, *how)
    if windows is None or not is_real(g) or not g.size:
        return NotImplemented
    out, places = empty((*g.shape[:2], *size), g), g[0, 0].size
    over.each("fold", g, out.size, in_order(g), out, windows, 1, places, 0)
    return out


# Columns: (N, C * depth, places)


def unfolded(x, kernel, stride, padding, dilation):
    """The windows of x (N, C, *size) as columns; or None."""
    count = conv.out_size(x.shape[2:], kernel, stride, padding, dilation)
    windows = described(x.shape[2:], kernel, stride, padding, dilation, count)
    if windows is None or not is_real(x):
        return None
    images, channels, places = len(x), x.shape[1], size(count)
    lines, number = channels * size(kernel), images * channels * places
    out = empty((images, lines, places), x)
    over.each("unfold", x, number, in_order(x), out, windows, channels, lines * places, places)
    return out


def folded(columns, sizes, kernel, stride, padding, dilation):
    """Columns (N, C * depth, places) added where they came from, (N, C, *sizes); or None."""
    count = conv.out_size(sizes, kernel, stride, padding, dilation)
    windows = described(sizes, kernel, stride, padding, dilation, count)
    if windows is None or not is_real(columns):
        return None
    images, lines, places = columns.shape
    channels = lines // size(kernel)
    out = empty((images, channels, *sizes), columns)
    layout = (lines * places, places)
    over.each("fold", out, out.size, in_order(columns), out, windows, channels, *layout)
    return out


@conv.unfold.on("cuda")
def _(x, *, kernel, stride, padding, dilation):
    out = unfolded(x, kernel, stride, padding, dilation) if x.size else None
    return NotImplemented if out is None else out


@conv.fold.on("cuda")
def _(columns, *, size, kernel, stride, padding, dilation):
    out = folded(columns, size, kernel, stride, padding, dilation) if columns.size else None
    return NotImplemented if out is None else out
