"""Hooks of every module, where PyTorch has them: for profilers, summaries and debugging."""

from collections.abc import Callable
from typing import Any

from tallow.graph import RemovableHandle
from tallow.nn import loading
from tallow.nn.hooks import ForwardHook, Hooks
from tallow.nn.module import Module

__all__ = [
    "Module", "register_module_forward_hook", "register_module_forward_pre_hook",
    "register_module_full_backward_hook", "register_module_full_backward_pre_hook",
]  # fmt: skip

_EXTRA_STATE_KEY_SUFFIX = loading.EXTRA_STATE
_IncompatibleKeys = loading.IncompatibleKeys


def _register(kind, hook):
    if Module._hooks is None:
        Module._hooks = Hooks()
    return Module._hooks.add(kind, hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of any module; it may return other arguments."""
    return _register("forward_pre", ForwardHook(hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of any module, before its own hooks.

    It may return another output; the arguments are those of `Module.register_forward_hook`.

    >>> def show(module, args, output):
    ...     print(type(module).__name__, tuple(output.shape))
    >>> with register_module_forward_hook(show):
    ...     y = tallow.nn.Sequential(tallow.nn.Linear(3, 2), tallow.nn.ReLU())(tallow.ones(4, 3))
    Linear (4, 2)
    ReLU (4, 2)
    Sequential (4, 2)
    """
    return _register("forward", ForwardHook(hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_output)` before the backward of any module."""
    return _register("backward_pre", hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` after the backward of any module."""
    return _register("backward", hook)
