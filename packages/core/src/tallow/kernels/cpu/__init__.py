"""Compiled kernels for NumPy's arrays, from the package tallow-kernels where it is installed.

They are registered when the first operation runs on the CPU. Without the package, or with
`TALLOW_KERNELS=0` in the environment, every operation runs its generic body on NumPy. By itself the
best instruction set that the processor has is used; `TALLOW_KERNELS=v2` or `v3` lowers it.
"""

from importlib import import_module

from tallow.autograd.op import Op
from tallow.kernels.loading import REASON, compiled

__all__ = ["REASON", "compiled"]

if compiled is not None:
    Op.first_of = compiled.first_of  # the same, without a frame of Python
    # What is registered last is asked first.
    for name in (
        "volumes",
        "short",
        "registered",
        "recurrent",
        "scattering",
        "optimizers",
        "chains",
        "filters",
        "images",
        "transforms",
    ):
        import_module(f"tallow.kernels.cpu.{name}")
