"""Saving and loading: PyTorch's files, safetensors and npz.

`save` and `load` are also names of the package itself. Loading runs nothing that a file asks for,
but for files that are trusted (`load(..., weights_only=False)`).
"""

from typing import Any

from tallow.left_out import Never
from tallow.serialization.loading import load
from tallow.serialization.placeholder import Placeholder
from tallow.serialization.safe_globals import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from tallow.serialization.safetensors import (
    load_file,
    load_metadata,
    load_sharded,
    save_file,
    save_sharded,
)
from tallow.serialization.saving import save

DEFAULT_PROTOCOL = 2  # of the pickles in PyTorch's files
MAP_LOCATION = Any  # what says where tensors go: a device, its name, a dict or a function


class PyTorchFileReader(Never):
    """What reads the parts of PyTorch's files there."""

    why = "tallow.load reads PyTorch's files"
