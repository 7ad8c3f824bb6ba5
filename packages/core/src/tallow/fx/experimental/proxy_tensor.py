"""Names of tensors without values, for programs that ask: there are none here."""

from tallow.left_out import Never

__all__ = ["FakeTensor", "SymFloat", "SymInt", "get_proxy_mode", "is_fake"]


class _Symbolic(Never):
    why = "graphs are traced with Proxies, sizes are numbers"


class FakeTensor(_Symbolic):
    """A tensor of a shape without values."""


class SymInt(_Symbolic):
    """What stands for an integer while a module is traced."""


class SymFloat(_Symbolic):
    """What stands for a float while a module is traced."""


def is_fake(x):
    """False: no tensor is without values but those of the device "meta"."""
    return False


def get_proxy_mode():
    """None: nothing is being traced."""
