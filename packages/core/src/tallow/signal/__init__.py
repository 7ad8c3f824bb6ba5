"""Signal processing: `tallow.signal.windows`."""

from tallow.signal import windows

__all__ = ["windows"]
