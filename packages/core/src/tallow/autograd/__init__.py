"""Automatic differentiation: gradients of what was computed with tensors."""

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
    "Function", "backward", "enable_grad", "grad", "inference_mode", "is_grad_enabled", "no_grad",
    "set_grad_enabled",
]  # fmt: skip
