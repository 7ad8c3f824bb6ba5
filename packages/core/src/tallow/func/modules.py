"""Modules as functions of their state."""

from tallow.errors import ArgumentError, GradientError
from tallow.joining import stack


def functional_call(
    module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    """`module(*args, **kwargs)` with parameters and buffers from dicts in place of its own.

    The keys are those of `named_parameters()` and `named_buffers()`; what is missing stays (or
    raises with `strict`). Where one tensor has several names, one of them suffices, unless
    `tie_weights` is False.

    >>> module = tallow.nn.Linear(2, 1, bias=False)
    >>> weight = tallow.tensor([[1.0, 2.0]])
    >>> tallow.func.functional_call(module, {"weight": weight}, tallow.ones(2))
    tensor([3.])
    """
    given = _merged(parameter_and_buffer_dicts)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    places = _places(module)
    unknown = sorted(set(given) - set(places))
    missing = sorted(set(places) - set(given)) if strict else []
    if (strict and unknown) or missing:
        raise GradientError(
            f"functional_call: expected all names of the module and no others (strict), got "
            f"{unknown} and not {missing}"
        )
    if unknown:
        raise KeyError(f"functional_call: expected names of parameters or buffers, got {unknown}")
    if tie_weights:
        given |= _tied(places, given)
    before = [(*places[name], places[name][0][places[name][1]]) for name in given]
    try:
        for name, x in given.items():
            store, key = places[name]
            store[key] = x
        return module(*args, **(kwargs or {}))
    finally:
        for store, key, x in before:
            store[key] = x


def _merged(dicts):
    if isinstance(dicts, dict):
        return dict(dicts)
    merged = {}
    for part in dicts:
        twice = merged.keys() & part.keys()
        if twice:
            raise ArgumentError(f"functional_call: expected each name once, got {sorted(twice)}")
        merged |= part
    return merged


def _places(module):
    """name -> (the dict that holds it, its key there) of every parameter and buffer."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for store in (part._parameters, part._buffers):
            for key, x in store.items():
                if x is not None:
                    found[f"{prefix}.{key}" if prefix else key] = store, key
    return found


def _tied(places, given):
    """The other names of the tensors that are given a replacement."""
    names = {}
    for name, (store, key) in places.items():
        names.setdefault(id(store[key]), []).append(name)
    tied = {}
    for same in names.values():
        values = [given[name] for name in same if name in given]
        if any(x is not values[0] for x in values):
            raise ArgumentError(f"functional_call: expected one value for the tied {same}")
        tied |= {name: values[0] for name in same if values}
    return tied


def stack_module_state(models):
    """(parameters, buffers) of modules of one kind, each stacked along a new first dim.

    With `functional_call` and `vmap` an ensemble runs as one.

    >>> models = [tallow.nn.Linear(2, 3) for _ in range(4)]
    >>> parameters, buffers = tallow.func.stack_module_state(models)
    >>> parameters["weight"].shape
    tallow.Size([4, 3, 2])
    """
    models = list(models)
    if not models:
        raise GradientError("stack_module_state: expected at least one module, got none")
    if len({model.training for model in models}) > 1:
        raise GradientError("stack_module_state: expected modules in one mode, got some in train()")
    if len({type(model) for model in models}) > 1:
        raise GradientError("stack_module_state: expected modules of one class")
    parameters = _stacked([dict(model.named_parameters()) for model in models])
    buffers = _stacked([dict(model.named_buffers()) for model in models])
    return parameters, buffers


def _stacked(states):
    stacked = {}
    for name in states[0]:
        parts = [state[name] for state in states]
        needs = {x.requires_grad for x in parts}
        if len(needs) > 1:
            raise GradientError(
                f"stack_module_state: expected {name} to require gradients in all or in none"
            )
        stacked[name] = stack(parts).detach().requires_grad_(needs.pop())
    return stacked


def replace_all_batch_norm_modules_(root):
    """Make every batch norm in a module use its batch's statistics alone; returns the module."""
    for part in root.modules():
        if hasattr(part, "track_running_stats"):
            part.track_running_stats = False
            part.running_mean = part.running_var = part.num_batches_tracked = None
    return root
