"""Normalisation over the batch, over features, over groups of channels."""

from math import prod

from tallow import backend
from tallow.autograd.inplace import bump
from tallow.creation import ones_like
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.info import finfo
from tallow.nn.functional.common import floats
from tallow.nn.functional.padding import pad
from tallow.ops.activation import add_relu, relu
from tallow.ops.norm import normalize as normalize_op
from tallow.ops.norm import (
    normalize_add_relu,
    normalize_add_relu_by,
    normalize_by,
    normalize_relu,
    normalize_relu_by,
    normalize_relu_grad,
)
from tallow.ops.norm import standardize as standardize_op
from tallow.ops.pool import pool_sum
from tallow.ops.shape import reshape
from tallow.promotion import give

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize",
    "rms_norm",
]  # fmt: skip


def _check(name, input, *parameters):
    """Raise unless the parameters that are there have one element for each channel."""
    count = input.array.shape[1]
    for parameter in parameters:
        if parameter is not None and parameter.array.size != count:
            raise ShapeError(
                f"{name}: expected parameters and statistics ({count},) for the channels of "
                f"{describe(input)}, got {describe(parameter)}"
            )


def _normalize(x, weight, bias, factor, axes, eps, centre=True, then_relu=False, residual=None):
    """The normalised x, its mean and its variance; weight and bias broadcast in shape `factor`."""
    if weight is None and bias is not None:
        weight = ones_like(bias)
    if residual is not None:
        return normalize_add_relu(x, residual, weight, bias, factor=factor, axes=axes, eps=eps)
    if then_relu:
        return normalize_relu(x, weight, bias, factor=factor, axes=axes, eps=eps)
    return normalize_op(x, weight, bias, factor=factor, axes=axes, eps=eps, centre=centre)


def _affine(x, weight, bias, factor):
    """x * weight + bias: what an empty input, which has no statistics, becomes."""
    x = x * 1 if weight is None else x * reshape(weight, shape=factor)
    return x if bias is None else x + reshape(bias, shape=factor)


@backend.there
def update_running(running, new, momentum, scale=1):
    """running = (1 - momentum) * running + momentum * new * scale, in place and unrecorded."""
    array = running.array
    array *= 1 - momentum
    array += momentum * (new * scale).reshape(array.shape)
    bump(running, "batch_norm")


@backend.there
def count_batch(batches):
    """Add one to the int64 tensor that counts batches."""
    batches.array += 1
    bump(batches, "batch_norm")


def batch_norm(
    input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1,
    eps=1e-05,
):  # fmt: skip
    """Each channel of (N, C, ...): (x - mean) / sqrt(var + eps) * weight + bias.

    In training mean and variance are the batch's, and the running ones (C,), unless None, move
    towards them (the unbiased variance) by `momentum`, in place; in evaluation they are the running
    ones. https://arxiv.org/abs/1502.03167

    >>> x = tallow.tensor([[1.0], [3.0]])
    >>> tallow.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    statistics = running_mean, running_var
    return _batch_norm(input, *statistics, weight, bias, training, momentum, eps, False)


@backend.there
def batch_norm_relu(input, *how):
    """`relu(batch_norm(input, *how))`, where `how` is all that batch norm takes.

    In one pass where there are kernels for it; without, two operations compute less.
    """
    if normalize_relu_grad.op.has_kernel(input.array):
        return _batch_norm(input, *how, True)
    return relu(batch_norm(input, *how))


@backend.there
def batch_norm_add_relu(input, residual, *how):
    """`relu(batch_norm(input, *how) + residual)`, for a residual of the input's shape and dtype."""
    return _batch_norm(input, *how, True, residual)


def _batch_norm(
    input, running_mean, running_var, weight, bias, training, momentum, eps, then_relu,
    residual=None,
):  # fmt: skip
    floats("batch_norm", input)
    x = input.array
    if x.ndim < 2:
        raise ShapeError(f"batch_norm: expected input (N, C, ...), got {describe(input)}")
    channels = x.shape[1]
    factor, axes = (1, channels, *(1,) * (x.ndim - 2)), (0, *range(2, x.ndim))
    _check("batch_norm", input, weight, bias, running_mean, running_var)
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError(
                "batch_norm: expected running_mean and running_var in evaluation, got None"
            )
        given = running_mean, running_var, weight, bias
        if residual is not None:
            return normalize_add_relu_by(input, residual, *given, factor=factor, eps=eps)
        by = normalize_relu_by if then_relu else normalize_by
        return by(input, *given, factor=factor, eps=eps)
    if eps <= 0:
        raise ArgumentError(f"batch_norm: expected eps above 0 in training, got {eps}")
    count = x.size // max(channels, 1)
    if not x.size:
        out = _affine(input, weight, bias, factor)
        if residual is not None:
            return add_relu(out, residual)
        return relu(out) if then_relu else out
    if count == 1:
        raise ArgumentError(
            "batch_norm: expected more than one value per channel in training, got "
            f"{describe(input)}"
        )
    how = {"then_relu": then_relu, "residual": residual}
    out, mean, var = _normalize(input, weight, bias, factor, axes, eps, **how)
    if running_mean is not None:
        update_running(running_mean, mean.array, momentum)
    if running_var is not None:
        update_running(running_var, var.array, momentum, count / (count - 1))
    return out


