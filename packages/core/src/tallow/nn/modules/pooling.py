"""Pooling layers: each output looks at a window of the input, channel by channel."""

from tallow.nn import functional as F
from tallow.nn.module import Module


class _MaxPool(Module):
    def __init__(
        self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _pool(self, function, input):
        return function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest value of each window of `(N, C, L)` or `(C, L)`.

    The stride is the window by default. `return_indices` also gives where the values were;
    `ceil_mode` lets the last window stick out.

    >>> import tallow
    >>> tallow.nn.MaxPool1d(2)(tallow.tensor([[[1.0, 3.0, 2.0, 0.0]]])).tolist()
    [[[3.0, 2.0]]]
    """

    def forward(self, input):
        return self._pool(F.max_pool1d, input)


class MaxPool2d(_MaxPool):
    """The largest value of each window of `(N, C, H, W)` or `(C, H, W)`.

    The stride is the window by default. `return_indices` also gives where the values were;
    `ceil_mode` lets the last window stick out.

    >>> import tallow
    >>> tuple(tallow.nn.MaxPool2d(3, stride=2)(tallow.randn(20, 16, 50, 32)).shape)
    (20, 16, 24, 15)
    """

    def forward(self, input):
        return self._pool(F.max_pool2d, input)


class AvgPool1d(Module):
    """The mean of each window of `(N, C, L)` or `(C, L)`.

    The stride is the window by default. `count_include_pad` counts the zeros of the padding in the
    mean.

    >>> import tallow
    >>> tallow.nn.AvgPool1d(2)(tallow.tensor([[[1.0, 3.0, 2.0, 0.0]]])).tolist()
    [[[2.0, 1.0]]]
    """

    def __init__(
        self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
    ):
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = self.kernel_size if stride is None else _single(stride)
        self.padding = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input):
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of each window of `(N, C, H, W)` or `(C, H, W)`.

    The stride is the window by default. `count_include_pad` counts the zeros of the padding;
    `divisor_override` divides the sum by another number than the window's size.

    >>> import tallow
    >>> tuple(tallow.nn.AvgPool2d(3, stride=2)(tallow.randn(20, 16, 50, 32)).shape)
    (20, 16, 24, 15)
    """

    def __init__(
        self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
        divisor_override=None,
    ):  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input):
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AdaptivePool(Module):
    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means over windows chosen such that the output is `(N, C, output_size)`.

    >>> import tallow
    >>> tuple(tallow.nn.AdaptiveAvgPool1d(5)(tallow.randn(1, 64, 8)).shape)
    (1, 64, 5)
    """

    def forward(self, input):
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means over windows chosen such that the output is `(N, C, *output_size)`; None keeps a size.

    >>> import tallow
    >>> tuple(tallow.nn.AdaptiveAvgPool2d((5, None))(tallow.randn(1, 64, 8, 9)).shape)
    (1, 64, 5, 9)
    """

    def forward(self, input):
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveMaxPool2d(_AdaptivePool):
    """Maxima over windows chosen such that the output is `(N, C, *output_size)`; None keeps a size.

    >>> import tallow
    >>> tuple(tallow.nn.AdaptiveMaxPool2d(7)(tallow.randn(1, 64, 10, 9)).shape)
    (1, 64, 7, 7)
    """

    def __init__(self, output_size, return_indices=False):
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input):
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


def _single(value):
    return (value,) if isinstance(value, int) else tuple(value)
