"""PyTorch's operators by the names of its dispatcher, for programs that keep tables of them.

There is no dispatcher here, so none of them is ever asked for: to call one is an error.
"""

from functools import cache

from tallow.left_out import never


class Operator:
    """An operator, `aten.add`; its overloads are its attributes, `aten.add.Tensor`."""

    def __init__(self, name):
        self.__name__ = name

    def __getattr__(self, name):
        if name.startswith("__"):  # asked by Python
            raise AttributeError(f"aten.{self.__name__} has no attribute {name!r}")
        return operator(f"{self.__name__}.{name}")

    __call__ = never("ops.aten", "call the function of the name, as torch.add")


@cache
def operator(name):
    """The one object of a name."""
    return Operator(name)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(f"module 'tallow.ops.aten' has no attribute {name!r}")
    return operator(name)
