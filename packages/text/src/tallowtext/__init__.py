"""tallowtext: text for tallow, with torchtext's names."""

from tallowtext import data, functional, transforms, vocab

__version__ = "0.1.0"
__all__ = ["data", "functional", "transforms", "vocab"]
