"""Pickles of NumPy arrays, as CIFAR is published in, read without running what is in them."""

import pickle

import numpy as np

from tallow.utils.datasets import DataFileError


class _Dtype:
    """Stands for a NumPy dtype while a pickle is read."""

    def __init__(self, code, align=False, copy=True):
        self.dtype = np.dtype(code)
        if self.dtype.kind not in "biuf":
            raise pickle.UnpicklingError(f"an array of {self.dtype}")

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for a NumPy array while a pickle is read."""

    def __init__(self, kind, shape, code):
        self.array = None

    def __setstate__(self, state):
        _, shape, kind, fortran, content = state
        content = content.encode("latin1") if isinstance(content, str) else content
        flat = np.frombuffer(content, kind.dtype)
        self.array = flat.reshape(shape, order="F" if fortran else "C")


class _Kind:
    """Stands for the class of arrays."""


def _encoded(text, encoding):
    """Bytes, as Python 3 writes them in the older protocols."""
    return text.encode("latin1")


# All that a pickle may name: each stands for what it does, and does nothing else.
_NAMES = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Kind,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("_codecs", "encode"): _encoded,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"the name {module}.{name}")
        return _NAMES[module, name]


def read_batch(path, **kinds):
    """The dict in a pickle of Python 2 or 3: strings, numbers, lists of them, and arrays.

    `kinds` are the keys that it must have, and the types of their values. DataFileError names a
    file that is broken, or that holds anything else.
    """
    with open(path, "rb") as file:
        try:
            batch = _Unpickler(file, encoding="latin1").load()
        except Exception as error:  # whatever hostile content comes to
            raise DataFileError(
                f"{path}: expected a pickle of numbers, strings and arrays, got "
                f"{error or type(error).__name__}"
            ) from error
    if not isinstance(batch, dict):
        raise DataFileError(f"{path}: expected a pickled dict, got {type(batch).__name__}")
    batch = {key: getattr(value, "array", value) for key, value in batch.items()}
    for key, kind in kinds.items():
        if not isinstance(batch.get(key), kind):
            raise DataFileError(
                f"{path}: expected {key!r} to be of type {kind.__name__}, got "
                f"{type(batch.get(key)).__name__}"
            )
    return batch
