"""The shape of a tensor."""

import math


class Size(tuple):
    """A tuple of lengths with `numel()`.

    >>> import tallow
    >>> tallow.Size([2, 3]).numel()
    6
    """

    __slots__ = ()

    def numel(self):
        """The product of the lengths."""
        return math.prod(self)

    def __repr__(self):
        return f"tallow.Size({list(self)})"

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))
