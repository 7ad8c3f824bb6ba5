"""The shape of a tensor."""

import math

from tallow import names
from tallow.errors import TypeMismatchError


class Size(tuple):
    """A tuple of lengths with `numel()`.

    >>> tallow.Size([2, 3]).numel()
    6
    """

    __slots__ = ()

    def __new__(cls, sizes=()):
        made = tuple.__new__(cls, sizes)
        if not all(hasattr(n, "__index__") for n in made):
            raise TypeMismatchError(f"Size: expected ints, got {list(made)}")
        return made

    def numel(self):
        """The product of the lengths."""
        return math.prod(self)

    def __repr__(self):
        return f"{names.package}.Size({list(self)})"

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other):
        return Size(tuple.__add__(tuple(other), self))

    def __mul__(self, times):
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__
