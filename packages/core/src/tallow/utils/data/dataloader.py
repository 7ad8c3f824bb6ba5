"""The DataLoader: batches of a dataset, epoch after epoch."""

import weakref
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Generic, TypeVar

from tallow import cuda
from tallow.errors import ArgumentError
from tallow.generator import default_generator
from tallow.tensor import wrap
from tallow.utils.data.collate import default_collate, default_convert
from tallow.utils.data.dataset import is_iterable
from tallow.utils.data.epoch import Progress, SerialEpoch, WorkerEpoch
from tallow.utils.data.inner import _BaseDataLoaderIter as _BaseDataLoaderIter
from tallow.utils.data.inner import _DatasetKind as _DatasetKind
from tallow.utils.data.inner import _MultiProcessingDataLoaderIter as _MultiProcessingDataLoaderIter
from tallow.utils.data.inner import _SingleProcessDataLoaderIter as _SingleProcessDataLoaderIter
from tallow.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from tallow.utils.data.workers import Plan, ThreadPool

Batch = TypeVar("Batch", covariant=True)

# What the loader has made samplers and workers from.
FIXED = ("batch_size", "batch_sampler", "dataset", "drop_last", "persistent_workers", "sampler")


@dataclass(frozen=True)
class Settings:
    """What making a batch depends on, beside the dataset.

    `pins` is the CUDA device that was current where batches are asked for, which threads do not
    take over, if they are pinned where they are made.
    """

    collate_fn: Any
    batched: bool
    drop_last: bool
    pins: int | None = None


