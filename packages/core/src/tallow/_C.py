"""PyTorch's compiled part, which programs look into: next to nothing of it is here."""

from types import SimpleNamespace

from tallow.autograd.modes import state
from tallow.left_out import missing
from tallow.nn.loading import parse_to
from tallow.overrides import DisableTorchFunction as DisableTorchFunction
from tallow.overrides import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from tallow.tensor import Tensor, disabled_torch_function


def _log_api_usage_once(event):
    """Nothing: nobody is told."""


def _are_functorch_transforms_active():
    """True within `vmap`; the other functions of `func` compute on tensors like any other."""
    return bool(state.batch)


_TensorMeta = type(Tensor)
_disabled_torch_function_impl = disabled_torch_function
_nn = SimpleNamespace(_parse_to=parse_to)


def _get_tracing_state():
    """None: nothing is being recorded."""


def __getattr__(name):
    raise missing("tallow._C", name)
