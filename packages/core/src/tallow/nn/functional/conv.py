"""Convolution (in neural networks, cross-correlation) and its transpose, unfold and fold."""

from tallow.errors import ArgumentError, DtypeError, ShapeError, describe
from tallow.nn.functional.common import batched, numbers
from tallow.ops import conv as ops
from tallow.ops.shape import pad

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "fold", "unfold",
]  # fmt: skip


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution of (N, C, L) or (C, L) with weight (O, C / groups, K); see `conv2d`."""
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution: (N, C, H, W) or (C, H, W) with weight (O, C / groups, KH, KW) -> (N, O, H', W').

    `padding` zeros on both sides (an int or one per dim; "valid": none; "same": as many as keep the
    size), `stride` between windows, `dilation` between the elements of a window; `groups` splits
    the channels.

    >>> x, w = tallow.ones(1, 1, 4, 4), tallow.ones(1, 1, 3, 3)
    >>> tallow.nn.functional.conv2d(x, w, padding=1)[0, 0, 0]
    tensor([4., 6., 6., 4.])
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution of (N, C, D, H, W) with weight (O, C / groups, KD, KH, KW); see `conv2d`."""
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_tbc(input, weight, bias, pad=0):
    """Convolution of (time, batch, C) with weight (K, C, O), bias (O,) -> (time', batch, O)."""
    if input.array.ndim != 3 or weight.array.ndim != 3:
        raise ShapeError(
            f"conv_tbc: expected input (time, batch, C) and weight (K, C, O), got "
            f"{describe(input)} and {describe(weight)}"
        )
    out = conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return out.permute(2, 0, 1)


