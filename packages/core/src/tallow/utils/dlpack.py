"""Tensors from and to other libraries without copying, where PyTorch has them."""

from tallow.creation import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
