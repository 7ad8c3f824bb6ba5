"""`make_tensor`: a random tensor to test with."""

import math

from tallow import dtypes
from tallow.complex_parts import view_as_real
from tallow.creation import empty
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.info import finfo, iinfo
from tallow.promotion import sizes_of
from tallow.random import randint, uniform_

RANGES = {dtypes.BOOL: (0, 2), dtypes.INTEGER: (-9, 10), dtypes.FLOATING: (-9, 9)}


def make_tensor(
    *shape, dtype, device=None, low=None, high=None, requires_grad=False, noncontiguous=False,
    exclude_zero=False, memory_format=None,
):  # fmt: skip
    """A tensor with elements drawn evenly from [low, high), limits that the dtype then clamps.

    They are -9 and 9 unless given; for integers -9 and 10 (from 0 where unsigned), for bool 0 and
    2. `noncontiguous` leaves a gap after each element in memory; `exclude_zero` puts 1 in place of
    integers that are 0, and the smallest normal number in place of other zeros.

    >>> tallow.testing.make_tensor(2, 3, dtype=tallow.float64, device="cpu", low=0).shape
    tallow.Size([2, 3])
    """
    shape = sizes_of("make_tensor", shape)
    if not isinstance(dtype, dtypes.dtype):
        raise TypeMismatchError(f"make_tensor: expected a dtype, got {dtype!r}")
    whole = dtype.category < dtypes.FLOATING
    if noncontiguous and memory_format is not None:
        raise ArgumentError("make_tensor: expected noncontiguous or memory_format, got both")
    if requires_grad and whole:
        raise ArgumentError(
            f"make_tensor: expected a floating-point or complex dtype to require grad, got {dtype}"
        )
    low, high = _limits(dtype, low, high)
    gaps = noncontiguous and math.prod(shape) > 1
    drawn = (*shape[:-1], 2 * shape[-1]) if gaps else shape
    if whole:
        made = randint(math.ceil(low), math.ceil(high), drawn, dtype=dtype, device=device)
    else:
        made = _uniform(drawn, dtype, device, low, high)
    made = made[..., 1::2] if gaps else made
    if exclude_zero:
        made[made == 0] = 1 if whole else finfo(dtype).tiny
    return made.requires_grad_() if requires_grad else made


def _limits(dtype, low, high):
    """The range to draw from, within what the dtype holds."""
    usual = RANGES[min(dtype.category, dtypes.FLOATING)]
    low, high = usual[0] if low is None else low, usual[1] if high is None else high
    if low != low or high != high:
        raise ArgumentError(f"make_tensor: expected numbers for low and high, got {low} and {high}")
    if low >= high:
        raise ArgumentError(f"make_tensor: expected low < high, got {low} and {high}")
    least, most = _extremes(dtype)
    if high < least or low >= most:
        raise ArgumentError(
            f"make_tensor: expected a range in [{least}, {most}) for {dtype}, got [{low}, {high})"
        )
    return min(max(low, least), most), min(max(high, least), most)


def _extremes(dtype):
    if dtype.category == dtypes.BOOL:
        return 0, 2
    if dtype.category == dtypes.INTEGER:
        limits = iinfo(dtype)
        return limits.min, limits.max + (dtype is not dtypes.int64)
    limits = finfo(dtype)
    return limits.min, limits.max


def _uniform(shape, dtype, device, low, high):
    """Evenly from [low, high); halved, then doubled, where the range itself overflows."""
    made = empty(shape, dtype=dtype, device=device)
    parts = view_as_real(made) if dtype.is_complex else made
    if high - low < finfo(dtype).max:
        uniform_(parts, low, high)
    else:
        uniform_(parts, low / 2, high / 2).mul_(2)
    return made
