"""From samples to a batch."""

import copy
import re
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

import numpy as np

from tallow.creation import as_tensor, tensor
from tallow.dtypes import float64
from tallow.errors import ShapeError, TypeMismatchError, describe
from tallow.joining import stack
from tallow.ops.shape import cat
from tallow.tensor import Tensor, wrap


def default_collate(batch):
    """A batch of samples: tensors, arrays and numbers are stacked, containers entry by entry.

    Tensors and arrays of shape (...) become a tensor of shape (N, ...), ints int64, floats float64;
    strings stay a list, tuples become lists, other containers keep their type.

    >>> default_collate([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}])
    {'x': tensor([1, 2]), 'y': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch, *, collate_fn_map=None):
    """`default_collate` with a table of its own: type (or tuple of types) to function.

    A function is called with the batch and, by keyword, the table.
    """
    first = batch[0]
    function = _function_for(first, collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)

    def below(values):
        return collate(values, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _like(first, {key: below([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise RuntimeError(
                f"default_collate: expected samples of one length, got lengths {sorted(lengths)}"
            )
        return _like(first, [below(values) for values in zip(*batch, strict=True)])
    raise _unknown(type(first).__name__)


def default_convert(data):
    """A single sample, its arrays and NumPy numbers made tensors.

    >>> default_convert({"x": np.array([1, 2]), "y": "a"})
    {'x': tensor([1, 2]), 'y': 'a'}
    """
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    return _each(default_convert, data)


def pinned(batch):
    """A batch, its tensors copied to memory that a GPU reads by itself.

    So is what else has a method `pin_memory`, which returns a copy.
    """
    return batch.pin_memory() if hasattr(batch, "pin_memory") else _each(pinned, batch)


def _each(function, data):
    """A container with what the function gives of its entries; anything else as it is."""
    if isinstance(data, Mapping):
        return _like(data, {key: function(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _like(data, [function(value) for value in data])
    return data


def _like(original, values):
    """A container of the type of `original`, so far as that can be made; tuples become lists."""
    if isinstance(original, tuple):
        return type(original)(*values) if hasattr(original, "_fields") else values
    try:
        if isinstance(original, MutableMapping):
            made = copy.copy(original)
            made.update(values)
        elif isinstance(original, MutableSequence):
            made = copy.copy(original)
            made[:] = values
        else:
            made = type(original)(values)
    except TypeError:
        return values
    return made


def _function_for(sample, table):
    if type(sample) in table:
        return table[type(sample)]
    return next((function for kind, function in table.items() if isinstance(sample, kind)), None)


def _unknown(kind):
    return TypeMismatchError(
        "default_collate: expected tensors, arrays, numbers, strings or containers of them, got "
        f"{kind}; pass a collate_fn of your own"
    )


def _tensors(batch, *, collate_fn_map=None):
    shapes = [sample.array.shape for sample in batch]
    if len(set(shapes)) > 1:
        odd = next(i for i, shape in enumerate(shapes) if shape != shapes[0])
        raise ShapeError(
            f"default_collate: expected samples of one shape, got {describe(batch[0])} and, "
            f"at {odd}, {describe(batch[odd])}; pad or crop them, or pass a collate_fn of your own"
        )
    kind = batch[0].array.dtype
    if not all(_plain(sample) and sample.array.dtype == kind for sample in batch):
        return stack(batch)
    arrays = [sample.array for sample in batch]
    if not shapes[0]:
        return wrap(np.array(arrays, kind))
    return wrap(cat(*arrays, axis=0).reshape(len(arrays), *shapes[0]))


def _plain(sample):
    """True for a tensor whose array alone matters: on the CPU, without gradients or a class."""
    plain = type(sample) is Tensor and not sample.requires_grad
    return plain and type(sample.array) is np.ndarray


def _arrays(batch, *, collate_fn_map=None):
    if batch[0].dtype.kind in "SUO":
        raise _unknown(f"an array of {batch[0].dtype}")
    return collate([as_tensor(sample) for sample in batch], collate_fn_map=collate_fn_map)


np_str_obj_array_pattern = re.compile("[SaUO]")  # in dtypes of arrays that make no tensors
collate_tensor_fn = _tensors

default_collate_fn_map: dict = {
    Tensor: _tensors,
    np.ndarray: _arrays,
    (np.bool_, np.number, np.object_): lambda batch, **_: as_tensor(np.array(batch)),
    float: lambda batch, **_: tensor(batch, dtype=float64),
    int: lambda batch, **_: tensor(batch),
    str: lambda batch, **_: batch,
    bytes: lambda batch, **_: batch,
}
