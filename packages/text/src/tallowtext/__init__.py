"""tallowtext: text for tallow, with torchtext's names. Its parts are imported when used."""

from importlib import import_module

__version__ = "0.1.0"
__all__ = [
    "Tokenizer", "data", "datasets", "functional", "models", "transforms", "utils", "vocab",
]  # fmt: skip


def __getattr__(name):
    if name == "Tokenizer":
        return import_module("tallowtext.tokenizer").Tokenizer
    if name in __all__ or name == "prototype":
        return import_module(f"tallowtext.{name}")
    raise AttributeError(f"module 'tallowtext' has no attribute {name!r}")
