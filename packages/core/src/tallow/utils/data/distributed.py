"""The sampler of several processes that train one model, each on its share of the data."""

import math

from tallow.errors import ArgumentError
from tallow.random import Generator, randperm
from tallow.utils.data.sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index, from the one numbered `rank`.

    Unless given, these are those of the processes (`tallow.distributed`). The shares are equally
    long: indices from the start fill up the last ones, or with `drop_last` the end is left out.
    Call `set_epoch` before each epoch: it and `seed` decide the order.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False
    ):
        if num_replicas is None or rank is None:
            from tallow import distributed

            num_replicas = num_replicas or distributed.get_world_size()
            rank = distributed.get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ArgumentError(
                f"DistributedSampler: expected a rank from 0 to {num_replicas - 1}, got {rank}"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.start = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        share = len(dataset) / num_replicas
        self.num_samples = math.floor(share) if drop_last else math.ceil(share)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self):
        count = len(self.dataset)
        order = range(count)
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            order = randperm(count, generator=generator).tolist()
        first = self.start + self.rank
        return iter([order[i % count] for i in range(first, self._end(), self.num_replicas)])

    def __len__(self):
        return (self._end() - self.start) // self.num_replicas

    def _end(self):
        """Where the epoch ends: the rest of it is shared out evenly."""
        share = (len(self.dataset) - self.start) / self.num_replicas
        whole = math.floor(share) if self.drop_last else math.ceil(share)
        return self.start + whole * self.num_replicas

    def set_epoch(self, epoch, start=0):
        """Choose the order of the epoch that starts next.

        `start` is how many of its samples were used, by all processes together, before a run was
        interrupted: it goes on with the next, also with another number of processes.
        """
        self.epoch = epoch
        self.start = start
