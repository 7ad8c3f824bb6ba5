"""Names of PyTorch's tensors that lie in parts on several processes: here nothing is one."""

from dataclasses import dataclass

from tallow.distributed.device_mesh import DeviceMesh, init_device_mesh
from tallow.left_out import SHARDS, Never, never

__all__ = [
    "DTensor", "DeviceMesh", "Partial", "Placement", "Replicate", "Shard",
    "compute_local_shape_and_global_offset", "distribute_module", "distribute_tensor",
    "init_device_mesh",
]  # fmt: skip

compute_local_shape_and_global_offset = never(
    "distributed.tensor.compute_local_shape_and_global_offset", SHARDS
)
distribute_module = never("distributed.tensor.distribute_module", SHARDS)
distribute_tensor = never("distributed.tensor.distribute_tensor", SHARDS)


class DTensor(Never):
    """A tensor of which each process has a part."""

    why = SHARDS


# Plans, which programs make at once and carry out only on several processes.


@dataclass(frozen=True)
class Placement:
    """What a process has of a tensor."""


@dataclass(frozen=True)
class Partial(Placement):
    """A term of what the tensors of all processes reduce to."""

    reduce_op: str = "sum"


@dataclass(frozen=True)
class Replicate(Placement):
    """The whole."""


@dataclass(frozen=True)
class Shard(Placement):
    """A part along `dim`."""

    dim: int


@dataclass(frozen=True)
class _StridedShard(Shard):
    """A part along `dim` of every part of it that another dim of the mesh makes."""

    split_factor: int = 1
