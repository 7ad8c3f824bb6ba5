"""A module without its initialisation."""

import inspect

from tallow.nn.module import Module
from tallow.seeding import restore, snapshot


def skip_init(module_cls, *args, **kwargs):
    """A module whose parameters have any values, to be set by the caller; draws no random numbers.

    >>> layer = tallow.nn.utils.skip_init(tallow.nn.Linear, 5, 1)
    >>> tuple(tallow.nn.init.orthogonal_(layer.weight).shape)
    (1, 5)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"skip_init: expected a subclass of Module, got {module_cls.__name__}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(
            f"skip_init: expected {module_cls.__name__} to take a device, it does not"
        )
    state = snapshot()
    try:
        return module_cls(*args, **kwargs)
    finally:
        restore(state)
