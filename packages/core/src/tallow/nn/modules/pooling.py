"""Pooling layers: each output looks at a window of the input, channel by channel."""

from tallow.nn import functional as F
from tallow.nn.modules.layer import Layer
from tallow.nn.modules.utils import ntuple

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d",
    "FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip


class _MaxPoolNd(Layer):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

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

    def forward(self, input):
        return self.function(
            input, self.kernel_size, self.stride, self.padding, self.dilation,
            ceil_mode=self.ceil_mode, return_indices=self.return_indices,
        )  # fmt: skip


class MaxPool1d(_MaxPoolNd, function=F.max_pool1d):
    """The largest value of each window of `(N, C, L)` or `(C, L)`.

    The stride is the window by default. `return_indices` also gives where the values were;
    `ceil_mode` lets the last window stick out.

    >>> tallow.nn.MaxPool1d(2)(tallow.tensor([[[1.0, 3.0, 2.0, 0.0]]])).tolist()
    [[[3.0, 2.0]]]
    """


class MaxPool2d(_MaxPoolNd, function=F.max_pool2d):
    """The largest value of each window of `(N, C, H, W)` or `(C, H, W)`.

    The stride is the window by default. `return_indices` also gives where the values were;
    `ceil_mode` lets the last window stick out.

    >>> tuple(tallow.nn.MaxPool2d(3, stride=2)(tallow.randn(20, 16, 50, 32)).shape)
    (20, 16, 24, 15)
    """


class MaxPool3d(_MaxPoolNd, function=F.max_pool3d):
    """The largest value of each window of `(N, C, D, H, W)` or `(C, D, H, W)`.

    The stride is the window by default. `return_indices` also gives where the values were;
    `ceil_mode` lets the last window stick out.

    >>> tuple(tallow.nn.MaxPool3d(3, stride=2)(tallow.randn(2, 4, 9, 7, 5)).shape)
    (2, 4, 4, 3, 2)
    """


class _MaxUnpoolNd(Layer):
    dimensions: int
    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        n = self.dimensions
        self.kernel_size = ntuple(kernel_size, n)
        self.stride = self.kernel_size if stride is None else ntuple(stride, n)
        self.padding = ntuple(padding, n)

    def forward(self, input, indices, output_size=None):
        return self.function(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool1d(_MaxUnpoolNd, dimensions=1, function=F.max_unpool1d):
    """Zeros with the values of `MaxPool1d` put back where its indices say.

    forward(input, indices, output_size=None): `output_size` chooses among the sizes that pool to
    the input's.

    >>> pool, unpool = tallow.nn.MaxPool1d(2, return_indices=True), tallow.nn.MaxUnpool1d(2)
    >>> unpool(*pool(tallow.tensor([[[1.0, 3.0, 2.0, 0.0]]]))).tolist()
    [[[0.0, 3.0, 2.0, 0.0]]]
    """


class MaxUnpool2d(_MaxUnpoolNd, dimensions=2, function=F.max_unpool2d):
    """Zeros with the values of `MaxPool2d` put back where its indices say; see `MaxUnpool1d`."""


class MaxUnpool3d(_MaxUnpoolNd, dimensions=3, function=F.max_unpool3d):
    """Zeros with the values of `MaxPool3d` put back where its indices say; see `MaxUnpool1d`."""


class _FractionalMaxPool(Layer):
    dimensions: int

    def __init__(
        self, kernel_size, output_size=None, output_ratio=None, return_indices=False,
        _random_samples=None,
    ):  # fmt: skip
        super().__init__()
        n = self.dimensions
        self.kernel_size = ntuple(kernel_size, n)
        self.output_size = None if output_size is None else ntuple(output_size, n)
        self.output_ratio = None if output_ratio is None else ntuple(output_ratio, n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)

    def forward(self, input):
        return self.function(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPool, dimensions=2, function=F.fractional_max_pool2d):
    """The largest value of windows at random places, to `output_size` (Graham, 2014).

    Or to `output_ratio` of the size. Shapes as of `MaxPool2d`.

    >>> pool = tallow.nn.FractionalMaxPool2d(3, output_ratio=(0.5, 0.5))
    >>> tuple(pool(tallow.randn(2, 4, 50, 32)).shape)
    (2, 4, 25, 16)
    """


class FractionalMaxPool3d(_FractionalMaxPool, dimensions=3, function=F.fractional_max_pool3d):
    """The largest value of windows at random places; see `FractionalMaxPool2d`.

    >>> pool = tallow.nn.FractionalMaxPool3d(2, output_size=3)
    >>> tuple(pool(tallow.randn(2, 4, 8, 7, 6)).shape)
    (2, 4, 3, 3, 3)
    """


class _LPPoolNd(Layer):
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input):
        kernel, stride = self.kernel_size, self.stride
        return self.function(input, float(self.norm_type), kernel, stride, self.ceil_mode)


