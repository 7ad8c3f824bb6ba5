"""The compiled module of the package tallow-kernels, if it is there.

It is loaded with tallow, before there are arrays: those that NumPy makes from then on lie in its
memory, on whole cache lines and large pages. What it computes is registered later, by
`tallow.kernels.cpu`.
"""

import os
from importlib import import_module

compiled = None  # the module
REASON = ""  # why there is none

if os.environ.get("TALLOW_KERNELS") == "0":
    REASON = "TALLOW_KERNELS=0 is set"
else:
    try:
        package = import_module("tallow_kernels")
    except ImportError:
        REASON = "the package tallow-kernels is not installed"
    else:
        compiled, REASON = package.compiled, package.info().get("reason", "")

if compiled is not None:
    compiled.install_memory()
