"""Convolution over any number of spatial axes, as a matrix product over unfolded windows (im2col).

x is (N, C, *size), weight (O, C / groups, *kernel), the output (N, O, *size'). `stride`, `padding`
and `dilation` are tuples, one int per spatial axis. Convolution is linear in x and in the weight,
so it and its two gradients are closed under differentiation: each one's rule is the other two. The
gradient by x is the transposed convolution.
"""

from math import prod

from tallow.autograd.op import op
from tallow.ops.linalg import wide_on_cpu
from tallow.ops.reduce import sum
from tallow.ops.shape import crop, pad

UNFOLDED = 1 << 20  # elements of windows unfolded at a time: as many as caches hold


def out_size(size, kernel, stride, padding, dilation):
    """How many windows fit along each axis."""
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)


def padded(xp, x, padding, value=0):
    """x (N, C, *size) with `padding` on both sides of each spatial axis."""
    if not any(padding):
        return x
    size = [n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True)]
    out = xp.full((*x.shape[:2], *size), value, x.dtype)
    out[inner(out.shape, padding)] = x
    return out


def inner(shape, padding):
    """The key that cuts the padding off."""
    return (..., *(slice(p, n - p) for n, p in zip(shape[2:], padding, strict=True)))


def windows(xp, x, kernel, stride, dilation):
    """A view (N, C, *kernel, *windows) of x (N, C, *size), without copying."""
    count = out_size(x.shape[2:], kernel, stride, (0,) * len(kernel), dilation)
    batch, channel, *steps = x.strides
    inside = [step * d for step, d in zip(steps, dilation, strict=True)]
    across = [step * s for step, s in zip(steps, stride, strict=True)]
    as_strided = xp.lib.stride_tricks.as_strided
    return as_strided(x, (*x.shape[:2], *kernel, *count), (batch, channel, *inside, *across))


def offsets(xp, kernel, count, stride, dilation):
    """For each place in the kernel: it, and the key of the elements that the windows have there."""
    for place in xp.ndindex(kernel):
        starts = [i * d for i, d in zip(place, dilation, strict=True)]
        axes = zip(starts, count, stride, strict=True)
        yield place, (..., *(slice(a, a + (n - 1) * s + 1, s) for a, n, s in axes))


