"""Names for annotations, as PyTorch has them."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import IO

from tallow.device import device as _device
from tallow.size import Size
from tallow.tensor import Tensor

Device = _device | str | int | None
Number = int | float | bool
FileLike = str | PurePath | IO[bytes]
_TensorOrTensors = Tensor | Sequence[Tensor]
_bool, _complex, _float, _int = bool, complex, float, int
_size = Size | list[int] | tuple[int, ...]
