"""The CPU: which kernels are loaded."""

from importlib import import_module


def info():
    """What computes on the CPU, as a dict; without compiled kernels, why under "reason".

    >>> import tallow
    >>> sorted(tallow.backends.cpu.info())[0]
    'compiled'
    """
    kernels = import_module("tallow.kernels.cpu")
    if kernels.compiled is None:
        return {"compiled": False, "reason": kernels.REASON}
    return import_module("tallow_kernels").info()


def get_cpu_capability():
    """The instruction set that the kernels use: "AVX512", "AVX2", or "DEFAULT" for others."""
    return {"v4": "AVX512", "v3": "AVX2"}.get(info().get("instruction_set"), "DEFAULT")
