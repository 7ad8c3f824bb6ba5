"""`Optimizer`, the base of all optimizers: parameter groups, state, hooks and the step."""

import functools
import sys
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from tallow import backend
from tallow.autograd.modes import enable_grad
from tallow.creation import tensor, zeros_like
from tallow.dtypes import float32, float64, get_default_dtype
from tallow.errors import ArgumentError, NotSupportedError, TypeMismatchError, describe
from tallow.graph import RemovableHandle
from tallow.kernels import updates
from tallow.layout import strided
from tallow.tensor import Tensor

_before_any_step: OrderedDict = OrderedDict()
_after_any_step: OrderedDict = OrderedDict()


class _Required:
    """The default of a setting that every parameter group must name."""

    def __repr__(self):
        return "<required parameter>"


required = _Required()


def _with_hooks(step):
    """A `step` method that runs the hooks around it and notes for schedulers that it was called."""

    @functools.wraps(step)
    def hooked(self, *args, **kwargs):
        self._opt_called = True
        if self._hooks is None or not (self._hooks or _before_any_step or _after_any_step):
            return step(self, *args, **kwargs)
        if type(self).step is not hooked:  # an inherited step, called by the class's own
            return step(self, *args, **kwargs)
        before, after = self._hooks["step_pre"], self._hooks["step_post"]
        args = (self, *args)
        for hook in chain(list(_before_any_step.values()), list(before.values())):
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise RuntimeError(
                        f"{type(self).__name__}.step: expected None or (args, kwargs) of a "
                        f"pre-hook, got {type(changed).__name__}"
                    )
                args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in chain(list(after.values()), list(_after_any_step.values())):
            hook(self, args, kwargs)
        return result

    return hooked