def standardize(input, mean, std, scale=1.0):
    """(input * scale - mean) / std in one pass, in the dtype of mean and std, which broadcast.

    The input may be of integers. There are gradients by the input alone.

    >>> picture = tallow.tensor([0, 255], dtype=tallow.uint8)
    >>> half = tallow.tensor(0.5)
    >>> tallow.nn.utils.standardize(picture, half, half, scale=1 / 255)
    tensor([-1.,  1.])
    """
    return standardize_op(input, mean, std, scale=scale)


@backend.there
def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
    momentum=0.1, eps=1e-05,
):  # fmt: skip
    """Each channel of each sample of (N, C, ...) normalised over its positions.

    https://arxiv.org/abs/1607.08022
    """
    floats("instance_norm", input)
    x = input.array
    if x.ndim < 3:
        raise ShapeError(
            f"instance_norm: expected input (N, C, ...) with positions, got {describe(input)}"
        )
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    count, channels = prod(x.shape[2:]), x.shape[1]
    if count <= 1:
        raise ArgumentError(
            f"instance_norm: expected more than one position, got {describe(input)}"
        )
    factor = (1, channels, *(1,) * (x.ndim - 2))
    _check("instance_norm", input, weight, bias)
    out, mean, var = _normalize(input, weight, bias, factor, tuple(range(2, x.ndim)), eps)
    if running_mean is not None:
        update_running(running_mean, mean.array.mean(axis=0), momentum)
    if running_var is not None:
        update_running(running_var, var.array.mean(axis=0) * (count / (count - 1)), momentum)
    return out


def _last_axes(name, input, normalized_shape, *parameters):
    """The shape that `normalized_shape` names, with 1 before it, and its axes; all must have it."""
    floats(name, input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    ndim = input.array.ndim
    if not shape or input.array.shape[-len(shape) :] != shape:
        expected = ", ".join(map(str, ("...", *shape)))
        raise ShapeError(f"{name}: expected input ({expected}), got {describe(input)}")
    for parameter in parameters:
        if parameter is not None and parameter.array.shape != shape:
            raise ShapeError(f"{name}: expected weight and bias {shape}, got {describe(parameter)}")
    leading = ndim - len(shape)
    return (1,) * leading + shape, tuple(range(leading, ndim))


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """The last dims, `normalized_shape`, at mean 0 and variance 1, times weight, plus bias.

    https://arxiv.org/abs/1607.06450

    >>> tallow.nn.functional.layer_norm(tallow.tensor([[1.0, 3.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.]])
    """
    factor, axes = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    return _normalize(input, weight, bias, factor, axes, eps)[0]


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """The last dims divided by the root of their mean square, times weight.

    https://arxiv.org/abs/1910.07467

    eps None is the smallest difference from 1 of the input's dtype.
    """
    factor, axes = _last_axes("rms_norm", input, normalized_shape, weight)
    eps = finfo(input.dtype).eps if eps is None else eps
    return _normalize(input, weight, None, factor, axes, eps, centre=False)[0]


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """Groups of channels of each sample of (N, C, ...), normalised.

    https://arxiv.org/abs/1803.08494
    """
    floats("group_norm", input)
    shape = input.array.shape
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: expected input (N, C, ...) with C divided by {num_groups} groups, got "
            f"{describe(input)}"
        )
    grouped = (shape[0], num_groups, shape[1] // num_groups, *shape[2:])
    factor = (1, num_groups, grouped[2], *(1,) * (len(shape) - 2))
    _check("group_norm", input, weight, bias)
    parts = reshape(input, shape=grouped)
    out = _normalize(parts, weight, bias, factor, tuple(range(2, len(grouped))), eps)[0]
    return reshape(out, shape=shape)


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """input / (k + alpha * mean of squares of `size` channels around) ** beta: (N, C, ...)."""
    shape = input.array.shape
    if len(shape) < 3:
        raise ArgumentError(
            f"local_response_norm: expected input (N, C, ...), got {describe(input)}"
        )
    squares = (input * input).reshape(shape[0], 1, shape[1], prod(shape[2:]))
    squares = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    count = (shape[1], squares.array.shape[3])
    total = pool_sum(squares, kernel=(size, 1), stride=(1, 1), padding=(0, 0), count=count)
    return input / (total.reshape(*shape) * (alpha / size) + k) ** beta


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """input / max(norm, eps), the p-norm along `dim`."""
    return give(input / input.norm(p, dim, keepdim=True).clamp(min=eps), out, "normalize")
