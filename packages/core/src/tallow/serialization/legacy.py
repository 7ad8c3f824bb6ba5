"""PyTorch's format before 1.6: pickles one after the other, then the bytes of the storages."""

import struct

from tallow.serialization.opcodes import Interpreter
from tallow.serialization.placeholder import Placeholder
from tallow.serialization.storage import StorageType, storage_loader

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
COUNT = struct.Struct("<q")  # how many elements a storage has, before its bytes


def load_legacy(source, place, names):
    """The object in a legacy file; `place` moves each storage to its device.

    `names` are the classes that it may name beside those of data.

    Its pickle is run twice, as it comes before the storages: first to find its end.
    """
    data = source.whole()
    element_sizes = {}

    def run(start, load_storage):
        interpreter = Interpreter(data, source.name, load_storage, start, names)
        return interpreter.run(), interpreter.position

    def note(identity):
        if isinstance(identity, tuple) and len(identity) > 2 and isinstance(identity[2], str):
            if isinstance(identity[1], StorageType):
                element_sizes.setdefault(identity[2], identity[1].dtype.itemsize)
        return Placeholder("torch.Storage")

    begin = _check_header(source, lambda start: run(start, note))
    _, position = run(begin, note)
    keys, position = run(position, note)
    if not isinstance(keys, list) or not set(map(type, keys)) <= {str}:
        raise source.failure("expected a list of the storages' keys, got something else")
    extents = _extents(source, data, position, keys, element_sizes)
    return run(begin, storage_loader(source, extents, place))[0]


def _check_header(source, run):
    """Where the object's pickle begins, after those that say what kind of file this is."""
    magic, position = run(0)
    if magic != MAGIC:
        raise source.failure("expected what save wrote, got another pickle")
    version, position = run(position)
    if version != VERSION:
        raise source.failure(f"expected version {VERSION} of the legacy format, got another")
    system, position = run(position)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise source.failure("expected little-endian numbers, got others")
    return position


def _extents(source, data, position, keys, element_sizes):
    """The offset and length of each storage by key."""
    extents = {}
    for key in keys:
        header = data[position : position + COUNT.size]
        count = COUNT.unpack(header)[0] if len(header) == COUNT.size else -1
        if count < 0 or key not in element_sizes:
            raise source.failure(f"expected a storage {key[:20]!r} at byte {position}, got none")
        position += COUNT.size
        extents[key] = position, count * element_sizes[key]
        position += extents[key][1]
    return extents
