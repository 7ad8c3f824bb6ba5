"""idx files, as MNIST is published in: a header of sizes, then numbers, high byte first."""

import math

import numpy as np

import tallow
from tallow.utils.datasets import DataFileError

_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path, ndim=None, dtype=None):
    """The tensor in an idx file; DataFileError names a file that is none, is cut, or holds another.

    `ndim` and `dtype` say what it must hold.
    """
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise DataFileError(
            f"{path}: expected an idx file, got one that begins with {content[:4]!r}"
        )
    code, dims = content[2], content[3]
    start = 4 + 4 * dims
    if len(content) < start:
        raise DataFileError(f"{path}: expected {dims} sizes in its header, got the end of the file")
    shape = tuple(np.frombuffer(content, ">u4", dims, 4).tolist())
    expected = math.prod(shape) * np.dtype(_DTYPES[code]).itemsize
    if len(content) - start != expected:
        raise DataFileError(
            f"{path}: expected {expected} bytes for its shape {shape}, got {len(content) - start}"
        )
    array = np.frombuffer(content, _DTYPES[code], offset=start).reshape(shape)
    tensor = tallow.from_numpy(array.astype(array.dtype.newbyteorder("=")))
    if (ndim is not None and dims != ndim) or (dtype is not None and tensor.dtype is not dtype):
        raise DataFileError(
            f"{path}: expected {ndim} dims of {dtype}, got {dims} dims of {tensor.dtype}"
        )
    return tensor
