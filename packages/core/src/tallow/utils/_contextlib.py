"""Contexts that are decorators as well, like `no_grad`, for classes derived from them."""

from contextlib import ContextDecorator


class _DecoratorContextManager(ContextDecorator):
    """A context, used by `with` or as a decorator: then each call is in a context of its own."""

    def clone(self):
        """A new context like this one."""
        return type(self)()

    def _recreate_cm(self):
        return self.clone()


class _NoParamDecoratorContextManager(_DecoratorContextManager):
    """One without parameters, which decorates without brackets, too."""

    def __new__(cls, orig_func=None):
        made = super().__new__(cls)
        return made if orig_func is None else made(orig_func)
