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


def synchronize(device=None):
    """Wait until everything asked of a device (the current one unless told) is done."""
    with backend.for_device("cuda").xp.cuda.Device(_number(device)) as chosen:
        chosen.synchronize()


def _runtime():
    return backend.for_device("cuda").xp.cuda.runtime


def _number(device):
    """The number of a device given as a number, a name, a `device` or None."""
    index = None if device is None else device_type(device).index
    return current_device() if index is None else index
