"""How much memory tensors used at most: a hook on CuPy's pool."""

import cupy


class Peak(cupy.cuda.MemoryHook):
    """Keeps the largest number of bytes that were in use after an allocation."""

    name = "tallow.Peak"

    def __init__(self):
        self.used = 0

    def malloc_postprocess(self, **allocation):
        self.used = max(self.used, cupy.get_default_memory_pool().used_bytes())


PEAK = Peak()
