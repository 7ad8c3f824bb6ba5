"""Discrete Fourier transforms.

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
