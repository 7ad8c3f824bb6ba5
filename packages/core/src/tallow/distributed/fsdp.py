"""Names of PyTorch's modules that lie in parts on several processes: here nothing is one.

`tallow.distributed.optim.ZeroRedundancyOptimizer` spreads the state of an optimizer.
"""

from enum import Enum, auto

from tallow.left_out import SHARDS, Never, never

__all__ = [
    "CPUOffload", "CPUOffloadPolicy", "FSDPModule", "FullyShardedDataParallel",
    "MixedPrecisionPolicy", "ShardingStrategy", "fully_shard",
    "size_based_auto_wrap_policy", "transformer_auto_wrap_policy",
]  # fmt: skip

size_based_auto_wrap_policy, transformer_auto_wrap_policy = (
    never(f"distributed.fsdp.wrap.{name}", SHARDS)
    for name in ("size_based_auto_wrap_policy", "transformer_auto_wrap_policy")
)
fully_shard = never("distributed.fsdp.fully_shard", SHARDS)


class FSDPModule(Never):
    """A module whose parameters `fully_shard` has spread."""

    why = SHARDS


class FullyShardedDataParallel(Never):
    """A wrapper that spreads a module's parameters."""

    why = SHARDS


class ShardingStrategy(Enum):
    """What of a module a process keeps a part of only."""

    FULL_SHARD = auto()
    SHARD_GRAD_OP = auto()
    NO_SHARD = auto()
    HYBRID_SHARD = auto()
    _HYBRID_SHARD_ZERO2 = auto()


class CPUOffload(Never):
    """Whether parts wait in the host's memory."""

    why = SHARDS


class CPUOffloadPolicy(Never):
    """Parts that wait in the host's memory."""

    why = SHARDS


class MixedPrecisionPolicy(Never):
    """The dtypes of the parts, and of what is sent."""

    why = SHARDS
