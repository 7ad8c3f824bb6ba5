"""Samplers: the order in which samples are visited.

With the same seed they give PyTorch's orders: `RandomSampler` draws one number from the default
generator at the start of an epoch, and that is the seed of its permutation.
"""

from itertools import islice
from typing import Generic, TypeVar

from tallow.creation import as_tensor, empty
from tallow.dtypes import float64, int64
from tallow.errors import ArgumentError
from tallow.random import Generator, multinomial, randint, randperm

Index = TypeVar("Index", covariant=True)


class Sampler(Generic[Index]):
    """An order of indices: a subclass defines `__iter__` and, if it is known, `__len__`."""

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__}: expected __iter__ to be defined")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ... up to the length of the data."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All indices in random order, or `num_samples` of them, `replacement` allowing repetitions.

    Without replacement, more samples than there are data come from several permutations.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"RandomSampler: expected replacement True or False, got {replacement!r}"
            )
        _expect_positive("RandomSampler", "num_samples", self.num_samples)

    @property
    def num_samples(self):
        """How many indices an epoch has; the length of the data where it was not given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        count, wanted = len(self.data_source), self.num_samples
        generator = self.generator or Generator().manual_seed(draw_seed())
        if self.replacement:
            for start in range(0, wanted, 32):
                size = min(32, wanted - start)
                yield from randint(count, (size,), generator=generator).tolist()
            return
        for _ in range(wanted // count):
            yield from randperm(count, generator=generator).tolist()
        # drawn even where no index of it is needed, since PyTorch's generator goes on from there
        yield from randperm(count, generator=generator).tolist()[: wanted % count]

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in random order."""

    def __init__(self, indices, generator=None):
        self.indices = indices
        self.generator = generator

    def __iter__(self):
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices, each drawn with a probability proportional to its weight.

    >>> list(WeightedRandomSampler([0.0, 1.0], num_samples=3))
    [1, 1, 1]
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        _expect_positive("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ArgumentError(
                f"WeightedRandomSampler: expected replacement True or False, got {replacement!r}"
            )
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ArgumentError(
                "WeightedRandomSampler: expected a sequence of weights, got the shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self):
        drawn = multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of `batch_size`; `drop_last` drops a shorter end.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size, drop_last):
        _expect_positive("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ArgumentError(
                f"BatchSampler: expected drop_last True or False, got {drop_last!r}"
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        batches, rest = divmod(len(self.sampler), self.batch_size)
        return batches + (rest > 0 and not self.drop_last)


def draw_seed(generator=None):
    """A seed of 63 bits, drawn as PyTorch draws the seeds of samplers and workers."""
    return empty((), dtype=int64).random_(generator=generator).item()


def _expect_positive(owner, name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ArgumentError(f"{owner}: expected {name} to be a positive int, got {value!r}")
