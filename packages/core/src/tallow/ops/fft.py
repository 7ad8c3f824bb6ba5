"""Discrete Fourier transforms, and cutting signals into frames.

`norm` says which direction divides by the number of points n: "backward" (the inverse), "forward",
or "ortho" (both, by sqrt(n)). A transform is linear, so its gradient is the adjoint: the opposite
transform, which divides where this one does.
"""

from tallow.autograd.op import op

ADJOINT = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


@op
def fft(xp, x, *, axes, norm):
    """The transform of complex x along each of `axes`."""
    return xp.fft.fftn(x, axes=axes, norm=norm)


@op
def ifft(xp, x, *, axes, norm):
    return xp.fft.ifftn(x, axes=axes, norm=norm)


@op(holomorphic=False)
def rfft(xp, x, *, axis, norm):
    """The frequencies from 0 to the Nyquist frequency of real x: n -> n // 2 + 1."""
    return xp.fft.rfft(x, axis=axis, norm=norm)


@op(holomorphic=False)
def irfft(xp, x, *, n, axis, norm):
    """The real signal of n samples whose `rfft` is x: n // 2 + 1 -> n."""
    return xp.fft.irfft(x, n, axis, norm)


@op
def scale_paired(x, *, n, axis, factor):
    """Half a spectrum of n samples with the frequencies that stand for two, +f and -f, scaled."""
    out = x * factor
    alone = [0, n // 2] if n % 2 == 0 else [0]
    key = (slice(None),) * axis + (alone,)
    out[key] = x[key]
    return out


# The matrices of fft and ifft are symmetric, and the engine conjugates around these rules.
fft.vjp(lambda g, axes, norm: fft(g, axes=axes, norm=norm))
ifft.vjp(lambda g, axes, norm: ifft(g, axes=axes, norm=norm))
scale_paired.vjp(lambda g, n, axis, factor: scale_paired(g, n=n, axis=axis, factor=factor))


@rfft.vjp
def _(g, shapes, axis, norm):
    n = shapes[0][axis]
    halved = scale_paired(g, n=n, axis=axis, factor=0.5)
    return irfft(halved, n=n, axis=axis, norm=ADJOINT[norm])


@irfft.vjp
def _(g, n, axis, norm):
    return scale_paired(rfft(g, axis=axis, norm=ADJOINT[norm]), n=n, axis=axis, factor=2)


# Frames


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
