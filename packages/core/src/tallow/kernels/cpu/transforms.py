"""Fourier transforms of many lines of float32, whose length has the factors 2, 3 and 5 alone."""

from math import prod

from tallow.kernels.cpu import compiled
from tallow.ops import fft


def _factor(n, norm, inverse):
    """What a transform of n points multiplies with."""
    if norm == "ortho":
        return n**-0.5
    return 1 / n if (norm == "backward") == inverse else 1.0


@fft.fft.on("cpu")
def _(x, *, axes, norm):
    n = prod(x.shape[axis] for axis in axes)
    return compiled.fft(x, axes, False, _factor(n, norm, False)) if n else NotImplemented


@fft.ifft.on("cpu")
def _(x, *, axes, norm):
    n = prod(x.shape[axis] for axis in axes)
    return compiled.fft(x, axes, True, _factor(n, norm, True)) if n else NotImplemented


@fft.rfft.on("cpu")
def _(x, *, axis, norm):
    n = x.shape[axis]
    return compiled.rfft(x, n, axis, _factor(n, norm, False)) if n else NotImplemented


@fft.irfft.on("cpu")
def _(x, *, n, axis, norm):
    return compiled.irfft(x, n, axis, _factor(n, norm, True)) if n else NotImplemented
