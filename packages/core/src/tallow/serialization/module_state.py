"""The state of a module as PyTorch's modules keep it, and back.

PyTorch's have a dictionary each for parameters, buffers, children and every kind of hook; ours keep
members as attributes and say in `_members` which they are.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from tallow import nn
from tallow.nn.hooks import ForwardHook, Hooks
from tallow.nn.members import BUFFER, MODULE, PARAMETER
from tallow.nn.modules.conv import _ConvNd

GROUPS = {"_parameters": PARAMETER, "_buffers": BUFFER, "_modules": MODULE}
HOOKS = {
    "_forward_pre_hooks": "forward_pre",
    "_forward_hooks": "forward",
    "_backward_pre_hooks": "backward_pre",
    "_backward_hooks": "backward",
    "_state_dict_pre_hooks": "state_dict_pre",
    "_state_dict_hooks": "state_dict",
    "_load_state_dict_pre_hooks": "load_state_dict_pre",
    "_load_state_dict_post_hooks": "load_state_dict",
}
TRAITS = {
    "_forward_pre_hooks": {"_with_kwargs": "with_kwargs"},
    "_forward_hooks": {"_with_kwargs": "with_kwargs", "_always_called": "always_call"},
}  # what PyTorch keeps about hooks in dictionaries of their own, by the end of these's names


def to_torch(module, state):
    """The state of a module of ours as one of PyTorch's; any other state as it is."""
    if not isinstance(state, dict) or "_members" not in state:
        return state
    members = state["_members"]
    theirs = {k: v for k, v in state.items() if k not in members and k not in OURS}
    for group, kind in GROUPS.items():
        theirs[group] = {name: state[name] for name, its in members.items() if its == kind}
    hooks = state.get("_hooks") or Hooks()
    for name, kind in HOOKS.items():
        own = getattr(hooks, kind)
        theirs[name] = OrderedDict((i, getattr(hook, "call", hook)) for i, hook in own.items())
        for suffix, trait in TRAITS.get(name, {}).items():
            theirs[name + suffix] = OrderedDict(
                (i, True) for i, hook in own.items() if getattr(hook, trait)
            )
    for cls, attributes in ATTRIBUTES.items():
        if isinstance(module, cls):
            theirs |= attributes(module)
    return theirs | {"_is_full_backward_hook": True if hooks.backward else None}


def from_torch(state):
    """The state of a module of PyTorch's as one of ours; any other state as it is."""
    if not isinstance(state, dict) or "_parameters" not in state:
        return state
    ours = {k: v for k, v in state.items() if k not in THEIRS}
    members = ours["_members"] = {}
    ours.setdefault("_non_persistent_buffers_set", set())
    for group, kind in GROUPS.items():
        ours.update(state[group])
        members.update(dict.fromkeys(state[group], kind))
    if any(state.get(name) for name in HOOKS):
        hooks = ours["_hooks"] = Hooks()
        for name, kind in HOOKS.items():
            getattr(hooks, kind).update(_hooks(state, name))
    return ours


def _hooks(state, name):
    """The hooks of one kind by number, with what PyTorch says about them beside."""
    own = state.get(name, {})
    if name not in TRAITS:
        return own
    traits = {trait: state.get(name + suffix, {}) for suffix, trait in TRAITS[name].items()}
    return {
        i: ForwardHook(hook, **{trait: i in those for trait, those in traits.items()})
        for i, hook in own.items()
    }


def _flat_weights(module):
    names = [name for names in module._all_weights for name in names]
    weights = [getattr(module, name) for name in names]
    return {"_flat_weights_names": names, "_flat_weights": weights}


def _conv(module):
    return {
        "transposed": module.transposed,
        "_reversed_padding_repeated_twice": module._padding_of_sides(),
    }


ATTRIBUTES: dict[Any, Callable] = {
    nn.RNNBase: _flat_weights,
    _ConvNd: _conv,
    nn.TransformerEncoderLayer: lambda module: {
        "activation_relu_or_gelu": {nn.functional.relu: 1, nn.functional.gelu: 2}.get(
            module.activation, 0
        )
    },
    nn.TransformerEncoder: lambda module: {"use_nested_tensor": False},
    nn.ReLU6: lambda module: {"min_val": 0.0, "max_val": 6.0},
    nn.Upsample: lambda module: {"name": type(module).__name__},
    (nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d): lambda module: {"value": 0.0},
}  # what PyTorch's modules have beside ours
OURS = {"_members", "_hooks"}
THEIRS = {*GROUPS, *HOOKS, "_is_full_backward_hook"} | {
    name + suffix for name, suffixes in TRAITS.items() for suffix in suffixes
}
