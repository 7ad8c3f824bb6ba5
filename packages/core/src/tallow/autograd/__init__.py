"""Automatic differentiation: gradients of what was computed with tensors."""

from importlib import import_module as _import_module

from tallow.autograd.anomaly import detect_anomaly, set_detect_anomaly
from tallow.autograd.engine import backward, grad
from tallow.autograd.function import Function
from tallow.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "Function", "Variable", "backward", "detect_anomaly", "enable_grad", "grad", "gradcheck",
    "gradgradcheck", "inference_mode", "is_grad_enabled", "no_grad", "set_detect_anomaly",
    "set_grad_enabled",
]  # fmt: skip

# What stands on floors above this one is imported at its first use.
_LATER = {
    "forward_ad": "tallow.autograd.forward_ad",
    "functional": "tallow.autograd.functional",
    "graph": "tallow.autograd.graph",
    "gradcheck": "tallow.testing.gradcheck",
    "gradgradcheck": "tallow.testing.gradcheck",
    "Variable": "tallow.autograd.variable",
}


def __getattr__(name):
    if name in _LATER:
        module = _import_module(_LATER[name])
        return getattr(module, name, module)
    raise AttributeError(f"module 'tallow.autograd' has no attribute {name!r}")
