"""Arrays of a batch that look like one example's: how `vmap` computes all examples at once.

A `BatchedArray` holds the arrays of all examples and has the shape of one; a tensor around it is
what the function under `vmap` gets. An operation that meets one is done by `func.batch_calls`. What
needs an example's values, or NumPy's functions, raises NotBatched, and `vmap` then calls the
function for each example.

Each `vmap` has a level of its own. An array of an inner one may hold one of an outer one's.
"""

from itertools import count

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tallow import backend
from tallow.autograd.builtin import expand
from tallow.autograd.modes import state
from tallow.autograd.op import batches, op
from tallow.errors import NotSupportedError
from tallow.ops.reduce import sum
from tallow.ops.shape import permute, reshape

new_level = count(1).__next__


class NotBatched(NotSupportedError):
    """What cannot be done to all examples at once."""


class BatchedArray(NDArrayOperatorsMixin):
    """The arrays of all examples in `data`, along its first axis; its other axes are its shape."""

    __slots__ = ("data", "level", "owner")

    def __init__(self, data, level, owner=None):
        self.data, self.level, self.owner = data, level, owner
        batches.alive += 1

    def __del__(self):
        batches.alive -= 1

    shape = property(lambda self: self.data.shape[1:])
    dtype = property(lambda self: self.data.dtype)
    ndim = property(lambda self: self.data.ndim - 1)
    size = property(lambda self: self.data.size // max(self.data.shape[0], 1))
    flags = property(lambda self: self.data.flags)
    base = property(lambda self: self.data.base if self.owner is None else self.owner)

    def __len__(self):
        return self.shape[0]

    def astype(self, *args, **kwargs):
        return BatchedArray(self.data.astype(*args, **kwargs), self.level)

    def copy(self, order="C"):
        return BatchedArray(self.data.copy(order), self.level)

    def conj(self):
        return BatchedArray(self.data.conj(), self.level)

    def __getitem__(self, key):
        key = key if type(key) is tuple else (key,)
        if any(hasattr(part, "dtype") or type(part) is list for part in key):
            raise NotBatched("vmap: expected no arrays as an index")
        return BatchedArray(self.data[(slice(None), *key)], self.level, self)

    def __setitem__(self, key, value):
        region = self[key]
        region.data[...] = aligned([region, value], self.level)[1]

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        level = max(x.level for x in inputs if type(x) is BatchedArray)
        if method != "__call__" or ufunc.signature is not None:
            raise NotBatched(f"vmap: {ufunc.__name__} is not elementwise")
        if out and not is_batched(out[0], level):
            raise NotBatched("vmap: what is the same for all examples cannot become different")
        found = ufunc(*aligned(inputs, level), **options)
        if out:
            out[0][...] = BatchedArray(found, level)
            return out[0]
        return rewrapped(found, level)

    def __array__(self, *args, **kwargs):
        refuse()

    __bool__ = __int__ = __float__ = __index__ = __array_function__ = __array__


def refuse(*args, **kwargs):
    raise NotBatched("vmap: expected not to be asked for the values of one example")


class _Namespace:
    """What tensors' functions and the engine ask of a backend's library."""

    asarray = staticmethod(lambda x: x)
    zeros = staticmethod(np.zeros)

    @staticmethod
    def ones_like(x, dtype=None):
        return BatchedArray(_library(x).ones_like(x.data, dtype=dtype), x.level)

    @staticmethod
    def zeros_like(x, dtype=None):
        return BatchedArray(_library(x).zeros_like(x.data, dtype=dtype), x.level)


def _library(x):
    return backend.for_array(x.data).xp


def innermost(x):
    """The array of all examples, of all batches that x is in."""
    return innermost(x.data) if type(x) is BatchedArray else x


def _device_of(x):
    return backend.for_array(innermost(x)).device_of(innermost(x))


backend.register_type(
    BatchedArray,
    backend.for_device("cpu")._replace(
        xp=_Namespace, array_type=BatchedArray, to_host=refuse, device_of=_device_of
    ),
)


def is_batched(x, level):
    return type(x) is BatchedArray and x.level == level


def rewrapped(found, level):
    """A result of operations on whole batches: an array, or a tuple of them."""
    if type(found) is tuple:
        return tuple([BatchedArray(x, level) for x in found])
    return BatchedArray(found, level)


def aligned(arrays, level):
    """The arrays of all examples, with axes of one element that make them broadcast as one's do."""
    rank = max(getattr(x, "ndim", 0) for x in arrays)
    return [
        reshape(x.data, shape=(len(x.data), *(1,) * (rank - x.ndim), *x.shape))
        if is_batched(x, level)
        else x
        for x in arrays
    ]


def whole(x, level, size):
    """The arrays of all examples, one after the other."""
    return x.data if is_batched(x, level) else spread(x, level=level, size=size).data


# Entering and leaving a batch, as operations, so that gradients find their way


@op
def enter(x, *, axis, level):
    """The slices along an axis as the examples of a batch."""
    return BatchedArray(_moved(x, axis, 0), level)


@op
def leave(x, *, axis, level, size):
    """All examples stacked along an axis; `size` times one that is the same for all."""
    if not is_batched(x, level):
        x = spread(x, level=level, size=size)
    return _moved(x.data, 0, axis)


@op
def spread(x, *, level, size):
    """A batch of which all examples are x."""
    return BatchedArray(expand(x, shape=(size, *x.shape)), level)


@op
def total(x, *, level, size):
    """The sum of all examples: the adjoint of `spread`.

    Inside of the `vmap` each example has a gradient of its own by what is the same for all.
    """
    if level in dict(state.batch):
        refuse()
    if is_batched(x, level):
        return sum(x.data, axis=(0,), keepdims=False)
    return x * size


def _moved(x, source, target):
    axes = list(range(x.ndim))
    axes.insert(target if target >= 0 else x.ndim + target, axes.pop(source))
    return permute(x, axes=tuple(axes))


enter.vjp(lambda g, axis, level, shapes: leave(g, axis=axis, level=level, size=shapes[0][axis]))
leave.vjp(lambda g, axis, level: enter(g, axis=axis, level=level))
spread.vjp(lambda g, level, size: total(g, level=level, size=size))
total.vjp(lambda g, level, size: spread(g, level=level, size=size))
GATES = {"enter", "leave", "spread", "total"}
