"""Indices out of range, found on the device: noted, and raised on the host when it next looks.

To wait for the device in every call that has an index would cost more than the call. Kernels write
what they found into memory of the host that the device reaches, a place for each operation, and go
on without it: so the CUDA context lives on. It is looked at before the next indices are checked,
and whenever the host waits for the device anyway.
"""

import numpy as np

from tallow import backend
from tallow.errors import IndexValueError
from tallow.kernels.cuda.launch import Source, in_order

PLACES = 64
NOTHING = np.iinfo(np.int64).min

_index = Source("index.cu")
_records: dict = {}  # by a backend's name: (the host's view, what a kernel is given)
_numbers: dict[str, int] = {}  # of the operations, by name


def keep(name, host, device):
    """Note the faults of a backend in `host`, int64 (PLACES, 2), which kernels know as `device`.

    `device(i)` is the pointer to its row i.
    """
    host[:, 0] = NOTHING
    _records[name] = host, device


def place(name, array):
    """Where a kernel that works on `array` notes the index, and the size, that `name` met."""
    look()
    number = _numbers.setdefault(name, len(_numbers) % PLACES)
    return _records[backend.for_array(array).name][1](number)


def look():
    """Raise IndexValueError for what was noted, if something was."""
    for host, _ in _records.values():
        if (host[:, 0] != NOTHING).any():
            number = int((host[:, 0] != NOTHING).argmax())
            value, size = host[number].tolist()
            host[:, 0] = NOTHING
            name = next(name for name, given in _numbers.items() if given == number)
            raise IndexValueError(
                f"{name}: expected indices from 0 to {size - 1}, got {value}; it was found on the "
                "device, by a call before this one"
            )


def in_range(name, index, low, size, ignored=None):
    """Have the device check that indices are from `low` to `size - 1`, or `ignored`."""
    index = in_order(index.astype(np.int64, copy=False))
    ignored = low if ignored is None else ignored
    _index.each("check", index, index.size, index, low, size, ignored, place(name, index))
