"""Where a tensor lives."""

import re

from tallow.errors import DeviceError


class device:
    """A device such as `device("cpu")`, `device("cuda:1")` or `device("cuda", 1)`.

    `type` is its kind; `index` is its number, None for the current one of that kind.

    >>> import tallow
    >>> tallow.device("cuda:1").index
    1
    """

    __slots__ = ("type", "index")

    def __init__(self, type, index=None):
        if isinstance(type, device):
            type, index = type.type, type.index if index is None else index
        elif isinstance(type, int):
            type, index = "cuda", type
        match = re.fullmatch(r"([a-z]+)(?::(\d+))?", type)
        if match is None or (match[2] is not None and index is not None):
            raise DeviceError(f"device: expected 'cpu', 'cuda' or 'cuda:N', got {type!r}")
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


CPU = device("cpu")
