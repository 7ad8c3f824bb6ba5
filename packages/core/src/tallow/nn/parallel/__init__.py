"""A model on several devices or in several processes."""

from tallow.left_out import missing
from tallow.nn.parallel.data_parallel import DataParallel, data_parallel, gather, scatter


def __getattr__(name):
    if name in ("distributed", "DistributedDataParallel"):  # few programs need what these import
        from importlib import import_module

        module = import_module("tallow.nn.parallel.distributed")
        return module if name == "distributed" else module.DistributedDataParallel
    raise missing("tallow.nn.parallel", name)