def batches(images, per_image):
    """Slices of the batch, each with about `UNFOLDED` elements in its windows."""
    step = max(1, UNFOLDED // max(per_image, 1))
    return [slice(start, start + step) for start in range(0, images, step)]


@op
def conv(xp, x, weight, bias, *, stride, padding, dilation, groups):
    """The sum over windows of x times weight, plus bias (O,) or None."""
    images, outputs, kernel = len(x), len(weight), weight.shape[2:]
    views = windows(xp, padded(xp, x, padding), kernel, stride, dilation)
    count = views.shape[-len(kernel) :]
    depth, places = weight[0].size, prod(count)
    matrix = weight.reshape(groups, outputs // groups, depth)
    out = xp.empty((images, groups, outputs // groups, places), xp.result_type(x, weight))
    for part in batches(images, groups * depth * places):
        out[part] = matrix @ views[part].reshape(-1, groups, depth, places)
    if bias is not None:
        out += bias.reshape(groups, -1, 1)
    return out.reshape(images, outputs, *count)


@op
def conv_grad_weight(xp, g, x, *, kernel, stride, padding, dilation, groups):
    """The gradient of `conv` by its weight (O, C / groups, *kernel), from that of its output."""
    views = windows(xp, padded(xp, x, padding), kernel, stride, dilation)
    images, channels, places = len(x), x.shape[1] // groups, prod(g.shape[2:])
    outputs, depth = g.shape[1] // groups, channels * prod(kernel)
    total = xp.zeros((groups, outputs, depth), g.dtype)
    for part in batches(images, groups * depth * places):
        unfolded = xp.moveaxis(views[part], 0, 1 + len(kernel)).reshape(groups, depth, -1)
        left = xp.moveaxis(g[part], 0, 1).reshape(groups, outputs, -1)
        total += left @ unfolded.swapaxes(1, 2)
    return total.reshape(groups * outputs, channels, *kernel)


@op
def conv_grad_input(xp, g, weight, *, size, stride, padding, dilation, groups):
    """The gradient of `conv` by x, of spatial `size`: each element of g spreads over its window."""
    images, kernel, count = len(g), weight.shape[2:], g.shape[2:]
    channels, places = weight.shape[1] * groups, prod(count)
    spread = [n + 2 * p for n, p in zip(size, padding, strict=True)]
    out = xp.zeros((images, channels, *spread), g.dtype)
    matrix = weight.reshape(groups, len(weight) // groups, -1).swapaxes(1, 2)
    for part in batches(images, channels * prod(kernel) * places):
        unfolded = matrix @ g[part].reshape(-1, groups, len(weight) // groups, places)
        unfolded = unfolded.reshape(-1, channels, *kernel, *count)
        for place, key in offsets(xp, kernel, count, stride, dilation):
            out[part][key] += unfolded[(slice(None), slice(None), *place)]
    return out[inner(out.shape, padding)]


for product in (conv, conv_grad_weight, conv_grad_input):
    wide_on_cpu(product)


def bias_gradient(g):
    """The sum over everything but channels."""
    return sum(g, axis=(0, *range(2, len(g.shape))), keepdims=False)


@conv.joint_vjp
def _(g, x, weight, needs, stride, padding, dilation, groups):
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (
        conv_grad_input(g, weight, size=x.shape[2:], **how) if needs[0] else None,
        conv_grad_weight(g, x, kernel=weight.shape[2:], **how) if needs[1] else None,
        bias_gradient(g) if needs[2] else None,
    )


@conv_grad_weight.joint_vjp
def _(v, g, x, needs, stride, padding, dilation, groups):
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (
        conv(x, v, None, **how) if needs[0] else None,
        conv_grad_input(g, v, size=x.shape[2:], **how) if needs[1] else None,
    )


@conv_grad_input.joint_vjp
def _(v, g, weight, needs, stride, padding, dilation, groups):
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    kernel = weight.shape[2:]
    count = out_size(v.shape[2:], kernel, stride, padding, dilation)
    # A long output padding holds windows at the end that no element of g has spread over.
    idle = ((0, 0), (0, 0), *((0, n - m) for n, m in zip(count, g.shape[2:], strict=True)))
    by_g = conv(v, weight, None, **how) if needs[0] else None
    if any(after for _, after in idle):
        by_g = crop(by_g, widths=idle) if needs[0] else None
        g = pad(g, widths=idle, value=0)
    return by_g, conv_grad_weight(g, v, kernel=kernel, **how) if needs[1] else None


@op
def unfold(xp, x, *, kernel, stride, padding, dilation):
    """The windows of x as columns: (N, C, *size) -> (N, C * prod(kernel), windows)."""
    views = windows(xp, padded(xp, x, padding), kernel, stride, dilation)
    return views.reshape(len(x), x.shape[1] * prod(kernel), prod(views.shape[-len(kernel) :]))


@op
def fold(xp, columns, *, size, kernel, stride, padding, dilation):
    """The adjoint of `unfold`: columns added where they came from, overlaps summed."""
    count = out_size(size, kernel, stride, padding, dilation)
    channels = columns.shape[1] // prod(kernel)
    parts = columns.reshape(len(columns), channels, *kernel, *count)
    spread = [n + 2 * p for n, p in zip(size, padding, strict=True)]
    out = xp.zeros((*parts.shape[:2], *spread), columns.dtype)
    for place, key in offsets(xp, kernel, count, stride, dilation):
        out[key] += parts[(slice(None), slice(None), *place)]
    return out[inner(out.shape, padding)]


unfold.vjp(
    lambda g, shapes, kernel, stride, padding, dilation: fold(
        g, size=shapes[0][2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)
fold.vjp(
    lambda g, kernel, stride, padding, dilation: unfold(
        g, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)
