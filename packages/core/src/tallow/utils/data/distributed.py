"""The sampler of several processes that train one model, each on its share of the data."""

import math

from tallow.errors import ArgumentError
from tallow.random import Generator, randperm
from tallow.utils.data.sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index, from the one numbered `rank`.

    The shares are equally long: indices from the start fill up the last ones, or with `drop_last`
    the end is left out. Call `set_epoch` before each epoch: it and `seed` decide the order.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False
    ):
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "DistributedSampler: expected num_replicas and rank, got none; "
                "tallow has no process group to ask"
            )
        if not 0 <= rank < num_replicas:
            raise ArgumentError(
                f"DistributedSampler: expected a rank from 0 to {num_replicas - 1}, got {rank}"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
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
        return iter(
            [order[i % count] for i in range(self.rank, self.total_size, self.num_replicas)]
        )

    def __len__(self):
        return self.num_samples

    def set_epoch(self, epoch):
        """Choose the order of the epoch that starts next."""
        self.epoch = epoch
