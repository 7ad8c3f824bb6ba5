"""Memory: how much tensors used at most, by a hook on CuPy's pool; and that which a GPU reads."""

from collections import deque
from threading import Lock

import cupy
import numpy as np

from tallow.kernels.cuda.launch import in_order


class Peak(cupy.cuda.MemoryHook):
    """Keeps the most bytes that were in use, and that were held, after an allocation."""

    name = "tallow.Peak"

    def __init__(self):
        self.used = self.held = 0

    def begin(self):
        """Count from here on."""
        pool = cupy.get_default_memory_pool()
        self.used, self.held = pool.used_bytes(), pool.total_bytes()

    def malloc_postprocess(self, **allocation):
        pool = cupy.get_default_memory_pool()
        self.used = max(self.used, pool.used_bytes())
        self.held = max(self.held, pool.total_bytes())


PEAK = Peak()


def pinned(array):
    """A copy of a NumPy array in memory that the system keeps where it is, for the GPU to read."""
    memory = cupy.cuda.alloc_pinned_memory(max(array.nbytes, 1))
    out = np.frombuffer(memory, np.uint8, array.nbytes).view(array.dtype).reshape(array.shape)
    out[...] = array
    return out


def is_pinned(array):
    """True for memory of `pinned`, whole or in part."""
    owner = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.obj if isinstance(owner, memoryview) else owner.base
    return isinstance(owner, cupy.cuda.PinnedMemoryPointer)


_copied: deque = deque()  # (event, array): memory that copies under way still read
_turn = Lock()  # of threads that copy


def copied_later(array):
    """A copy on the current device of a pinned array, made in the order of the current stream.

    The array is kept until then; not what a graph captures, which reads it at each replay.
    """
    array = np.ascontiguousarray(array) if not array.flags.c_contiguous else array
    out, stream = cupy.empty(array.shape, array.dtype), cupy.cuda.get_current_stream()
    out.data.copy_from_host_async(array.ctypes.data, array.nbytes, stream)
    if stream.is_capturing():  # the event could not be asked afterwards
        return out
    with _turn:
        _copied.append((stream.record(cupy.cuda.Event(disable_timing=True)), array))
        while _copied and _copied[0][0].done:
            _copied.popleft()
    return out


def between(array, target):
    """A copy of an array on another device, straight from memory to memory.

    It is made in the order of the current stream of the array's device, which first waits for what
    the target's was given, since that may still use the new array's memory; the target's stream
    waits for the copy.
    """
    source = array.device
    with target:
        out, ahead = cupy.empty(array.shape, array.dtype), cupy.cuda.get_current_stream()
        free = ahead.record(cupy.cuda.Event(disable_timing=True))
    with source:
        stream, array = cupy.cuda.get_current_stream(), in_order(array)
        stream.wait_event(free)
        out.data.copy_from_device_async(array.data, array.nbytes, stream)
        copied = stream.record(cupy.cuda.Event(disable_timing=True))
    with target:
        ahead.wait_event(copied)
    return out
