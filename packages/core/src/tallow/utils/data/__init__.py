"""Datasets, samplers and the `DataLoader` that makes batches of them."""

from tallow.utils.data.collate import default_collate, default_convert
from tallow.utils.data.dataloader import DataLoader
from tallow.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tallow.utils.data.distributed import DistributedSampler
from tallow.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tallow.utils.data.workers import get_worker_info
