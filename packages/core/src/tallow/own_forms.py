"""Functions of torch's own namespace that nn.functional's call, with other arguments than those.

Programs that know PyTorch's operators name them (`torch.batch_norm` with the weight first,
`torch.grid_sampler` with numbers for modes, `torch.native_layer_norm`, which also gives what it
saves). Each is a few words about the function of `nn.functional` that does the work.
"""

import tallow.nn.functional as F
from tallow import joining, math, shaping
from tallow.autograd.modes import no_grad
from tallow.errors import ArgumentError, describe
from tallow.promotion import axis_of, to_dtype

REDUCTIONS = ("none", "mean", "sum")
SAMPLING = ("bilinear", "nearest", "bicubic")
PADDING = ("zeros", "border", "reflection")


def _named(name, number, names):
    """The word that PyTorch's operators have a number for."""
    if number not in range(len(names)):
        raise ArgumentError(f"{name}: expected a number from 0 to {len(names) - 1}, got {number}")
    return names[number]


# Losses, with a number for the reduction: 0 none (as PyTorch has it here), 1 the mean, 2 the sum


def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=0):
    """`nn.functional.binary_cross_entropy_with_logits`, reduction a number."""
    reduction = _named("binary_cross_entropy_with_logits", reduction, REDUCTIONS)
    return F.binary_cross_entropy_with_logits(
        input, target, weight, pos_weight=pos_weight, reduction=reduction
    )


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=0):
    """`nn.functional.cosine_embedding_loss`, reduction a number."""
    reduction = _named("cosine_embedding_loss", reduction, REDUCTIONS)
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=reduction)


def ctc_loss(
    log_probs, targets, input_lengths, target_lengths, blank=0, reduction=0, zero_infinity=False
):
    """`nn.functional.ctc_loss`, reduction a number."""
    reduction = _named("ctc_loss", reduction, REDUCTIONS)
    return F.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity
    )


def hinge_embedding_loss(input, target, margin=1.0, reduction=0):
    """`nn.functional.hinge_embedding_loss`, reduction a number."""
    reduction = _named("hinge_embedding_loss", reduction, REDUCTIONS)
    return F.hinge_embedding_loss(input, target, margin, reduction=reduction)


def kl_div(input, target, reduction=0, *, log_target=False):
    """`nn.functional.kl_div`, reduction a number."""
    reduction = _named("kl_div", reduction, REDUCTIONS)
    losses = F.kl_div(input, target, reduction="none", log_target=log_target)
    return losses if reduction == "none" else getattr(losses, reduction)()


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction=0):
    """`nn.functional.margin_ranking_loss`, reduction a number."""
    reduction = _named("margin_ranking_loss", reduction, REDUCTIONS)
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=reduction)


def poisson_nll_loss(input, target, log_input, full, eps, reduction):
    """`nn.functional.poisson_nll_loss`, reduction a number."""
    reduction = _named("poisson_nll_loss", reduction, REDUCTIONS)
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=reduction)


def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=0
):
    """`nn.functional.triplet_margin_loss`, reduction a number."""
    reduction = _named("triplet_margin_loss", reduction, REDUCTIONS)
    return F.triplet_margin_loss(
        anchor, positive, negative, margin, p, eps, swap, reduction=reduction
    )


# Normalisation, with the parameters before the running statistics


def batch_norm(
    input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True
):
    """`nn.functional.batch_norm`, in another order."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps,
    cudnn_enabled=True,
):  # fmt: skip
    """`nn.functional.instance_norm`, in another order."""
    return F.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def _statistics(x, dims, eps, shape):
    """The mean and 1 / sqrt(variance + eps) over dims, without history."""
    with no_grad():
        wide = x if x.dtype.itemsize > 2 else x.float()
        mean, scale = wide.mean(dims), math.rsqrt(wide.var(dims, correction=0) + eps)
        return mean.reshape(shape).to(x.dtype), scale.reshape(shape).to(x.dtype)


def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """(`batch_norm`, mean, 1 / sqrt(var + eps)): the last two of the batch, empty in evaluation."""
    out = F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        return out, input.new_empty(0), input.new_empty(0)
    dims = (0, *range(2, input.array.ndim))
    return out, *_statistics(input, dims, eps, (input.array.shape[1],))


def _native_batch_norm_legit(input, weight, bias, *others):
    """`native_batch_norm`, also without running statistics: (..., training, momentum, eps)."""
    if len(others) == 3:
        others = (None, None, *others)
    return native_batch_norm(input, weight, bias, *others)


def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(`layer_norm`, mean, 1 / sqrt(var + eps)), the last two with sizes of 1 for its dims."""
    out = F.layer_norm(input, normalized_shape, weight, bias, eps)
    leading = input.array.ndim - len(normalized_shape)
    shape = input.array.shape[:leading] + (1,) * len(normalized_shape)
    return out, *_statistics(input, tuple(range(leading, input.array.ndim)), eps, shape)


