"""Datasets: what gives samples, by index or one after another."""

import bisect
import math
import warnings
from itertools import accumulate
from typing import Generic, TypeVar

from tallow.errors import ArgumentError
from tallow.random import default_generator, randperm

Sample = TypeVar("Sample", covariant=True)


class Dataset(Generic[Sample]):
    """Samples by index: a subclass defines `__getitem__(index)` and, for most samplers, `__len__`.

    It may define `__getitems__(indices)`, which returns the samples of a whole batch as a list.
    A `DataLoader` takes any object with these methods; inheriting adds `+`.
    """

    def __getitem__(self, index) -> Sample:
        raise NotImplementedError(f"{type(self).__name__}: expected __getitem__ to be defined")

    def __add__(self, other):
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Sample]):
    """Samples one after another: a subclass defines `__iter__`.

    Every worker of a `DataLoader` iterates over a copy of its own: `get_worker_info()` tells
    `__iter__` which share of the samples to give.
    """

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__}: expected __iter__ to be defined")

    def __add__(self, other):
        return ChainDataset([self, other])


def is_iterable(dataset):
    """True for what gives samples one after another: an IterableDataset, or what has no index."""
    if isinstance(dataset, Dataset):
        return isinstance(dataset, IterableDataset)
    by_index = all(hasattr(type(dataset), name) for name in ("__getitem__", "__len__"))
    return hasattr(type(dataset), "__iter__") and not by_index


class TensorDataset(Dataset[tuple]):
    """The rows of tensors that are equally long: sample i is `(a[i], b[i], ...)`.

    >>> import tallow
    >>> data = TensorDataset(tallow.tensor([[1, 2], [3, 4]]), tallow.tensor([0, 1]))
    >>> data[1]
    (tensor([3, 4]), tensor(1))
    """

    def __init__(self, *tensors):
        lengths = [tensor.size(0) for tensor in tensors]
        if len(set(lengths)) > 1:
            raise AssertionError(
                f"TensorDataset: expected tensors of one length, got lengths {lengths}"
            )
        self.tensors = tensors

    def __getitem__(self, index):
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self):
        return self.tensors[0].size(0)


class StackDataset(Dataset):
    """Datasets of one length side by side: sample i is a tuple (or, by keyword, a dict) of theirs.

    >>> StackDataset(image=["a", "b"], label=[0, 1])[1]
    {'image': 'b', 'label': 1}
    """

    def __init__(self, *args, **kwargs):
        if bool(args) == bool(kwargs):
            raise ArgumentError(
                "StackDataset: expected datasets, all by position or all by keyword, got "
                + ("both" if args else "none")
            )
        self.datasets = args or kwargs
        lengths = [len(dataset) for dataset in self._parts()]
        if len(set(lengths)) > 1:
            raise ArgumentError(f"StackDataset: expected one length, got lengths {lengths}")
        self._length = lengths[0]

    def _parts(self):
        return self.datasets.values() if isinstance(self.datasets, dict) else self.datasets

    def _joined(self, values):
        if isinstance(self.datasets, dict):
            return dict(zip(self.datasets, values, strict=True))
        return tuple(values)

    def __getitem__(self, index):
        return self._joined([dataset[index] for dataset in self._parts()])

    def __getitems__(self, indices):
        columns = [samples(dataset, indices) for dataset in self._parts()]
        return [self._joined(row) for row in zip(*columns, strict=True)]

    def __len__(self):
        return self._length


class ConcatDataset(Dataset[Sample]):
    """The samples of several datasets, those of the first before those of the second.

    >>> data = ConcatDataset(["ab", "cde"])
    >>> len(data), data[2], data[-1]
    (5, 'c', 'e')
    """

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: expected datasets, got none")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError(
                "ConcatDataset: expected datasets with indices, got an IterableDataset; "
                "use ChainDataset"
            )
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self):
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx):
        if idx < 0:
            if -idx > len(self):
                raise ArgumentError(
                    f"ConcatDataset: expected an index from {-len(self)}, got {idx}"
                )
            idx += len(self)
        part = bisect.bisect_right(self.cumulative_sizes, idx)
        start = self.cumulative_sizes[part - 1] if part else 0
        return self.datasets[part][idx - start]


class ChainDataset(IterableDataset):
    """The samples of several iterable datasets, one dataset after the other."""

    def __init__(self, datasets):
        self.datasets = datasets

    def __iter__(self):
        for dataset in self._checked():
            yield from dataset

    def __len__(self):
        return sum(map(len, self._checked()))

    def _checked(self):
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(
                    f"ChainDataset: expected an IterableDataset, got {type(dataset).__name__}; "
                    "use ConcatDataset"
                )
            yield dataset


class Subset(Dataset[Sample]):
    """The samples of a dataset at given indices.

    >>> list(Subset("abcd", [3, 0]))
    ['d', 'a']
    """

    def __init__(self, dataset, indices):
        self.dataset = dataset
        self.indices = indices
        cls = type(self)
        own_item = cls.__getitem__ is not Subset.__getitem__
        if own_item and cls.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{cls.__name__}: expected __getitems__ to be defined along with __getitem__, "
                "which it would bypass; return [self[index] for index in indices] there"
            )

    def __getitem__(self, idx):
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices):
        return samples(self.dataset, [self.indices[i] for i in indices])

    def __len__(self):
        return len(self.indices)


def samples(dataset, indices):
    """The samples at several indices as a list, by `__getitems__` where the dataset has it."""
    together = getattr(dataset, "__getitems__", None)
    if not together:
        return [dataset[index] for index in indices]
    found = together(indices)
    if len(found) != len(indices):
        raise ArgumentError(
            f"{type(dataset).__name__}.__getitems__: expected {len(indices)} samples for as many "
            f"indices, got {len(found)}"
        )
    return found


def random_split(dataset, lengths, generator=default_generator):
    """Split a dataset at random into parts of given lengths, or of fractions that sum up to 1.

    Fractions are rounded down; what is left over goes one each to the first parts.

    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _from_fractions(lengths, len(dataset))
    if sum(lengths) != len(dataset):
        raise ArgumentError(
            f"random_split: expected lengths that sum up to {len(dataset)}, the length of the "
            f"dataset, got {list(lengths)}"
        )
    indices = randperm(len(dataset), generator=generator).tolist()
    ends = accumulate(lengths)
    return [
        Subset(dataset, indices[end - length : end])
        for end, length in zip(ends, lengths, strict=True)
    ]


def _from_fractions(fractions, total):
    if min(fractions) < 0:
        raise ArgumentError(f"random_split: expected fractions from 0 to 1, got {list(fractions)}")
    lengths = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(lengths)):
        lengths[i % len(lengths)] += 1
    for i, length in enumerate(lengths):
        if not length:
            warnings.warn(f"random_split: part {i} has length 0", stacklevel=3)
    return lengths
