"""ONNX's operators, computed by tallow: `RUNNERS[kind](*inputs, **attributes)`.

Inputs that are left out are None. https://onnx.ai/onnx/operators/ says what each does. Older forms,
with axes and limits as attributes, are understood as well.
"""

import math
from functools import reduce

from tallow import creation, dtypes
from tallow.errors import NotSupportedError
from tallow.joining import cat
from tallow.math import where
from tallow.nn import functional as F
from tallow.ops import rnn as ops
from tallow.products import einsum
from tallow.tensor import Tensor

RUNNERS = {}


def runs(*kinds):
    """Decorator: what runs operators."""

    def register(runner):
        RUNNERS.update(dict.fromkeys(kinds, runner))
        return runner

    return register


# Methods of tensors that are the operator

_METHODS = """
    Abs=abs Acos=acos Acosh=acosh Add=add Asin=asin Asinh=asinh Atan=atan Atanh=atanh
    BitwiseAnd=bitwise_and BitwiseNot=bitwise_not BitwiseOr=bitwise_or BitwiseXor=bitwise_xor
    Ceil=ceil Cos=cos Cosh=cosh Equal=eq Erf=erf Exp=exp Floor=floor Greater=gt GreaterOrEqual=ge
    IsNaN=isnan Less=lt LessOrEqual=le Log=log MatMul=matmul Mul=mul Neg=neg Not=logical_not
    And=logical_and Or=logical_or Xor=logical_xor Reciprocal=reciprocal Relu=relu Round=round
    Sigmoid=sigmoid Sign=sign Sin=sin Sinh=sinh Sqrt=sqrt Sub=sub Tan=tan Tanh=tanh
"""
for _pair in _METHODS.split():
    _kind, _, _name = _pair.partition("=")
    RUNNERS[_kind] = getattr(Tensor, _name)

RUNNERS |= {
    "Identity": lambda x: x,
    "Dropout": lambda x, ratio=None, training=None, **how: x,
    "Where": where,
    "Max": lambda *xs: reduce(Tensor.maximum, xs),
    "Min": lambda *xs: reduce(Tensor.minimum, xs),
    "Sum": lambda *xs: reduce(Tensor.add, xs),
    "Pow": lambda x, y: x.pow(y).to(x.dtype),
    "Cast": lambda x, to, saturate=1, round_mode="up": x.to(to),
    "CastLike": lambda x, other, saturate=1, round_mode="up": x.to(other.dtype),
    "Einsum": lambda *xs, equation: einsum(equation, *xs),
    "NonZero": lambda x: x.nonzero().T,
    "Size": lambda x: creation.tensor(x.numel()),
    "Swish": lambda x, alpha=1.0: x * (x * alpha).sigmoid(),
    "ThresholdedRelu": lambda x, alpha=1.0: F.threshold(x, alpha, 0.0),
    "Concat": lambda *xs, axis: cat(xs, axis),
    "Constant": lambda value=None, **other: value if value is not None else _constant(**other),
    "Expand": lambda x, shape: x * creation.ones(shape.tolist(), dtype=x.dtype, device=x.device),
    "Flatten": lambda x, axis=1: x.reshape(math.prod(x.shape[:axis]), -1),
    "Tile": lambda x, repeats: x.repeat(*repeats.tolist()),
    "Transpose": lambda x, perm=None: x.permute(*(perm or reversed(range(x.ndim)))),
    "Trilu": lambda x, k=None, upper=1: (x.triu if upper else x.tril)(0 if k is None else int(k)),
    "GatherElements": lambda x, index, axis=0: x.gather(axis, index),
    "Softmax": lambda x, axis=-1: x.softmax(axis),
    "LogSoftmax": lambda x, axis=-1: x.log_softmax(axis),
    "LeakyRelu": lambda x, alpha=0.01: F.leaky_relu(x, alpha),
    "Elu": lambda x, alpha=1.0: F.elu(x, alpha),
    "Celu": lambda x, alpha=1.0: F.celu(x, alpha),
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Mish": F.mish,
    "HardSwish": F.hardswish,
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: (x * alpha + beta).clamp(0, 1),
    "Gelu": lambda x, approximate="none": F.gelu(x, approximate=approximate),
    "PRelu": lambda x, slope: where(x > 0, x, x * slope),
    "GlobalAveragePool": lambda x: x.mean(tuple(range(2, x.ndim)), keepdim=True),
    "GlobalMaxPool": lambda x: x.amax(tuple(range(2, x.ndim)), keepdim=True),
    "InstanceNormalization": lambda x, weight, bias, epsilon=1e-5: F.instance_norm(
        x, None, None, weight, bias, eps=epsilon
    ),
    "GroupNormalization": lambda x, weight, bias, num_groups, epsilon=1e-5, **how: F.group_norm(
        x, num_groups, weight, bias, epsilon
    ),
    "Range": lambda start, limit, delta, stash_type=1: creation.arange(
        start.item(), limit.item(), delta.item(), dtype=start.dtype
    ),
}