def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """(`group_norm`, mean, 1 / sqrt(var + eps)), the last two (N, group)."""
    out = F.group_norm(input, group, weight, bias, eps)
    parts = shaping.reshape(input, N, group, C // group * HxW)
    return out, *_statistics(parts, 2, eps, (N, group))


def native_dropout_backward(grad_output, mask, scale):
    """The gradient of dropout: the gradient where `mask` kept, times `scale`."""
    return grad_output * mask * scale


def _softmax_backward_data(grad_output, output, dim, input_dtype):
    """The gradient of softmax along a dim, from its output."""
    weighted = grad_output * output
    return to_dtype(weighted - output * weighted.sum(dim, keepdim=True), input_dtype)


# Tables, padding, sampling


def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """`nn.functional.embedding`, the table first; padding_idx -1 is none."""
    padding_idx = None if padding_idx == -1 else padding_idx
    return F.embedding(indices, weight, padding_idx, None, 2.0, scale_grad_by_freq, sparse)


def constant_pad_nd(input, pad, value=0):
    """`nn.functional.pad` with a value: widths for the last dim first."""
    return F.pad(input, tuple(pad), "constant", value)


def affine_grid_generator(theta, size, align_corners):
    """`nn.functional.affine_grid`."""
    return F.affine_grid(theta, size, align_corners)


def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """`nn.functional.grid_sample`: 0 bilinear, 1 nearest, 2 bicubic; 0 zeros, 1 border, 2 reflect.

    >>> image, centre = tallow.ones(1, 1, 2, 2), tallow.zeros(1, 1, 1, 2)
    >>> tallow.grid_sampler(image, centre, 0, 0, True)
    tensor([[[[1.]]]])
    """
    mode = _named("grid_sampler", interpolation_mode, SAMPLING)
    return F.grid_sample(
        input, grid, mode, _named("grid_sampler", padding_mode, PADDING), align_corners
    )


grid_sampler_2d = grid_sampler_3d = grid_sampler
native_channel_shuffle = F.channel_shuffle


def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """`nn.functional.conv1d` to `conv3d`, or `conv_transpose1d` to 3d, by the weight's dims."""
    n = weight.array.ndim - 2
    if n not in (1, 2, 3):
        raise ArgumentError(f"convolution: expected 1 to 3 dims of space, got {describe(weight)}")
    how = [tuple(x) * (n if len(x) == 1 else 1) for x in (stride, padding, dilation)]
    if not transposed:
        return getattr(F, f"conv{n}d")(input, weight, bias, *how, groups)
    stride, padding, dilation = how
    function = getattr(F, f"conv_transpose{n}d")
    return function(input, weight, bias, stride, padding, output_padding, groups, dilation)


# Parts of others


def _chunk_cat(tensors, dim, num_chunks, *, out=None):
    """Tensors cut in `num_chunks` along `dim`, padded with 0, flattened from there, and joined.

    The result has `num_chunks` elements along `dim`, and one dim after it.
    """
    if num_chunks < 1:
        raise ArgumentError(f"_chunk_cat: expected num_chunks of 1 or more, got {num_chunks}")
    parts = []
    for x in tensors:
        if dim >= x.array.ndim or not x.array.size:
            raise ArgumentError(f"_chunk_cat: expected elements in dim {dim}, got {describe(x)}")
        axis = axis_of("_chunk_cat", dim, x.array.ndim)
        shape = list(x.array.shape)
        shape[axis] = -shape[axis] % num_chunks
        padded = joining.cat([x, x.new_zeros(shape)], axis)
        parts.append(padded.reshape(*shape[:axis], num_chunks, -1))
    return joining.cat(parts, -1, out=out)


def _unsafe_masked_index(input, mask, indices, fill):
    """input[indices] where the mask is True, else `fill`; there indices may be out of range."""
    return input[_within(input, indices)].masked_fill(~mask, fill)


def _unsafe_masked_index_put_accumulate(input, mask, indices, values):
    """input with values added at the indices where the mask is True; there they are in range."""
    places = _within(input, indices)
    return input.index_put(places, values.masked_fill(~mask, 0), accumulate=True)


def _within(input, indices):
    """Indices moved into the range of what they index."""
    return tuple(
        slice(None) if index is None else index.clamp(-size, size - 1)
        for index, size in zip(indices, input.array.shape, strict=False)
    )
