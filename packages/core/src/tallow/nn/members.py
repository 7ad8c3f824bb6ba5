"""What a module's attributes are registered as.

A module keeps its parameters, buffers and children in its instance dictionary like any other
attribute, so that reading `self.weight` costs nothing extra. Beside them it keeps one dictionary,
`_members`, which says what each registered name is; `Members` shows one kind as a mapping.
"""

from collections.abc import MutableMapping
from typing import TYPE_CHECKING

PARAMETER = "parameter"
BUFFER = "buffer"
MODULE = "child module"


class View(MutableMapping):
    """A mapping that shows a part of a module, with what a dict has beside."""

    __slots__ = ()

    def keys(self):
        return self.copy().keys()

    def items(self):
        return self.copy().items()

    def values(self):
        return self.copy().values()

    def copy(self):
        """A dict of the same: its views can be reversed, and bear changes of the module."""
        return {name: self[name] for name in self}

    def __reversed__(self):
        return reversed(list(self))

    def __repr__(self):
        return repr(self.copy())


class Members(View):
    """The parameters, buffers or children of a module by name. A change of it changes the module.

    A member may be None: a name that was registered and holds nothing, such as the bias of a layer
    without one.
    """

    __slots__ = ("_attributes", "_kinds", "_kind")

    def __init__(self, attributes, kinds, kind):
        self._attributes = attributes
        self._kinds = kinds
        self._kind = kind

    def __getitem__(self, name):
        if name not in self:
            raise KeyError(name)
        return self._attributes[name]

    def __setitem__(self, name, member):
        if name not in self:
            self._kinds.pop(name, None)  # so that it comes last among its new kind
            self._kinds[name] = self._kind
        self._attributes[name] = member

    def __delitem__(self, name):
        if name not in self:
            raise KeyError(name)
        del self._kinds[name], self._attributes[name]

    def __contains__(self, name):
        return self._kinds.get(name) == self._kind

    def __iter__(self):
        return iter([name for name, kind in self._kinds.items() if kind == self._kind])

    def __len__(self):
        return sum(kind == self._kind for kind in self._kinds.values())


class Uninitialized:
    """Stands for `_members` on the class: reached only if `Module.__init__` did not run."""

    def __get__(self, module, cls):
        raise AttributeError(
            f"{cls.__name__}: cannot assign or use parameters, buffers and modules before the "
            f"Module.__init__() call; call super().__init__() first in {cls.__name__}.__init__"
        )


def found_by_getattr(cls):
    """Have a class's own `__getattr__` be asked for members, too, as it is in PyTorch.

    There members are no plain attributes, and a class may give something else in their place. What
    it calls as `super().__getattr__(name)` finds the member itself.
    """
    own, plain = cls.__getattr__, cls.__getattribute__

    def __getattribute__(self, name):
        if name in object.__getattribute__(self, "__dict__").get("_members", ()):
            return own(self, name)
        return plain(self, name)

    cls.__getattribute__ = __getattribute__


class Lookup:
    """A base of Module whose `__getattr__` is the last that is asked."""

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            if name in self.__dict__.get("_members", ()):
                return self.__dict__[name]
            return object.__getattribute__(self, name)  # raises what it did before
