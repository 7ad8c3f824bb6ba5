"""Operators of a program's own under names: functions that give their gradients themselves.

An operator of the name "mine::scale" is `tallow.ops.mine.scale` from then on.
"""

from functools import update_wrapper
from inspect import signature
from types import SimpleNamespace

import tallow.ops
from tallow.autograd import Function
from tallow.errors import ArgumentError

__all__ = ["CustomOpDef", "custom_op", "register_autograd", "register_fake", "register_kernel"]


class CustomOpDef:
    """An operator that `custom_op` made: a function, and what is registered for it."""

    def __init__(self, name, fn):
        self._name = name
        self._kernels = {None: fn}  # by type of device; None: every other
        self._signature = signature(fn)
        self._function = None
        update_wrapper(self, fn)

    def _run(self, *inputs):
        kinds = [x.device.type for x in inputs if isinstance(x, tallow.Tensor)]
        kernel = self._kernels.get(kinds[0] if kinds else None, self._kernels[None])
        return kernel(*inputs)

    def __call__(self, *args, **kwargs):
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        run = self._run if self._function is None else self._function.apply
        return run(*bound.arguments.values())

    def register_autograd(self, backward, /, *, setup_context=None):
        """`backward(ctx, *gradients)` gives those of the inputs.

        `setup_context(ctx, inputs, output)` keeps what it needs, after the forward pass.
        """

        def forward(ctx, *inputs):
            output = self._run(*inputs)
            if setup_context is not None:
                setup_context(ctx, inputs, output)
            return output

        members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        self._function = type(self.__name__, (Function,), members)

    def register_kernel(self, device_types, fn=None, /):
        """Call `fn` instead for tensors on a type of device ("cuda") or on some; a decorator, too.

        None: on every other.
        """
        if fn is None:
            return lambda fn: self.register_kernel(device_types, fn)
        several = isinstance(device_types, tuple | list)
        self._kernels.update(dict.fromkeys(device_types if several else [device_types], fn))
        return fn

    def register_fake(self, fn, /):
        """Nothing: shapes are known by running."""
        return fn


def custom_op(name, fn=None, /, *, mutates_args, device_types=None, schema=None, tags=None):
    """A function as an operator of a name "namespace::name"; a decorator, too.

    Without `register_autograd` it is differentiated as what it calls is. `mutates_args`, `schema`
    and `tags` make no difference.

    >>> import tallow
    >>> @tallow.library.custom_op("mine::scale", mutates_args=())
    ... def scale(x: tallow.Tensor, by: float) -> tallow.Tensor:
    ...     return x * by
    >>> tallow.ops.mine.scale(tallow.ones(2), 3.0)
    tensor([3., 3.])
    """
    if fn is None:
        return lambda fn: custom_op(name, fn, mutates_args=mutates_args, device_types=device_types)
    namespace, colons, short = name.partition("::")
    if not (namespace and colons and short):
        raise ArgumentError(f"custom_op: expected a name 'namespace::name', got {name!r}")
    op = CustomOpDef(name, fn)
    if device_types is not None:
        op.register_kernel(device_types, fn)
    if not hasattr(tallow.ops, namespace):
        setattr(tallow.ops, namespace, SimpleNamespace())
    setattr(getattr(tallow.ops, namespace), short, op)
    return op


def _found(op, name):
    if isinstance(op, CustomOpDef):
        return op
    namespace, _, short = op.partition("::")
    found = getattr(getattr(tallow.ops, namespace, None), short, None)
    if not isinstance(found, CustomOpDef):
        raise ArgumentError(f"{name}: expected an operator made by custom_op, got {op!r}")
    return found


def register_autograd(op, backward, /, *, setup_context=None):
    """`CustomOpDef.register_autograd` of an operator, or of one by name."""
    _found(op, "register_autograd").register_autograd(backward, setup_context=setup_context)


def register_kernel(op, device_types, func=None, /):
    """`CustomOpDef.register_kernel` of an operator, or of one by name."""
    return _found(op, "register_kernel").register_kernel(device_types, func)


def register_fake(op, func=None, /):
    """`CustomOpDef.register_fake` of an operator, or of one by name; a decorator, too."""
    found = _found(op, "register_fake")
    return found.register_fake if func is None else found.register_fake(func)
