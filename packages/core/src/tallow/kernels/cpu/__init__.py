"""Compiled kernels for NumPy's arrays, from the package tallow-kernels where it is installed.

They are registered when the first operation runs on the CPU. Without the package, or with
`TALLOW_KERNELS=0` in the environment, every operation runs its generic body on NumPy. By itself the
best instruction set that the processor has is used; `TALLOW_KERNELS=v2` or `v3` lowers it.
"""

import os
from importlib import import_module

from tallow.autograd.op import Op

REASON = ""  # why there are no compiled kernels, where there are none


def _load():
    """The compiled module, or None with a reason."""
    if os.environ.get("TALLOW_KERNELS") == "0":
        return None, "TALLOW_KERNELS=0 is set"
    try:
        package = import_module("tallow_kernels")
    except ImportError:
        return None, "the package tallow-kernels is not installed"
    return package.compiled, package.info().get("reason", "")


compiled, REASON = _load()
if compiled is not None:
    compiled.install_memory()
    Op.first_of = compiled.first_of  # the same, without a frame of Python in each call
    for name in ("registered", "recurrent", "scattering", "optimizers", "filters"):
        import_module(f"tallow.kernels.cpu.{name}")
