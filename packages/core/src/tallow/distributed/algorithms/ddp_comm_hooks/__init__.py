"""Hooks for `DistributedDataParallel.register_comm_hook`."""

from tallow.distributed.algorithms.ddp_comm_hooks import default_hooks
