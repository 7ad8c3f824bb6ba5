"""Compiled CPU kernels for tallow, which finds them by itself: nothing here is called by users.

Where the package was built without a C++ compiler it is empty: `compiled` is None, and `info()`
says why.
"""

try:
    from tallow_kernels import _compiled as compiled
except ImportError:
    compiled = None

__version__ = "0.1.0"


def info():
    """What was built and what it runs on, as a dict; without kernels, the reason under "reason"."""
    if compiled is None:
        from tallow_kernels._build import REASON

        return {"compiled": False, "reason": REASON or "the compiled module cannot be loaded here"}
    return {
        "compiled": True,
        "compiler": compiled.COMPILER,
        "instruction_sets": compiled.instruction_sets(),
        "instruction_set": compiled.INSTRUCTION_SET,
        "threads": compiled.get_threads(),
        "bfloat16_products": compiled.tile_unit(),
        "matmul_precision": {
            name: ("float32", "bfloat16", None, "bfloat16x3")[compiled.matmul_parts(name)]
            for name in ("highest", "high", "medium")
        },
    }
