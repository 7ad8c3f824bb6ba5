"""tallowaudio: sound for tallow, with torchaudio's names."""

from importlib import import_module

from tallowaudio import functional, transforms
from tallowaudio._load import AudioMetaData, info, load, save

__version__ = "0.1.0"
__all__ = ["AudioMetaData", "functional", "info", "load", "save", "transforms"]


_PARTS = "compliance datasets io models pipelines sox_effects".split()


def __getattr__(name):
    if name in _PARTS:  # loaded by the programs that use them
        return import_module(f"tallowaudio.{name}")
    raise AttributeError(f"module 'tallowaudio' has no attribute {name!r}")
