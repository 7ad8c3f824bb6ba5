"""`load`: tensors and what goes with them from files, without running what a file asks for."""

import os
from contextlib import closing

import numpy as np

from tallow import dtypes
from tallow.errors import ArgumentError
from tallow.serialization import npz, safetensors
from tallow.serialization.archive import load_archive
from tallow.serialization.legacy import load_legacy
from tallow.serialization.source import Source
from tallow.serialization.storage import Storage, placer
from tallow.serialization.trusted import Names


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **unused):
    """The object that `save`, or PyTorch's, wrote to a file: a path or a binary file object.

    `map_location` says where tensors go: a device, a dict from one location to another, or a
    function of a storage and its location. `mmap=True` maps the file into memory: it is read as far
    as tensors are used. Files of the formats safetensors and npz give their dictionary of tensors.

    Whatever the file says, only data is built: tensors, numbers, strings and containers of them,
    and objects of classes in the list of `serialization.add_safe_globals`. An object of any other
    class becomes a `Placeholder`, which says what it was. A damaged or hostile file raises
    CheckpointError.

    `weights_only=False` is for files that you trust, such as your own: objects of the classes that
    the program has imported are built, too, whole modules for instance. Other than PyTorch's it
    imports nothing, and calls no functions that the file names but those of `add_safe_globals`.
    """
    if pickle_module is not None:
        raise ArgumentError(
            "load: expected no pickle_module, got one; what a file asks for is not run"
        )
    place, names = placer(map_location), Names(trusted=weights_only is False)
    target = place(Storage(np.empty(0, np.uint8), dtypes.uint8), "cpu").device
    if isinstance(f, str | os.PathLike) and os.fspath(f).endswith(safetensors.INDEX_SUFFIX):
        return safetensors.load_sharded(f, target)
    with closing(Source.open(f, bool(mmap))) as source:
        head = source.read(0, 512)
        if head.startswith(b"PK\x03\x04"):
            name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
            if name.endswith(b".npy"):
                return npz.load_npz(source, target)
            return load_archive(source, place, names)
        if head.startswith(b"PK\x05\x06"):  # a zip archive with nothing in it
            return npz.load_npz(source, target)
        if head.startswith(b"\x80"):
            return load_legacy(source, place, names)
        if head[8:9] == b"{":
            return safetensors.load_source(source, target)
        found = "an empty file" if not head else f"one that starts with {head[:8]!r}"
        raise source.failure(f"expected a checkpoint, got {found}")
