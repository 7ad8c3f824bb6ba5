"""Small helpers of the layers."""

from collections.abc import Iterable


def ntuple(value, n):
    """One number for each of `n` spatial dimensions: `value` repeated, or its elements."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n