def _constant(value_int=None, value_ints=None, value_float=None, value_floats=None):
    ints = value_ints if value_int is None else value_int
    if ints is not None:
        return creation.tensor(ints, dtype=dtypes.int64)
    return creation.tensor(value_floats if value_float is None else value_float)


# Elements


@runs("Div")
def _(x, y):
    return x / y if x.dtype.is_floating_point else x.div(y, rounding_mode="trunc")


@runs("Mod")
def _(x, y, fmod=0):
    return x.fmod(y) if fmod else x.remainder(y)


@runs("Clip")
def _(x, low=None, high=None, min=None, max=None):
    low, high = (min if low is None else low), (max if high is None else high)
    return x if low is high is None else x.clamp(low, high)


@runs("IsInf")
def _(x, detect_negative=1, detect_positive=1):
    found = x.isinf()
    found = found if detect_negative else found & (x > 0)
    return found if detect_positive else found & (x < 0)


@runs("Selu")
def _(x, alpha=1.6732632, gamma=1.0507009):
    return F.elu(x, alpha) * gamma


@runs("Shrink")
def _(x, bias=0.0, lambd=0.5):
    return where(x > lambd, x - bias, where(x < -lambd, x + bias, x * 0))


# Reductions


def _reduces(compute):
    def runner(x, axes=None, keepdims=1, noop_with_empty_axes=0):
        axes = _integers(axes)
        if not axes and noop_with_empty_axes:
            return x
        return compute(x, tuple(axes) if axes else tuple(range(x.ndim)), bool(keepdims))

    return runner


def _product(x, axes, keep):
    for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


RUNNERS |= {
    f"Reduce{name}": _reduces(compute)
    for name, compute in {
        "Sum": Tensor.sum, "Mean": Tensor.mean, "Max": Tensor.amax, "Min": Tensor.amin,
        "LogSumExp": Tensor.logsumexp, "Prod": _product,
        "L1": lambda x, axes, keep: x.abs().sum(axes, keep),
        "L2": lambda x, axes, keep: x.square().sum(axes, keep).sqrt(),
        "SumSquare": lambda x, axes, keep: x.square().sum(axes, keep),
    }.items()
}  # fmt: skip


@runs("ArgMax")
def _(x, axis=0, keepdims=1, select_last_index=0):
    return x.argmax(axis, bool(keepdims))


@runs("ArgMin")
def _(x, axis=0, keepdims=1, select_last_index=0):
    return x.argmin(axis, bool(keepdims))


@runs("CumSum")
def _(x, axis, exclusive=0, reverse=0):
    if exclusive or reverse:
        raise NotSupportedError("CumSum: expected a sum forwards, up to each element, got another")
    return x.cumsum(int(axis))


# Shapes


def _integers(x):
    """A tensor of integers, or a list, as a list; None as it is."""
    return x.tolist() if isinstance(x, Tensor) else x


@runs("Shape")
def _(x, start=0, end=None):
    return creation.tensor(list(x.shape)[start:end], dtype=dtypes.int64)


@runs("Reshape")
def _(x, shape, allowzero=0):
    sizes = shape.tolist()
    if not allowzero:
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return x.reshape(sizes)


@runs("Squeeze")
def _(x, axes=None):
    axes = _integers(axes)
    return x.squeeze() if axes is None else x.squeeze(tuple(axes))


@runs("Unsqueeze")
def _(x, axes):
    axes = _integers(axes)
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


