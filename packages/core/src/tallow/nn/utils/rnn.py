"""Sequences of different lengths in one tensor: padded, or packed without padding.

A padded batch is `(T, B, *)`, or `(B, T, *)` with `batch_first`. Packed, the steps of all sequences
follow one another, first all first steps, and no step of padding is there.
"""

from typing import NamedTuple

import numpy as np

from tallow.creation import as_tensor, from_numpy, full
from tallow.dtypes import int64
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.joining import cat
from tallow.ordering import argsort
from tallow.tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence",
    "pad_packed_sequence", "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences without padding, as recurrent layers take and give them. Made by `pack_sequence`.

    `data` `(steps, *)` has the steps of all sequences, `batch_sizes`, on the CPU, how many
    sequences have a first step, a second, ...; `sorted_indices` and `unsorted_indices` how the
    sequences were ordered by length and the way back, or None if they came in order.
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if batch_sizes is None:
            if not isinstance(data, list | tuple) or len(data) != 2:
                raise AssertionError(
                    "PackedSequence: expected batch_sizes, or data and batch_sizes as a pair"
                )
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ArgumentError(
                f"PackedSequence: expected batch_sizes on the CPU, got {batch_sizes.device}; "
                "make packed sequences with pack_sequence"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args, **kwargs):
        """With `data` in another dtype or on another device; itself where nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        order = (x if x is None else x.to(data.device) for x in self[2:])
        return type(self)(data, self.batch_sizes, *order)

    def cpu(self):
        """On the CPU."""
        return self.to("cpu")

    def cuda(self, device=None):
        """On a CUDA device, the current one unless told."""
        return self.to("cuda" if device is None else device)

    @property
    def is_cuda(self):
        """True if `data` is on a CUDA device."""
        return self.data.is_cuda


def _cast(name):
    def method(self):
        data = getattr(self.data, name)()
        return self if data is self.data else type(self)(data, *self[1:])

    method.__name__ = name
    method.__doc__ = f"With `data` as `{name}()` makes it."
    return method


for _name in ("byte", "char", "double", "float", "half", "int", "long", "short"):
    setattr(PackedSequence, _name, _cast(_name))


def invert_permutation(permutation):
    """The way back: `x[permutation][invert_permutation(permutation)]` is x. None gives None."""
    return None if permutation is None else argsort(permutation)


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Pack a padded batch of sequences of the given lengths, a list or a tensor.

    Longer ones must come first; with `enforce_sorted=False` they are put in that order.

    >>> padded = tallow.tensor([[1, 2], [3, 0]])
    >>> packed = tallow.nn.utils.rnn.pack_padded_sequence(padded, [2, 1], batch_first=True)
    >>> packed.data, packed.batch_sizes
    (tensor([1, 3, 2]), tensor([2, 1]))
    """
    lengths = as_tensor(lengths, dtype=int64)
    if input.ndim < 2 or not input.numel():
        raise ShapeError(
            f"pack_padded_sequence: expected a batch of sequences, got {describe(input)}"
        )
    if lengths.ndim != 1 or lengths.device.type != "cpu":
        raise ShapeError(
            f"pack_padded_sequence: expected lengths (B,) on the CPU, got {describe(lengths)} on "
            f"{lengths.device}"
        )
    steps = input.transpose(0, 1) if batch_first else input
    if len(lengths) != steps.shape[1]:
        raise ShapeError(
            f"pack_padded_sequence: expected {steps.shape[1]} lengths, got {len(lengths)}"
        )
    order = None
    if not enforce_sorted:
        order = argsort(lengths, descending=True, stable=True)
        lengths, order = lengths[order], order.to(input.device)
        steps = steps.index_select(1, order)
    batch_sizes = _batch_sizes(lengths.numpy(), len(steps))
    index = _running(batch_sizes, np.arange(len(batch_sizes)) * steps.shape[1])
    data = steps.reshape(-1, *steps.shape[2:]).index_select(0, _on(index, input.device))
    return PackedSequence(data, from_numpy(batch_sizes), order)


