"""Layers that add elements at the edges of signals, images and volumes.

`padding` is an int for all sides, or pairs (before, after), the last dimension first: `(left,
right, top, bottom, front, back)`. Inputs are `(N, C, ...)` or `(C, ...)`.
"""

from tallow.errors import ArgumentError, describe
from tallow.nn import functional as F
from tallow.nn.modules.layer import Layer
from tallow.nn.modules.utils import ntuple

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Layer):
    dimensions: int
    mode = "constant"
    value: float | None = None
    sizes: tuple[str, ...] = ("padding",)

    def __init__(self, padding):
        super().__init__()
        self.padding = ntuple(padding, 2 * self.dimensions)

    def forward(self, input):
        return F.pad(input, self.padding, self.mode, self.value)


class _ConstantPadNd(_Pad):
    sizes, shown = (), ("padding", "value")

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value


class _ReflectionPadNd(_Pad, mode="reflect"):
    pass


class _ReplicationPadNd(_Pad, mode="replicate"):
    pass


class _CircularPadNd(_Pad, mode="circular"):
    def forward(self, input):
        if input.ndim - self.dimensions not in (1, 2):
            raise ArgumentError(
                f"{type(self).__name__}: expected {self.dimensions + 1} or {self.dimensions + 2} "
                f"dims, got {describe(input)}"
            )
        return super().forward(input)


class ConstantPad1d(_ConstantPadNd, dimensions=1):
    """`value` before and after signals `(N, C, L)`.

    >>> tallow.nn.ConstantPad1d((1, 2), 9.0)(tallow.zeros(1, 1, 2)).tolist()
    [[[9.0, 0.0, 0.0, 9.0, 9.0]]]
    """


class ConstantPad2d(_ConstantPadNd, dimensions=2):
    """`value` around images `(N, C, H, W)`."""


class ConstantPad3d(_ConstantPadNd, dimensions=3):
    """`value` around volumes `(N, C, D, H, W)`."""


class ZeroPad1d(_Pad, value=0.0, dimensions=1):
    """Zeros before and after signals `(N, C, L)`."""


class ZeroPad2d(_Pad, value=0.0, dimensions=2):
    """Zeros around images `(N, C, H, W)`.

    >>> tuple(tallow.nn.ZeroPad2d((1, 0, 2, 0))(tallow.ones(1, 1, 3, 3)).shape)
    (1, 1, 5, 4)
    """


class ZeroPad3d(_Pad, value=0.0, dimensions=3):
    """Zeros around volumes `(N, C, D, H, W)`."""


class ReflectionPad1d(_ReflectionPadNd, dimensions=1):
    """Signals `(N, C, L)`, mirrored at their first and last elements.

    >>> tallow.nn.ReflectionPad1d(2)(tallow.tensor([[[1.0, 2.0, 3.0]]])).tolist()
    [[[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]]
    """


class ReflectionPad2d(_ReflectionPadNd, dimensions=2):
    """Images `(N, C, H, W)`, mirrored at their outermost elements."""


class ReflectionPad3d(_ReflectionPadNd, dimensions=3):
    """Volumes `(N, C, D, H, W)`, mirrored at their outermost elements."""


class ReplicationPad1d(_ReplicationPadNd, dimensions=1):
    """Signals `(N, C, L)`, their first and last elements repeated.

    >>> tallow.nn.ReplicationPad1d(2)(tallow.tensor([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]]]
    """


class ReplicationPad2d(_ReplicationPadNd, dimensions=2):
    """Images `(N, C, H, W)`, their outermost elements repeated."""


class ReplicationPad3d(_ReplicationPadNd, dimensions=3):
    """Volumes `(N, C, D, H, W)`, their outermost elements repeated."""


class CircularPad1d(_CircularPadNd, dimensions=1):
    """Signals `(N, C, L)`, continued by themselves.

    >>> tallow.nn.CircularPad1d((2, 1))(tallow.tensor([[[1.0, 2.0, 3.0]]])).tolist()
    [[[2.0, 3.0, 1.0, 2.0, 3.0, 1.0]]]
    """


class CircularPad2d(_CircularPadNd, dimensions=2):
    """Images `(N, C, H, W)`, continued by themselves."""


class CircularPad3d(_CircularPadNd, dimensions=3):
    """Volumes `(N, C, D, H, W)`, continued by themselves."""