@runs("Slice")
def _(x, starts, ends, axes=None, steps=None):
    starts, ends = _integers(starts), _integers(ends)
    axes = _integers(axes) or list(range(len(starts)))
    steps = _integers(steps) or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = range(x.shape[axis])[slice(start, end, step)]
        if step > 0:
            x = x.narrow(axis, places.start, max(0, places.stop - places.start))
            x = x[(slice(None),) * (axis % x.ndim) + (slice(None, None, step),)]
        else:
            x = x.index_select(axis, creation.tensor(list(places), dtype=dtypes.int64))
    return x


@runs("Split")
def _(x, split=None, axis=0, num_outputs=None):
    sizes = _integers(split)
    size = x.shape[axis]
    return x.split(sizes if sizes else -(-size // num_outputs), axis)


@runs("Pad")
def _(x, pads, value=None, axes=None, mode="constant"):
    axes = [axis % x.ndim for axis in _integers(axes) or range(x.ndim)]
    pads = _integers(pads)
    widths = [0] * (2 * x.ndim)
    for i, axis in enumerate(axes):
        at = 2 * (x.ndim - 1 - axis)
        widths[at : at + 2] = pads[i], pads[i + len(axes)]
    if mode == "constant":
        return F.pad(x, widths, value=0 if value is None else value.item())
    while widths[-2:] == [0, 0]:
        widths = widths[:-2]
    return F.pad(x, widths, {"edge": "replicate", "wrap": "circular"}.get(mode, mode))


@runs("TopK")
def _(x, k, axis=-1, largest=1, sorted=1):
    return tuple(x.topk(int(k), axis, bool(largest), bool(sorted)))


@runs("OneHot")
def _(indices, depth, values, axis=-1):
    depth, (off, on) = int(depth), values.unbind()
    places = creation.arange(depth, device=indices.device)
    shape = [1] * (indices.ndim + 1)
    shape[axis] = depth
    return where((indices % depth).unsqueeze(axis) == places.reshape(shape), on, off)


@runs("DepthToSpace")
def _(x, blocksize, mode="DCR"):
    if mode == "CRD":
        return F.pixel_shuffle(x, blocksize)
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, blocksize, blocksize, -1, height, width)
    return parts.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * blocksize, width * blocksize)


@runs("SpaceToDepth")
def _(x, blocksize):
    batch, channels, height, width = x.shape
    height, width = height // blocksize, width // blocksize
    parts = x.reshape(batch, channels, height, blocksize, width, blocksize)
    return parts.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, height, width)


@runs("ConstantOfShape")
def _(shape, value=None):
    value = creation.zeros(1) if value is None else value
    return creation.full(shape.tolist(), value.item(), dtype=value.dtype)


@runs("Gather")
def _(x, index, axis=0):
    axis %= x.ndim
    index = where(index < 0, index + x.shape[axis], index)
    taken = x.index_select(axis, index.reshape(-1))
    return taken.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


@runs("GatherND")
def _(x, index, batch_dims=0):
    if batch_dims:
        raise NotSupportedError(f"GatherND: expected batch_dims 0, got {batch_dims}")
    return x[tuple(index.unbind(-1))]


@runs("ScatterND")
def _(x, index, updates, reduction="none"):
    if reduction not in ("none", "add"):
        raise NotSupportedError(f"ScatterND: expected no reduction or add, got {reduction}")
    return x.index_put(tuple(index.unbind(-1)), updates, accumulate=reduction == "add")


@runs("ScatterElements")
def _(x, index, updates, axis=0, reduction="none"):
    if reduction != "none":
        raise NotSupportedError(f"ScatterElements: expected no reduction, got {reduction}")
    return x.scatter(axis, index, updates)


# Layers


@runs("Gemm")
def _(x, y, bias=None, alpha=1.0, beta=1.0, transA=0, transB=0):
    out = (x.T if transA else x) @ (y.T if transB else y)
    out = out if alpha == 1 else out * alpha
    return out if bias is None else out + (bias if beta == 1 else bias * beta)


