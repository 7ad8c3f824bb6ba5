"""Names of PyTorch's modules that lie in parts on several processes: here nothing is one.

`tallow.distributed.optim.ZeroRedundancyOptimizer` spreads the state of an optimizer.
"""

from tallow.left_out import SHARDS, Never, never

__all__ = [
    "CPUOffloadPolicy", "FSDPModule", "FullyShardedDataParallel", "MixedPrecisionPolicy",
    "fully_shard",
]  # fmt: skip

fully_shard = never("distributed.fsdp.fully_shard", SHARDS)


class FSDPModule(Never):
    """A module whose parameters `fully_shard` has spread."""

    why = SHARDS


class FullyShardedDataParallel(Never):
    """A wrapper that spreads a module's parameters."""

    why = SHARDS


class CPUOffloadPolicy(Never):
    """Parts that wait in the host's memory."""

    why = SHARDS


class MixedPrecisionPolicy(Never):
    """The dtypes of the parts, and of what is sent."""

    why = SHARDS