class DataLoader(Generic[Batch]):
    """Batches of a dataset, in the order of a sampler.

    >>> loader = DataLoader(range(5), batch_size=2)
    >>> [batch.tolist() for batch in loader]
    [[0, 1], [2, 3], [4]]

    `dataset` is anything with `__getitem__` and `__len__`, or an IterableDataset or other iterable.
    `shuffle` visits it in random order; `sampler` gives another order, `batch_sampler` whole lists
    of indices.
    `batch_size=None` gives single samples. `collate_fn` makes a batch of a list of samples.

    Each sample (its transforms, that is) draws its random numbers from a stream of its own, seeded
    from the epoch's seed and the sample's place in the epoch: with one seed, batches do not depend
    on the number of workers. The epoch's seed comes from `generator`, else from the default one.
    NumPy's and Python's own generators are seeded likewise in workers that are processes. It takes
    some microseconds a sample that draws: 5 % of what a JPEG file of 32 x 32 pixels takes, a part
    of that of larger ones.

    With `num_workers`, batches are made ahead, `prefetch_factor` (2) by each worker. Workers are
    threads, which start at once and share what the dataset holds, or with `worker_type="process"`
    (or a `multiprocessing_context`) processes, for transforms in pure Python. Each has a dataset
    object of its own, which `worker_init_fn(number)` can change by way of `get_worker_info()`.
    With `pin_memory` batches lie in memory that a GPU reads by itself, where there is one: then
    `to("cuda", non_blocking=True)`, or `copy_` into what a graph reads, waits for no copy.
    `persistent_workers` keeps them from one epoch to the next, `timeout` is in seconds for each
    batch, `in_order=False` gives batches as they come.

    An error in a worker is raised where the batch is asked for, with notes of the index, the file
    that was being read as far as that can be told, and the worker.

    `state_dict()` says how far the epoch has come; after `load_state_dict` the next iteration goes
    on with the batch that follows (of an iterable dataset, those before are read again).
    """

    def __init__(
        self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0,
        collate_fn=None, pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None,
        multiprocessing_context=None, generator=None, *, prefetch_factor=None,
        persistent_workers=False, pin_memory_device="", in_order=True, worker_type=None,
    ):  # fmt: skip
        iterable = is_iterable(dataset)
        _check_order(iterable, batch_size, shuffle, sampler, batch_sampler, drop_last)
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
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
        self.multiprocessing_context = _context(multiprocessing_context, worker_type, num_workers)
        self.generator = generator
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._kept = None  # the pool of persistent workers
        self._progress = None  # of the epoch that has begun and not ended
        self._resumed = None  # the progress to go on from

    def __setattr__(self, name, value):
        if name in FIXED and name in self.__dict__:
            raise ArgumentError(
                f"DataLoader: expected {name} to stay as it was made; make a new one"
            )
        super().__setattr__(name, value)

    @property
    def index_sampler(self):
        """What gives the indices of one batch after the other."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def settings(self):
        """What its batches depend on, beside the dataset."""
        here = self.pins and self.multiprocessing_context is None
        pins = cuda.current_device() if here else None
        return Settings(self.collate_fn, self.batch_sampler is not None, self.drop_last, pins)

    @property
    def pins(self):
        """True if batches are to lie in memory that a GPU reads by itself, and there is a GPU."""
        return bool(self.pin_memory) and cuda.is_available()

    def generators(self):
        """The generators that the order of an epoch depends on; the default one is always first."""
        owners = (
            self,
            self.sampler,
            self.batch_sampler,
            getattr(self.batch_sampler, "sampler", None),
        )
        own = [getattr(owner, "generator", None) for owner in owners]
        return list(dict.fromkeys([default_generator, *filter(None, own)]))

    def __iter__(self):
        resumed, self._resumed = self._resumed, None
        epoch = (WorkerEpoch if self.num_workers else SerialEpoch)(self, resumed)
        self._progress = epoch.progress
        return epoch

    def pool(self, seed):
        """Workers: those that were kept, or new ones with seeds from `seed` on."""
        if self._kept is not None:
            return self._kept
        plan = Plan(self.dataset, self.settings, self.num_workers, self.worker_init_fn, seed)
        if self.multiprocessing_context is None:
            pool = ThreadPool(plan)
        else:
            from tallow.utils.data.processes import ProcessPool

            pool = ProcessPool(plan, self.multiprocessing_context)
        if self.persistent_workers:
            self._kept = pool
            weakref.finalize(self, pool.close)
        return pool

    def drop(self, pool):
        """End workers that cannot go on; the next epoch starts new ones."""
        self._kept = None
        pool.close()

    def finished(self, progress):
        """Note that an epoch has come to its end."""
        if self._progress is progress:
            self._progress = None

    def state_dict(self):
        """How far the epoch that has begun has come, as plain values and tensors to be saved."""
        if self._resumed is not None or self._progress is None:
            progress = self._resumed or Progress([])
        else:
            progress = self._progress
        return {"batches": progress.batches, "states": [wrap(state) for state in progress.states]}

    def load_state_dict(self, state_dict):
        """Have the next iteration go on from a state that `state_dict` returned."""
        states = [state.array for state in state_dict["states"]]
        if states and len(states) != len(self.generators()):
            raise ArgumentError(
                f"DataLoader: expected the states of {len(self.generators())} generators, got "
                f"{len(states)}; was it saved by a loader with another sampler?"
            )
        self._resumed = Progress([], states, state_dict["batches"]) if states else None

    def __len__(self):
        if not is_iterable(self.dataset):
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


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    """Raise for arguments about workers that are out of range or need workers."""
    for name, value in (("num_workers", num_workers), ("timeout", timeout)):
        if value < 0:
            raise ArgumentError(f"DataLoader: expected {name} of 0 or more, got {value}")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ArgumentError(
            f"DataLoader: expected prefetch_factor of 0 or more, got {prefetch_factor}"
        )
    if not num_workers and (prefetch_factor is not None or persistent_workers):
        raise ArgumentError(
            "DataLoader: expected num_workers of 1 or more for prefetch_factor or persistence"
        )


def _context(given, worker_type, num_workers):
    """The multiprocessing context of workers that are processes, None for threads."""
    if worker_type not in (None, "thread", "process"):
        raise ArgumentError(
            f"DataLoader: expected worker_type 'thread' or 'process', got {worker_type!r}"
        )
    if given is not None and (not num_workers or worker_type == "thread"):
        raise ArgumentError(
            "DataLoader: expected num_workers of 1 or more, that are processes, for a "
            "multiprocessing_context"
        )
    if not num_workers or (given is None and worker_type != "process"):
        return None
    from tallow.utils.data.processes import context_of

    return context_of(given)
