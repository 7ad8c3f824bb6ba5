"""What the layers of a family share."""

from collections.abc import Callable
from typing import Any

from tallow.nn.module import Module


class Layer(Module):
    """A Module of a family whose members differ in a few attributes, given in the class line.

    `class ZeroPad2d(_ZeroPad, dimensions=2)` is a `_ZeroPad` whose `dimensions` is 2. `shown` names
    the attributes that the repr shows; `function` is what a family's `forward` calls.
    """

    shown: tuple[str, ...] = ()
    function: Callable[..., Any]

    def __init_subclass__(cls, **attributes):
        super().__init_subclass__()
        for name, value in attributes.items():
            setattr(cls, name, staticmethod(value) if callable(value) else value)

    def extra_repr(self):
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)