def _conv(name, n, input, weight, bias, stride, padding, dilation, groups):
    input, added = batched(name, input, n)
    x, w = input.array, weight.array
    stride, dilation = numbers(name, stride, n), numbers(name, dilation, n)
    if w.ndim != n + 2 or x.shape[1] != w.shape[1] * groups or x.dtype != w.dtype:
        _explain(name, n, input, weight, groups)
    _check_steps(name, stride, dilation, groups)
    _check_bias(name, bias, w.shape[0], input)
    if isinstance(padding, str):
        input, padding = _named_padding(name, input, padding, w.shape[2:], stride, dilation)
    padding = numbers(name, padding, n)
    if min(padding) < 0:
        raise ArgumentError(f"{name}: expected a padding of 0 or more, got {padding}")
    if w.shape[0] % groups:
        raise ShapeError(
            f"{name}: expected a number of output channels that {groups} groups divide, got "
            f"{w.shape[0]}"
        )
    if min(ops.out_size(input.array.shape[2:], w.shape[2:], stride, padding, dilation)) < 1:
        raise ShapeError(
            f"{name}: expected an input that with padding {padding} is at least as large as the "
            f"kernel {w.shape[2:]} with dilation {dilation}, got {describe(input)}"
        )
    out = ops.conv(
        input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    return out.squeeze(0) if added else out


def _explain(name, n, input, weight, groups):
    if weight.array.ndim != n + 2:
        raise ShapeError(
            f"{name}: expected a weight with {n + 2} dimensions, (O, C / groups, *kernel), got "
            f"{describe(weight)}"
        )
    shape, channels = input.array.shape, weight.array.shape[1] * groups
    if shape[1] != channels:
        hint = f"the weight is {describe(weight)}, (O, C / groups, *kernel), with groups {groups}"
        if shape[-1] == channels:
            hint = "the last dim has that many: bring it first with .movedim(-1, 1)"
        raise ShapeError(
            f"{name}: expected input with {channels} channels, got {describe(input)} with "
            f"{shape[1]}; {hint}"
        )
    raise DtypeError(
        f"{name}: expected input of the weight's dtype {weight.dtype}, got {describe(input)}; "
        f"convert one with .to({weight.dtype})"
    )


def _check_steps(name, stride, dilation, groups):
    if min(stride) < 1 or min(dilation) < 1 or groups < 1:
        raise ArgumentError(
            f"{name}: expected stride, dilation and groups of 1 or more, got {stride}, {dilation} "
            f"and {groups}"
        )


def _check_bias(name, bias, channels, input):
    if bias is None:
        return
    if bias.array.shape != (channels,):
        raise ShapeError(f"{name}: expected bias ({channels},), got {describe(bias)}")
    if bias.array.dtype != input.array.dtype:
        raise DtypeError(f"{name}: expected bias of dtype {input.dtype}, got {describe(bias)}")


def _named_padding(name, input, padding, kernel, stride, dilation):
    """The input, and the zeros that "same" or "valid" mean; an odd zero goes to the end."""
    if padding == "valid":
        return input, 0
    if padding != "same":
        raise ArgumentError(f"{name}: expected padding of ints, 'valid' or 'same', got {padding!r}")
    if max(stride) > 1:
        raise ArgumentError(f"{name}: expected stride 1 with padding 'same', got {stride}")
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if any(n % 2 for n in total):
        input = pad(input, widths=((0, 0), (0, 0), *((0, n % 2) for n in total)), value=0)
    return input, tuple(n // 2 for n in total)


# Transposed


def conv_transpose1d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The transpose of `conv1d`, see `conv_transpose2d`: weight (C, O / groups, K)."""
    name = "conv_transpose1d"
    return _transpose(
        name, 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Each element of (N, C, H, W) spread by weight (C, O / groups, KH, KW) -> (N, O, H', W').

    H' = (H - 1) * stride - 2 * padding + dilation * (KH - 1) + output_padding + 1: the gradient of
    `conv2d` by its input.

    >>> x, w = tallow.ones(1, 1, 1, 2), tallow.ones(1, 1, 2, 2)
    >>> tallow.nn.functional.conv_transpose2d(x, w)[0, 0]
    tensor([[1., 2., 1.],
            [1., 2., 1.]])
    """
    name = "conv_transpose2d"
    return _transpose(
        name, 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The transpose of `conv3d`, see `conv_transpose2d`: weight (C, O / groups, KD, KH, KW)."""
    name = "conv_transpose3d"
    return _transpose(
        name, 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _transpose(name, n, input, weight, bias, stride, padding, output_padding, groups, dilation):
    input, added = batched(name, input, n)
    x, w = input.array, weight.array
    stride, dilation = numbers(name, stride, n), numbers(name, dilation, n)
    padding, extra = numbers(name, padding, n), numbers(name, output_padding, n)
    if w.ndim != n + 2 or x.shape[1] != w.shape[0] or x.dtype != w.dtype or x.shape[1] % groups:
        hint = ""
        if x.shape[-1] == w.shape[0] and x.shape[1] != w.shape[0]:
            hint = "; the last dim has the channels: bring it first with .movedim(-1, 1)"
        raise ShapeError(
            f"{name}: expected input (N, C, ...) and weight (C, O / groups, ...) of one dtype, C "
            f"divided by {groups} groups, got {describe(input)} and {describe(weight)}{hint}"
        )
    _check_steps(name, stride, dilation, groups)
    _check_bias(name, bias, w.shape[1] * groups, input)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ShapeError(
            f"{name}: expected output_padding below stride or dilation, got {extra}, {stride} and "
            f"{dilation}"
        )
    axes = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, extra, strict=True)
    size = tuple((m - 1) * s - 2 * p + d * (k - 1) + e + 1 for m, k, s, p, d, e in axes)
    if min(size) < 1:
        raise ShapeError(
            f"{name}: expected a padding that leaves an output, got output size {size}"
        )
    out = ops.conv_grad_input(
        input, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    if bias is not None:
        out = out + bias.reshape(-1, *(1,) * n)
    return out.squeeze(0) if added else out


# Windows as columns


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of (N, C, H, W) as columns (N, C * KH * KW, windows)."""
    input, added = batched("unfold", input, 2)
    how = _windows("unfold", kernel_size, dilation, padding, stride)
    count = ops.out_size(
        input.array.shape[2:], how["kernel"], how["stride"], how["padding"], how["dilation"]
    )
    if min(count) < 1:
        raise ShapeError(
            f"unfold: expected an input as large as the windows, got {describe(input)}"
        )
    out = ops.unfold(input, **how)
    return out.squeeze(0) if added else out


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The adjoint of `unfold`: columns (N, C * KH * KW, windows) added to (N, C, *output_size)."""
    added = input.array.ndim == 2
    if added:
        input = input.unsqueeze(0)
    how = _windows("fold", kernel_size, dilation, padding, stride)
    size = numbers("fold", output_size, 2)
    count = ops.out_size(size, how["kernel"], how["stride"], how["padding"], how["dilation"])
    places = how["kernel"][0] * how["kernel"][1]
    if (
        input.array.ndim != 3
        or input.array.shape[1] % places
        or input.array.shape[2] != count[0] * count[1]
    ):
        raise ShapeError(
            f"fold: expected columns (N, C * {places}, {count[0] * count[1]}), got "
            f"{describe(input)}"
        )
    out = ops.fold(input, size=size, **how)
    return out.squeeze(0) if added else out


def _windows(name, kernel, dilation, padding, stride):
    return {
        "kernel": numbers(name, kernel, 2),
        "stride": numbers(name, stride, 2),
        "padding": numbers(name, padding, 2),
        "dilation": numbers(name, dilation, 2),
    }
