"""What the layers of a family share."""

from collections.abc import Callable
from typing import Any

from tallow.nn.module import Module


class Layer(Module):
    """A Module of a family whose members differ in a few attributes, given in the class line.

    `class ZeroPad2d(_Pad, value=0.0, dimensions=2)` is a `_Pad` with these values. `function` is
    what a family's `forward` calls. The repr shows the attributes in `sizes`, those in `shown` with
    their names, and those in `usual` where they are not as that says.
    """

    sizes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    usual: dict[str, Any] = {}
    function: Callable[..., Any]

    def __init_subclass__(cls, **attributes):
        super().__init_subclass__()
        for name, value in attributes.items():
            setattr(cls, name, staticmethod(value) if callable(value) else value)

    def extra_repr(self):
        unusual = [name for name, value in self.usual.items() if getattr(self, name) != value]
        named = [f"{name}={getattr(self, name)}" for name in (*self.shown, *unusual)]
        return ", ".join([*(str(getattr(self, name)) for name in self.sizes), *named])
