"""The parts of complex tensors: conjugates, real and imaginary parts, pairs of reals."""

import tallow.ops.complex as ops
from tallow import dtypes
from tallow.elementwise import one_tensor
from tallow.errors import DtypeError, ShapeError, describe, listing
from tallow.ops.elementwise import copy, cos, sin
from tallow.ops.shape import swap
from tallow.promotion import floating, give

__all__ = [
    "adjoint", "angle", "complex", "conj", "conj_physical", "imag", "is_conj", "is_neg", "polar",
    "real", "resolve_conj", "resolve_neg", "view_as_complex", "view_as_real",
]  # fmt: skip


def conj(input):
    """The complex conjugate; a real tensor itself. (A copy, where PyTorch gives a lazy view.)"""
    return ops.conj(input) if input.dtype.is_complex else input


def conj_physical(input, *, out=None):
    """`conj`, for a real tensor a copy."""
    return give(ops.conj(input) if input.dtype.is_complex else copy(input), out, "conj_physical")


def resolve_conj(input):
    """The tensor itself: conjugates are never lazy here."""
    return input


def resolve_neg(input):
    """The tensor itself: negatives are never lazy here."""
    return input


def is_conj(input):
    """False: conjugates are never lazy here."""
    return False


def is_neg(input):
    """False: negatives are never lazy here."""
    return False


def real(input):
    """The real part of a complex tensor, a view; a real tensor itself."""
    return ops.real(input) if input.dtype.is_complex else input


def imag(input):
    """The imaginary part of a complex tensor, a view."""
    if not input.dtype.is_complex:
        raise DtypeError(f"imag: expected a complex tensor, got {describe(input)}")
    return ops.imag(input)


def view_as_real(input):
    """(...) complex -> (..., 2), real and imaginary parts; a view.

    >>> tallow.view_as_real(tallow.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if not input.dtype.is_complex:
        raise DtypeError(f"view_as_real: expected a complex tensor, got {describe(input)}")
    return ops.view_as_real(input)


def view_as_complex(input):
    """(..., 2) -> (...) complex; a view, so pairs must lie together in memory."""
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise DtypeError(f"view_as_complex: expected float32 or float64, got {describe(input)}")
    array = input.array
    if array.shape[-1:] != (2,):
        raise ShapeError(f"view_as_complex: expected a last dim of size 2, got {describe(input)}")
    pair = 2 * array.itemsize
    if array.strides[-1] != array.itemsize or any(n % pair for n in array.strides[:-1]):
        raise ShapeError(
            "view_as_complex: expected pairs that lie together in memory, got strides "
            f"{input.stride()}; use .contiguous()"
        )
    return ops.view_as_complex(input)


def complex(real, imag, *, out=None):
    """A complex tensor from its real and imaginary parts (float32 gives complex64).

    >>> tallow.complex(tallow.tensor([1.0]), tallow.tensor([2.0]))
    tensor([1.+2.j])
    """
    _real_pair("complex", real, imag)
    return give(ops.join(real, imag), out, "complex")


def polar(abs, angle, *, out=None):
    """A complex tensor from its absolute value and its angle in radians."""
    _real_pair("polar", abs, angle)
    return give(ops.join(abs * cos(angle), abs * sin(angle)), out, "polar")


def angle(input, *, out=None):
    """The angle of complex numbers in radians; of real ones 0, or pi where they are negative."""
    return give(ops.angle(floating("angle", input)), out, "angle")


def _real_pair(name, x, y):
    """Raise unless both are float32, or both float64."""
    kinds = {one_tensor(name, x).dtype, one_tensor(name, y).dtype}
    if len(kinds) > 1 or not kinds <= {dtypes.float32, dtypes.float64}:
        raise DtypeError(f"{name}: expected float32 or float64 twice, got {listing([x, y])}")


def adjoint(input):
    """(..., n, m) -> (..., m, n), transposed and conjugated."""
    if input.array.ndim == 1:
        raise ShapeError(f"adjoint: expected a matrix or a batch of them, got {describe(input)}")
    return conj(swap(input, axis1=-2, axis2=-1) if input.array.ndim else input)


def hermitian(input):
    """`Tensor.H`: the adjoint of a single matrix."""
    if input.array.ndim not in (0, 2):
        raise ShapeError(f"H: expected a matrix, got {describe(input)}; use .mH for batches")
    return adjoint(input)


def set_real(input, value):
    """`tensor.real = value`."""
    real(input).copy_(value)


def set_imag(input, value):
    """`tensor.imag = value`."""
    imag(input).copy_(value)
