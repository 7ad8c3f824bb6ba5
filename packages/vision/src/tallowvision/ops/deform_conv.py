"""Convolution that reads where it is told: deformable convolution."""

import math

import tallow
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.nn import Module, Parameter, init
from tallow.nn.functional import grid_sample


def deform_conv2d(
    input, offset, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), mask=None
):
    """Convolution of (N, C, H, W) with each tap moved by `offset`, and weighted by `mask`.

    `weight` is (O, C // groups, kh, kw). `offset` is (N, 2 * parts * kh * kw, H_out, W_out): y and
    x, in pixels, of each tap; each of the `parts` is for as many channels. `mask` is
    (N, parts * kh * kw, H_out, W_out). Zhu et al., "Deformable ConvNets v2" (2018).
    """
    n, channels, height, width = input.shape
    outputs, per_group, *kernel = weight.shape
    taps = kernel[0] * kernel[1]
    stride, padding, dilation = (_pair(x) for x in (stride, padding, dilation))
    size = [
        (input.shape[2 + i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1
        for i in (0, 1)
    ]
    parts = offset.shape[1] // (2 * taps)
    expected = (n, 2 * max(parts, 1) * taps, *size)
    if tuple(offset.shape) != expected or channels % max(parts, 1):
        raise ShapeError(
            f"deform_conv2d: expected offset {expected} for {describe(input)} and a kernel of "
            f"{tuple(kernel)}, got {describe(offset)}"
        )
    if mask is not None and tuple(mask.shape) != (n, parts * taps, *size):
        raise ShapeError(
            f"deform_conv2d: expected mask {(n, parts * taps, *size)}, got {describe(mask)}"
        )
    groups = channels // per_group
    if groups * per_group != channels or outputs % groups:
        raise ShapeError(
            f"deform_conv2d: expected weight (O, {channels} // groups, kh, kw), got "
            f"{describe(weight)}"
        )
    offset = offset.reshape(n, parts, taps, 2, *size)
    places = []
    for i, length in enumerate((height, width)):
        step = _steps(size[i], stride[i], -padding[i], input)
        tap = _steps(kernel[i], dilation[i], 0, input)
        tap = tap.repeat_interleave(kernel[1]) if i == 0 else tap.repeat(kernel[0])
        place = tap[:, None, None] + (step[:, None] if i == 0 else step) + offset[:, :, :, i]
        places.append((2 * place + 1) / length - 1)  # -1 and 1 are the edges
    grid = tallow.stack(places[::-1], -1).reshape(n * parts, taps * size[0], size[1], 2)
    planes = input.reshape(n * parts, channels // parts, height, width)
    read = grid_sample(planes, grid, "bilinear", "zeros", align_corners=False)
    read = read.reshape(n, parts, channels // parts, taps, *size)
    if mask is not None:
        read = read * mask.reshape(n, parts, 1, taps, *size)
    read = read.reshape(n, groups, per_group * taps, size[0] * size[1])
    out = weight.reshape(groups, outputs // groups, per_group * taps) @ read
    out = out.reshape(n, outputs, *size)
    return out if bias is None else out + bias[:, None, None]


def _pair(x):
    return (x, x) if isinstance(x, int) else tuple(x)


def _steps(count, step, start, like):
    return tallow.arange(count, dtype=like.dtype, device=like.device) * step + start


class DeformConv2d(Module):
    """`deform_conv2d` with weights: called with input, offset and, if there is one, mask."""

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
        bias=True,
    ):  # fmt: skip
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"DeformConv2d: expected channels divisible by groups {groups}, got {in_channels} "
                f"and {out_channels}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.dilation = _pair(dilation)
        self.groups = groups
        self.weight = Parameter(
            tallow.empty(out_channels, in_channels // groups, *self.kernel_size)
        )
        self.bias = Parameter(tallow.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """Draw the weights as `nn.Conv2d` does."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input, offset, mask=None):
        return deform_conv2d(
            input, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask
        )

    def extra_repr(self):
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"{name}={getattr(self, name)}" for name in ("kernel_size", "stride")]
        plain = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        for name, default in plain.items():
            if getattr(self, name) != default:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts + (["bias=False"] if self.bias is None else []))
