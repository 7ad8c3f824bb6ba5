"""What autograd adds to tensors: `backward`, hooks, `retain_grad`, `grad_fn`."""

import weakref

from tallow.autograd import engine
from tallow.autograd.hooks import Hooks, RemovableHandle, register  # noqa: F401
from tallow.autograd.inplace import alias_without_history
from tallow.autograd.node import shown
from tallow.errors import GradientError
from tallow.tensor import refresh, wrap

METHODS = [
    "backward", "detach", "detach_", "register_hook", "register_post_accumulate_grad_hook",
    "requires_grad_", "retain_grad",
]  # fmt: skip


def register_hook(input, hook):
    """Call `hook(gradient)` when the gradient of this tensor is known; what it returns replaces it.

    >>> x = tallow.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 10)
    >>> x.sum().backward()
    >>> x.grad
    tensor([10., 10.])
    """
    if not input.requires_grad:
        raise GradientError(
            "register_hook: expected a tensor that requires gradients, got one that does not"
        )
    watched = input if input.node is None else input.node
    watched.hooks = watched.hooks or Hooks()
    return register(watched.hooks.before, hook)


def register_post_accumulate_grad_hook(input, hook):
    """Call `hook(tensor)` after a leaf's gradient was added to its `grad`."""
    if input.node is not None:
        raise GradientError(
            "register_post_accumulate_grad_hook: expected a leaf, got the result of an operation"
        )
    input.hooks = input.hooks or Hooks()
    return register(input.hooks.after, hook)


def retain_grad(input):
    """Keep the gradient of a tensor that is not a leaf in its `grad`, too."""
    if not input.requires_grad:
        raise GradientError(
            "retain_grad: expected a tensor that requires gradients, got one that does not"
        )
    if input.node is not None and not retains_grad(input):
        input.node.retained = [*(input.node.retained or ()), weakref.ref(input)]


def retains_grad(input):
    """True after `retain_grad()` on a tensor that is not a leaf."""
    return input.node is not None and any(r() is input for r in input.node.retained or ())


def grad_fn(input):
    """The node that computed this tensor, None for a leaf; tensors of one call have the same.

    >>> x = tallow.ones(2, requires_grad=True)
    >>> (x * 3).grad_fn.name()
    'MulBackward0'
    """
    if input.alias is not None:
        refresh(input)
    return input.node and shown(input.node)


def backward(input, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Add to `grad` of every leaf the gradient of this tensor (a scalar, or with `gradient` given).

    >>> x = tallow.tensor([1.0, 2.0], requires_grad=True)
    >>> (x ** 2).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    engine.backward(
        input, None if gradient is None else (gradient,), retain_graph, create_graph, inputs
    )


def requires_grad_(input, requires_grad=True):
    """Set `requires_grad` and return the tensor."""
    input.requires_grad = requires_grad
    return input


def detach(input):
    """The same memory without history: gradients do not pass."""
    return alias_without_history(input)


def detach_(input):
    """Drop the history of this tensor: it becomes a leaf that requires no gradients."""
    if input.alias is not None and input.alias.op is not None:
        raise GradientError("detach_: expected a tensor that is no view; use detach()")
    input.node = None
    input.requires_grad = False
    return input


def data(input):
    """The same memory without history, whose in-place changes autograd does not notice."""
    return wrap(input.array)


def set_data(input, new):
    """Replace the memory of a tensor by that of another."""
    input.array = new.array
