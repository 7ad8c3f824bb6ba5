"""What registering a hook returns, where PyTorch has it."""

from tallow.graph import RemovableHandle

__all__ = ["RemovableHandle"]
