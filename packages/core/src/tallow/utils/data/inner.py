"""Inner parts of PyTorch's DataLoader, for programs with loaders of their own that use them.

Its iterators take such a loader's attributes: `dataset`, `_dataset_kind`, `_index_sampler`,
`_auto_collation`, `collate_fn`, `drop_last`, `generator`. Both load in the calling process.
"""

from itertools import islice

import numpy as np

from tallow.creation import empty
from tallow.dtypes import int64
from tallow.utils.data.collate import pinned
from tallow.utils.data.epoch import Epoch, SerialEpoch, WorkerEpoch
from tallow.utils.data.workers import get_worker_info as get_worker_info


class _DatasetKind:
    """What a dataset is: `Map`, samples by index, or `Iterable`, one after another."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(kind, dataset, auto_collation, collate_fn, drop_last):
        """A fetcher, whose `fetch(index)` gives a batch, or a sample without `auto_collation`."""
        kinds = (_MapFetcher, _IterableFetcher)
        return kinds[kind](dataset, auto_collation, collate_fn, drop_last)


class _MapFetcher:
    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        self.dataset, self.auto_collation, self.collate_fn = dataset, auto_collation, collate_fn

    def fetch(self, index):
        samples = [self.dataset[i] for i in index] if self.auto_collation else self.dataset[index]
        return self.collate_fn(samples)


class _IterableFetcher:
    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        self.samples = iter(dataset)
        self.auto_collation, self.collate_fn, self.drop_last = auto_collation, collate_fn, drop_last

    def fetch(self, index):
        if not self.auto_collation:
            return self.collate_fn(next(self.samples))
        samples = list(islice(self.samples, len(index)))
        if not samples or (self.drop_last and len(samples) < len(index)):
            raise StopIteration
        return self.collate_fn(samples)


class _Kind(type):
    """Of iterators: those of tallow's own DataLoader, `ours`, count as of the class, too."""

    def __instancecheck__(cls, iterator):
        return isinstance(iterator, cls.ours) or super().__instancecheck__(iterator)


class _BaseDataLoaderIter(metaclass=_Kind):
    """What a loader gives, one after another; it draws the seed of workers, as PyTorch's does."""

    ours: type = Epoch

    def __init__(self, loader):
        self._base_seed = empty((), dtype=int64).random_(generator=loader.generator).item()
        self._sampler_iter = iter(loader._index_sampler)
        self._dataset_fetcher = _DatasetKind.create_fetcher(
            loader._dataset_kind, loader.dataset, loader._auto_collation, loader.collate_fn,
            loader.drop_last,
        )  # fmt: skip
        self._loader = loader

    def __iter__(self):
        return self

    def __next__(self):
        return self._dataset_fetcher.fetch(next(self._sampler_iter))

    def __len__(self):
        return len(self._loader._index_sampler)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """For loaders without workers."""

    ours = SerialEpoch


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """For loaders with workers, whose samples are loaded in the calling process all the same."""

    ours = WorkerEpoch


def pin_memory(data, device=None):
    """A batch, its tensors copied to memory that a GPU reads by itself."""
    return pinned(data)


def _generate_state(base_seed, worker_id):
    """Four words that seed NumPy's generators in a worker."""
    entropy = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return np.random.SeedSequence(entropy).generate_state(4).tolist()
