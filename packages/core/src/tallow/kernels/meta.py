"""The device "meta": tensors of a shape and a dtype that have no values, for models to be filled.

An array is NumPy's with a single element in memory, which all places show. Results of other than
elementwise functions have memory, and values that nobody can read.
"""

from types import ModuleType

import numpy as np

from tallow import backend
from tallow.device import device
from tallow.errors import NotSupportedError
from tallow.ops.random import random_words

META = device("meta")


class MetaArray(np.ndarray):
    """An array whose values cannot be read."""

    def _unreadable(self, *args, **kwargs):
        raise NotSupportedError(
            f"meta: expected a tensor with values, got {self.dtype} {self.shape} on device 'meta'; "
            "make one by empty_like(x, device='cpu'), or a module's by to_empty(device='cpu')"
        )

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, where=True, **kwargs):
        """The result's shape and dtype: those of an element, for all of them."""
        if any(type(x) is np.ndarray and x.ndim for x in inputs):
            raise TypeError("meta: an array with values met one without")
        if out is not None:
            return out[0] if len(out) == 1 else out
        plain = [x.view(np.ndarray) if isinstance(x, MetaArray) else x for x in inputs]
        with np.errstate(all="ignore"):
            if method != "__call__" or ufunc.signature is not None:
                return _given(getattr(ufunc, method)(*plain, **kwargs))
            few = [x[(slice(1),) * x.ndim] if isinstance(x, np.ndarray) else x for x in plain]
            made = ufunc(*few, **kwargs)
        shape = np.broadcast_shapes(*map(np.shape, inputs))
        if isinstance(made, tuple):
            return tuple(shaped(shape, part.dtype) for part in made)
        return shaped(shape, made.dtype)

    def __setitem__(self, place, value):
        """Nothing: there are no values to change."""

    item = tolist = __bool__ = __int__ = __float__ = __complex__ = __index__ = _unreadable


def shaped(shape, dtype):
    """An array of a shape."""
    single, strides = np.zeros((1,) * len(shape), dtype), (0,) * len(shape)
    return np.lib.stride_tricks.as_strided(single, shape, strides).view(MetaArray)


def from_host(array, index=None, non_blocking=False):
    """The shape and the dtype of a NumPy array."""
    return shaped(array.shape, array.dtype)


def _given(value):
    """What a function of NumPy's gave, on the device."""
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value).view(MetaArray)
    if type(value) in (tuple, list):
        return type(value)(map(_given, value))
    return tuple(map(_given, value)) if isinstance(value, tuple) else value


class Library:
    """A module of NumPy's whose functions give arrays of the device."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        found = getattr(self._module, name)
        if isinstance(found, ModuleType):
            return Library(found)
        if isinstance(found, type) or not callable(found):
            return found
        return Function(found)


class Function:
    """A function of NumPy's, or a ufunc with its methods, that gives arrays of the device."""

    def __init__(self, function):
        self._function = function

    def __call__(self, *args, **kwargs):
        with np.errstate(all="ignore"):
            return _given(self._function(*args, **kwargs))

    def __getattr__(self, name):
        found = getattr(self._function, name)
        return Function(found) if callable(found) else found


backend.register(
    backend.Backend(
        name="meta",
        xp=Library(np),
        array_type=MetaArray,
        to_host=MetaArray._unreadable,
        from_host=from_host,
        device_of=lambda array: META,
        synchronize=lambda: None,
        random_blocks=lambda index: 1,
    )
)


@random_words.on("meta")
def _random_words(x, move, *, rounds, lanes, seed, offset):
    """No numbers are drawn."""
    return shaped((rounds, 4, lanes), np.uint32)
