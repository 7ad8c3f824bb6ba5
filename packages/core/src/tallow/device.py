"""Where a tensor lives, and where new ones are made."""

import re

from tallow.errors import DeviceError

TYPES = {"cpu", "cuda", "meta"}  # a backend adds its own

_default = [None]  # where tensors are made; the innermost `with device(...)` last; None: the CPU


class device:
    """A device such as `device("cpu")`, `device("cuda:1")` or `device("cuda", 1)`.

    `type` is its kind; `index` is its number, None for the current one of that kind. As a context,
    it is where tensors are made that are not told otherwise. On "meta" they have a shape and a
    dtype only, until `Module.to_empty` or `empty_like` makes room for values elsewhere.

    >>> tallow.device("cuda:1").index
    1
    >>> with tallow.device("cpu"):
    ...     x = tallow.ones(2)
    """

    __slots__ = ("type", "index")

    def __init__(self, type, index=None):
        if isinstance(type, device):
            type, index = type.type, type.index if index is None else index
        elif isinstance(type, int):
            type, index = "cuda", type
        match = re.fullmatch(r"([a-z]+)(?::(\d+))?", type)
        if match is None or match[1] not in TYPES or (match[2] and index is not None):
            raise DeviceError(f"device: expected 'cpu', 'cuda', 'cuda:N' or 'meta', got {type!r}")
        self.type = match[1]
        self.index = int(match[2]) if match[2] is not None else index

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self):
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __reduce__(self):
        return device, (self.type, self.index)

    def __enter__(self):
        _default.append(self)
        return self

    def __exit__(self, *exception):
        _default.pop()


CPU = device("cpu")


def get_default_device():
    """The device that tensors are made on unless told."""
    return _default[-1] or CPU


def set_default_device(device):
    """Make tensors on `device` unless told; None for the CPU.

    >>> tallow.set_default_device("cpu")
    >>> tallow.get_default_device()
    device(type='cpu')
    """
    _default[-1] = None if device is None else _device(device)


_device = device  # a name that no parameter hides
