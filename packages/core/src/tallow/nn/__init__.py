"""Neural networks: modules that hold state, the functions they call, initialisers and helpers."""

from tallow.nn import functional, init, modules, parameter, utils
from tallow.nn.module import Module
from tallow.nn.modules import *  # noqa: F403 - its __all__ is the list of the layers
from tallow.nn.parameter import Buffer, Parameter

__all__ = [
    "Buffer",
    "Module",
    "Parameter",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
    *modules.__all__,
]
