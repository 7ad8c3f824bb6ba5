"""tallowtext: text for tallow, with torchtext's names."""

from importlib import import_module as _import_module

from tallowtext import data, datasets, functional, transforms, utils, vocab
from tallowtext.tokenizer import Tokenizer

__version__ = "0.1.0"
__all__ = ["Tokenizer", "data", "datasets", "functional", "transforms", "utils", "vocab"]


def __getattr__(name):
    """`models` and `prototype`, at their first use."""
    if name in ("models", "prototype"):
        return _import_module(f"tallowtext.{name}")
    raise AttributeError(f"module 'tallowtext' has no attribute {name!r}")