class Optimizer:
    """The base of all optimizers.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dictionaries: parameter
    groups, each with its tensors under "params" and settings of its own; `defaults` has the
    settings of the others. Where PyTorch has several implementations, tallow has one: `foreach` is
    accepted and changes nothing; with `fused` or `capturable` steps are counted where the parameter
    is, as a captured CUDA graph needs it, but for those of NAdam and ASGD. With `differentiable` a
    step is recorded, and its parameters must be results of operations.

    A subclass overrides `step`. Those of tallow name instead their `_algorithm`, an `Update`, and
    in `_slots` the state that it keeps for every parameter: zeros at first, and of those with a
    setting beside them only where a group has it. The update gets these in order, then what
    `_numbers` gives.

    >>> import tallow
    >>> weight = tallow.nn.Parameter(tallow.ones(2))
    >>> optimizer = tallow.optim.SGD([weight], lr=0.5)
    >>> weight.sum().backward()
    >>> optimizer.step()
    >>> weight.tolist()
    [0.5, 0.5]
    """

    _hooks: Any = None  # of a wrapper that does not call __init__: what it wraps runs them
    _opt_called = False
    _counts = True  # steps, in its state
    _hosts = False  # the counts with the parameters, where a group asks for it
    _algorithm = None
    _slots: dict[str, str | None] = {}

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._hooks = _no_hooks()
        self.state = defaultdict(dict)
        self.param_groups = []
        if isinstance(params, Tensor):
            raise TypeMismatchError(
                f"{self._name}: expected an iterable of tensors or dicts, got a tensor"
            )
        groups = list(params)
        if not groups:
            raise ArgumentError(f"{self._name}: expected parameters, got an empty list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)
        if defaults.get("fused"):
            for other in ("differentiable", "foreach"):
                if defaults.get(other):
                    raise RuntimeError(f"{self._name}: expected fused or {other}, got both")

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = _with_hooks(cls.step)

    @property
    def _name(self):
        return type(self).__name__

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        """Take a state, as older versions may have written it.

        Settings that it lacks are the defaults; steps that were counted as numbers become tensors.
        """
        self.__dict__.update(state)
        self.__dict__.setdefault("_hooks", _no_hooks())
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)
            for p in group["params"]:
                own = self.state.get(p, {})
                if isinstance(own.get("step"), int | float):
                    own["step"] = new_count() + own["step"]

    def __repr__(self):
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join(lines) + "\n)"

    # The step

    @_with_hooks
    def step(self, closure=None):
        """Change every parameter that has a gradient.

        `closure`, if given, computes the gradients anew and returns the loss, which is what `step`
        returns.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if "tallow.sparse" in sys.modules:
                params = self._after_sparse(group, params)
            if params:
                self._update(group, params)
        return loss

    def _update(self, group, params):
        """Change the parameters of a group that have a gradient."""
        if self._algorithm is None:
            raise NotImplementedError(
                f"{self._name}: expected a subclass to define step(), got none"
            )
        states = self._states(params, group)
        columns = [column(states, name) if used else [] for name, used in self._used(group)]
        self._algorithm(group, params, *columns, *self._numbers(states, group))

    def _after_sparse(self, group, params):
        """Those of the parameters whose gradients are dense, after a step of the others."""
        sparse = [p for p in params if p.grad.layout is not strided]
        if updates.found is None or not updates.found.item():
            for p in sparse:
                self._update_sparse(group, p)
        return [p for p in params if p.grad.layout is strided] if sparse else params

    def _update_sparse(self, group, p):
        """Change a parameter whose gradient is sparse."""
        raise NotSupportedError(
            f"{self._name}: expected dense gradients, got a sparse one; use SparseAdam, SGD or "
            "Adagrad, or a module without sparse=True"
        )

    def _skips(self):
        """True if its kernels alone can leave a step out, as nothing of it is on the host."""
        hosts = self._hosts and all(map(hosted, self.param_groups))
        return type(self).step is Optimizer.step and (hosts or not self._counts)

    def _used(self, group):
        """The names of `_slots`, and whether the group has state under them."""
        return [(name, setting is None or group[setting]) for name, setting in self._slots.items()]

    def _new_state(self, p, group):
        """What is kept for a parameter from its first gradient on."""
        state = {"step": new_count(p if self._hosts and hosted(group) else None)}
        for name, used in self._used(group):
            if used:
                state[name] = zeros_like(p)
        return state

    def _numbers(self, states, group):
        """Lists of numbers for the algorithm, after its state: how many steps were made."""
        return [advance(states)]

    def _states(self, params, group):
        """The state of each parameter."""
        states = []
        for p in params:
            state = self.state[p]
            if not state:
                state.update(self._new_state(p, group))
            states.append(state)
        return states

    def zero_grad(self, set_to_none=True):
        """Forget the gradients, or with `set_to_none=False` set their elements to 0."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.detach_().zero_()

    # Parameter groups

    def add_param_group(self, param_group):
        """Add a dictionary with tensors under "params", and settings; the defaults fill up."""
        if not isinstance(param_group, dict):
            raise TypeMismatchError(
                f"add_param_group: expected a dict, got {type(param_group).__name__}"
            )
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeMismatchError(
                "add_param_group: expected parameters in an order, got a set; use a list"
            )
        given = [given] if isinstance(given, Tensor) else list(given)
        names = [item[0] for item in given if isinstance(item, tuple)]
        params = [item[1] if isinstance(item, tuple) else item for item in given]
        param_group["params"] = params
        if names:
            if len(names) != len(params):
                raise ArgumentError(
                    "add_param_group: expected names for all parameters or for none, got some"
                )
            param_group["param_names"] = names
        for p in params:
            self._check_parameter(p)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ArgumentError(
                    f"add_param_group: expected a value of {name!r}, which has no default"
                )
            param_group.setdefault(name, default)
        self._check_group(param_group)
        self.param_groups.append(param_group)

    def _check_parameter(self, p):
        if not isinstance(p, Tensor):
            raise TypeMismatchError(
                f"{self._name}: expected tensors as parameters, got {type(p).__name__}"
            )
        if not (self.defaults.get("differentiable") or p.is_leaf or p.retains_grad):
            raise ArgumentError(
                f"{self._name}: expected leaves as parameters, got the result of an operation; "
                "use .detach(), or .retain_grad() on it first"
            )

    def _check_group(self, param_group):
        """Raise if a group does not go with those there are."""
        params = set(param_group["params"])
        if len(params) != len(param_group["params"]):
            warnings.warn(f"{self._name}: a parameter group has a parameter twice", stacklevel=4)
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                raise ArgumentError(
                    "add_param_group: expected names in all groups or in none, got some"
                )
            if not params.isdisjoint(group["params"]):
                raise ArgumentError(
                    "add_param_group: expected a parameter in one group, got it in two"
                )

    # State

    def state_dict(self):
        """A dictionary of "state", by the parameters' numbers, and "param_groups"."""
        for hook in list(self._hooks["state_dict_pre"].values()):
            hook(self)
        params = chain.from_iterable(group["params"] for group in self.param_groups)
        numbers = {}
        for i, p in enumerate(params):
            numbers.setdefault(p, i)
        groups = []
        for group in self.param_groups:
            packed = {name: value for name, value in group.items() if name != "params"}
            packed["params"] = [numbers[p] for p in group["params"]]
            groups.append(packed)
        state = {numbers.get(key, key): value for key, value in self.state.items()}
        result = {"state": state, "param_groups": groups}
        for hook in list(self._hooks["state_dict_post"].values()):
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict):
        """Take the state and settings of a `state_dict`, copied.

        Floating-point state gets the dtype and device of its parameter. ValueError if the groups do
        not have the sizes of those here.
        """
        state_dict = dict(state_dict)
        for hook in list(self._hooks["load_state_dict_pre"].values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups = deepcopy(state_dict["param_groups"])
        sizes = [len(group["params"]) for group in self.param_groups]
        given = [len(group["params"]) for group in groups]
        if sizes != given:
            raise ArgumentError(
                f"load_state_dict: expected groups of {sizes} parameters, got groups of {given}"
            )
        owners = {}
        for group, own in zip(groups, self.param_groups, strict=True):
            pairs = zip(group["params"], own["params"], strict=True)
            owners.update({i: (p, hosted(group)) for i, p in pairs})
            group["params"] = own["params"]
            if "param_names" in own:
                group.setdefault("param_names", own["param_names"])
        state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in owners:
                state[owners[key][0]] = _matched(value, *owners[key])
            else:
                state[key] = value
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in list(self._hooks["load_state_dict_post"].values()):
            hook(self)

    # Hooks

    def _add_hook(self, kind, hook, prepend=False):
        return _register(self._hooks[kind], hook, prepend)

    def register_step_pre_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` before a step; it may return both anew.

        `args` begins with the optimizer itself.
        """
        return self._add_hook("step_pre", hook)

    def register_step_post_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` after a step."""
        return self._add_hook("step_post", hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` before `state_dict`."""
        return self._add_hook("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)` after `state_dict`; it may return another."""
        return self._add_hook("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)` before loading; it may return another state_dict."""
        return self._add_hook("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` after `load_state_dict`."""
        return self._add_hook("load_state_dict_post", hook, prepend)


def register_optimizer_step_pre_hook(hook):
    """Call `hook(optimizer, args, kwargs)` before a step of any optimizer."""
    return _register(_before_any_step, hook)


def register_optimizer_step_post_hook(hook):
    """Call `hook(optimizer, args, kwargs)` after a step of any optimizer."""
    return _register(_after_any_step, hook)


def _no_hooks():
    return defaultdict(OrderedDict)


def _register(hooks, hook, prepend=False):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _matched(value, p, hosted, key=None):
    """A copy of a value of the state, tensors in it as the parameter `p` needs them.

    The count of steps keeps its dtype and device unless it is `hosted` with the parameter.
    """
    if isinstance(value, Tensor):
        if key == "step":
            return value.to(float32, copy=True).to(p.device) if hosted else value.clone()
        dtype = p.dtype if p.dtype.is_floating_point else value.dtype
        return value.to(dtype, copy=True).to(p.device)
    if isinstance(value, dict):
        return {k: _matched(v, p, hosted, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return type(value)(_matched(v, p, hosted) for v in value)
    return value


# What algorithms share


def given(arguments):
    """The settings among the `locals()` with which a constructor was called."""
    return {k: v for k, v in arguments.items() if k not in ("self", "params", "__class__")}


def check_settings(optimizer, **settings):
    """Raise unless the settings are numbers, or tensors of one, from 0 up."""
    name = type(optimizer).__name__
    for setting, value in settings.items():
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ArgumentError(
                f"{name}: expected a number or a tensor of one as {setting}, got {describe(value)}"
            )
        if not value >= 0.0:
            raise ArgumentError(f"{name}: expected {setting} of 0 or more, got {value}")


def check_betas(optimizer, betas):
    """Raise unless there are two numbers, or two tensors of one, from 0 to below 1."""
    name = type(optimizer).__name__
    check_settings(optimizer, **{f"betas[{i}]": beta for i, beta in enumerate(betas)})
    if len(betas) != 2 or any(beta >= 1.0 for beta in betas):
        raise ArgumentError(f"{name}: expected two betas from 0 to below 1, got {betas}")
    if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
        raise ArgumentError(
            f"{name}: expected both betas as numbers or as tensors, got one of each"
        )


def hosted(group):
    """True if a group's steps are counted where its parameters are."""
    return bool(group.get("fused") or group.get("capturable"))


def new_count(p=None):
    """A count of steps, 0 so far: a 0-d tensor on the CPU, or where a parameter is."""
    dtype = float64 if get_default_dtype() is float64 else float32
    return tensor(0.0, dtype=dtype) if p is None else tensor(0.0, dtype=float32, device=p.device)


def advance(states):
    """Count a step in each state; the counts as numbers, or as arrays if not on the CPU."""
    counts, away = [], defaultdict(list)
    for state in states:
        step = state["step"].array
        if isinstance(step, np.ndarray):
            step += 1
            counts.append(step.item())
        else:
            counts.append(step)
            away[state["step"].device].append(step)
    for where, steps in away.items():
        with backend.at(steps[0]):
            updates.TABLE.get(("advance", where.type), _count)(steps)
    return counts


def _count(steps):
    skipped = updates.found is not None and updates.found.item()
    for step in steps:
        step += not skipped


def column(states, name):
    """What each state has under a name."""
    return [state[name] for state in states]
