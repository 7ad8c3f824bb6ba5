"""Names of TorchScript, for programs that compile by it: here a program stays Python.

`script` gives back what it is given, `trace` too after running it once, and decorators nothing but
the function. What TorchScript wrote to files, `save` and `load` refuse: keep weights by
`tallow.save(model.state_dict(), path)`, and whole models by `tallow.onnx.export`.
"""

import builtins
from contextlib import contextmanager
from typing import Final, NamedTuple, get_args, get_origin

from tallow.errors import NotSupportedError
from tallow.futures import Future
from tallow.nn import Module

__all__ = [
    "Attribute", "Final", "Future", "ScriptFunction", "ScriptModule", "annotate",
    "enable_onednn_fusion", "export", "fork", "freeze", "ignore", "interface", "is_scripting",
    "is_tracing", "isinstance", "load", "optimize_for_inference", "optimized_execution", "save",
    "script", "script_if_tracing", "script_method", "set_fusion_strategy", "trace", "trace_module",
    "unused", "wait",
]  # fmt: skip

FILES = "save(model.state_dict(), path) keeps weights, onnx.export whole models"


# What compiles in PyTorch


def script(obj, optimize=None, example_inputs=None):
    """The function, module or class itself.

    >>> @tallow.jit.script
    ... def double(x):
    ...     return 2 * x
    >>> double(tallow.ones(2))
    tensor([2., 2.])
    """
    return obj


def trace(func, example_inputs=None, *, example_kwarg_inputs=None, **options):
    """The function or module itself, once it has run on the examples: a tuple, or the only one."""
    if example_kwarg_inputs is not None:
        func(**example_kwarg_inputs)
    elif builtins.isinstance(example_inputs, tuple | list):
        func(*example_inputs)
    else:
        func(example_inputs)
    return func


def trace_module(mod, inputs, **options):
    """The module itself, once each method has run on its examples: a dict of method to inputs."""
    for name, examples in inputs.items():
        trace(mod if name == "forward" else getattr(mod, name), examples)
    return mod


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """The module itself, which has to be in its mode of evaluation."""
    if mod.training:
        raise NotSupportedError("jit.freeze: expected a module in evaluation; call eval() first")
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The module itself, in its mode of evaluation."""
    return mod.eval()


class ScriptModule(Module):
    """A module that was written for TorchScript: one like any other here.

    `script` does not make one, so `isinstance(model, ScriptModule)` is False for what it gives.
    """


class TracerWarning(Warning):
    """What PyTorch warns of where a trace would miss something: nothing does here."""


class TensorType:
    """TorchScript's type of tensors, for annotations: no value is of it."""


class ScriptFunction:
    """What no function is here: `isinstance(function, ScriptFunction)` is False."""


# Decorators and notes for the compiler


def _unchanged(fn):
    """The function itself."""
    return fn


export = interface = script_if_tracing = script_method = unused = _unchanged
_overload = _overload_method = _unchanged


def ignore(drop=False, **kwargs):
    """A decorator, with or without arguments, that gives the function itself."""
    return drop if callable(drop) else _unchanged


def annotate(the_type, the_value):
    """The value."""
    return the_value


class Attribute(NamedTuple):
    """A value and its type."""

    value: object
    type: object


def is_scripting():
    """False: nothing is being compiled."""
    return False


def is_tracing():
    """False: nothing is being recorded."""
    return False


def isinstance(obj, target_type):
    """True if a value is of a type, that may name its elements': `list[int]`, `int | None`."""
    kind, inner = get_origin(target_type), get_args(target_type)
    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, one) for one in target_type)
    if kind is None:
        return builtins.isinstance(obj, type(None) if target_type is None else target_type)
    if kind in (list, set):
        return builtins.isinstance(obj, kind) and all(isinstance(x, inner[0]) for x in obj)
    if kind is dict:
        return builtins.isinstance(obj, dict) and all(
            isinstance(key, inner[0]) and isinstance(x, inner[1]) for key, x in obj.items()
        )
    if kind is tuple:
        return (
            builtins.isinstance(obj, tuple)
            and len(obj) == len(inner)
            and all(isinstance(x, one) for x, one in zip(obj, inner, strict=True))
        )
    return any(isinstance(obj, one) for one in inner)  # a union


# Settings that make no difference


def enable_onednn_fusion(enabled):
    """Makes no difference: operations run one after another."""


def set_fusion_strategy(strategy):
    """Makes no difference: operations run one after another."""


@contextmanager
def optimized_execution(should_optimize):
    """Makes no difference: operations run one after another."""
    yield


# Functions side by side


def fork(func, *args, **kwargs):
    """The Future of a call, which has run when it is given back."""
    future = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future):
    """The result of what `fork` gave."""
    return future.wait()


# Files


def save(m, f, **options):
    """NotSupportedError: there is no compiled program that could be saved."""
    raise NotSupportedError(f"jit.save: expected no file of TorchScript; {FILES}")


def load(f, map_location=None, **options):
    """NotSupportedError: a file of TorchScript holds a program for its own compiler."""
    raise NotSupportedError(
        f"jit.load: expected no file of TorchScript, got {f!r}; build the model in Python, where "
        "load_state_dict takes the file's weights, saved by PyTorch as a state dict"
    )
