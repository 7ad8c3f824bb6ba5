"""Checkpointing: memory saved by computing again, in the backward pass, what gradients need.

Training Deep Nets with Sublinear Memory Cost, https://arxiv.org/abs/1604.06174
"""

from contextlib import ExitStack, nullcontext
from itertools import count

from tallow import cuda
from tallow.autograd import enable_grad
from tallow.autograd.graph import saved_tensors_hooks
from tallow.casting import POLICIES, autocast, get_autocast_dtype, is_autocast_enabled
from tallow.errors import ArgumentError, GradientError, describe
from tallow.func.tree import leaves, tree_map
from tallow.nn import Module
from tallow.seeding import restore, snapshot
from tallow.tensor import Tensor

__all__ = ["checkpoint", "checkpoint_sequential", "get_device_states", "set_device_states"]


def noop_context_fn():
    """Two contexts that do nothing: one for the forward pass, one for the second."""
    return nullcontext(), nullcontext()


def checkpoint(
    function, *args, use_reentrant=None, context_fn=noop_context_fn, determinism_check="default",
    debug=False, preserve_rng_state=True, early_stop=True, **kwargs,
):  # fmt: skip
    """`function(*args, **kwargs)` that keeps nothing for its gradients, but runs again for them.

    The second run, in the backward pass, draws the same random numbers (with `preserve_rng_state`),
    under the same autocast and inside the second context of `context_fn()`. It stops at the last
    tensor needed, unless `early_stop` is False. `determinism_check` "none" accepts other shapes and
    dtypes in it. `use_reentrant` and `debug` make no difference: tensors that `function` closes
    over get their gradients, too.

    >>> import tallow
    >>> from tallow.utils.checkpoint import checkpoint
    >>> x = tallow.ones(2, requires_grad=True)
    >>> checkpoint(lambda x: (x * x).exp(), x).sum().backward()
    """
    if determinism_check not in ("default", "none"):
        raise ArgumentError(
            f"checkpoint: expected determinism_check 'default' or 'none', got {determinism_check!r}"
        )
    first, second = context_fn()
    call = _Call(function, args, kwargs, [second, *_autocasts()])
    call.random = snapshot() if preserve_rng_state else None
    call.checked, call.early_stop = determinism_check == "default", early_stop
    with saved_tensors_hooks(call.pack, call.unpack), first:
        return function(*args, **kwargs)


def _autocasts():
    """Contexts in which autocast is as it is now."""
    return [autocast(d, get_autocast_dtype(d), is_autocast_enabled(d)) for d in POLICIES]


class _Enough(Exception):
    """All tensors are there: the second run need not go on."""


class _Call:
    """A checkpointed call: tensors are numbered in the order in which they are saved."""

    def __init__(self, function, args, kwargs, contexts):
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.contexts = contexts
        self.kinds = []  # what was saved, in words
        self.found = {}  # number -> tensor, from the second run

    def pack(self, x):
        self.kinds.append(describe(x))
        return len(self.kinds) - 1

    def unpack(self, number):
        if number not in self.found:
            self._run_again()
        if number not in self.found:
            raise GradientError(
                f"checkpoint: expected {len(self.kinds)} tensors to be saved again, got only "
                f"{len(self.found)}; the function must do the same each time"
            )
        return self.found.pop(number)

    def _run_again(self):
        before = snapshot()
        if self.random is not None:
            restore(self.random)
        number = count().__next__
        try:
            with ExitStack() as stack:
                stack.enter_context(enable_grad())
                stack.enter_context(saved_tensors_hooks(lambda x: self._keep(number(), x), _never))
                for context in self.contexts:
                    stack.enter_context(context)
                self.function(*_detached(self.args), **_detached(self.kwargs))
        except _Enough:
            pass
        finally:
            restore(before)

    def _keep(self, number, x):
        if number < len(self.kinds):
            if self.checked and describe(x) != self.kinds[number]:
                raise GradientError(
                    f"checkpoint: expected {self.kinds[number]} to be saved again, got "
                    f"{describe(x)}; the function must do the same each time"
                )
            self.found[number] = x.detach()
        if self.early_stop and number >= len(self.kinds) - 1:
            raise _Enough


def _never(value):
    raise GradientError("checkpoint: expected no backward pass within the second run")


def _detached(tree):
    """Arguments without their history, but requiring gradients where they did."""

    def alone(x):
        return x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x

    return tree_map(alone, tree)


def checkpoint_sequential(
    functions, segments, input, use_reentrant=None, preserve_rng_state=True, **kwargs
):
    """A Sequential, or a list of functions, in `segments` checkpointed parts; the last is not.

    >>> import tallow
    >>> from tallow.utils.checkpoint import checkpoint_sequential
    >>> layers = [tallow.nn.Linear(2, 2) for _ in range(4)]
    >>> checkpoint_sequential(layers, 2, tallow.ones(3, 2)).shape
    tallow.Size([3, 2])
    """
    functions = list(functions.children()) if isinstance(functions, Module) else list(functions)
    size = len(functions) // segments
    for start in range(0, size * (segments - 1), size):
        part = _run_of(functions[start : start + size])
        input = checkpoint(part, input, preserve_rng_state=preserve_rng_state, **kwargs)
    return _run_of(functions[size * (segments - 1) :])(input)


def _run_of(functions):
    def run(x):
        for function in functions:
            x = function(x)
        return x

    return run


def get_device_states(*args):
    """The numbers of the CUDA devices that tensors are on, and the states of their generators."""
    devices = sorted({x.device.index for x in leaves(args) if isinstance(x, Tensor) and x.is_cuda})
    return devices, [cuda.get_rng_state(device) for device in devices]


def set_device_states(devices, states, *, device_type=None):
    """Have the generators of CUDA devices go on from what `get_device_states` gave."""
    for device, state in zip(devices, states, strict=True):
        cuda.set_rng_state(state, device)
