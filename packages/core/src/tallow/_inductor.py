"""A name of PyTorch's compiler, for programs that set it up: here nothing is ever compiled."""

from tallow._dynamo import config

__all__ = ["config"]
