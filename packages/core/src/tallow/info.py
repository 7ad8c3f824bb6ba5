"""Limits of dtypes: `finfo` and `iinfo`."""

import ml_dtypes
import numpy as np

from tallow import dtypes


class finfo:
    """Limits of a floating dtype: bits, eps, max, min, tiny, smallest_normal, resolution.

    >>> import tallow
    >>> tallow.finfo(tallow.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, dtype=None):
        dtype = dtype or dtypes.get_default_dtype()
        if dtype.category < dtypes.FLOATING:
            raise TypeError(f"finfo: expected a floating dtype, got {dtype}; use iinfo")
        limits = ml_dtypes.finfo(dtype.to_real().numpy)
        self.bits = limits.bits
        self.dtype = dtype.to_real().name
        self.eps, self.max, self.min = float(limits.eps), float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(limits.resolution)

    def __repr__(self):
        fields = ", ".join(
            f"{name}={getattr(self, name):g}" for name in ("max", "min", "eps", "tiny")
        )
        return f"finfo({fields}, dtype={self.dtype})"


class iinfo:
    """Limits of an integer dtype: bits, min, max."""

    def __init__(self, dtype):
        if dtype.category != dtypes.INTEGER:
            raise TypeError(f"iinfo: expected an integer dtype, got {dtype}; use finfo")
        limits = np.iinfo(dtype.numpy)
        self.bits, self.min, self.max, self.dtype = limits.bits, limits.min, limits.max, dtype.name

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
