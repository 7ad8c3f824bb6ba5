"""Windows of images as columns, and back."""

from tallow.nn import functional as F
from tallow.nn.module import Module

__all__ = ["Fold", "Unfold"]


class Unfold(Module):
    """The windows of `(N, C, H, W)` as columns `(N, C * kernel height * kernel width, windows)`.

    >>> tuple(tallow.nn.Unfold((2, 3))(tallow.ones(2, 5, 3, 4)).shape)
    (2, 30, 4)
    """

    def __init__(self, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Columns, as `Unfold` makes them, summed where they came from: to `(N, C, *output_size)`.

    >>> fold = tallow.nn.Fold((3, 4), kernel_size=2)
    >>> fold(tallow.ones(1, 4, 6))[0, 0].tolist()
    [[1.0, 2.0, 2.0, 1.0], [2.0, 4.0, 4.0, 2.0], [1.0, 2.0, 2.0, 1.0]]
    """

    def __init__(self, output_size, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self):
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
