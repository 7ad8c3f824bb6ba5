"""What trains beside the model: `data`, loading and batching; `checkpoint`, which saves memory."""

from importlib import import_module as _import_module

from tallow.utils import data


def __getattr__(name):
    """`checkpoint` stands above modules, and `data` is used by them: it is imported when used."""
    if name == "checkpoint":
        return _import_module("tallow.utils.checkpoint")
    raise AttributeError(f"module 'tallow.utils' has no attribute {name!r}")
