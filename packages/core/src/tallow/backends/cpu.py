"""The CPU: which kernels are loaded, and the memory that they keep."""

from importlib import import_module


def info():
    """What computes on the CPU, as a dict; without compiled kernels, why under "reason".

    >>> import tallow
    >>> "compiled" in tallow.backends.cpu.info()
    True
    """
    kernels = import_module("tallow.kernels.cpu")
    if kernels.compiled is None:
        return {"compiled": False, "reason": kernels.REASON}
    return import_module("tallow_kernels").info()


def get_cpu_capability():
    """The instruction set that the kernels use: "AVX512", "AVX2", or "DEFAULT" for others."""
    return {"v4": "AVX512", "v3": "AVX2"}.get(info().get("instruction_set"), "DEFAULT")


CONV_PRECISIONS = ("fast", "near-exact", "exact")


def set_conv_precision(precision):
    """How 3 x 3 convolutions are computed: "fast", "near-exact" or "exact".

    "exact" are sums of products. The others go through Winograd's transforms: "fast", which is set
    at first, of tiles of 4 x 4, with errors a few times those of sums; "near-exact" of 2 x 2, with
    errors like those of sums. Raises ValueError for another word.

    >>> import tallow
    >>> tallow.backends.cpu.set_conv_precision("fast")
    """
    if precision not in CONV_PRECISIONS:
        raise ValueError(
            f"set_conv_precision: expected one of {CONV_PRECISIONS}, got {precision!r}"
        )
    compiled = import_module("tallow.kernels.cpu").compiled
    if compiled is not None:
        compiled.set_conv_precision(CONV_PRECISIONS.index(precision))


def memory_stats():
    """Bytes of arrays and of memory kept for later ones, by PyTorch's names for CUDA; or empty.

    Counted are arrays of more than 4 KiB that were made since tallow was imported, in the thread
    that imported it; without kernels NumPy's allocator is used, which does not count.

    >>> import tallow
    >>> sorted(tallow.backends.cpu.memory_stats())[:1]
    ['allocated_bytes.all.current']
    """
    compiled = import_module("tallow.kernels.cpu").compiled
    if compiled is None:
        return {}
    allocated, peak, kept, limit = compiled.memory_statistics()
    return {
        "allocated_bytes.all.current": allocated,
        "allocated_bytes.all.peak": peak,
        "reserved_bytes.all.current": allocated + kept,
        "kept_bytes.limit": limit,
    }


def empty_cache():
    """Give the memory that is kept for later arrays back to the system."""
    compiled = import_module("tallow.kernels.cpu").compiled
    if compiled is not None:
        compiled.empty_memory()


def set_cache_limit(size):
    """Keep at most `size` bytes for later arrays; at first an eighth of the machine's, or 1 GiB.

    Raises ValueError for a negative size.
    """
    if size < 0:
        raise ValueError(f"set_cache_limit: expected a size of at least 0, got {size}")
    compiled = import_module("tallow.kernels.cpu").compiled
    if compiled is not None:
        compiled.limit_memory(size)