def _even(x, n, pads, auto_pad, value=0.0):
    """The input and what is left to pad on both sides, where `pads` differ before and behind."""
    if auto_pad not in ("NOTSET", "VALID"):
        raise NotSupportedError(f"expected explicit padding, got {auto_pad}")
    pads = pads or [0] * (2 * n)
    before, after = pads[:n], pads[n:]
    if before == after:
        return x, before
    widths = [n for pair in zip(before[::-1], after[::-1], strict=True) for n in pair]
    return F.pad(x, widths, value=value), [0] * n


@runs("Conv")
def _(
    x, weight, bias=None, kernel_shape=None, strides=None, pads=None, dilations=None, group=1,
    auto_pad="NOTSET",
):  # fmt: skip
    n = x.ndim - 2
    x, padding = _even(x, n, pads, auto_pad)
    conv = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
    return conv(x, weight, bias, strides or 1, padding, dilations or 1, group)


@runs("ConvTranspose")
def _(
    x, weight, bias=None, kernel_shape=None, strides=None, pads=None, dilations=None, group=1,
    output_padding=None, output_shape=None, auto_pad="NOTSET",
):  # fmt: skip
    n = x.ndim - 2
    if output_shape or auto_pad not in ("NOTSET", "VALID"):
        raise NotSupportedError("ConvTranspose: expected explicit padding, got the output's shape")
    if pads and pads[:n] != pads[n:]:
        raise NotSupportedError(f"ConvTranspose: expected the same padding on both sides: {pads}")
    conv = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]
    padding = pads[:n] if pads else 0
    more = output_padding or 0
    return conv(x, weight, bias, strides or 1, padding, more, group, dilations or 1)


@runs("MaxPool")
def _(
    x, kernel_shape, strides=None, pads=None, dilations=None, ceil_mode=0, storage_order=0,
    auto_pad="NOTSET",
):  # fmt: skip
    n = x.ndim - 2
    x, padding = _even(x, n, pads, auto_pad, -math.inf)
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[n - 1]
    strides = strides or [1] * n
    return pool(x, kernel_shape, strides, padding, dilations or 1, bool(ceil_mode))


@runs("AveragePool")
def _(
    x, kernel_shape, strides=None, pads=None, ceil_mode=0, count_include_pad=0, dilations=None,
    auto_pad="NOTSET",
):  # fmt: skip
    n = x.ndim - 2
    if dilations and set(dilations) != {1}:
        raise NotSupportedError(f"AveragePool: expected no dilation, got {dilations}")
    even, padding = _even(x, n, pads, auto_pad)
    if even is not x and not count_include_pad:
        raise NotSupportedError(f"AveragePool: expected the same padding on both sides, got {pads}")
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[n - 1]
    strides = strides or [1] * n
    return pool(even, kernel_shape, strides, padding, bool(ceil_mode), bool(count_include_pad))


@runs("BatchNormalization")
def _(x, weight, bias, mean, variance, epsilon=1e-5, momentum=0.9, training_mode=0, spatial=1):
    if training_mode:
        raise NotSupportedError("BatchNormalization: expected evaluation, got training_mode")
    return F.batch_norm(x, mean, variance, weight, bias, eps=epsilon)


@runs("LayerNormalization")
def _(x, weight, bias=None, axis=-1, epsilon=1e-5, stash_type=1):
    return F.layer_norm(x, tuple(x.shape[axis:]), weight, bias, epsilon)


@runs("RMSNormalization")
def _(x, weight, axis=-1, epsilon=1e-5, stash_type=1):
    return F.rms_norm(x, x.shape[axis % x.ndim :], weight, epsilon)


@runs("GridSample")
def _(x, grid, mode="linear", padding_mode="zeros", align_corners=0):
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    return F.grid_sample(x, grid, mode, padding_mode, bool(align_corners))


@runs("LRN")
def _(x, size, alpha=1e-4, beta=0.75, bias=1.0):
    if size % 2 == 0:
        raise NotSupportedError(f"LRN: expected an odd size, got {size}")
    return F.local_response_norm(x, size, alpha, beta, bias)


