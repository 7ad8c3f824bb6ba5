"""Discrete Fourier transforms: `tallow.fft`. Differentiable, over any dims.

`n` (or `s`, one per dim) is the length that a dim is cut or padded with zeros to. `norm` says where
the division by the number of points is: "backward" (the default, in the inverse), "forward", or
"ortho" (by its square root, in both).
"""

import sys

import numpy as np

import tallow.ops.fft as ops
from tallow import dtypes
from tallow.casting import cast_by_policy
from tallow.creation import place
from tallow.elementwise import named, one_tensor
from tallow.errors import (
    DtypeError,
    OutOfRangeError,
    ShapeError,
    describe,
)
from tallow.layout import dense
from tallow.ops.complex import conj
from tallow.ops.shape import cut, pad
from tallow.ops.shape import roll as roll_op
from tallow.promotion import give, to_dtype
from tallow.shaping import distinct_axes

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2",
    "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2",
    "rfftfreq", "rfftn",
]  # fmt: skip


def _operand(name, input, real):
    """The tensor, floating where `real`, else complex."""
    if one_tensor(name, input).dtype in (dtypes.float16, dtypes.bfloat16):
        raise DtypeError(f"{name}: expected float32 or float64 on a CPU, got {describe(input)}")
    if not real:
        whole = input.dtype.category < dtypes.FLOATING
        return to_dtype(input, (dtypes.get_default_dtype() if whole else input.dtype).to_complex())
    if input.dtype.is_complex:
        raise DtypeError(f"{name}: expected a real tensor, got {describe(input)}; use .real")
    whole = input.dtype.category < dtypes.FLOATING
    return to_dtype(input, dtypes.get_default_dtype()) if whole else input


def _norm(name, norm):
    if norm not in (None, "backward", "ortho", "forward"):
        raise ShapeError(f"{name}: expected norm 'backward', 'ortho' or 'forward', got {norm!r}")
    return norm or "backward"


def _fitted(name, x, axis, n):
    """x cut or padded with zeros to n along an axis; None leaves it."""
    size = x.array.shape[axis]
    n = size if n is None else n
    if n < 1:
        raise ShapeError(
            f"{name}: expected at least one point, got {n} in dim {axis} of {describe(x)}"
        )
    if n < size:
        return cut(x, axis=axis, start=0, stop=n)
    widths = tuple((0, n - size if i == axis else 0) for i in range(x.array.ndim))
    return pad(x, widths=widths, value=0) if n > size else x


def _dims(name, x, s, dim):
    """The axes to transform and their lengths, None where a length is the tensor's own."""
    ndim = x.array.ndim
    if dim is None:
        count = ndim if s is None else len(s)
        if count > ndim:
            raise ShapeError(
                f"{name}: expected at most {ndim} sizes for {describe(x)}, got {tuple(s)}"
            )
        axes = tuple(range(ndim - count, ndim))
    else:
        axes = distinct_axes(name, dim, ndim)
    if axes and not ndim:
        raise OutOfRangeError(f"{name}: expected a tensor with dimensions, got {describe(x)}")
    s = (None,) * len(axes) if s is None else tuple(s)
    if len(s) != len(axes):
        raise ShapeError(f"{name}: expected a size for each of the dims {axes}, got {s}")
    return axes, s


def _complex(name, op, input, s, dim, norm, out):
    """A transform of all axes at once."""
    x = _operand(name, input, real=False)
    axes, sizes = _dims(name, x, s, dim)
    for axis, n in zip(axes, sizes, strict=True):
        x = _fitted(name, x, axis, n)
    result = op(x, axes=axes, norm=_norm(name, norm)) if axes else x
    return give(result, out, name)


def _from_real(name, op, input, s, dim, norm, out):
    """Real to half of a spectrum along the last dim, then complex along the others.

    `op` is fft for `rfft`, ifft for `ihfft`: the conjugate, which divides where the inverse does.
    """
    x = _operand(name, input, real=True)
    axes, sizes = _dims(name, x, s, dim)
    _some(name, axes)
    for axis, n in zip(axes, sizes, strict=True):
        x = _fitted(name, x, axis, n)
    norm = _norm(name, norm)
    x = ops.rfft(x, axis=axes[-1], norm=norm if op is ops.fft else ops.ADJOINT[norm])
    x = x if op is ops.fft else conj(x)
    return give(op(x, axes=axes[:-1], norm=norm) if axes[:-1] else x, out, name)


