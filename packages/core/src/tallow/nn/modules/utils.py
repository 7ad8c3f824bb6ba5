"""Small helpers of the layers, by PyTorch's names too."""

from collections.abc import Iterable
from functools import partial


def ntuple(value, n):
    """One number for each of `n` spatial dimensions: `value` repeated, or its elements."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


_single, _pair, _triple, _quadruple = (partial(ntuple, n=n) for n in (1, 2, 3, 4))
