"""CUDA: whether it is there. `matmul.allow_tf32` may be set as for PyTorch and has no effect."""

from types import SimpleNamespace

from tallow.cuda import is_available

matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=False)


def is_built():
    """True if CuPy and a device are there."""
    return is_available()
