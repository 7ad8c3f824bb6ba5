"""What `Module.to` and `Module.load_state_dict` do with their arguments."""

from collections import namedtuple
from collections.abc import Mapping

from tallow import dtypes
from tallow.autograd.modes import no_grad
from tallow.device import device
from tallow.errors import TypeMismatchError
from tallow.nn.members import MODULE, PARAMETER
from tallow.nn.parameter import Parameter, is_lazy
from tallow.tensor import Tensor

EXTRA_STATE = "_extra_state"
SHOWN = 6  # keys that an error names: the state of another network differs in hundreds


class IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """The keys that a state dictionary lacked and those that nothing was there for."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def parse_to(*args, device=None, dtype=None, non_blocking=False, memory_format=None):
    """The device, dtype, `non_blocking` and order of dims of the forms `Module.to` is called in."""
    args = list(args)
    if args and isinstance(args[0], Tensor):
        like = args.pop(0)
        device, dtype = like.device, like.dtype
    elif args and isinstance(args[0], dtypes.dtype):
        dtype = args.pop(0)
    elif args:
        device = args.pop(0)
        if args and (args[0] is None or isinstance(args[0], dtypes.dtype)):
            dtype = args.pop(0)
    if args:
        non_blocking = args.pop(0)
    if args or not isinstance(non_blocking, bool):
        raise TypeMismatchError(
            "to: expected (device), (dtype), (device, dtype) or (tensor), got other arguments"
        )
    if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        raise TypeMismatchError(
            f"to: expected a floating-point or complex dtype, got {dtype}; use .type() to cast all"
        )
    return _as_device(device), dtype, non_blocking, memory_format


def _as_device(place):
    return place if place is None else device(place)


def load(module, state_dict, strict, assign):
    """`module.load_state_dict`: each module loads its part, and all errors are told together."""
    if not isinstance(state_dict, Mapping):
        raise TypeMismatchError(
            f"load_state_dict: expected a dictionary, got {type(state_dict).__name__}"
        )
    missing, unexpected, errors = [], [], []
    metadata = getattr(state_dict, "_metadata", {})

    def visit(module, state, prefix):
        local = dict(metadata.get(prefix[:-1], {}), assign_to_params_buffers=assign)
        arguments = (state, prefix, local, True, missing, unexpected, errors)
        for hook in module._hooks_of("load_state_dict_pre"):
            hook(module, *arguments)
        module._load_from_state_dict(*arguments)
        for name, child in module._own(MODULE):
            if child is not None:
                below = f"{prefix}{name}."
                visit(child, {k: v for k, v in state.items() if k.startswith(below)}, below)
        incompatible = IncompatibleKeys(missing, unexpected)
        for hook in module._hooks_of("load_state_dict"):
            hook(module, incompatible)

    visit(module, dict(state_dict), "")  # a copy: the hooks may change it
    if len(errors) > SHOWN:
        errors[SHOWN:] = [f"and {len(errors) - SHOWN} more that do not fit"]
    if strict:
        errors = _key_errors(missing, unexpected) + errors
    if errors:
        lines = "".join(f"\n  {error}" for error in errors)
        raise RuntimeError(
            f"load_state_dict: expected a state of {type(module).__name__}, got one with{lines}"
        )
    return IncompatibleKeys(missing, unexpected)


def without_module(hook, module, *arguments):
    """Call a hook of a load with the other arguments."""
    hook(*arguments)


def _key_errors(missing, unexpected):
    """Messages about the keys, with a hint where all differ by the same prefix."""
    errors = []
    if missing:
        errors.append(f"missing keys: {_first(missing)}")
    if unexpected:
        errors.append(f"unexpected keys: {_first(unexpected)}")
    if missing and unexpected:
        longer, shorter = sorted((unexpected[0], missing[0]), key=len, reverse=True)
        if longer.endswith(f".{shorter}"):
            prefix = longer.removesuffix(shorter)
            owner = "given" if longer == unexpected[0] else "expected"
            errors.append(f"hint: the {owner} keys begin with {prefix!r} and the others do not")
    return errors


def _first(keys):
    more = len(keys) - SHOWN
    return ", ".join(keys[:SHOWN]) + (f" and {more} more" if more > 0 else "")


@no_grad()
def load_own(
    module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
):
    """Load what `module` itself holds; the default of `Module._load_from_state_dict`."""
    assign = local_metadata.get("assign_to_params_buffers", False)
    own = module._own_state()
    for name, tensor in own:
        key = prefix + name
        if key in state_dict:
            error = _load_tensor(module, name, tensor, state_dict[key], assign)
            if error:
                error_msgs.append(f"{key}: {error}")
        elif strict:
            missing_keys.append(key)

    extra = prefix + EXTRA_STATE
    has_extra = module._defines("set_extra_state")
    if has_extra and extra in state_dict:
        module.set_extra_state(state_dict[extra])
    elif has_extra and strict:
        missing_keys.append(extra)
    if strict:
        known = {name for name, _ in own} | ({EXTRA_STATE} if has_extra else set())
        children = set(module._modules)
        for key in state_dict:
            name, dot, _ = key.removeprefix(prefix).partition(".")
            if key.startswith(prefix) and name not in (children if dot else known):
                unexpected_keys.append(key)


def _load_tensor(module, name, tensor, given, assign):
    """Put `given` into the parameter or buffer `tensor`. Returns what is wrong with it, or None."""
    if not isinstance(given, Tensor):
        return f"expected a tensor, got {type(given).__name__}"
    if is_lazy(tensor) and is_lazy(given):
        return None
    if given.shape != tensor.shape:
        return f"expected the shape {tuple(tensor.shape)}, got {tuple(given.shape)}"
    if not assign:
        tensor.copy_(given)
    elif module._members[name] == PARAMETER:
        module.__dict__[name] = Parameter(given, requires_grad=tensor.requires_grad)
    else:
        module.__dict__[name] = given
    return None
