"""Pooling over windows of any number of spatial axes: x (N, C, *size) -> (N, C, *count).

`kernel`, `stride`, `padding` and `dilation` are tuples, one int per spatial axis; `count` is the
number of windows, which the caller chooses (in ceil mode the last windows stick out). One pass for
each place in the kernel does all windows at once.
"""

from math import prod

from tallow.autograd.op import op
from tallow.ops.conv import offsets
from tallow.ops.index import combine


def framed(xp, x, value, kernel, stride, padding, dilation, count):
    """x on a ground of `value` that holds all windows, also those that stick out at the end."""
    spans = zip(count, kernel, stride, dilation, strict=True)
    size = [(n - 1) * s + d * (k - 1) + 1 for n, k, s, d in spans]
    if not any(padding) and all(a <= b for a, b in zip(size, x.shape[2:], strict=True)):
        return x
    size = [max(a, b + p) for a, b, p in zip(size, x.shape[2:], padding, strict=True)]
    out = xp.full((*x.shape[:2], *size), value, x.dtype)
    out[interior(x.shape, padding)] = x
    return out


def interior(shape, padding):
    """The key of x within its frame."""
    return (..., *(slice(p, p + n) for n, p in zip(shape[2:], padding, strict=True)))


def lowest(xp, dtype):
    """What every element is at least."""
    return xp.iinfo(dtype).min if dtype.kind in "iu" else -float("inf")


def winners(xp, x, out, kernel, stride, padding, dilation, count):
    """For each place in the kernel: its key, and the windows whose first maximum or NaN it is."""
    how = (kernel, stride, padding, dilation, count)
    ground = framed(xp, x, lowest(xp, x.dtype), *how)
    inside = framed(xp, xp.ones((1, 1, *x.shape[2:]), bool), False, *how)  # the frame wins nowhere
    open = xp.ones(out.shape, bool)
    for _, key in offsets(xp, kernel, count, stride, dilation):
        here = open & inside[key] & ((ground[key] == out) | (ground[key] != ground[key]))
        yield key, here
        open ^= here


@op
def max_pool(xp, x, *, kernel, stride, padding, dilation, count):
    """The largest element of each window; NaN if there is one."""
    x = framed(xp, x, lowest(xp, x.dtype), kernel, stride, padding, dilation, count)
    (_, first), *rest = offsets(xp, kernel, count, stride, dilation)
    out = x[first].copy()
    for _, key in rest:
        xp.maximum(out, x[key], out=out)
    return out


@op
def max_pool_grad(xp, g, x, out, *, kernel, stride, padding, dilation, count):
    """g put where the maximum of its window was."""
    how = (kernel, stride, padding, dilation, count)
    grad = xp.zeros(framed(xp, x, 0, *how).shape, g.dtype)
    for key, here in winners(xp, x, out, *how):
        grad[key] += g * here
    return grad[interior(x.shape, padding)]


@op
def max_pool_pick(xp, v, x, out, *, kernel, stride, padding, dilation, count):
    """The elements of v where the maxima of x were: the adjoint of `max_pool_grad`."""
    how = (kernel, stride, padding, dilation, count)
    ground = framed(xp, v, 0, *how)
    total = xp.zeros(out.shape, v.dtype)
    for key, here in winners(xp, x, out, *how):
        total += ground[key] * here
    return total


@op
def max_pool_indices(xp, x, *, kernel, stride, padding, dilation, count):
    """Where the maxima are: positions in the flattened spatial axes."""
    how = (kernel, stride, padding, dilation, count)
    places = xp.arange(prod(x.shape[2:])).reshape(1, 1, *x.shape[2:])
    places = framed(xp, places, 0, *how)
    out = max_pool(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation, count=count)
    total = xp.zeros(out.shape, xp.int64)
    for key, here in winners(xp, x, out, *how):
        total += places[key] * here
    return total