def _batch_sizes(lengths, longest):
    """How many sequences reach each step."""
    if (np.diff(lengths) > 0).any():
        raise ShapeError(
            "pack_padded_sequence: expected lengths from long to short, got "
            f"{lengths.tolist()}; or pass enforce_sorted=False"
        )
    if lengths[-1] <= 0 or lengths[0] > longest:
        raise ShapeError(
            f"pack_padded_sequence: expected lengths from 1 to {longest}, got {lengths.tolist()}"
        )
    return (lengths > np.arange(lengths[0])[:, None]).sum(1)


def _running(counts, starts):
    """starts[0], starts[0] + 1, ... `counts[0]` of them, then those from starts[1] on, ..."""
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(counts.sum())


def _on(index, device):
    return from_numpy(index).to(device)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """The padded batch of a packed one, and the lengths; padded to `total_length` steps if given.

    >>> packed = tallow.nn.utils.rnn.pack_sequence([tallow.tensor([1, 2]), tallow.tensor([3])])
    >>> tallow.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    batch_sizes = sequence.batch_sizes.numpy()
    steps = len(batch_sizes) if total_length is None else total_length
    if steps < len(batch_sizes):
        raise ArgumentError(
            f"pad_packed_sequence: expected a total_length of {len(batch_sizes)} or more, "
            f"got {steps}"
        )
    width = int(batch_sizes[0])
    place = np.full(steps * width, -1)
    place[_running(batch_sizes, np.arange(len(batch_sizes)) * width)] = np.arange(batch_sizes.sum())
    padded = _placed(sequence.data, place.reshape(steps, width), padding_value)
    lengths = from_numpy((np.arange(width)[:, None] < batch_sizes).sum(1))
    order = sequence.unsorted_indices
    if order is not None:
        padded, lengths = padded.index_select(1, order), lengths[order.cpu()]
    return (padded.transpose(0, 1) if batch_first else padded), lengths


def _placed(rows, place, padding_value):
    """A tensor of the rows named by `place`, an array of numbers, where -1 is padding."""
    row = full((1, *rows.shape[1:]), padding_value, dtype=rows.dtype, device=rows.device)
    index = _on(np.where(place < 0, len(rows), place).reshape(-1), rows.device)
    return cat([rows, row]).index_select(0, index).reshape(*place.shape, *rows.shape[1:])


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """A padded batch of sequences `(L, *)`, whose trailing dims agree.

    >>> sequences = [tallow.tensor([1, 2]), tallow.tensor([3])]
    >>> tallow.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not hasattr(sequences, "__iter__"):
        raise ShapeError(
            f"pad_sequence: expected an iterable of tensors, got {type(sequences).__name__}"
        )
    sequences = list(sequences)
    if not sequences:
        raise ShapeError("pad_sequence: expected sequences, got none")
    if padding_side not in ("left", "right"):
        raise ShapeError(
            f"pad_sequence: expected padding_side 'left' or 'right', got {padding_side!r}"
        )
    if len({(x.ndim > 0, x.shape[1:]) for x in sequences}) > 1 or not sequences[0].ndim:
        found = ", ".join(map(describe, sequences))
        raise ShapeError(f"pad_sequence: expected (L, *) with the same dims *, got {found}")
    lengths = np.array([len(x) for x in sequences])
    place = np.full((lengths.max(), len(lengths)), -1)
    starts = np.cumsum(lengths) - lengths
    for i, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        rows = slice(length) if padding_side == "right" else slice(len(place) - length, None)
        place[rows, i] = np.arange(start, start + length)
    rows = cat([x.to(sequences[0].dtype) for x in sequences])
    return _placed(rows, place.T if batch_first else place, padding_value)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """The sequences of a padded batch, as a list."""
    sequences = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [x[:n] for x, n in zip(sequences, lengths.tolist(), strict=True)]


def pack_sequence(sequences, enforce_sorted=True):
    """Pack sequences `(L, *)`; longer ones must come first, or `enforce_sorted` be False.

    >>> tallow.nn.utils.rnn.pack_sequence([tallow.tensor([1, 2]), tallow.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [len(x) for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The sequences of a packed batch, as a list in the order in which they were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
