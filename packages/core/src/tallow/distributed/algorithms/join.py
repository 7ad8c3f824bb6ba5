"""Names of PyTorch's training on inputs of unequal length, for programs that ask for them."""

from tallow.left_out import Never

__all__ = ["Join", "JoinHook", "Joinable"]

UNEVEN = (
    "processes take the same number of steps here: utils.data.distributed.DistributedSampler "
    "deals out samples evenly; docs/compatibility.md has the rest"
)


class Join(Never):
    """A context in which processes that have no inputs left follow the others' collectives."""

    why = UNEVEN


class JoinHook(Never):
    """What such a process does."""

    why = UNEVEN


class Joinable(Never):
    """What takes part in a Join."""

    why = UNEVEN