@op
def window_argmax(xp, x, *, places):
    """Where the maximum of each window is, in the flattened spatial axes; windows may be anywhere.

    `places`: for each spatial axis the elements of each window, (count, width) or (N, C, count,
    width).
    """
    n, flat, step = len(places), 0, 1
    for axis in reversed(range(n)):
        table = xp.asarray(places[axis])
        spread = [1] * (2 * n)
        spread[axis], spread[n + axis] = table.shape[-2:]
        flat = flat + table.reshape(*table.shape[:-2], *spread) * step
        step *= x.shape[2 + axis]
    count = flat.shape[-2 * n : -n]
    width = prod(flat.shape[-n:])
    flat = flat.reshape(*flat.shape[: -2 * n] or (1, 1), prod(count), width)
    flat = xp.broadcast_to(flat, (*x.shape[:2], *flat.shape[2:]))
    values = read_at(x, flat)
    best = xp.argmax(values, axis=-1)[..., None]
    return xp.take_along_axis(flat, best, axis=-1).reshape(*x.shape[:2], *count)


@op
def max_unpool(xp, x, index, *, size):
    """Zeros (N, C, *size) with x put at `index`, positions as `max_pool_indices` gives them."""
    flat = (*x.shape[:2], prod(x.shape[2:]))
    out = xp.zeros((*x.shape[:2], prod(size)), x.dtype)
    xp.put_along_axis(out, index.reshape(flat), x.reshape(flat), axis=2)
    return out.reshape(*x.shape[:2], *size)


@op
def read_at(xp, x, index):
    """The elements of x (N, C, *size) at positions `index` in the flattened spatial axes.

    The index is (N, C, ...), or (N, 1, ...) for the same positions in every channel.
    """
    flat = index.reshape(*index.shape[:2], prod(index.shape[2:]))
    values = xp.take_along_axis(x.reshape(*x.shape[:2], prod(x.shape[2:])), flat, axis=2)
    return values.reshape(*x.shape[:2], *index.shape[2:])


@op
def add_back(xp, g, index, *, size):
    """Zeros (N, C, *size) with g added at `index`: the adjoint of `read_at`."""
    channels = g.shape[0] * g.shape[1]
    out = xp.zeros(channels * prod(size), g.dtype)
    first = (xp.arange(channels) * prod(size)).reshape(*g.shape[:2], 1)
    flat = index.reshape(*index.shape[:2], prod(index.shape[2:])) + first
    combine(xp, out, flat.reshape(-1), g.reshape(-1))
    return out.reshape(*g.shape[:2], *size)


@op
def pool_sum(xp, x, *, kernel, stride, padding, count):
    """The sum of each window, what lies outside x counting as 0."""
    once = (1,) * len(kernel)
    x = framed(xp, x, 0, kernel, stride, padding, once, count)
    (_, first), *rest = offsets(xp, kernel, count, stride, once)
    out = x[first].copy()
    for _, key in rest:
        out += x[key]
    return out


@op
def pool_spread(xp, g, *, size, kernel, stride, padding, count):
    """Each element of g added to all of its window: the adjoint of `pool_sum`."""
    once = (1,) * len(kernel)
    image = xp.broadcast_to(g.dtype.type(0), (*g.shape[:2], *size))
    out = xp.zeros(framed(xp, image, 0, kernel, stride, padding, once, count).shape, g.dtype)
    for _, key in offsets(xp, kernel, count, stride, once):
        out[key] += g
    return out[interior(image.shape, padding)]


max_pool.vjp(
    lambda g, x, out, kernel, stride, padding, dilation, count: max_pool_grad(
        g, x, out,
        kernel=kernel, stride=stride, padding=padding, dilation=dilation, count=count,
    )
)  # fmt: skip
max_pool_grad.vjp(
    lambda v, x, out, kernel, stride, padding, dilation, count: max_pool_pick(
        v, x, out,
        kernel=kernel, stride=stride, padding=padding, dilation=dilation, count=count,
    )
)  # fmt: skip
max_pool_pick.vjp(
    lambda g, x, out, kernel, stride, padding, dilation, count: max_pool_grad(
        g, x, out,
        kernel=kernel, stride=stride, padding=padding, dilation=dilation, count=count,
    )
)  # fmt: skip
max_unpool.vjp(lambda g, index: read_at(g, index))
read_at.vjp(lambda g, index, shapes: add_back(g, index, size=shapes[0][2:]))
add_back.vjp(lambda g, index: read_at(g, index))
pool_sum.vjp(
    lambda g, shapes, kernel, stride, padding, count: pool_spread(
        g, size=shapes[0][2:], kernel=kernel, stride=stride, padding=padding, count=count
    )
)
pool_spread.vjp(
    lambda g, kernel, stride, padding, count: pool_sum(
        g, kernel=kernel, stride=stride, padding=padding, count=count
    )
)
