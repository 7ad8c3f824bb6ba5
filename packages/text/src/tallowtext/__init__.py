"""tallowtext: text for tallow, with torchtext's names."""

from tallowtext import data, datasets, functional, transforms, utils, vocab
from tallowtext.tokenizer import Tokenizer

__version__ = "0.1.0"
__all__ = ["Tokenizer", "data", "datasets", "functional", "transforms", "utils", "vocab"]
