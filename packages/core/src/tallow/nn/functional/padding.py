"""Padding at the edges, and shuffles of pixels."""

from math import prod

from tallow.creation import tensor
from tallow.errors import ArgumentError, NotSupportedError, ShapeError, describe
from tallow.ops.shape import crop
from tallow.ops.shape import pad as pad_op
from tallow.scattering import index_select

__all__ = ["channel_shuffle", "native_channel_shuffle", "pad", "pixel_shuffle", "pixel_unshuffle"]


def pad(input, pad, mode="constant", value=None):
    """Add elements at the edges: `pad` is (before, after) of the last dim, then the one before, ...

    Modes: "constant" (`value`, 0 by default; negative numbers crop), "reflect", "replicate",
    "circular".

    >>> tallow.nn.functional.pad(tallow.tensor([[1, 2, 3]]), (1, 2))
    tensor([[0, 1, 2, 3, 0, 0]])
    """
    pairs = list(zip(pad[0::2], pad[1::2], strict=len(pad) % 2 == 0))
    ndim = input.array.ndim
    if len(pad) % 2 or len(pairs) > ndim:
        raise ArgumentError(
            f"pad: expected a pair (before, after) for each of at most {ndim} dims, got "
            f"{tuple(pad)}"
        )
    widths = [(0, 0)] * (ndim - len(pairs)) + [tuple(pair) for pair in reversed(pairs)]
    if mode == "constant":
        return _constant(input, widths, 0 if value is None else value)
    if value:
        raise ArgumentError(f"pad: expected no value with mode {mode!r}, got {value}")
    if mode not in ("circular", *_SOURCES):
        raise NotSupportedError(
            f"pad: expected mode 'constant', 'reflect', 'replicate' or 'circular', got {mode!r}"
        )
    if ndim - len(pairs) not in (1, 2):
        raise ShapeError(
            f"pad: expected, with mode {mode!r}, all dims but the first one or two, got "
            f"{tuple(pad)}"
        )
    for axis, (before, after) in enumerate(widths):
        if before or after:
            sources = _sources(input, axis, before, after, mode)
            input = index_select(input, axis, tensor(sources, device=input.device))
    return input


def _constant(input, widths, value):
    cuts = tuple((max(-a, 0), max(-b, 0)) for a, b in widths)
    if any(n for cut in cuts for n in cut):
        sizes = zip(input.array.shape, widths, strict=True)
        if any(n + a + b < 0 for n, (a, b) in sizes):
            raise ShapeError(
                f"pad: expected to crop no more than there is, got {widths} for {describe(input)}"
            )
        input = crop(input, widths=cuts)
    return pad_op(input, widths=tuple((max(a, 0), max(b, 0)) for a, b in widths), value=value)


def _reflected(i, n):
    return -i if i < 0 else 2 * (n - 1) - i if i >= n else i


_SOURCES = {
    "reflect": _reflected,
    "replicate": lambda i, n: min(max(i, 0), n - 1),
}


def _sources(input, axis, before, after, mode):
    """Which element each element of the padded axis is."""
    n = input.array.shape[axis]
    limit = {"reflect": n - 1, "circular": n, "replicate": max(before, after) if n else 0}[mode]
    if max(before, after) > limit:
        raise ShapeError(
            f"pad: expected a {mode} padding of at most {limit} for dim {axis} of "
            f"{describe(input)}, got {(before, after)}"
        )
    places = range(-before, n + after)
    if mode == "circular":  # around what cropping leaves
        start = max(-before, 0)
        return [start + (i - start) % (n - start + min(after, 0)) for i in places]
    return [_SOURCES[mode](i, n) for i in places]


def pixel_shuffle(input, upscale_factor):
    """(..., C * r * r, H, W) -> (..., C, H * r, W * r). https://arxiv.org/abs/1609.05158"""
    r, shape = upscale_factor, input.array.shape
    if len(shape) < 3 or r < 1 or shape[-3] % (r * r):
        raise ShapeError(f"pixel_shuffle: expected (..., C * {r * r}, H, W), got {describe(input)}")
    *lead, channels, height, width = shape
    x = input.reshape(prod(lead), channels // (r * r), r, r, height, width)
    x = x.permute(0, 1, 4, 2, 5, 3)
    return x.reshape(*lead, channels // (r * r), height * r, width * r)


def pixel_unshuffle(input, downscale_factor):
    """(..., C, H * r, W * r) -> (..., C * r * r, H, W): the inverse of `pixel_shuffle`."""
    r, shape = downscale_factor, input.array.shape
    if len(shape) < 3 or r < 1 or shape[-2] % r or shape[-1] % r:
        raise ShapeError(
            f"pixel_unshuffle: expected (..., C, H * {r}, W * {r}), got {describe(input)}"
        )
    *lead, channels, height, width = shape
    x = input.reshape(prod(lead), channels, height // r, r, width // r, r)
    x = x.permute(0, 1, 3, 5, 2, 4)
    return x.reshape(*lead, channels * r * r, height // r, width // r)


def channel_shuffle(input, groups):
    """The channels of (N, C, ...) of `groups` groups, interleaved.

    https://arxiv.org/abs/1707.01083
    """
    shape = input.array.shape
    if len(shape) < 3 or shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: expected (N, C, ...) with C divided by {groups}, got "
            f"{describe(input)}"
        )
    parts = input.reshape(shape[0], groups, shape[1] // groups, *shape[2:])
    return parts.transpose(1, 2).reshape(*shape)


native_channel_shuffle = channel_shuffle