class LPPool1d(_LPPoolNd, function=F.lp_pool1d):
    """`(sum x^p)^(1/p)` over each window of `(N, C, L)` or `(C, L)`, p = `norm_type`.

    >>> tallow.nn.LPPool1d(2, 2)(tallow.tensor([[[3.0, 4.0]]])).tolist()
    [[[5.0]]]
    """


class LPPool2d(_LPPoolNd, function=F.lp_pool2d):
    """`(sum x^p)^(1/p)` over each window of `(N, C, H, W)` or `(C, H, W)`, p = `norm_type`."""


class LPPool3d(_LPPoolNd, function=F.lp_pool3d):
    """`(sum x^p)^(1/p)` over each window of `(N, C, D, H, W)`, p = `norm_type`."""


class AvgPool1d(Layer):
    """The mean of each window of `(N, C, L)` or `(C, L)`.

    The stride is the window by default. `count_include_pad` counts the zeros of the padding in the
    mean.

    >>> tallow.nn.AvgPool1d(2)(tallow.tensor([[[1.0, 3.0, 2.0, 0.0]]])).tolist()
    [[[2.0, 1.0]]]
    """

    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
    ):
        super().__init__()
        self.kernel_size = ntuple(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else ntuple(stride, 1)
        self.padding = ntuple(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input):
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip


class _AvgPoolNd(Layer):
    shown = ("kernel_size", "stride", "padding")

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
        return self.function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


class AvgPool2d(_AvgPoolNd, function=F.avg_pool2d):
    """The mean of each window of `(N, C, H, W)` or `(C, H, W)`.

    The stride is the window by default. `count_include_pad` counts the zeros of the padding;
    `divisor_override` divides the sum by another number than the window's size.

    >>> tuple(tallow.nn.AvgPool2d(3, stride=2)(tallow.randn(20, 16, 50, 32)).shape)
    (20, 16, 24, 15)
    """


class AvgPool3d(_AvgPoolNd, function=F.avg_pool3d):
    """The mean of each window of `(N, C, D, H, W)` or `(C, D, H, W)`; see `AvgPool2d`.

    >>> tuple(tallow.nn.AvgPool3d(3, stride=2)(tallow.randn(2, 4, 9, 7, 5)).shape)
    (2, 4, 4, 3, 2)
    """


class _AdaptivePool(Layer):
    shown = ("output_size",)

    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def forward(self, input):
        return self.function(input, self.output_size)


class _AdaptiveAvgPoolNd(_AdaptivePool):
    pass


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd, function=F.adaptive_avg_pool1d):
    """Means over windows chosen such that the output is `(N, C, output_size)`.

    >>> tuple(tallow.nn.AdaptiveAvgPool1d(5)(tallow.randn(1, 64, 8)).shape)
    (1, 64, 5)
    """


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd, function=F.adaptive_avg_pool2d):
    """Means over windows chosen such that the output is `(N, C, *output_size)`; None keeps a size.

    >>> tuple(tallow.nn.AdaptiveAvgPool2d((5, None))(tallow.randn(1, 64, 8, 9)).shape)
    (1, 64, 5, 9)
    """


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd, function=F.adaptive_avg_pool3d):
    """Means over windows chosen such that the output is `(N, C, *output_size)`; None keeps a size.

    >>> tuple(tallow.nn.AdaptiveAvgPool3d((5, None, 1))(tallow.randn(1, 64, 8, 9, 8)).shape)
    (1, 64, 5, 9, 1)
    """


class _AdaptiveMaxPoolNd(_AdaptivePool):
    def __init__(self, output_size, return_indices=False):
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input):
        return self.function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd, function=F.adaptive_max_pool1d):
    """Maxima over windows chosen such that the output is `(N, C, output_size)`.

    >>> tuple(tallow.nn.AdaptiveMaxPool1d(5)(tallow.randn(1, 64, 8)).shape)
    (1, 64, 5)
    """


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd, function=F.adaptive_max_pool2d):
    """Maxima over windows chosen such that the output is `(N, C, *output_size)`; None keeps a size.

    >>> tuple(tallow.nn.AdaptiveMaxPool2d(7)(tallow.randn(1, 64, 10, 9)).shape)
    (1, 64, 7, 7)
    """


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd, function=F.adaptive_max_pool3d):
    """Maxima over windows chosen such that the output is `(N, C, *output_size)`; None keeps a size.

    >>> tuple(tallow.nn.AdaptiveMaxPool3d((5, None, 1))(tallow.randn(1, 64, 8, 9, 8)).shape)
    (1, 64, 5, 9, 1)
    """
