"""Storages: the memory in a file that tensors are views of."""

import numpy as np

from tallow import dtypes
from tallow.backend import for_array, for_device
from tallow.device import device
from tallow.errors import CheckpointError
from tallow.serialization.placeholder import Global, Placeholder
from tallow.tensor import wrap


class StorageType(Global):
    """A class of storages, as a file names it: it says which dtype the elements have."""

    def __init__(self, path, dtype):
        super().__init__(path)
        self.dtype = dtype


# The names under which PyTorch stores each type.
STORAGE_NAMES = {
    "FloatStorage": dtypes.float32,
    "DoubleStorage": dtypes.float64,
    "HalfStorage": dtypes.float16,
    "BFloat16Storage": dtypes.bfloat16,
    "LongStorage": dtypes.int64,
    "IntStorage": dtypes.int32,
    "ShortStorage": dtypes.int16,
    "CharStorage": dtypes.int8,
    "ByteStorage": dtypes.uint8,
    "BoolStorage": dtypes.bool_,
    "ComplexFloatStorage": dtypes.complex64,
    "ComplexDoubleStorage": dtypes.complex128,
    "UntypedStorage": dtypes.uint8,
}


class Storage:
    """Memory as a vector of bytes, and the type that the file gives its elements.

    This is what a `map_location` function is called with; `cpu()` and `cuda()` are its answers.
    """

    def __init__(self, memory, dtype):
        self.memory = memory
        self.dtype = dtype

    def __repr__(self):
        return f"<Storage of {self.memory.size} bytes, {self.dtype} on {self.device}>"

    @property
    def device(self):
        """Where the memory is."""
        return for_array(self.memory).device_of(self.memory)

    def to(self, place):
        """The storage on a device; itself where it is there already."""
        place = device(place)
        if place.type == self.device.type:
            return self
        return Storage(for_device(place).from_host(self.memory, place.index), self.dtype)

    def cpu(self):
        """The storage on the CPU."""
        return self.to("cpu")

    def cuda(self, index=None):
        """The storage on a CUDA device."""
        return self.to(device("cuda", index))

    def view(self, offset, size, stride, dtype=None):
        """A tensor that shows the storage from element `offset`: lengths and steps in elements."""
        dtype = dtype or self.dtype
        numbers = (offset, *size, *stride)
        if not all(type(n) is int and 0 <= n < 2**62 for n in numbers) or len(size) != len(stride):
            raise ValueError("expected an offset, lengths and steps that a tensor can have")
        count = self.memory.size // dtype.itemsize
        end = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) + 1
        if 0 not in size and end > count:
            raise ValueError(
                f"a tensor of size {tuple(size)}, stride {tuple(stride)} and offset {offset} needs "
                f"{end} elements, its storage has {count}"
            )
        start = 0 if 0 in size else offset * dtype.itemsize
        steps = [step * dtype.itemsize for step in stride]
        if isinstance(self.memory, np.ndarray):
            return wrap(
                np.ndarray(size, dtype.numpy, self.memory, start, None if 0 in size else steps)
            )
        xp = for_array(self.memory).xp
        typed = self.memory[start : start + count * dtype.itemsize].view(dtype.numpy)
        return wrap(xp.lib.stride_tricks.as_strided(typed, size, steps))


def storage_loader(source, extents, place):
    """A function from persistent ids, which stand for storages in a pickle, to storages.

    `extents` has the offset and length in the file of each by key; `place` moves it to its device.
    """
    memories = {}

    def load(identity):
        if not isinstance(identity, tuple) or len(identity) < 2:
            raise ValueError("expected the identity of a storage")
        if identity[0] == "module":  # a class with its source text, in the legacy format
            return identity[1]
        kind, key, location, count = identity[1:5]
        if not isinstance(kind, StorageType):
            return Placeholder("torch.Storage", identity[1:])
        if not isinstance(key, str) or not isinstance(location, str) or type(count) is not int:
            raise TypeError("expected a storage's key, location and length")
        if key not in memories:
            offset, size = extents.get(key, (0, None))
            if size != count * kind.dtype.itemsize:
                raise ValueError(
                    f"expected a storage {key[:20]!r} of {count} {kind.dtype}, got {size} bytes"
                )
            storage = Storage(source.memory(offset, size), kind.dtype)
            memories[key] = place(storage, location).memory
        return _part(Storage(memories[key], kind.dtype), *identity[5:])

    return load


def _part(storage, part=None):
    """A storage, or the part of it that the legacy format has a key, start and length for."""
    if part is None:
        return storage
    _, start, count = part
    return Storage(storage.view(start, (count,), (1,)).array.view("uint8"), storage.dtype)


def placer(map_location):
    """A function of a storage and its location in the file: the storage where it belongs.

    `map_location` is None (where it was saved from), a device, a dict from location to location,
    or a function of storage and location that returns a storage, or None for where it was.
    """
    if map_location is None:
        return _restore
    if isinstance(map_location, dict):
        return lambda storage, location: _restore(storage, map_location.get(location, location))
    if callable(map_location):
        return lambda storage, location: (
            map_location(storage, location) or _restore(storage, location)
        )
    return lambda storage, location: _restore(storage, map_location)


def _restore(storage, location):
    try:
        return storage.to(location)
    except (RuntimeError, TypeError) as error:
        raise CheckpointError(
            f"load: expected a device that is here, got a storage on {location!r}; "
            f"pass map_location='cpu' ({error})"
        ) from None
