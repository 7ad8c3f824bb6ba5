"""Functions that run around a module's forward, backward, `state_dict` and `load_state_dict`."""

import warnings
from collections import OrderedDict

from tallow.autograd.function import Function
from tallow.graph import RemovableHandle
from tallow.nn.members import View
from tallow.tensor import Tensor


class ForwardHook:
    """A hook on the forward and how it wants to be called."""

    def __init__(self, call, with_kwargs=False, always_call=False):
        self.call = call
        self.with_kwargs = with_kwargs
        self.always_call = always_call


KINDS = (
    "forward_pre", "forward", "backward_pre", "backward", "state_dict_pre", "state_dict",
    "load_state_dict_pre", "load_state_dict",
)  # fmt: skip


class Hooks:
    """The hooks of a module by kind, each in the order in which they run."""

    def __init__(self):
        for kind in KINDS:
            setattr(self, kind, OrderedDict())

    def add(self, kind, hook, prepend=False):
        """Register a hook, last or first of its kind, and return its handle."""
        hooks = getattr(self, kind)
        handle = RemovableHandle(hooks)
        hooks[handle.id] = hook
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle


class HookView(View):
    """The hooks of a kind of one module, by number, as programs see and change them."""

    def __init__(self, hooks):
        self._hooks = hooks

    def __getitem__(self, number):
        hook = self._hooks[number]
        return hook.call if isinstance(hook, ForwardHook) else hook

    def __setitem__(self, number, hook):
        self._hooks[number] = ForwardHook(hook)

    def __delitem__(self, number):
        del self._hooks[number]

    def __iter__(self):
        return iter(self._hooks)

    def __len__(self):
        return len(self._hooks)


def of(module, kind):
    """The hooks of one kind that concern a module: those of every module, then its own."""
    everywhere, own = type(module)._hooks, module._hooks
    found = [hooks for hooks in (everywhere, own) if hooks is not None]
    if own is everywhere:
        found = found[:1]
    return [hook for hooks in found for hook in getattr(hooks, kind).values()]


def call(module, args, kwargs):
    """The forward of a module that has hooks."""
    pending = [hook for hook in of(module, "forward") if hook.always_call]
    output = None
    try:
        args, kwargs = _before_forward(module, args, kwargs)
        watch = None
        if of(module, "backward") or of(module, "backward_pre"):
            watch = _BackwardWatch(module)
            args = watch.inputs(args)
        output = module.forward(*args, **kwargs)
        for hook in of(module, "forward"):
            if hook in pending:
                pending.remove(hook)
            output = _after_forward(module, hook, args, kwargs, output)
        return output if watch is None else watch.outputs(output)
    except Exception:
        for hook in pending:
            try:
                output = _after_forward(module, hook, args, kwargs, output)
            except Exception as error:  # the first error is the one to report
                warnings.warn(f"a forward hook with always_call raised {error!r}", stacklevel=3)
        raise


def _before_forward(module, args, kwargs):
    """The arguments as the hooks before the forward leave them."""
    for hook in of(module, "forward_pre"):
        if hook.with_kwargs:
            changed = hook.call(module, args, kwargs)
            if changed is not None:
                args, kwargs = _pair_of_arguments(changed)
        else:
            changed = hook.call(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _pair_of_arguments(changed):
    if isinstance(changed, tuple) and len(changed) == 2:
        return changed
    raise RuntimeError(
        f"forward pre-hook: expected None or a tuple (args, kwargs), got {type(changed).__name__}"
    )


def _after_forward(module, hook, args, kwargs, output):
    """The output as one hook after the forward leaves it."""
    if hook.with_kwargs:
        changed = hook.call(module, args, kwargs, output)
    else:
        changed = hook.call(module, args, output)
    return output if changed is None else changed


class _BackwardWatch:
    """Runs a module's backward hooks in the backward of one call of it.

    The tensors that enter and leave the module pass through an identity whose backward sees their
    gradients: first that of the outputs, where the pre-hooks run, then that of the inputs, where
    the hooks run. If no input requires a gradient the hooks run at the outputs.
    """

    def __init__(self, module):
        self.module = module
        self.grad_output = None
        self.input_count = 0
        self.watched = []

    def inputs(self, args):
        """The positional arguments; those that require gradients are watched."""
        self.input_count = len(args)
        self.watched = _requiring_grad(args)
        return _watch(args, self.watched, self._at_inputs)

    def outputs(self, output):
        """The output, a tensor or a sequence of tensors; those with gradients are watched."""
        single = isinstance(output, Tensor)
        if not single and not isinstance(output, tuple | list):
            raise RuntimeError(
                f"{type(self.module).__name__}: expected a tensor or a tuple of tensors as "
                f"output of a module with backward hooks, got {type(output).__name__}"
            )
        results = (output,) if single else tuple(output)
        watched = _requiring_grad(results)
        count = len(results)
        results = _watch(results, watched, lambda grads: self._at_outputs(grads, watched, count))
        if single:
            return results[0]
        return output._make(results) if hasattr(output, "_make") else type(output)(results)

    def _at_outputs(self, grads, watched, count):
        grad_output = _spread(grads, watched, count)
        for hook in of(self.module, "backward_pre"):
            changed = hook(self.module, grad_output)
            if changed is not None:
                grad_output = _as_tuple(changed, count, "full backward pre-hook")
        self.grad_output = grad_output
        if not self.watched:
            self._run_hooks((None,) * self.input_count)
        return tuple(grad_output[i] for i in watched)

    def _at_inputs(self, grads):
        grad_input = self._run_hooks(_spread(grads, self.watched, self.input_count))
        return tuple(grad_input[i] for i in self.watched)

    def _run_hooks(self, grad_input):
        for hook in of(self.module, "backward"):
            changed = hook(self.module, grad_input, self.grad_output)
            if changed is not None:
                grad_input = _as_tuple(changed, len(grad_input), "full backward hook")
        return grad_input


class _Identity(Function):
    """The tensors unchanged; their gradients go through `seen`, which may change them."""

    @staticmethod
    def forward(ctx, seen, *tensors):
        ctx.seen = seen
        # Copies: the module may change its input in place, and the record upstream must not notice.
        return tuple(tensor.clone() for tensor in tensors)

    @staticmethod
    def backward(ctx, *grads):
        return None, *ctx.seen(grads)


def _requiring_grad(values):
    """The positions of the tensors that require gradients."""
    return [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]


def _watch(values, positions, seen):
    """`values` with those at `positions` passed through one `_Identity`."""
    if not positions:
        return values
    results = list(values)
    watched = _Identity.apply(seen, *[values[i] for i in positions])
    for i, tensor in zip(positions, watched, strict=True):
        results[i] = tensor
    return tuple(results)


def _spread(grads, positions, count):
    """The gradients at their positions among `count` values; None elsewhere."""
    spread = [None] * count
    for i, grad in zip(positions, grads, strict=True):
        spread[i] = grad
    return tuple(spread)


def _as_tuple(changed, count, what):
    grads = changed if isinstance(changed, tuple) else (changed,)
    if len(grads) != count:
        raise RuntimeError(f"{what}: expected {count} gradients or None, got {len(grads)}")
    return grads
