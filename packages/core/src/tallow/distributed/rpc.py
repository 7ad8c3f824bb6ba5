"""Calls of functions on other processes, which tallow does not make: messages are sent instead."""

from tallow.errors import LeftOutError


def is_available():
    """False."""
    return False


def __getattr__(name):
    raise LeftOutError(
        f"distributed.rpc: expected no torch.distributed.rpc.{name}; send messages, as "
        "docs/distributed.md says, or see docs/compatibility.md"
    )
