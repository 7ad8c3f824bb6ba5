"""Neural networks: modules that hold state, the functions they call, initialisers and helpers."""

from tallow.left_out import missing as _missing
from tallow.nn import attention, functional, init, modules, parallel, parameter, utils
from tallow.nn.module import Module
from tallow.nn.modules import *
from tallow.nn.parallel.data_parallel import DataParallel
from tallow.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter


def __getattr__(name):
    raise _missing("tallow.nn", name)
