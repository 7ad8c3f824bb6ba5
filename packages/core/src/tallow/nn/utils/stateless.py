"""Calling a module with other parameters than its own."""

import warnings
from contextlib import contextmanager

from tallow.errors import ArgumentError


def functional_call(
    module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    """`tallow.func.functional_call`, under its old name."""
    warnings.warn(
        "nn.utils.stateless.functional_call is deprecated; use func.functional_call",
        FutureWarning,
        stacklevel=2,
    )
    return call_with(module, parameters_and_buffers, args, kwargs, tie_weights, strict)


def call_with(module, tensors, args=None, kwargs=None, tie_weights=True, strict=False):
    """Call a module with tensors, by dotted paths, in the place of its parameters and buffers.

    What the call assigns to buffers is in `tensors` afterwards. With `tie_weights`, a tensor that
    the module has under several paths is replaced under all; with `strict`, all must be given.
    """
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, tensors, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextmanager
def _replaced(module, tensors, tie_weights, strict):
    own = dict(module.named_parameters(remove_duplicate=False))
    own.update(module.named_buffers(remove_duplicate=False))
    if strict and set(own) != set(tensors):
        unexpected, missing = sorted(set(tensors) - set(own)), sorted(set(own) - set(tensors))
        raise RuntimeError(
            f"functional_call: expected the parameters and buffers of {type(module).__name__}, "
            f"got unexpected {unexpected} and missing {missing}"
        )
    given = _tied(own, tensors) if tie_weights else dict(tensors)
    before = {}
    try:
        for path, tensor in given.items():
            owner, name = _place(module, path)
            before[path] = owner.__dict__[name]
            owner.__dict__[name] = tensor
        yield
    finally:
        for path, tensor in before.items():
            owner, name = _place(module, path)
            if path in tensors:
                tensors[path] = owner.__dict__[name]
            owner.__dict__[name] = tensor


def _place(module, path):
    """The module that a dotted path leads to, and the name in it."""
    parent, _, name = path.rpartition(".")
    owner = module.get_submodule(parent)
    if name not in owner._members:
        raise AttributeError(
            f"functional_call: {type(owner).__name__} has no parameter or buffer {name!r} "
            f"({path!r})"
        )
    return owner, name


def _tied(own, tensors):
    """The given tensors, each under all paths of the one that it replaces."""
    paths = {}
    for path, tensor in own.items():
        paths.setdefault(id(tensor), []).append(path)
    tied = dict(tensors)
    for same in paths.values():
        given = {id(tensors[path]): tensors[path] for path in same if path in tensors}
        if len(given) > 1:
            raise ArgumentError(
                f"functional_call: expected one tensor for the tied {', '.join(same)}, got "
                "several; or pass tie_weights=False"
            )
        for tensor in given.values():
            tied.update(dict.fromkeys(same, tensor))
    return tied
