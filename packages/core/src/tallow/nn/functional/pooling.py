"""Pooling: each output looks at a window of (N, C, *size) or (C, *size), channel by channel.

A kernel, stride, padding or dilation is an int or one per spatial dim; the stride is the kernel by
default. In `ceil_mode` the last window may stick out at the end.
"""

from math import prod

from tallow import backend
from tallow.creation import ones
from tallow.dtypes import FLOATING
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.math import div
from tallow.nn.functional.activation import relu
from tallow.nn.functional.common import batched, numbers
from tallow.ops import pool as ops
from tallow.ops.reduce import mean
from tallow.ops.resample import resample
from tallow.ops.taps import random_windows, window_means, window_places
from tallow.random import rand

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "fractional_max_pool2d", "fractional_max_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d",
    "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d",
    "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip


def _counts(name, input, kernel, stride, padding, dilation, ceil_mode):
    """How many windows there are along each axis; none begins in the padding at the end."""
    if min(kernel) < 1 or min(stride) < 1 or min(dilation) < 1:
        raise ArgumentError(
            f"{name}: expected kernel, stride and dilation of 1 or more, got {kernel}, {stride} "
            f"and {dilation}"
        )
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if any(p < 0 or 2 * p > span for p, span in zip(padding, spans, strict=True)):
        raise ShapeError(
            f"{name}: expected a padding of at most half the kernel {kernel}, got {padding}"
        )
    if 0 in input.array.shape[1:]:
        raise ShapeError(f"{name}: expected channels and sizes above 0, got {describe(input)}")
    counts = []
    for n, span, s, p in zip(input.array.shape[2:], spans, stride, padding, strict=True):
        count = (n + 2 * p - span + (s - 1 if ceil_mode else 0)) // s + 1
        counts.append(count - 1 if ceil_mode and (count - 1) * s >= n + p else count)
    if min(counts) < 1:
        raise ShapeError(
            f"{name}: expected an input that with padding {padding} is at least as large as the "
            f"kernel {kernel}, got {describe(input)}"
        )
    return tuple(counts)


def _unbatch(out, added):
    """The output, or each of several, without the batch dim that was added."""
    if not added:
        return out
    return tuple(part.squeeze(0) for part in out) if isinstance(out, tuple) else out.squeeze(0)


# Maximum


def _max(name, n, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    input, added = batched(name, input, n)
    kernel = numbers(name, kernel_size, n)
    stride = kernel if stride in (None, (), []) else numbers(name, stride, n)
    padding, dilation = numbers(name, padding, n), numbers(name, dilation, n)
    count = _counts(name, input, kernel, stride, padding, dilation, ceil_mode)
    how = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "count": count,
    }
    out = ops.max_pool(input, **how)
    if return_indices:
        out = out, ops.max_pool_indices(input, **how)
    return _unbatch(out, added)


