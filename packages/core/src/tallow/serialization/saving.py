"""`save`: objects to files that PyTorch reads, state dictionaries to .safetensors and .npz."""

import os
import uuid

import numpy as np

from tallow.backend import for_array
from tallow.errors import TypeMismatchError
from tallow.serialization import npz, safetensors
from tallow.serialization.atomic import replacing
from tallow.serialization.pickling import Pickler
from tallow.serialization.storage import STORAGE_NAMES
from tallow.serialization.zip_writer import ALIGNMENT, write_archive

NAME_OF = {dtype: name for name, dtype in STORAGE_NAMES.items() if name != "UntypedStorage"}


def save(obj, f, pickle_module=None, pickle_protocol=2, _use_new_zipfile_serialization=True):
    """Write an object to a file that PyTorch's `load` reads, and `load` here.

    Tensors, numbers, strings, None, lists, tuples, dicts and sets are data, which anybody can load:
    state dictionaries of modules and optimizers are made of them. What else can be pickled, such
    as a whole module, is for programs that know its class and trust the file:
    `load(..., weights_only=False)`. Tensors that share memory go on sharing it. `f` is a path or a
    binary file object. A path that ends in .safetensors or .npz gets that format, for a
    dictionary of tensors. A file at a path is replaced only once the new one is complete on disk.

    >>> import io, tallow
    >>> file = io.BytesIO()
    >>> tallow.save({"step": 3, "weight": tallow.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> tallow.load(file)
    {'step': 3, 'weight': tensor([1., 1.])}
    """
    if not isinstance(f, str | os.PathLike):
        if not hasattr(f, "write"):
            raise TypeMismatchError(
                f"save: expected a path or a file object, got {type(f).__name__}"
            )
        return _write(obj, f)
    suffix = os.path.splitext(os.fspath(f))[1]
    if suffix == ".safetensors":
        return safetensors.save_file(obj, f)
    write = npz.write if suffix == ".npz" else _write
    with replacing(f) as temporary, open(temporary, "wb") as file:
        write(obj, file)


def _write(obj, file):
    storages = Storages()
    description = Pickler(storages.identify).dump(obj)
    contents = {
        "data.pkl": description,
        ".format_version": b"1",
        ".storage_alignment": str(ALIGNMENT).encode(),
        "byteorder": b"little",
        **{f"data/{key}": memory for key, memory in enumerate(storages.memories)},
        "version": b"3\n",
        ".data/serialization_id": uuid.uuid4().hex.encode(),
    }
    write_archive(file, {f"archive/{name}": content for name, content in contents.items()})


class Storages:
    """The memory of tensors that are being saved, each piece once."""

    def __init__(self):
        self.memories = []  # vectors of bytes
        self.numbers = {}  # what tells a piece of memory from others -> its place in `memories`
        self.kept = []  # arrays whose addresses or ids are in `numbers`

    def identify(self, tensor):
        """What `Pickler` has to know about a tensor."""
        array = tensor.array
        root = _root(array)
        if root is None:
            root = np.ascontiguousarray(for_array(array).to_host(array)).reshape(array.shape)
            known, offset, steps = id(array), 0, root.strides
        else:
            known = (root.ctypes.data, root.nbytes, array.dtype)
            offset, steps = array.ctypes.data - root.ctypes.data, array.strides
        if known not in self.numbers:
            self.numbers[known] = len(self.memories)
            self.memories.append(root.ravel("K").view(np.uint8))
            self.kept.append(array)
        size = array.dtype.itemsize
        storage = NAME_OF.get(tensor.dtype, "UntypedStorage")
        count = root.nbytes // (1 if storage == "UntypedStorage" else size)
        return (
            storage, str(self.numbers[known]), str(tensor.device), count, offset // size,
            array.shape, [step // size for step in steps],
        )  # fmt: skip


def _root(array):
    """The array that owns the memory of `array`, None if it does not lie there as PyTorch's do."""
    if not isinstance(array, np.ndarray):
        return None
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    size = array.dtype.itemsize
    steps = [step for step, length in zip(array.strides, array.shape, strict=True) if length > 1]
    offset = array.ctypes.data - root.ctypes.data
    regular = all(step >= 0 and step % size == 0 for step in (offset, *steps))
    whole = root.flags.c_contiguous or root.flags.f_contiguous
    return root if regular and whole and root.nbytes % size == 0 else None
