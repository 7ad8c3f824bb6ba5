"""Convolution layers."""

import math
from collections.abc import Callable
from typing import Any

from tallow.creation import empty
from tallow.nn import functional as F
from tallow.nn import init
from tallow.nn.module import Module
from tallow.nn.modules.utils import ntuple
from tallow.nn.parameter import Parameter

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What the convolutions share: their parameters, and padding other than with zeros."""

    dimensions: int
    convolve: Callable[..., Any]

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
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        bias = Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", bias)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw the weight and the bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan_in = self.weight[0].numel() if self.out_channels else 0
        if self.bias is not None and fan_in:
            bound = 1 / math.sqrt(fan_in)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._padding_of_sides(), mode=self.padding_mode)
            padding = 0
        return self.convolve(
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
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


def _check(name, in_channels, out_channels, stride, padding, groups, padding_mode):
    if groups <= 0:
        raise ValueError(f"{name}: expected groups > 0, got {groups}")
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{name}: expected in_channels and out_channels divisible by groups={groups}, "
            f"got {in_channels} and {out_channels}"
        )
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                f"{name}: expected a number or 'same' or 'valid' as padding, got {padding!r}"
            )
        if padding == "same" and any(step != 1 for step in ntuple(stride, 1)):
            raise ValueError(f"{name}: expected stride 1 with padding='same', got {stride}")
    if padding_mode not in _PADDING_MODES:
        raise ValueError(
            f"{name}: expected one of {_PADDING_MODES} as padding_mode, got {padding_mode!r}"
        )


class Conv1d(_ConvNd):
    """A convolution (cross-correlation) over one spatial dimension.

    Shapes: `(N, in_channels, L)` or `(in_channels, L)` to `(N, out_channels, L_out)` with
    `L_out = (L + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1`; `weight` is
    `(out_channels, in_channels / groups, kernel_size)`. Weight and bias start uniform within
    ±1/sqrt(in_channels / groups * kernel_size).

    >>> import tallow
    >>> layer = tallow.nn.Conv1d(16, 33, 3, stride=2)
    >>> tuple(layer(tallow.randn(20, 16, 50)).shape)
    (20, 33, 24)
    """

    dimensions = 1
    convolve = staticmethod(F.conv1d)


class Conv2d(_ConvNd):
    """A convolution (cross-correlation) over two spatial dimensions.

    Shapes: `(N, in_channels, H, W)` or `(in_channels, H, W)` to `(N, out_channels, H_out, W_out)`
    with `H_out = (H + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1`, and so the width;
    `weight` is `(out_channels, in_channels / groups, kernel_height, kernel_width)`. Weight and bias
    start uniform within ±1/sqrt(fan_in), the number of inputs of one output.

    >>> import tallow
    >>> layer = tallow.nn.Conv2d(3, 8, kernel_size=3, padding=1)
    >>> tuple(layer(tallow.randn(2, 3, 32, 32)).shape)
    (2, 8, 32, 32)
    """

    dimensions = 2
    convolve = staticmethod(F.conv2d)
