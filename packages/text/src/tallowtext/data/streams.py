"""Streams of samples, and what is made of them on the way: torchtext's DataPipes, in short."""

import random
from functools import partial
from itertools import chain, islice

import tallow
from tallow.utils.data import IterableDataset, get_worker_info

__all__ = ["Stream"]


class Stream(IterableDataset):
    """Samples one after another; its methods give a stream of what they make of them.

    >>> from tallowtext.data import Stream
    >>> numbers = Stream.of(range(5)).filter(lambda n: n != 2).map(lambda n: (n, n * n))
    >>> list(numbers.batch(3).rows2columnar(["n", "square"]))
    [{'n': [0, 1, 3], 'square': [0, 1, 9]}, {'n': [4], 'square': [16]}]
    """

    @staticmethod
    def of(samples):
        """The stream of an iterable, which begins anew each time where that does.

        The workers of a DataLoader share the samples.
        """
        return samples if isinstance(samples, Stream) else _Made(samples, shared)

    def map(self, fn):
        """`fn` of each sample."""
        return _Made(self, partial(map, fn))

    def filter(self, fn):
        """The samples for which `fn` is true."""
        return _Made(self, partial(filter, fn))

    def shuffle(self, buffer_size=10_000):
        """The samples in random order, each drawn from the next `buffer_size` of them."""
        return _Made(self, partial(_shuffled, buffer_size))

    def batch(self, batch_size, drop_last=False):
        """Lists of samples; `drop_last` drops a shorter end."""
        return _Made(self, partial(_batches, batch_size, drop_last))

    def rows2columnar(self, column_names):
        """Batches of tuples as dicts of lists, under the names of their columns."""
        return _Made(self, partial(map, partial(_columns, column_names)))

    def concat(self, *others):
        """The samples of this stream, then those of other iterables."""
        return _Made((self, *map(Stream.of, others)), chain.from_iterable)


class _Made(Stream):
    def __init__(self, source, function):
        self.source = source
        self.function = function

    def __iter__(self):
        return iter(self.function(self.source))


def shared(samples):
    """The samples that are this worker's, of a dataset what it gives, of others in turns."""
    if isinstance(samples, IterableDataset):
        return iter(samples)
    worker = get_worker_info()
    first, step = (worker.id, worker.num_workers) if worker else (0, 1)
    return islice(samples, first, None, step)


def _batches(batch_size, drop_last, samples):
    samples = iter(samples)
    while batch := list(islice(samples, batch_size)):
        if len(batch) == batch_size or not drop_last:
            yield batch


def _shuffled(buffer_size, samples):
    draw = random.Random(tallow.randint(2**62, ()).item())
    buffer = []
    for sample in samples:
        buffer.append(sample)
        if len(buffer) > buffer_size:
            place = draw.randrange(len(buffer))
            buffer[place], buffer[-1] = buffer[-1], buffer[place]
            yield buffer.pop()
    draw.shuffle(buffer)
    yield from buffer


def _columns(names, rows):
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
