"""Dictionaries of tensors as .npz, NumPy's zip archive of arrays."""

import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.lib import format as npy

from tallow import dtypes
from tallow.backend import for_array
from tallow.creation import place
from tallow.errors import TypeMismatchError
from tallow.tensor import Tensor

LARGEST = 1 << 30  # bytes when unpacked, or RATIO times the file if that is more
RATIO = 100

DAMAGE = (
    EOFError, NotImplementedError, RuntimeError, SyntaxError, TypeError, ValueError,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def write(tensors, file):
    """Write a dictionary of tensors to a binary file."""
    if not isinstance(tensors, Mapping) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise TypeMismatchError("save: expected a dictionary of tensors for .npz")
    arrays = {name: for_array(t.array).to_host(t.array) for name, t in tensors.items()}
    for name, array in arrays.items():
        if array.dtype.name.startswith("float8"):  # of which NumPy writes the size alone
            raise TypeMismatchError(
                f"save: expected a type that NumPy has, got {array.dtype} at {name!r}"
            )
    np.savez(file, allow_pickle=False, **arrays)


def load_npz(source, device="cpu"):
    """The dictionary of tensors in a source; nothing is unpickled."""
    try:
        with zipfile.ZipFile(source.window()) as archive:
            entries = archive.infolist()
            total = sum(entry.file_size for entry in entries)
            if total > max(LARGEST, RATIO * source.size):
                raise source.failure(f"expected a sound archive, got one of {total} bytes unpacked")
            return {
                entry.filename.removesuffix(".npy"): place(_read(archive, entry), device)
                for entry in entries
            }
    except DAMAGE as error:
        raise source.failure(f"expected an archive of arrays; {error}") from None


def _read(archive, entry):
    """The array in an entry, whose length has to be that of its content."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename} is packed in a way that NumPy does not write")
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
        header = file.tell()
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or size != entry.file_size - header:
            raise ValueError(f"{entry.filename} has no numbers for the shape {shape}")
        data = file.read(size)
    array = np.frombuffer(bytearray(data), _known(dtype)).reshape(
        shape, order="F" if fortran else "C"
    )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _known(dtype):
    """A dtype that tensors have; of bfloat16 NumPy writes the size alone."""
    dtype = dtypes.bfloat16.numpy if dtype.kind == "V" and dtype.itemsize == 2 else dtype
    dtypes.from_numpy_dtype(dtype)
    return dtype
