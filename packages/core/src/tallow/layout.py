"""How the elements of a tensor lie in memory: names for it that functions take."""

from functools import wraps
from importlib import import_module

from tallow import names
from tallow.errors import ArgumentError

__all__ = [
    "channels_last", "channels_last_3d", "contiguous_format", "layout", "memory_format",
    "preserve_format", "sparse_bsc", "sparse_bsr", "sparse_coo", "sparse_csc", "sparse_csr",
    "strided",
]  # fmt: skip


class layout:
    """The kind of memory that a tensor has: `tallow.strided`, or that of a sparse one."""

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
sparse_coo, sparse_csr, sparse_csc = map(layout, ("sparse_coo", "sparse_csr", "sparse_csc"))
sparse_bsr, sparse_bsc = map(layout, ("sparse_bsr", "sparse_bsc"))
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

DIMS = {channels_last: 4, channels_last_3d: 5}


def dense(function):
    """Decorator for what makes tensors: `layout` is `strided`; of zeros it may be sparse."""

    @wraps(function)
    def made(*args, layout=None, **named):
        name = function.__name__
        if layout is not None and layout is not strided and name in ("empty", "zeros"):
            return import_module("tallow.sparse").empty(*args, layout=layout, **named)
        check(name, layout)
        return function(*args, **named)

    return made


def check(name, layout):
    if layout is not None and layout is not strided:
        raise ArgumentError(
            f"{name}: expected layout {strided}, got {layout}; call to_sparse() on the result"
        )
