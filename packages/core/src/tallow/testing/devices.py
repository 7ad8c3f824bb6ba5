"""The devices other than the CPU that tests run on."""

from tallow import cuda


def devices():
    """The names of the devices besides "cpu" that are there."""
    return ("cuda",) if cuda.is_available() else ()
