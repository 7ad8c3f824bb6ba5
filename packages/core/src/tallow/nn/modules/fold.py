"""Windows of images as columns, and back."""

from tallow.nn import functional as F
from tallow.nn.modules.layer import Layer

__all__ = ["Fold", "Unfold"]


class Unfold(Layer):
    """The windows of `(N, C, H, W)` as columns `(N, C * kernel height * kernel width, windows)`.

    >>> tuple(tallow.nn.Unfold((2, 3))(tallow.ones(2, 5, 3, 4)).shape)
    (2, 30, 4)
    """

    shown = ("kernel_size", "dilation", "padding", "stride")

    def __init__(self, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Layer):
    """Columns, as `Unfold` makes them, summed where they came from: to `(N, C, *output_size)`.

    >>> fold = tallow.nn.Fold((3, 4), kernel_size=2)
    >>> fold(tallow.ones(1, 4, 6))[0, 0].tolist()
    [[1.0, 2.0, 2.0, 1.0], [2.0, 4.0, 4.0, 2.0], [1.0, 2.0, 2.0, 1.0]]
    """

    shown = ("output_size", "kernel_size", "dilation", "padding", "stride")

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
