"""Limits of dtypes: `finfo` and `iinfo`."""

from math import log10

import numpy as np

from tallow import dtypes
from tallow.errors import TypeMismatchError


class finfo:
    """Limits of a floating dtype, by default the default one; of a complex one those of its parts.

    `bits`, `eps` (from 1 to the next number), `max`, `min`, `smallest_normal` or `tiny` (the least
    positive number of full precision), `resolution`.

    >>> tallow.finfo(tallow.float32).eps
    1.1920928955078125e-07
    """

    SHOWN = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")

    def __init__(self, type=None):
        dtype = dtypes.given("finfo", type, dtypes.get_default_dtype()).to_real()
        if dtype.category != dtypes.FLOATING:
            raise TypeMismatchError(f"finfo: expected a floating dtype, got {dtype}; use iinfo")
        limits = _limits(dtype)
        self.bits = limits.bits
        self.dtype = dtype.name
        self.eps, self.max, self.min = float(limits.eps), float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = 10.0 ** -int(-log10(self.eps))

    def __repr__(self):
        shown = ", ".join(f"{name}={getattr(self, name):g}" for name in self.SHOWN)
        return f"{type(self).__name__}({shown}, dtype={self.dtype})"


def _limits(dtype):
    if not isinstance(dtype, dtypes.Lent):
        return np.finfo(dtype.numpy)
    import ml_dtypes

    return ml_dtypes.finfo(dtype.numpy)


class iinfo:
    """Limits of an integer dtype: `bits`, `min`, `max`.

    >>> tallow.iinfo(tallow.uint8).max
    255
    """

    SHOWN = ("min", "max")

    def __init__(self, type):
        dtype = dtypes.given("iinfo", type)
        if dtype is None or dtype.category != dtypes.INTEGER:
            raise TypeMismatchError(f"iinfo: expected an integer dtype, got {dtype}; use finfo")
        limits = np.iinfo(dtype.numpy)
        self.bits, self.min, self.max, self.dtype = limits.bits, limits.min, limits.max, dtype.name

    __repr__ = finfo.__repr__
