"""What trains beside the model: `data`, loading and batching; `checkpoint`, which saves memory."""

from importlib import import_module as _import_module

from tallow.utils import data

# Imported when used: some stand above modules, which use `data`.
_MODULES = """
    _contextlib _python_dispatch _pytree benchmark checkpoint checkpointing commands datasets dlpack
    download flop_counter hooks model_summary model_zoo progress tensorboard weak
""".split()


def __getattr__(name):
    if name in _MODULES:
        return _import_module(f"tallow.utils.{name}")
    if name == "summary":
        return _import_module("tallow.utils.model_summary").summary
    raise AttributeError(f"module 'tallow.utils' has no attribute {name!r}")
