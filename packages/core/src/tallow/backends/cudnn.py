"""cuDNN, which computes convolutions on CUDA where `tallow[cudnn]` is installed.

`enabled = False` has them computed without it. `allow_tf32` lets it round factors of float32 to
TensorFloat-32, as PyTorch does. `benchmark` and `deterministic` may be set; nothing changes.
"""

from importlib import import_module

enabled = True
benchmark = False
deterministic = True
allow_tf32 = True


def _library():
    return import_module("tallow.kernels.cuda.cudnn").library()


def is_available():
    """True if cuDNN and nvidia-cudnn-frontend are installed."""
    return _library() is not None


def version():
    """The version of cuDNN as a number, such as 90800 for 9.8.0; None without it."""
    return _library().backend_version() if is_available() else None
