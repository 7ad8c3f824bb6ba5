"""Signal processing: `tallow.signal.windows`, and filters that feed back."""

from tallow.signal import windows
from tallow.signal.filters import recursive_filter

__all__ = ["recursive_filter", "windows"]
