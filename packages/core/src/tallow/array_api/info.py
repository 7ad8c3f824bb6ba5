"""What this namespace can do."""

import tallow
from tallow.array_api.arrays import KINDS, isdtype

__all__ = ["__array_namespace_info__"]


class Info:
    """Devices, dtypes and what else the standard asks about."""

    def capabilities(self):
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self):
        return tallow.get_default_device()

    def default_dtypes(self, *, device=None):
        real = tallow.get_default_dtype()
        both = tallow.promote_types(real, tallow.complex64)
        ints = tallow.int64
        return {
            "real floating": real, "complex floating": both, "integral": ints, "indexing": ints
        }  # fmt: skip

    def dtypes(self, *, device=None, kind=None):
        known = [tallow.bool, *KINDS["numeric"]]
        return {repr(d).partition(".")[2]: d for d in known if kind is None or isdtype(d, kind)}

    def devices(self):
        count = tallow.cuda.device_count()
        return [tallow.device("cpu"), *(tallow.device("cuda", n) for n in range(count))]


def __array_namespace_info__():
    """An object that tells of devices and dtypes."""
    return Info()
