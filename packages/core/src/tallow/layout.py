"""How the elements of a tensor lie in memory: names for it that functions take."""

from tallow import names

__all__ = [
    "channels_last", "channels_last_3d", "contiguous_format", "layout", "memory_format",
    "preserve_format", "strided",
]  # fmt: skip


class layout:
    """The kind of memory that a tensor has: `tallow.strided` alone."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"{names.package}.{self.name}"

    def __reduce__(self):
        return self.name  # pickled and copied as the one instance


class memory_format(layout):
    """The order of the dims in memory.

    `contiguous_format` is row-major; `preserve_format` that of the operand; `channels_last` (of
    four dims) and `channels_last_3d` (of five) have the channels, dim 1, next to each other.
    """


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

DIMS = {channels_last: 4, channels_last_3d: 5}
