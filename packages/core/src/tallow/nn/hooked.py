"""The methods of `Module` that register hooks, which `tallow.nn.hooks` keeps and runs."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tallow.graph import RemovableHandle
from tallow.nn import hooks, loading


class Hooked:
    """A base of Module."""

    _hooks: Any

    def _hooks_of(self, kind):
        return () if self._hooks is None else hooks.of(self, kind)

    @property
    def _forward_hooks(self):
        return self._view("forward")

    @property
    def _forward_pre_hooks(self):
        return self._view("forward_pre")

    @property
    def _backward_hooks(self):
        return self._view("backward")

    def _view(self, kind):
        """What programs that look for a hook look into."""
        return hooks.HookView(getattr(self.__dict__.get("_hooks") or hooks.Hooks(), kind))

    def _add_hook(self, kind, hook, prepend=False):
        if "_hooks" not in self.__dict__:
            self._hooks = hooks.Hooks()
        return self._hooks.add(kind, hook, prepend)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before the forward; it may return other arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)`, and returns None or a tuple of both.
        """
        return self._add_hook("forward_pre", hooks.ForwardHook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after the forward; it may return another output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`. `always_call` hooks run even
        if the forward raises.

        >>> import tallow
        >>> relu = tallow.nn.ReLU()
        >>> with relu.register_forward_hook(lambda module, args, output: output + 1):
        ...     relu(tallow.tensor(2.0)).item()
        3.0
        """
        return self._add_hook("forward", hooks.ForwardHook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward; it may return another."""
        return self._add_hook("backward_pre", hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` after the module's backward.

        Both are tuples; the hook may return another `grad_input`.
        """
        return self._add_hook("backward", hook, prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict()`."""
        return self._add_hook("state_dict_pre", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict()`."""
        return self._add_hook("state_dict", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook` before a state is loaded into the module.

        Its arguments are the module, the state's dictionary, prefix, local metadata, strict, and
        the lists of missing keys, unexpected keys and error messages.
        """
        return self._add_hook("load_state_dict_pre", hook)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        """The same by its old name, of a hook that does not get the module unless told."""
        hook = hook if with_module else partial(loading.without_module, hook)
        return self.register_load_state_dict_pre_hook(hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after loading; it may change its lists."""
        return self._add_hook("load_state_dict", hook)
