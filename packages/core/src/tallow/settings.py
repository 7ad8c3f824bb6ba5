"""Settings of the whole program: threads, deterministic results, precision, compiling."""

import os
from importlib import import_module

from tallow.errors import ArgumentError
from tallow.ops import linalg

__all__ = [
    "are_deterministic_algorithms_enabled", "compile", "get_deterministic_debug_mode",
    "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled",
    "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal",
    "set_num_interop_threads", "set_num_threads", "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip

MODES = ("default", "warn", "error")
PRECISIONS = ("highest", "high", "medium")


class _Chosen:
    deterministic = warn_only = warn_always = False


def _kernels():
    """The compiled kernels, or None."""
    return import_module("tallow.kernels.cpu").compiled


def get_num_threads():
    """How many threads an operation on the CPU may use."""
    kernels = _kernels()
    return (
        kernels.get_threads() if kernels else int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
    )


def set_num_threads(int):
    """Let the compiled kernels use that many threads.

    Without them the products of NumPy's BLAS are what has threads: set OMP_NUM_THREADS in the
    environment before NumPy is imported.
    """
    if int < 1:
        raise ArgumentError(f"set_num_threads: expected at least 1, got {int}")
    kernels = _kernels()
    if kernels:
        kernels.set_threads(int)


def get_num_interop_threads():
    """1: operations run one after another."""
    return 1


def set_num_interop_threads(int):
    """Nothing: operations run one after another."""


def set_flush_denormal(mode):
    """False: numbers next to 0 are kept, as NumPy has no such switch."""
    return False


def set_warn_always(b):
    """Remember the wish to see each warning again; Python's warning filters decide that here."""
    _Chosen.warn_always = bool(b)


def is_warn_always_enabled():
    """What `set_warn_always` was last told."""
    return _Chosen.warn_always


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Remember the wish for the same results in every run: tallow's operations give them anyway."""
    _Chosen.deterministic, _Chosen.warn_only = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled():
    """What `use_deterministic_algorithms` was last told."""
    return _Chosen.deterministic


def is_deterministic_algorithms_warn_only_enabled():
    """Whether `use_deterministic_algorithms` was last told to warn only."""
    return _Chosen.warn_only


def set_deterministic_debug_mode(debug_mode):
    """`use_deterministic_algorithms` by "default" or 0 (off), "warn" or 1, "error" or 2."""
    if debug_mode not in (*MODES, 0, 1, 2):
        raise ArgumentError(
            f"set_deterministic_debug_mode: expected one of {MODES} or 0, 1 or 2, got {debug_mode}"
        )
    level = MODES.index(debug_mode) if debug_mode in MODES else debug_mode
    use_deterministic_algorithms(level > 0, warn_only=level == 1)


def get_deterministic_debug_mode():
    """What `set_deterministic_debug_mode` was last told, as a number."""
    return 0 if not _Chosen.deterministic else 1 if _Chosen.warn_only else 2


def set_float32_matmul_precision(precision):
    """Allow products of float32 matrices to be less exact: "highest", "high" or "medium".

    On CUDA they are then of TensorFloat-32 (10 bits of fraction), or of bfloat16 (7 bits), summed
    in float32. On the CPU "medium" rounds them to bfloat16 on processors with AMX or AVX512-BF16,
    and "high" takes three products of two such parts each with AMX (errors of 5 in 1,000,000).
    `tallow.backends.cpu.info()["matmul_precision"]` says what each setting means there.
    """
    if precision not in PRECISIONS:
        raise ArgumentError(
            f"set_float32_matmul_precision: expected one of {PRECISIONS}, got {precision!r}"
        )
    linalg.precision = precision
    kernels = _kernels()
    if kernels:
        kernels.set_matmul_precision(precision)


def get_float32_matmul_precision():
    """What `set_float32_matmul_precision` was last told."""
    return linalg.precision


def compile(
    model=None,
    *,
    fullgraph=False,
    dynamic=None,
    backend="inductor",
    mode=None,
    options=None,
    disable=False,
):
    """The model or function itself: tallow runs every operation as it is called.

    >>> @tallow.compile
    ... def double(x):
    ...     return x * 2
    >>> double(tallow.ones(1))
    tensor([2.])
    """
    return (lambda function: function) if model is None else model
