"""Convolution and pooling over three spatial axes, by the compiled kernels for two.

A convolution of volumes is one of images whose channels are those of a window's slices: x (N, C, D,
H, W) becomes (N * D', C * KD, H, W). A pool over a window is one over each slice of it, and then
one over the results.
"""

import numpy as np

from tallow.ops import conv, pool


def _takes(*arrays):
    return all(x.ndim == 5 and x.dtype == np.float32 and x.size for x in arrays)


def _flat(how):
    """What is said of three axes, of the last two."""
    return {k: v[1:] if type(v) is tuple else v for k, v in how.items()}


def _slices(x, kernel, count, how):
    """The windows along the depth of x, as images: (N * D', C * KD, H, W)."""
    (padding, *_), (stride, *_), (dilation, *_) = how["padding"], how["stride"], how["dilation"]
    x = conv.padded(np, x, (padding, 0, 0))
    images, channels, _, height, width = x.shape
    step = x.strides
    steps = (step[0], step[2] * stride, step[1], step[2] * dilation, *step[3:])
    views = np.lib.stride_tricks.as_strided(
        x, (images, count, channels, kernel, height, width), steps
    )
    return np.ascontiguousarray(views).reshape(images * count, channels * kernel, height, width)


def _from_images(y, images):
    """(N * D, C, H, W) to (N, C, D, H, W)."""
    return np.ascontiguousarray(y.reshape(images, -1, *y.shape[1:]).swapaxes(1, 2))


def _to_images(x):
    """(N, C, D, H, W) to (N * D, C, H, W)."""
    return np.ascontiguousarray(x.swapaxes(1, 2)).reshape(-1, x.shape[1], *x.shape[3:])


def _as_images(weight):
    """A kernel whose slices are channels: (O, C, KD, KH, KW) to (O, C * KD, KH, KW)."""
    return np.ascontiguousarray(weight).reshape(len(weight), -1, *weight.shape[3:])


@conv.conv.on("cpu")
def _(x, weight, bias, **how):
    if not _takes(x, weight):
        return NotImplemented
    kernel = weight.shape[2:]
    sizes = (how[name] for name in ("stride", "padding", "dilation"))
    count = conv.out_size(x.shape[2:], kernel, *sizes)
    if min(count) < 1:
        return NotImplemented
    slices = _slices(x, kernel[0], count[0], how)
    return _from_images(conv.conv(slices, _as_images(weight), bias, **_flat(how)), len(x))


@conv.conv_grad_weight.on("cpu")
def _(g, x, *, kernel, **how):
    if not _takes(g, x):
        return NotImplemented
    slices = _slices(x, kernel[0], g.shape[2], how)
    made = conv.conv_grad_weight(_to_images(g), slices, kernel=kernel[1:], **_flat(how))
    return made.reshape(len(made), -1, *kernel)


@conv.conv_grad_input.on("cpu")
def _(g, weight, *, size, **how):
    if not _takes(g, weight):
        return NotImplemented
    images, count, depth = len(g), g.shape[2], weight.shape[2]
    made = conv.conv_grad_input(_to_images(g), _as_images(weight), size=size[1:], **_flat(how))
    made = made.reshape(images, count, -1, depth, *size[1:])
    (padding, *_), (stride, *_), (dilation, *_) = how["padding"], how["stride"], how["dilation"]
    out = np.zeros((images, made.shape[2], size[0] + 2 * padding, *size[1:]), np.float32)
    for k in range(depth):
        places = slice(k * dilation, k * dilation + (count - 1) * stride + 1, stride)
        out[:, :, places] += made[:, :, :, k].swapaxes(1, 2)
    return np.ascontiguousarray(out[:, :, padding : padding + size[0]])


def _planes(x):
    """(N, C, D, H, W) as images of H and W."""
    return x.reshape(len(x), -1, *x.shape[3:])


def _lines(x):
    """(N, C, D, H, W) as images of D and of H and W together."""
    return x.reshape(*x.shape[:3], -1)


def _in_planes(how):
    return {name: sizes[1:] for name, sizes in how.items()}


def _along_depth(how):
    """What is said of three axes, of the first; windows of one element along the last two."""
    rest = {"padding": 0, "dilation": 1, "kernel": 1, "stride": 1}
    return {name: (sizes[0], rest[name]) for name, sizes in how.items()}


def _pooled_planes(function, x, how, count):
    planes = function(_planes(x), count=count[1:], **_in_planes(how))
    return planes.reshape(*x.shape[:3], *count[1:])


def _pool(function):
    def kernel(x, *, count, **how):
        if not _takes(x):
            return NotImplemented
        middle = _lines(_pooled_planes(function, x, how, count))
        out = function(middle, count=(count[0], middle.shape[3]), **_along_depth(how))
        return out.reshape(*x.shape[:2], *count)

    return kernel


pool.max_pool.on("cpu")(_pool(pool.max_pool))
pool.pool_sum.on("cpu")(_pool(pool.pool_sum))


@pool.max_pool_grad.on("cpu")
def _(g, x, out, *, count, **how):
    if not _takes(g, x, out):
        return NotImplemented
    middle = _pooled_planes(pool.max_pool, x, how, count)
    along = _along_depth(how) | {"count": (count[0], count[1] * count[2])}
    g = pool.max_pool_grad(_lines(g), _lines(middle), _lines(out), **along)
    g = pool.max_pool_grad(
        g.reshape(_planes(middle).shape), _planes(x), _planes(middle), count=count[1:],
        **_in_planes(how),
    )  # fmt: skip
    return g.reshape(x.shape)


@pool.pool_spread.on("cpu")
def _(g, *, size, count, **how):
    if not _takes(g):
        return NotImplemented
    lines = (size[0], count[1] * count[2])
    middle = pool.pool_spread(
        _lines(g), size=lines, count=(count[0], lines[1]), **_along_depth(how)
    )
    planes = middle.reshape(len(g), -1, *count[1:])
    out = pool.pool_spread(planes, size=size[1:], count=count[1:], **_in_planes(how))
    return out.reshape(*g.shape[:2], *size)
