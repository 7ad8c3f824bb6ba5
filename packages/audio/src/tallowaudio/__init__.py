"""tallowaudio: sound for tallow, with torchaudio's names."""

from tallowaudio import functional, transforms
from tallowaudio._load import AudioMetaData, info, load, save

__version__ = "0.1.0"
__all__ = ["AudioMetaData", "functional", "info", "load", "save", "transforms"]
