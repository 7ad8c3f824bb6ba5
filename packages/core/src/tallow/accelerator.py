"""The accelerator of this machine, if there is one: CUDA's devices."""

from tallow import cuda
from tallow.device import device

is_available = cuda.is_available
device_count = cuda.device_count
current_device_index = cuda.current_device
set_device_index = cuda.set_device
synchronize = cuda.synchronize


device_index = cuda.device


def current_accelerator(check_available=False):
    """The device of the accelerator, or None where there is none."""
    return device("cuda") if is_available() else None
