"""CUDA devices: whether there are any, which, and waiting for them. CuPy is opened when called."""

from tallow import backend
from tallow.device import device as device_type
from tallow.errors import DeviceError


def is_available():
    """True if CuPy is installed and finds a CUDA device.

    >>> import tallow
    >>> where = tallow.device("cuda" if tallow.cuda.is_available() else "cpu")
    """
    return device_count() > 0


def device_count():
    """How many CUDA devices there are; 0 without CuPy."""
    try:
        return _runtime().getDeviceCount()
    except DeviceError:
        return 0


def current_device():
    """The number of the device that `"cuda"` means; DeviceError if there is none."""
    return _runtime().getDevice()


def get_device_name(device=None):
    """What the maker calls a device, such as "NVIDIA H100"."""
    return _runtime().getDeviceProperties(_number(device))["name"].decode()


def get_device_capability(device=None):
    """The compute capability of a device, such as (9, 0)."""
    properties = _runtime().getDeviceProperties(_number(device))
    return properties["major"], properties["minor"]


def set_device(device):
    """Make a device the one that `"cuda"` means."""
    backend.for_device("cuda").xp.cuda.Device(_number(device)).use()


def manual_seed(seed):
    """Nothing: `tallow.manual_seed` seeds the one stream that all devices draw from."""


manual_seed_all = manual_seed


def empty_cache():
    """Give memory that no tensor uses back to the device; nothing where no device is there."""
    if is_available():
        _pool().free_all_blocks()


def memory_allocated(device=None):
    """How many bytes tensors use on the current device; 0 where none is there."""
    return _pool().used_bytes() if is_available() else 0


def memory_reserved(device=None):
    """How many bytes are held on the current device for tensors; 0 where none is there."""
    return _pool().total_bytes() if is_available() else 0


def mem_get_info(device=None):
    """How many bytes are free on a device, and how many it has."""
    with backend.for_device("cuda").xp.cuda.Device(_number(device)):
        return _runtime().memGetInfo()


def is_bf16_supported(including_emulation=True):
    """True if there is a device: CuPy computes with bfloat16 on all of them."""
    return is_available()


def is_initialized():
    """True if a CUDA device has been used."""
    return backend.is_open("cuda")


def synchronize(device=None):
    """Wait until everything asked of a device (the current one unless told) is done."""
    with backend.for_device("cuda").xp.cuda.Device(_number(device)) as chosen:
        chosen.synchronize()


def _runtime():
    return backend.for_device("cuda").xp.cuda.runtime


def _pool():
    return backend.for_device("cuda").xp.get_default_memory_pool()


def _number(device):
    """The number of a device given as a number, a name, a `device` or None."""
    index = None if device is None else device_type(device).index
    return current_device() if index is None else index
