"""The CUDA backend: CuPy's arrays. Importing this module opens it, at a device's first use."""

from importlib import import_module

from tallow import backend
from tallow.device import device
from tallow.errors import DeviceError, OutOfMemoryError

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
    raise DeviceError(f"device: expected a CUDA device, got none: {error}") from error


def from_host(array, index):
    """A copy of a NumPy array on CUDA device `index` (None: the current one)."""
    current = cupy.cuda.runtime.getDevice()
    chosen = current if index is None else index
    if not 0 <= chosen < COUNT:
        raise DeviceError(f"device: expected cuda:0 to cuda:{COUNT - 1}, got cuda:{chosen}")
    with cupy.cuda.Device(chosen):
        return cupy.array(array)


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


backend.register(
    backend.Backend(
        name="cuda",
        xp=cupy,
        array_type=cupy.ndarray,
        to_host=cupy.asnumpy,
        from_host=from_host,
        device_of=lambda array: device("cuda", array.device.id),
        synchronize=lambda: cupy.cuda.get_current_stream().synchronize(),
        explain=explain,
    )
)
import_module("tallow.kernels.cuda.memory").PEAK.__enter__()  # counts from here on