def max_pool1d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima of windows of (N, C, L) or (C, L); see `max_pool2d`."""
    return _max(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima of windows of (N, C, H, W) or (C, H, W), and with `return_indices` where they are.

    Padding never wins; indices count through the flattened H x W of a channel.

    >>> tallow.nn.functional.max_pool2d(tallow.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    tensor([[ 5.,  7.],
            [13., 15.]])
    """
    return _max(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool3d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maxima of windows of (N, C, D, H, W) or (C, D, H, W); see `max_pool2d`."""
    return _max(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """`max_pool1d` with `return_indices`."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """`max_pool2d` with `return_indices`."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """`max_pool3d` with `return_indices`."""
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


@backend.there
def _unpool(name, n, input, indices, kernel_size, stride, padding, output_size):
    input, added = batched(name, input, n)
    kernel = numbers(name, kernel_size, n)
    stride = kernel if stride in (None, (), []) else numbers(name, stride, n)
    padding = numbers(name, padding, n)
    axes = zip(input.array.shape[2:], kernel, stride, padding, strict=True)
    size = tuple((m - 1) * s - 2 * p + k for m, k, s, p in axes)
    if output_size is not None:
        wanted = tuple(output_size)[-n:]
        if any(abs(w - m) >= s for w, m, s in zip(wanted, size, stride, strict=True)):
            raise ArgumentError(
                f"{name}: expected an output_size that differs from {size} by less than the stride "
                f"{stride}, got {tuple(output_size)}"
            )
        size = wanted
    if indices.array.size != input.array.size:
        raise ShapeError(f"{name}: expected indices of the input's shape, got {describe(indices)}")
    array = indices.array
    if array.size and not (0 <= array.min() and array.max() < prod(size)):
        raise ShapeError(
            f"{name}: expected indices from 0 to {prod(size) - 1} for output size {size}, got up "
            f"to {array.max()}"
        )
    return _unbatch(ops.max_unpool(input, array.reshape(input.array.shape), size=size), added)


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Zeros with the maxima of `max_pool1d` put back where they were; see `max_unpool2d`."""
    return _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Zeros with the maxima of `max_pool2d` put back where they were.

    `output_size` says which of the sizes that pool to the input's is meant.
    """
    return _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Zeros with the maxima of `max_pool3d` put back where they were; see `max_unpool2d`."""
    return _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


# Mean


def _avg(name, n, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor):
    input, added = batched(name, input, n)
    kernel = numbers(name, kernel_size, n)
    stride = kernel if stride in (None, (), []) else numbers(name, stride, n)
    padding = numbers(name, padding, n)
    count = _counts(name, input, kernel, stride, padding, (1,) * n, ceil_mode)
    if divisor is None:
        divisor = _window_sizes(input, kernel, stride, padding, count, count_include_pad)
    elif not divisor:
        raise ArgumentError(f"{name}: expected a divisor_override other than 0, got 0")
    out = ops.pool_sum(input, kernel=kernel, stride=stride, padding=padding, count=count)
    whole = input.dtype.category < FLOATING
    return _unbatch(div(out, divisor, rounding_mode="trunc") if whole else out / divisor, added)


def _window_sizes(input, kernel, stride, padding, count, count_include_pad):
    """How many elements each window counts: a number where all windows are whole, else a tensor."""
    size = input.array.shape[2:]
    ends = [(c - 1) * s + k for c, s, k in zip(count, stride, kernel, strict=True)]
    if count_include_pad:
        size = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
        padding = (0,) * len(padding)
    if not any(padding) and all(end <= n for end, n in zip(ends, size, strict=True)):
        return prod(kernel)
    inside = ones(1, 1, *size, dtype=input.dtype, device=input.device)
    return ops.pool_sum(inside, kernel=kernel, stride=stride, padding=padding, count=count)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The means of windows of (N, C, L) or (C, L); see `avg_pool2d`."""
    return _avg(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
    divisor_override=None,
):  # fmt: skip
    """The means of windows of (N, C, H, W) or (C, H, W).

    `count_include_pad` counts the zeros of the padding; `divisor_override` divides the sums by
    another number.

    >>> tallow.nn.functional.avg_pool2d(tallow.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    tensor([[ 2.5000,  4.5000],
            [10.5000, 12.5000]])
    """
    return _avg(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


def avg_pool3d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
    divisor_override=None,
):  # fmt: skip
    """The means of windows of (N, C, D, H, W) or (C, D, H, W); see `avg_pool2d`."""
    return _avg(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


# Power mean


def _lp(name, n, input, norm_type, kernel_size, stride, ceil_mode):
    kernel = numbers(name, kernel_size, n)
    powers = _avg(name, n, input**norm_type, kernel, stride, 0, ceil_mode, True, None)
    return (powers.sign() * relu(powers.abs()) * prod(kernel)) ** (1 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of input ** norm_type) ** (1 / norm_type) over windows of (N, C, L) or (C, L)."""
    return _lp("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of input ** norm_type) ** (1 / norm_type) over windows of (N, C, H, W) or (C, H, W)."""
    return _lp("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of input ** norm_type) ** (1 / norm_type) over windows of (N, C, D, H, W)."""
    return _lp("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


# Windows that adapt to an output size: output i of m looks at the elements from floor(i n / m) to
# ceil((i + 1) n / m)


def _adaptive(name, n, input, output_size):
    """The input with a batch dim, whether that was added, the output size, a kernel if one does."""
    input, added = batched(name, input, n)
    size = input.array.shape[2:]
    wanted = (output_size,) * n if output_size is None else output_size
    wanted = tuple(
        m if w is None else w for w, m in zip(_sizes(name, wanted, n), size, strict=True)
    )
    if min(wanted) < 0:
        raise ArgumentError(f"{name}: expected an output size of 0 or more, got {wanted}")
    whole = all(w and not m % w for w, m in zip(wanted, size, strict=True))
    kernel = tuple(m // w for w, m in zip(wanted, size, strict=True)) if whole else None
    return input, added, wanted, kernel


def _sizes(name, value, n):
    return (value,) * n if isinstance(value, int) else numbers(name, value, n)


def adaptive_avg(name, n, input, output_size):
    """The means of windows over n spatial dims that adapt to the output size."""
    input, added, wanted, kernel = _adaptive(name, n, input, output_size)
    if kernel is not None and max(wanted) == 1 and min(kernel) > 0:
        return _unbatch(mean(input, axis=tuple(range(2, n + 2)), keepdims=True), added)
    if kernel is not None:
        return _unbatch(_avg(name, n, input, kernel, None, 0, False, True, None), added)
    sizes = zip(input.array.shape[2:], wanted, strict=True)
    tables = {axis: window_means(n, m) for axis, (n, m) in enumerate(sizes, 2) if n != m}
    if tables:
        input = resample(input, axes=tuple(tables), taps=tuple(tables.values()))
    return _unbatch(input, added)


def adaptive_avg_pool1d(input, output_size):
    """The means of windows that give (N, C, output_size)."""
    return adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input, output_size):
    """The means of windows that give (N, C, *output_size); None keeps a size.

    >>> tallow.nn.functional.adaptive_avg_pool2d(tallow.arange(16.0).reshape(1, 1, 4, 4), 1)
    tensor([[[[7.5000]]]])
    """
    return adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input, output_size):
    """The means of windows that give (N, C, *output_size); None keeps a size."""
    return adaptive_avg("adaptive_avg_pool3d", 3, input, output_size)


def _adaptive_max(name, n, input, output_size, return_indices):
    input, added, wanted, kernel = _adaptive(name, n, input, output_size)
    if kernel is not None:
        return _unbatch(_max(name, n, input, kernel, None, 0, 1, False, return_indices), added)
    places = [window_places(m, w) for m, w in zip(input.array.shape[2:], wanted, strict=True)]
    indices = ops.window_argmax(input, places=places)
    return _picked(input, indices, return_indices, added)


def _picked(input, indices, return_indices, added):
    """The elements of the input at `indices`, and these too if asked for."""
    out = ops.read_at(input, indices)
    return _unbatch((out, indices) if return_indices else out, added)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The maxima of windows: (N, C, output_size), and with `return_indices` where they are."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The maxima of windows: (N, C, *output_size), and with `return_indices` where they are."""
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """The maxima of windows: (N, C, *output_size), and with `return_indices` where they are."""
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)


# Windows at random places


def _fractional(name, n, input, kernel_size, output_size, output_ratio, return_indices, samples):
    input, added = batched(name, input, n)
    sizes, kernel = input.array.shape[2:], numbers(name, kernel_size, n)
    if (output_size is None) == (output_ratio is None):
        raise ArgumentError(
            f"{name}: expected either output_size or output_ratio, got {output_size} and "
            f"{output_ratio}"
        )
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, tuple | list) else (output_ratio,) * n
        if not all(0 < ratio < 1 for ratio in ratios):
            raise ArgumentError(f"{name}: expected output_ratio between 0 and 1, got {ratios}")
        output_size = tuple(int(m * ratio) for m, ratio in zip(sizes, ratios, strict=True))
    counts = numbers(name, output_size, n)
    axes = list(zip(sizes, kernel, counts, strict=True))
    if any(count + k - 1 > m for m, k, count in axes):
        raise ShapeError(
            f"{name}: expected a kernel {kernel} and output size {counts} that fit into the input, "
            f"got {describe(input)}"
        )
    if samples is None:
        samples = rand(*input.array.shape[:2], n, dtype=input.dtype, device=input.device)
    host = samples.detach().cpu().numpy()[: len(input)]
    host = host[..., ::-1] if n == 2 else host  # as in PyTorch: (x, y), but (z, y, x)
    places = [random_windows(*axis, host[..., i]) for i, axis in enumerate(axes)]
    return _picked(input, ops.window_argmax(input, places=places), return_indices, added)


def fractional_max_pool2d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
    _random_samples=None,
):  # fmt: skip
    """The maxima of windows at random places, such that the result is (N, C, *output_size).

    Or `output_ratio` of the size. Graham, "Fractional max-pooling", 2014. `_random_samples`
    (N, C, 2), from 0 to 1, say where the windows are.
    """
    return _fractional(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices,
        _random_samples,
    )  # fmt: skip


def fractional_max_pool3d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
    _random_samples=None,
):  # fmt: skip
    """`fractional_max_pool2d` for (N, C, D, H, W); `_random_samples` is (N, C, 3)."""
    return _fractional(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices,
        _random_samples,
    )  # fmt: skip