def _to_real(name, op, input, s, dim, norm, out):
    """Complex along all dims but the last, then half of a spectrum to real along that.

    `op` is ifft for `irfft`, fft for `hfft`: of the conjugate, which divides where `fft` does.
    """
    x = _operand(name, input, real=False)
    axes, sizes = _dims(name, x, s, dim)
    _some(name, axes)
    n = sizes[-1] if sizes[-1] is not None else 2 * (x.array.shape[axes[-1]] - 1)
    if n < 1:
        raise ShapeError(
            f"{name}: expected at least one point, got {n} in dim {axes[-1]} of {describe(x)}"
        )
    for axis, size in zip(axes, (*sizes[:-1], n // 2 + 1), strict=True):
        x = _fitted(name, x, axis, size)
    norm = _norm(name, norm)
    x = op(x, axes=axes[:-1], norm=norm) if axes[:-1] else x
    x = x if op is ops.ifft else conj(x)
    norm = norm if op is ops.ifft else ops.ADJOINT[norm]
    return give(ops.irfft(x, n=n, axis=axes[-1], norm=norm), out, name)


def _some(name, axes):
    if not axes:
        raise ShapeError(f"{name}: expected at least one dim to transform, got none")


def _own(s):
    """Sizes with None for -1, which stands for the tensor's own."""
    return s and [None if n == -1 else n for n in ((s,) if isinstance(s, int) else s)]


def _forms(name, kind, op, what):
    """The forms of a transform: along one dim, two, and any number."""

    def along(input, n=None, dim=-1, norm=None, *, out=None):
        return kind(name, op, input, (n,), (dim,), norm, out)

    def two(input, s=None, dim=(-2, -1), norm=None, *, out=None):
        return kind(name + "2", op, input, _own(s), dim, norm, out)

    def several(input, s=None, dim=None, norm=None, *, out=None):
        return kind(name + "n", op, input, _own(s), dim, norm, out)

    forms = [(along, "", "along one dim"), (two, "2", "over two dims"), (several, "n", "over dims")]
    for function, suffix, where in forms:
        named(function, name + suffix, f"{what}, {where}.")
    return along, two, several


fft, fft2, fftn = _forms("fft", _complex, ops.fft, "The discrete Fourier transform")
ifft, ifft2, ifftn = _forms("ifft", _complex, ops.ifft, "The inverse of `fft`")
rfft, rfft2, rfftn = _forms("rfft", _from_real, ops.fft, "The n // 2 + 1 frequencies >= 0 of reals")
irfft, irfft2, irfftn = _forms("irfft", _to_real, ops.ifft, "The inverse of `rfft`")
hfft, hfft2, hfftn = _forms("hfft", _to_real, ops.fft, "The spectrum of half a Hermitian signal")
ihfft, ihfft2, ihfftn = _forms("ihfft", _from_real, ops.ifft, "The inverse of `hfft`")


def _frequencies(name, bins, n, d, dtype, device, requires_grad, out):
    dtype = dtype or dtypes.get_default_dtype()
    if dtype.category < dtypes.FLOATING:
        raise DtypeError(f"{name}: expected a floating or complex dtype, got {dtype}")
    array = bins.astype(dtype.numpy) * dtype.numpy.type(1 / (max(n, 1) * d))
    return give(place(array, device, requires_grad), out, name)


@dense
def fftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of the n bins of `fft`, in cycles per unit of the sample spacing d.

    >>> tallow.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    half = (n + 1) // 2
    bins = np.concatenate([np.arange(half), np.arange(half - n, 0)])
    return _frequencies("fftfreq", bins, n, d, dtype, device, requires_grad, out)


@dense
def rfftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of the n // 2 + 1 bins of `rfft`, in cycles per unit of the spacing d."""
    return _frequencies("rfftfreq", np.arange(n // 2 + 1), n, d, dtype, device, requires_grad, out)


def _shift(name, input, dim, sign):
    shape = input.array.shape
    axes = range(len(shape)) if dim is None else distinct_axes(name, dim, len(shape))
    shifts = tuple(sign * (shape[axis] // 2) for axis in axes)
    return roll_op(input, shifts=shifts, axis=tuple(axes)) if shifts else input


def fftshift(input, dim=None):
    """The bins reordered so that frequency 0 is in the middle, along `dim` or all dims."""
    return _shift("fftshift", input, dim, 1)


def ifftshift(input, dim=None):
    """The inverse of `fftshift`."""
    return _shift("ifftshift", input, dim, -1)


cast_by_policy(sys.modules[__name__])
