"""Names of PyTorch's collectives for compiled programs; `tallow.distributed` has those that run."""

from tallow.left_out import SHARDS, never

__all__ = ["all_to_all_single_autograd", "wait_tensor"]

all_to_all_single_autograd = never(
    "distributed._functional_collectives.all_to_all_single_autograd", SHARDS
)
wait_tensor = never("distributed._functional_collectives.wait_tensor", SHARDS)
