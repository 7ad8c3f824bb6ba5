"""The DataLoader: batches of a dataset, epoch after epoch."""

from dataclasses import dataclass
from itertools import repeat
from typing import Any

from tallow.errors import ArgumentError
from tallow.utils.data.collate import default_collate, default_convert
from tallow.utils.data.dataset import IterableDataset
from tallow.utils.data.epoch import SerialEpoch
from tallow.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler


@dataclass(frozen=True)
class Settings:
    """What making a batch depends on, beside the dataset."""

    collate_fn: Any
    batched: bool
    drop_last: bool


class DataLoader:
    """Batches of a dataset, in the order of a sampler.

    >>> loader = DataLoader(range(5), batch_size=2)
    >>> [batch.tolist() for batch in loader]
    [[0, 1], [2, 3], [4]]

    `dataset` is an IterableDataset or anything with `__getitem__` and `__len__`. `shuffle` visits
    it in random order; `sampler` gives another order, `batch_sampler` whole lists of indices.
    `batch_size=None` gives single samples. `collate_fn` makes a batch of a list of samples.

    Each sample (its transforms, that is) draws its random numbers from a stream of its own, seeded
    from the epoch's seed and the sample's place in the epoch: with one seed, batches do not depend
    on the number of workers. The epoch's seed comes from `generator`, else from the default one.
    """

    def __init__(
        self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0,
        collate_fn=None, pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None,
        multiprocessing_context=None, generator=None, *, prefetch_factor=None,
        persistent_workers=False, pin_memory_device="", in_order=True,
    ):  # fmt: skip
        iterable = isinstance(dataset, IterableDataset)
        _check_order(iterable, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if sampler is None:
            if iterable:
                sampler = repeat(None)
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        batched = batch_sampler is not None
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.drop_last = drop_last
        self.num_workers = num_workers
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order

    @property
    def index_sampler(self):
        """What gives the indices of one batch after the other."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def settings(self):
        """What its batches depend on, beside the dataset."""
        return Settings(self.collate_fn, self.batch_sampler is not None, self.drop_last)

    def __iter__(self):
        return SerialEpoch(self)

    def __len__(self):
        if not isinstance(self.dataset, IterableDataset):
            return len(self.index_sampler)
        if self.batch_size is None:
            return len(self.dataset)
        batches, rest = divmod(len(self.dataset), self.batch_size)
        return batches + (rest > 0 and not self.drop_last)


def _check_order(iterable, batch_size, shuffle, sampler, batch_sampler, drop_last):
    """Raise for arguments about the order of samples that exclude each other."""
    given = {
        "shuffle": bool(shuffle),
        "sampler": sampler is not None,
        "batch_sampler": batch_sampler is not None,
    }
    named = [name for name, is_given in given.items() if is_given]
    if iterable and named:
        raise ArgumentError(
            f"DataLoader: expected no {named[0]} for an IterableDataset, which orders its samples"
        )
    if sampler is not None and shuffle:
        raise ArgumentError("DataLoader: expected shuffle or sampler, got both")
    others = batch_size != 1 or shuffle or sampler is not None or drop_last
    if batch_sampler is not None and others:
        raise ArgumentError(
            "DataLoader: expected batch_sampler alone, got it with batch_size, shuffle, sampler or "
            "drop_last"
        )
    if batch_size is None and drop_last:
        raise ArgumentError("DataLoader: expected no drop_last without a batch_size")