@runs("Resize")
def _(
    x, roi=None, scales=None, sizes=None, mode="nearest",
    coordinate_transformation_mode="half_pixel", nearest_mode="round_prefer_floor", **how,
):  # fmt: skip
    """As PyTorch's export writes interpolate."""
    spatial = x.ndim - 2
    if sizes is not None:
        size = sizes.tolist()[2:]
    else:
        size = [math.floor(n * s) for n, s in zip(x.shape[2:], scales.tolist()[2:], strict=True)]
    place = coordinate_transformation_mode
    if mode == "nearest" and place == "asymmetric" and nearest_mode == "floor":
        return F.interpolate(x, size)
    kinds = {"linear": ("linear", "bilinear", "trilinear")[spatial - 1], "cubic": "bicubic"}
    if mode not in kinds or place not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise NotSupportedError(f"Resize: expected nearest, linear or cubic, got {mode}, {place}")
    return F.interpolate(x, size, mode=kinds[mode], align_corners=place == "align_corners")


# Recurrent layers


def _layer(step, order, x, w, r, b, lengths, states, direction, layout, options):
    """All steps of x (L, N, input), in one direction or both: Y (L, directions, N, H), and ends."""
    if lengths is not None or layout:
        raise NotSupportedError("a recurrent layer: expected sequences of one length, steps first")
    length, batch, _ = x.shape
    rows, sizes = x.reshape(length * batch, -1), (batch,) * length
    outputs, last = [], []
    for k in range(len(w)):
        reverse = direction == "reverse" or k == 1
        zeros = x.new_zeros(batch, r.shape[2])
        first = [zeros if state is None else state[k] for state in states]
        weights = [_ordered(m[k], order) for m in (w, r)]
        biases = [None, None] if b is None else [_ordered(v, order) for v in b[k].chunk(2)]
        how = {**options, "batch_sizes": sizes, "reverse": reverse}
        out, *ends = step(rows, *first, *weights, *biases, **how)
        outputs.append(out.reshape(length, 1, batch, -1))
        last.append(ends[: len(states)])
    ends = [cat([end[None] for end in kind]) for kind in zip(*last, strict=True)]
    return cat(outputs, 1), *ends


def _only(layer, activations, usual, **others):
    """Refuse what recurrent layers seldom have: other activations, bounds, gates that are tied."""
    if activations not in (None, usual, usual * 2):
        raise NotSupportedError(f"{layer}: expected activations {usual}, got {activations}")
    for name, value in others.items():
        if value:
            raise NotSupportedError(f"{layer}: expected no {name}, got {value}")


def _ordered(weight, order):
    parts = weight.chunk(len(order))
    return cat([parts[i] for i in order])


@runs("RNN")
def _(
    x, w, r, b=None, lengths=None, h=None, *, hidden_size=None, direction="forward", layout=0,
    activations=None, activation_alpha=None, activation_beta=None, clip=None,
):  # fmt: skip
    _only("RNN", None, [], clip=clip)
    kinds = set(activations or ["Tanh"])
    if kinds not in ({"Tanh"}, {"Relu"}):
        raise NotSupportedError(f"RNN: expected activations Tanh or Relu, got {activations}")
    options = {"relu": kinds == {"Relu"}}
    return _layer(ops.rnn, [0], x, w, r, b, lengths, [h], direction, layout, options)


@runs("LSTM")
def _(
    x, w, r, b=None, lengths=None, h=None, c=None, peepholes=None, *, hidden_size=None,
    direction="forward", layout=0, activations=None, activation_alpha=None, activation_beta=None,
    clip=None, input_forget=0,
):  # fmt: skip
    _only("LSTM", activations, ["Sigmoid", "Tanh", "Tanh"], clip=clip, input_forget=input_forget)
    if peepholes is not None:
        raise NotSupportedError("LSTM: expected no peepholes, got them")

    def step(x, h, c, *weights, **how):
        return ops.lstm(x, h, c, *weights, None, **how)

    return _layer(step, [0, 2, 3, 1], x, w, r, b, lengths, [h, c], direction, layout, {})


@runs("GRU")
def _(
    x, w, r, b=None, lengths=None, h=None, *, hidden_size=None, direction="forward", layout=0,
    linear_before_reset=0, activations=None, activation_alpha=None, activation_beta=None, clip=None,
):  # fmt: skip
    _only("GRU", activations, ["Sigmoid", "Tanh"], clip=clip)
    if not linear_before_reset:
        raise NotSupportedError("GRU: expected linear_before_reset, got 0")
    return _layer(ops.gru, [1, 0, 2], x, w, r, b, lengths, [h], direction, layout, {})
