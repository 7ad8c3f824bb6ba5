"""The compiled module of the package tallow-kernels, if it is there.

It is loaded with tallow, before there are arrays: those that NumPy makes from then on lie in its
memory, on whole cache lines and large pages. What it computes is registered later, by
`tallow.kernels.cpu`.
"""

import functools
import os
from importlib import import_module

import numpy as np

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


@functools.cache
def twister_is_known():
    """True if compiled kernels draw as NumPy's generator does, whose state they change."""
    if compiled is None:
        return False
    mine, numpys = np.random.MT19937(1), np.random.MT19937(1)
    return np.array_equal(compiled.random_words(mine, 700), numpys.random_raw(700))
