"""The extension `fft`: Fourier transforms with the standard's arguments."""

from tallow import fft as _fft
from tallow.elementwise import named

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip


def _along_one(name):
    function = getattr(_fft, name)

    def transform(x, /, *, n=None, axis=-1, norm="backward"):
        return function(x, n, axis, norm)

    return named(transform, name, f"`tallow.fft.{name}`.")


def _along_several(name):
    function = getattr(_fft, name)

    def transform(x, /, *, s=None, axes=None, norm="backward"):
        return function(x, s, axes, norm)

    return named(transform, name, f"`tallow.fft.{name}`.")


fft, ifft, rfft, irfft, hfft, ihfft = map(_along_one, "fft ifft rfft irfft hfft ihfft".split())
fftn, ifftn, rfftn, irfftn = map(_along_several, "fftn ifftn rfftn irfftn".split())


def fftfreq(n, /, *, d=1.0, dtype=None, device=None):
    return _fft.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(n, /, *, d=1.0, dtype=None, device=None):
    return _fft.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x, /, *, axes=None):
    return _fft.fftshift(x, axes)


def ifftshift(x, /, *, axes=None):
    return _fft.ifftshift(x, axes)
