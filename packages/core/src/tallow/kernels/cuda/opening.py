"""The CUDA backend: CuPy's arrays. Importing this module opens it, at a device's first use."""

from functools import cache
from importlib import import_module

import numpy as np

from tallow import backend
from tallow.device import device
from tallow.errors import DeviceError, OutOfMemoryError
from tallow.kernels.cuda import faults, launch

try:
    import cupy
except ImportError as error:
    raise DeviceError(
        f"device: expected CuPy for 'cuda', got {error}; "
        "install it with pip install 'tallow[cuda]' "
        "(or 'tallow[cuda12]' for CUDA 12)"
    ) from error

try:
    COUNT = cupy.cuda.runtime.getDeviceCount()
except cupy.cuda.runtime.CUDARuntimeError as error:
    raise DeviceError(
        f"device: expected a CUDA device, got none: {error}; `nvidia-smi` shows those that there "
        "are, if NVIDIA's driver is installed"
    ) from error

memory = import_module("tallow.kernels.cuda.memory")  # which needs CuPy


def from_host(array, index, non_blocking=False):
    """A copy of a NumPy array on CUDA device `index` (None: the current one).

    With `non_blocking` that of pinned memory is made later, in the order of the current stream.
    """
    with _numbered(index):
        try:
            later = non_blocking and memory.is_pinned(array)
            return memory.copied_later(array) if later else cupy.array(array)
        except cupy.cuda.memory.OutOfMemoryError as error:
            raise explain(error) from error


def _numbered(index):
    """CUDA device `index`, by None the current one; DeviceError if there is none."""
    chosen = cupy.cuda.runtime.getDevice() if index is None else index
    if not 0 <= chosen < COUNT:
        raise DeviceError(f"device: expected cuda:0 to cuda:{COUNT - 1}, got cuda:{chosen}")
    return cupy.cuda.Device(chosen)


def explain(error):
    """What to raise for an error of CuPy's; None: the error itself."""
    if not isinstance(error, cupy.cuda.memory.OutOfMemoryError):
        return None
    pool = cupy.get_default_memory_pool()
    free, total = cupy.cuda.runtime.memGetInfo()
    return OutOfMemoryError(
        f"cuda: expected memory for an allocation, got none: {error}; tensors hold "
        f"{pool.used_bytes():,} bytes, {pool.free_bytes():,} more are kept for reuse, and "
        f"{free:,} of the device's {total:,} are free"
    )


def to_host(array):
    """A copy in NumPy's memory, for which the host waits."""
    copied = cupy.asnumpy(array)
    faults.look()
    return copied


def synchronize():
    """Wait until the current stream is done."""
    cupy.cuda.get_current_stream().synchronize()
    faults.look()


@cache
def random_blocks(index):
    """How many blocks of 256 threads run at once on a device."""
    found = cupy.cuda.Device(index).attributes
    return found["MultiProcessorCount"] * (found["MaxThreadsPerMultiProcessor"] // 256)


@cache
def _capability(index):
    return int(cupy.cuda.Device(index).compute_capability)


def keep_faults():
    """Memory of the host that kernels reach, for the indices they find out of range."""
    record = memory.pinned(np.empty((faults.PLACES, 2), np.int64))
    faults.keep("cuda", record, lambda number: np.uint64(record.ctypes.data + 16 * number))


launch.COMPILERS["cuda"] = lambda code, options: cupy.RawModule(code=code, options=options)
launch.CORES["cuda"] = lambda: _capability(cupy.cuda.runtime.getDevice()) >= 80
launch.STREAMS["cuda"] = lambda: (
    cupy.cuda.runtime.getDevice(),
    cupy.cuda.get_current_stream().ptr,
)
backend.register(
    backend.Backend(
        name="cuda",
        xp=cupy,
        array_type=cupy.ndarray,
        to_host=to_host,
        from_host=from_host,
        device_of=lambda array: device("cuda", array.device.id),
        synchronize=synchronize,
        kernels="tallow.kernels.cuda.registered",
        explain=explain,
        in_range=faults.in_range,
        combine_at=lambda *args: import_module("tallow.kernels.cuda.index").combine_at(*args),
        pinned=memory.pinned,
        is_pinned=memory.is_pinned,
        random_blocks=random_blocks,
        at=(lambda array: array.device) if COUNT > 1 else None,
        between=lambda array, index: memory.between(array, _numbered(index)),
    )
)
keep_faults()
memory.PEAK.__enter__()  # counts from here on
