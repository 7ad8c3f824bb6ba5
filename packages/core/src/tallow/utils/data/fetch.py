"""Fetching: from the indices that a sampler gave to a batch.

While a sample is made, the thread draws its random numbers from a stream of that sample alone,
seeded from the epoch's seed and the sample's place in the epoch. So they are the same whichever
worker makes it, and whatever was drawn before.
"""

import os
import random
from itertools import islice

import numpy as np

from tallow import cuda
from tallow.generator import default_generator, seed_of
from tallow.utils.data.collate import default_collate, pinned
from tallow.utils.data.dataset import (
    IterableDataset,
    Subset,
    TensorDataset,
    is_iterable,
    samples,
)


class End(Exception):
    """An iterable dataset has no more samples, or nobody waits for the batch any more."""


def fetcher(dataset, settings, seed, worker=None):
    """What makes batches of a dataset in one epoch: call it with a batch's number and indices."""
    kind = IterableFetcher if is_iterable(dataset) else IndexFetcher
    return kind(dataset, settings, seed, worker)


class Fetcher:
    """Makes batches of one dataset, in the worker that is given or in none.

    `settings` is a loader's `Settings`.
    """

    def __init__(self, dataset, settings, seed, worker):
        self.dataset = dataset
        self.settings = settings
        self.seed = seed
        self.worker = worker
        self.number = self.mixed = None  # the batch that is drawn for, and its seed

    def __call__(self, number, indices):
        """The batch that is the epoch's number `number`; End if there is none."""
        try:
            batch = self.fetch(number, indices)
            if self.settings.pins is None:
                return batch
            with cuda.device(self.settings.pins):
                return pinned(batch)
        finally:
            default_generator.take_back()

    def draw_from(self, number, place=-1):
        """Have the thread, or all of a worker process, draw from a random stream of its own.

        That is the stream of a batch, or of the sample at a place in it.
        """
        if number != self.number:
            self.number, self.mixed = number, seed_of((self.seed, number))
        key = (self.mixed + place,)
        if self.worker is not None and self.worker.is_process:
            key = seed_of(key)
            random.seed(key)
            np.random.seed(key % 2**32)
        default_generator.lend(key)

    def collate(self, number, batch):
        self.draw_from(number)
        return self.settings.collate_fn(batch)


class IndexFetcher(Fetcher):
    """Batches of samples that are asked for by index."""

    def fetch(self, number, indices):
        if not self.settings.batched:
            return self.collate(number, self.sample(number, 0, indices))
        dataset = self.dataset
        if self.settings.collate_fn is default_collate:
            rows = whole_batch(dataset, indices)
            if rows is not None:
                return rows
        if getattr(dataset, "__getitems__", None):
            self.draw_from(number)
            return self.collate(number, samples(dataset, indices))
        batch = [self.sample(number, place, index) for place, index in enumerate(indices)]
        return self.collate(number, batch)

    def sample(self, number, place, index):
        if self.worker is not None and self.worker.stopped():
            raise End
        self.draw_from(number, place)
        try:
            return self.dataset[index]
        except StopIteration as error:  # in an iterator it would end the epoch without a word
            raise RuntimeError(f"DataLoader: index {index!r} raised StopIteration") from error
        except Exception as error:
            error.add_note(f"DataLoader: while reading index {index!r}{_file_of(error)}")
            raise


class IterableFetcher(Fetcher):
    """Batches of the next samples of an iterable dataset.

    One that is no IterableDataset cannot know of workers: each leaves out the others' samples.
    """

    def __init__(self, dataset, settings, seed, worker):
        super().__init__(dataset, settings, seed, worker)
        self.draw_from(-1 if worker is None else -1 - worker.info.id)
        try:
            self.samples = iter(dataset)
            if worker is not None and not isinstance(dataset, IterableDataset):
                info = worker.info
                self.samples = islice(self.samples, info.id, None, info.num_workers)
        finally:
            default_generator.take_back()

    def fetch(self, number, indices):
        self.draw_from(number)
        if not self.settings.batched:
            for sample in self.samples:
                return self.collate(number, sample)
            raise End
        batch = list(islice(self.samples, len(indices)))
        if not batch or (self.settings.drop_last and len(batch) < len(indices)):
            raise End
        return self.collate(number, batch)


def whole_batch(dataset, indices):
    """What `default_collate` makes of rows of a TensorDataset, gathered at once; else None."""
    while type(dataset) is Subset:
        indices = [dataset.indices[i] for i in indices]
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset:
        return None
    return [tensor[indices] for tensor in dataset.tensors]


def _file_of(error):
    """` of FILE`, the file being read where `error` was raised, so far as local variables tell."""
    found = ""
    # not in the frame that caught it: f_locals keeps what it has shown, here `error` itself
    traceback = error.__traceback__.tb_next
    while traceback is not None:
        for value in traceback.tb_frame.f_locals.values():
            if isinstance(value, str | os.PathLike) and os.path.isfile(value):
                found = f" of {os.fspath(value)}"
        traceback = traceback.tb_next
    return found
