"""Hooks on gradients, and the handles that take them away."""

from itertools import count

_keys = count().__next__


class RemovableHandle:
    """Returned where a hook is registered; `remove()` takes it away. Also a context manager."""

    def __init__(self, hooks):
        self.hooks = hooks
        self.id = _keys()

    def remove(self):
        """Take the hook away; a second call does nothing."""
        self.hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


class Hooks:
    """The hooks of a leaf or a node. `before` see, or replace, the gradient of its value.

    `after` of a leaf run, with the leaf, once that is in `grad`; `after` of a node run, with the
    gradients of its operands and of its output, once its rule has, and may replace the former.
    """

    __slots__ = ("before", "after", "__weakref__")

    def __init__(self):
        self.before = {}
        self.after = {}


def register(hooks, hook):
    """Add a hook to a dict of them; returns its handle."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle
