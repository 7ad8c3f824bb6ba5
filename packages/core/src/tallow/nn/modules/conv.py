"""Convolution layers, and transposed ones."""

import math

from tallow.creation import empty
from tallow.errors import ArgumentError
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.modules.layer import Layer
from tallow.nn.modules.utils import ntuple
from tallow.nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Layer):
    """What the convolutions share: their parameters, and padding other than with zeros."""

    dimensions: int
    transposed = False

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
        bias=True, padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        _check(
            type(self).__name__, in_channels, out_channels, stride, padding, groups, padding_mode
        )
        n = self.dimensions
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = ntuple(kernel_size, n)
        self.stride = ntuple(stride, n)
        self.padding = padding if isinstance(padding, str) else ntuple(padding, n)
        self.dilation = ntuple(dilation, n)
        self.groups = groups
        self.padding_mode = padding_mode
        self.output_padding = (0,) * n
        self.weight = Parameter(empty(self._weight_shape(), device=device, dtype=dtype))
        bias = Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", bias)
        self.reset_parameters()

    def _weight_shape(self):
        ends = self.out_channels, self.in_channels
        first, second = reversed(ends) if self.transposed else ends
        return (first, second // self.groups, *self.kernel_size)

    def reset_parameters(self):
        """Draw the weight and the bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan_in = math.prod(self.weight.shape[1:])
        if self.bias is not None and fan_in:
            bound = 1 / math.sqrt(fan_in)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._padding_of_sides(), mode=self.padding_mode)
            padding = 0
        return self.function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _padding_of_sides(self):
        """The padding as `F.pad` takes it: before and after each dimension, the last one first."""
        sides = []
        for i in reversed(range(self.dimensions)):
            if self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                sides += [total // 2, total - total // 2]
            else:
                sides += [0 if self.padding == "valid" else self.padding[i]] * 2
        return tuple(sides)

    def extra_repr(self):
        n = self.dimensions
        text = f"{self.in_channels}, {self.out_channels}"
        text += f", kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * n:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * n:
            text += f", dilation={self.dilation}"
        if any(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _ConvTransposeNd(_ConvNd):
    transposed = True

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0,
        groups=1, bias=True, dilation=1, padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        if padding_mode != "zeros":
            raise ArgumentError(
                f"{type(self).__name__}: expected padding_mode 'zeros', got {padding_mode!r}"
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip
        self.output_padding = ntuple(output_padding, self.dimensions)

    def forward(self, input, output_size=None):
        output_padding = self.output_padding
        if output_size is not None:
            output_padding = self._padding_for(input, tuple(output_size))
        return self.function(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups,
            self.dilation,
        )  # fmt: skip

    def _padding_for(self, input, output_size):
        """The output padding that gives `output_size`, of the spatial dimensions or of all."""
        n = self.dimensions
        axes = zip(
            input.shape[-n:], self.kernel_size, self.stride, self.padding, self.dilation,
            strict=True,
        )  # fmt: skip
        least = [(m - 1) * s - 2 * p + d * (k - 1) + 1 for m, k, s, p, d in axes]
        extra = tuple(m - low for m, low in zip(output_size[-n:], least, strict=False))
        if len(output_size) not in (n, input.ndim) or not all(
            0 <= e < s for e, s in zip(extra, self.stride, strict=True)
        ):
            most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
            raise ArgumentError(
                f"{type(self).__name__}: expected an output_size from {least} to {most}, got "
                f"{list(output_size)}"
            )
        return extra


def _check(name, in_channels, out_channels, stride, padding, groups, padding_mode):
    if groups <= 0:
        raise ArgumentError(f"{name}: expected groups > 0, got {groups}")
    if in_channels % groups or out_channels % groups:
        raise ArgumentError(
            f"{name}: expected in_channels and out_channels divisible by groups={groups}, "
            f"got {in_channels} and {out_channels}"
        )
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ArgumentError(
                f"{name}: expected a number or 'same' or 'valid' as padding, got {padding!r}"
            )
        if padding == "same" and any(step != 1 for step in ntuple(stride, 1)):
            raise ArgumentError(f"{name}: expected stride 1 with padding='same', got {stride}")
    if padding_mode not in _PADDING_MODES:
        raise ArgumentError(
            f"{name}: expected one of {_PADDING_MODES} as padding_mode, got {padding_mode!r}"
        )


class Conv1d(_ConvNd, dimensions=1, function=F.conv1d):
    """A convolution (cross-correlation) over one spatial dimension.

    Shapes: `(N, in_channels, L)` or `(in_channels, L)` to `(N, out_channels, L_out)` with
    `L_out = (L + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1`; `weight` is
    `(out_channels, in_channels / groups, kernel_size)`. Weight and bias start uniform within
    ±1/sqrt(in_channels / groups * kernel_size).

    >>> layer = tallow.nn.Conv1d(16, 33, 3, stride=2)
    >>> tuple(layer(tallow.randn(20, 16, 50)).shape)
    (20, 33, 24)
    """


class Conv2d(_ConvNd, dimensions=2, function=F.conv2d):
    """A convolution (cross-correlation) over two spatial dimensions.

    Shapes: `(N, in_channels, H, W)` or `(in_channels, H, W)` to `(N, out_channels, H_out, W_out)`
    with `H_out = (H + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1`, and so the width;
    `weight` is `(out_channels, in_channels / groups, kernel_height, kernel_width)`. Weight and bias
    start uniform within ±1/sqrt(fan_in), the number of inputs of one output.

    >>> layer = tallow.nn.Conv2d(3, 8, kernel_size=3, padding=1)
    >>> tuple(layer(tallow.randn(2, 3, 32, 32)).shape)
    (2, 8, 32, 32)
    """


class Conv3d(_ConvNd, dimensions=3, function=F.conv3d):
    """A convolution (cross-correlation) over three spatial dimensions.

    Shapes: `(N, in_channels, D, H, W)` or `(in_channels, D, H, W)`, else as in `Conv2d`.

    >>> layer = tallow.nn.Conv3d(3, 4, (3, 5, 2), stride=(2, 1, 1), padding=(4, 2, 0))
    >>> tuple(layer(tallow.randn(2, 3, 5, 10, 8)).shape)
    (2, 4, 6, 10, 7)
    """


class ConvTranspose1d(_ConvTransposeNd, dimensions=1, function=F.conv_transpose1d):
    """A transposed convolution over one spatial dimension; see `ConvTranspose2d`.

    >>> layer = tallow.nn.ConvTranspose1d(4, 6, 3, stride=2)
    >>> tuple(layer(tallow.randn(1, 4, 10)).shape)
    (1, 6, 21)
    """


class ConvTranspose2d(_ConvTransposeNd, dimensions=2, function=F.conv_transpose2d):
    """The transpose of a convolution: each element spreads over a window (Zeiler et al., 2010).

    Shapes: `(N, in_channels, H, W)` or `(in_channels, H, W)` to `(N, out_channels, H_out, W_out)`
    with `H_out = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1`, and
    so the width; `weight` is `(in_channels, out_channels / groups, kernel_height, kernel_width)`.
    forward(input, output_size) chooses the output padding itself.

    >>> layer = tallow.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1)
    >>> tuple(layer(tallow.randn(1, 4, 6, 6), output_size=(12, 12)).shape)
    (1, 6, 12, 12)
    """


class ConvTranspose3d(_ConvTransposeNd, dimensions=3, function=F.conv_transpose3d):
    """A transposed convolution over three spatial dimensions; see `ConvTranspose2d`.

    >>> layer = tallow.nn.ConvTranspose3d(4, 6, 3, stride=2)
    >>> tuple(layer(tallow.randn(1, 4, 3, 4, 5)).shape)
    (1, 6, 7, 9, 11)
    """
