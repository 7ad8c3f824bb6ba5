"""The CPU, by the names that programs use where a device can be chosen."""

__all__ = ["current_device", "device_count", "is_available", "synchronize"]


def is_available():
    """True."""
    return True


def device_count():
    """1."""
    return 1


def current_device():
    """ "cpu"."""
    return "cpu"


def synchronize(device=None):
    """Nothing: an operation has run when its call returns."""
