"""Hooks on saved tensors and on several gradients; nodes and versions."""

from threading import Lock
from typing import NamedTuple

from tallow.autograd.hooks import RemovableHandle
from tallow.autograd.inplace import bump
from tallow.autograd.modes import state
from tallow.autograd.node import BaseNode as Node
from tallow.autograd.node import numbered
from tallow.autograd.saved import watch
from tallow.errors import ArgumentError, GradientError
from tallow.tensor import Tensor

__all__ = [
    "GradientEdge", "Node", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


class saved_tensors_hooks:
    """Operations inside keep `pack_hook(tensor)` of each tensor for their gradients.

    `unpack_hook` makes a tensor of it again in the backward pass: to save memory, by moving tensors
    elsewhere or computing them again. The innermost pair of hooks counts.

    >>> import tallow
    >>> x = tallow.ones(2, requires_grad=True)
    >>> as_lists = tallow.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), tallow.tensor)
    >>> with as_lists:
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, pack_hook, unpack_hook):
        self.hooks = pack_hook, unpack_hook

    def __enter__(self):
        if state.hooks_refused:
            raise GradientError(state.hooks_refused)
        state.packing = (*state.packing, self.hooks)
        watch(1)

    def __exit__(self, *exception):
        state.packing = state.packing[:-1]
        watch(-1)


class save_on_cpu(saved_tensors_hooks):
    """Operations inside keep tensors for their gradients on the CPU, and not on their device."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(
            lambda x: (x.device, x.detach().cpu()), lambda packed: packed[1].to(packed[0])
        )


class disable_saved_tensors_hooks:
    """Inside, `saved_tensors_hooks` raises GradientError with a message."""

    def __init__(self, error_message):
        self.message = error_message

    def __enter__(self):
        self.before, state.hooks_refused = state.hooks_refused, self.message

    def __exit__(self, *exception):
        state.hooks_refused = self.before


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Call `fn` in a backward pass when the gradients of several tensors are known.

    "all": `fn(gradients)` with one for each of `tensors`, None for those that the pass does not
    reach, when the last of them is there. "any": `fn(gradient)` of the first.

    >>> import tallow
    >>> x, y = tallow.ones(1, requires_grad=True), tallow.ones(1, requires_grad=True)
    >>> handle = tallow.autograd.graph.register_multi_grad_hook((x, y), print)
    >>> (x * 2 + y * 3).backward()
    [tensor([2.]), tensor([3.])]
    """
    if mode not in ("all", "any"):
        raise ArgumentError(f"register_multi_grad_hook: expected mode 'all' or 'any', got {mode!r}")
    tensors = tuple(tensors)
    lock, gathered = Lock(), {}  # backward pass -> its gradients so far

    def seen(number, g):
        walk = state.walk
        with lock:
            for other in [w for w in gathered if w.order is None]:
                del gathered[other]  # it has ended
            found = gathered.setdefault(walk, {})
            first = not found
            found[number] = g if mode == "all" else None
            complete = all(i in found or not walk.reaches(x) for i, x in enumerate(tensors))
            if complete:
                del gathered[walk]
        if mode == "any":
            if first:
                fn(g)
        elif complete:
            fn([found.get(i) for i in range(len(tensors))])

    handles = [
        x.register_hook(lambda g, number=number: seen(number, g))
        for number, x in enumerate(tensors)
    ]
    return _Handles(handles)


class _Handles(RemovableHandle):
    """Several handles as one."""

    def __init__(self, handles):
        self.handles = tuple(handles)

    def remove(self):
        for handle in self.handles:
            handle.remove()


class GradientEdge(NamedTuple):
    """The output number `output_nr` of a node: where the gradient of a tensor goes."""

    node: object
    output_nr: int


def get_gradient_edge(tensor):
    """Where the gradient of a tensor goes, as a `GradientEdge`."""
    if not tensor.requires_grad:
        raise GradientError("get_gradient_edge: expected a tensor that requires gradients")
    return GradientEdge(*numbered(tensor.node or tensor))


def increment_version(tensor):
    """Count a change of the memory of a tensor (or of several) that autograd could not see."""
    for x in (tensor,) if isinstance(tensor, Tensor) else tensor:
        bump(x, "increment_version")
