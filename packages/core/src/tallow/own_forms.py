"""Functions of torch's own namespace that nn.functional's call, with other arguments than those.

Programs that know PyTorch's operators name them (`torch.batch_norm` with the weight first,
`torch.grid_sampler` with numbers for modes, `torch.native_layer_norm`, which also gives what it
saves). Each is a few words about the function of `nn.functional` that does the work.
"""

import math as numbers
from functools import partial

import tallow.nn.functional as F
import tallow.ops.rnn as ops
from tallow import joining, math, shaping
from tallow.autograd.modes import no_grad
from tallow.elementwise import named
from tallow.errors import ArgumentError, describe
from tallow.nn.functional.rnn import run_layers
from tallow.promotion import axis_of, to_dtype
from tallow.tensor import Tensor

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


def segment_reduce(
    data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None
):  # fmt: skip
    """Each segment along `axis` reduced to one: by "sum", "mean", "max", "min" or "prod".

    Segments are told by their `lengths` (..., segments), or by `offsets` (..., segments + 1), with
    the dims before `axis` in front. An empty one is `initial`, or 0, NaN, -inf, inf or 1.

    >>> x = tallow.tensor([1.0, 2.0, 4.0])
    >>> tallow.segment_reduce(x, "max", lengths=tallow.tensor([2, 1]))
    tensor([2., 4.])
    """
    empty = {"sum": 0.0, "mean": numbers.nan, "max": -numbers.inf, "min": numbers.inf, "prod": 1.0}
    if reduce not in empty:
        raise ArgumentError(f"segment_reduce: expected {', '.join(empty)}, got {reduce!r}")
    if (lengths is None) == (offsets is None):
        raise ArgumentError("segment_reduce: expected lengths or offsets, and not both")
    lengths = offsets.diff() if lengths is None else lengths
    axis = axis_of("segment_reduce", axis, data.array.ndim)
    if not unsafe and (lengths.sum(-1) != data.array.shape[axis]).any() or (lengths < 0).any():
        raise ArgumentError(
            f"segment_reduce: expected lengths of {data.array.shape[axis]} together along dim "
            f"{axis}, got {lengths.tolist()}"
        )
    rows = shaping.reshape(data, -1, *data.array.shape[axis:])
    found = [
        _reduced(part, reduce, empty[reduce] if initial is None else initial)
        for row, counts in zip(rows, lengths.reshape(-1, lengths.array.shape[-1]), strict=True)
        for part in row.split(counts.tolist())
    ]
    return joining.stack(found).reshape(*lengths.array.shape, *data.array.shape[axis + 1 :])


def _reduced(part, reduce, initial):
    """A segment (n, ...) as one."""
    count = part.array.shape[0]
    if not count:
        return part.new_full(part.array.shape[1:], initial)
    if reduce == "mean":
        start = 0 if initial != initial else initial
        return (part.sum(0) + start) / count
    if reduce in ("max", "min"):
        return getattr(part, f"a{reduce}")(0).clamp(
            **{"min" if reduce == "max" else "max": initial}
        )
    return part.sum(0) + initial if reduce == "sum" else part.prod(0) * initial


def conv_tbc(input, weight, bias, pad=0):
    """A convolution of (T, N, C) with weights (k, C, out): `conv1d` of other dims."""
    kernel = weight.permute(2, 1, 0)
    return F.conv1d(input.permute(1, 2, 0), kernel, bias, padding=pad).permute(2, 0, 1)


# Recurrent layers and their cells, with weights in lists


def _layers(name, step, several):
    def function(input, *arguments):
        given = arguments[0] if several else arguments[1]
        packed = isinstance(given, Tensor)
        if packed:
            sizes, hx, *others = arguments
            batch_first, batch_sizes = False, tuple(sizes.tolist())
        else:
            hx, *others, batch_first = arguments
            input = input.transpose(0, 1) if batch_first else input
            steps, batch, width = input.array.shape
            input, batch_sizes = input.reshape(-1, width), (batch,) * steps
        params, has_biases, layers, dropout, train, bidirectional = others
        weights = _by_layer(params, has_biases, layers * (2 if bidirectional else 1), several)
        out, last = run_layers(
            step, input, list(hx) if several else [hx], weights, batch_sizes,
            bidirectional=bidirectional, dropout_p=dropout, training=train,
        )  # fmt: skip
        if not packed:
            out = out.reshape(steps, batch, -1)
        return (out.transpose(0, 1) if batch_first else out, *last)

    doc = (
        f"`nn.{name}` as a function: (input, hx, params, has_biases, num_layers, dropout, train, "
        "bidirectional, batch_first), or for packed sequences (data, batch_sizes, hx, params, ..., "
        "bidirectional). Returns the output and the last states."
    )
    return named(function, name.lower(), doc)


def _by_layer(params, has_biases, count, several):
    """The weights of each layer and direction, with None for biases and a projection not there."""
    each, found = len(params) // count, []
    for i in range(0, len(params), each):
        own = list(params[i : i + each])
        biases = own[2:4] if has_biases else [None, None]
        rest = own[4:] if has_biases else own[2:]
        found.append((*own[:2], *biases, *((rest or [None]) if several else ())))
    return found


def _cell(name, step, several):
    def function(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
        states = list(hx) if several else [hx]
        more = [None] if several else []
        how = {"batch_sizes": (input.array.shape[0],), "reverse": False}
        out = step(input, *states, w_ih, w_hh, b_ih, b_hh, *more, **how)
        return tuple(out[1:3]) if several else out[1]

    return named(function, name, f"One step, as `nn`'s cell takes it, with weights given: {name}.")


rnn_tanh, rnn_relu = (
    _layers(name, partial(ops.rnn, relu=name == "RNN_relu"), False)
    for name in ("RNN_tanh", "RNN_relu")
)
lstm, gru = _layers("LSTM", ops.lstm, True), _layers("GRU", ops.gru, False)
rnn_tanh_cell = _cell("rnn_tanh_cell", partial(ops.rnn, relu=False), False)
rnn_relu_cell = _cell("rnn_relu_cell", partial(ops.rnn, relu=True), False)
lstm_cell, gru_cell = _cell("lstm_cell", ops.lstm, True), _cell("gru_cell", ops.gru, False)
