"""Layers that only change the shape."""

from tallow.errors import TypeMismatchError
from tallow.nn.modules.layer import Layer

__all__ = ["Flatten", "Unflatten"]


class Flatten(Layer):
    """Merges the dimensions from `start_dim` to `end_dim`: by default all but the batch.

    >>> tuple(tallow.nn.Flatten()(tallow.ones(2, 3, 4, 5)).shape)
    (2, 60)
    """

    shown = ("start_dim", "end_dim")

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input):
        return input.flatten(self.start_dim, self.end_dim)


class Unflatten(Layer):
    """Splits the dimension `dim` into the sizes `unflattened_size`, one of which may be -1.

    >>> tuple(tallow.nn.Unflatten(1, (3, -1))(tallow.ones(2, 12)).shape)
    (2, 3, 4)
    """

    shown = ("dim", "unflattened_size")

    def __init__(self, dim, unflattened_size):
        super().__init__()
        if not isinstance(dim, int):
            raise TypeMismatchError(
                f"Unflatten: expected an integer as dim, got {type(dim).__name__}"
            )
        if not isinstance(unflattened_size, tuple | list):
            kind = type(unflattened_size).__name__
            raise TypeMismatchError(f"Unflatten: expected a tuple of integers as size, got {kind}")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input):
        return input.unflatten(self.dim, self.unflattened_size)
