"""The accelerator of this machine, if there is one: CUDA's devices."""

from importlib import import_module

from tallow import cuda
from tallow.device import CPU, device
from tallow.errors import DeviceError

is_available = cuda.is_available
device_count = cuda.device_count
current_device_index = cuda.current_device
set_device_index = cuda.set_device
synchronize = cuda.synchronize


device_index = cuda.device


def current_accelerator(check_available=False):
    """The device of the accelerator, or None where there is none."""
    return device("cuda") if is_available() else None


def get_device_module(device=None):
    """`tallow.cuda` or `tallow.cpu` by a device of its; None: of the accelerator, if there is one.

    >>> tallow.get_device_module("cpu").device_count()
    1
    """
    where = current_accelerator() or CPU if device is None else _device(device)
    if where.type not in ("cpu", "cuda"):
        raise DeviceError(f"get_device_module: expected a device of the CPU or CUDA, got {where}")
    return import_module(f"tallow.{where.type}")


_device = device  # a name that no parameter hides
