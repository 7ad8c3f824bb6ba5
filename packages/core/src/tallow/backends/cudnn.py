"""cuDNN, which computes convolutions on CUDA where `tallow[cudnn]` is installed.

`enabled = False` has them computed without it. `allow_tf32` lets it round factors of float32 to
TensorFloat-32, as PyTorch does. `benchmark` and `deterministic` may be set; nothing changes.
"""

import sys
from contextlib import contextmanager
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


@contextmanager
def flags(
    enabled=False, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True,
    fp32_precision="none",
):  # fmt: skip
    """A context in which `enabled`, `benchmark`, `deterministic` and `allow_tf32` are as given."""
    settings = vars(sys.modules[__name__])
    given = {
        "enabled": enabled, "benchmark": benchmark, "deterministic": deterministic,
        "allow_tf32": allow_tf32,
    }  # fmt: skip
    before = {name: settings[name] for name in given}
    settings.update(given)
    try:
        yield
    finally:
        settings.update(before)
