"""How an operation is written in ONNX's operators: reductions, products, layers of networks."""

import math

import numpy as np

from tallow.errors import NotSupportedError
from tallow.onnx.graph import static
from tallow.onnx.operators import WRITERS, writes
from tallow.onnx.trace import Dim, Filled, Same, Value, is_mean

# Reductions


def _reduction(kind):
    def writer(g, x, *, axis, keepdims=True):
        axes = None if axis is None else g.integers(axis)
        return g.add(kind, x, axes, keepdims=int(keepdims))

    return writer


def _position(kind):
    def writer(g, x, *, axis, keepdims):
        if axis is None:
            x, axis = g.add("Reshape", x, g.integers([-1])), 0
        return g.add(kind, x, axis=axis, keepdims=int(keepdims))

    return writer


WRITERS |= {
    "sum": _reduction("ReduceSum"), "mean": _reduction("ReduceMean"),
    "prod": _reduction("ReduceProd"), "amax": _reduction("ReduceMax"),
    "amin": _reduction("ReduceMin"), "logsumexp": _reduction("ReduceLogSumExp"),
    "argmax": _position("ArgMax"), "argmin": _position("ArgMin"),
    "softmax": lambda g, x, *, axis: g.add("Softmax", x, axis=axis),
    "log_softmax": lambda g, x, *, axis: g.add("LogSoftmax", x, axis=axis),
    "cumsum": lambda g, x, *, axis, reverse: g.add(
        "CumSum", x, np.asarray(axis, np.int64), reverse=int(reverse)
    ),
}  # fmt: skip


@writes("vector_norm")
def _(g, x, *, p, axis):
    if p not in (1, 2):
        raise NotSupportedError(f"onnx.export: expected a norm with p 1 or 2, got {p}")
    return _reduction(f"ReduceL{int(p)}")(g, x, axis=axis)


@writes("variance")
def _variance(g, x, *, axis, correction):
    count = math.prod(static("a size", g.shape_of(x)[a]) for a in axis)
    _, squares = _centred(g, x, axis)
    return g.add("Mul", squares, g.typed([x, count / (count - correction)])[1])


@writes("deviation")
def _(g, x, *, axis, correction):
    return g.add("Sqrt", _variance(g, x, axis=axis, correction=correction))


def _centred(g, x, axis, centre=True):
    """x less its mean, and the mean of the squares of that."""
    centred = x
    if centre:
        centred = g.add("Sub", x, g.add("ReduceMean", x, g.integers(axis)))
    return centred, g.add("ReduceMean", g.add("Mul", centred, centred), g.integers(axis))


# Products


@writes("linear")
def _(g, x, weight, bias):
    if len(g.shape_of(x)) == 2 and not isinstance(weight, Value):
        return g.add("Gemm", x, weight, bias, transB=1)
    turned = g.add("Transpose", weight, perm=[1, 0]) if isinstance(weight, Value) else weight.T
    out = g.add("MatMul", x, turned)
    return out if bias is None else g.add("Add", out, bias)


@writes("embedding")
def _(g, weight, index, *, padding_idx, by_frequency):
    return g.add("Gather", weight, index, axis=0)


@writes("attend")
def _(g, q, k, v, bias, keep, *, scale, causal):
    return [_attention(g, q, k, v, bias, keep, scale=scale, causal=causal)[0]]


@writes("attention")
def _attention(g, q, k, v, bias, keep, *, scale, causal):
    rank = len(g.shape_of(k))
    turned = g.add("Transpose", k, perm=[*range(rank - 2), rank - 1, rank - 2])
    scores = g.add("MatMul", g.add("Mul", *g.typed([q, scale])), turned)
    least = np.asarray(-np.inf, g.dtype_of(q))
    if bias is not None:
        hides = g.dtype_of(bias).kind == "b"
        scores = g.add("Where", bias, scores, least) if hides else g.add("Add", scores, bias)
    if causal:
        size = g.shape((g.shape_of(q)[-2], g.shape_of(k)[-2]))
        ones = g.add("Expand", np.ones((1, 1), np.float32), size)
        seen = g.add("Cast", g.add("Trilu", ones, upper=0), to=g.element_type(bool))
        scores = g.add("Where", seen, scores, least)
    weights = g.add("Softmax", scores, axis=-1)
    if isinstance(bias, Value) or _hides_all(bias):  # there the weights are 0, not NaN
        weights = g.add("Where", g.add("IsNaN", weights), np.zeros_like(least), weights)
    kept = weights if keep is None else g.add("Mul", weights, keep)
    return g.add("MatMul", kept, v), weights


def _hides_all(bias):
    """True for a mask under which some query sees no key."""
    if bias is None or isinstance(bias, Filled):
        return False
    seen = bias if bias.dtype.kind == "b" else bias != -np.inf
    return not seen.any(axis=-1).all()


# Convolution, pooling, normalisation


@writes("conv")
def _(g, x, weight, bias, *, stride, padding, dilation, groups):
    how = {"strides": stride, "pads": padding * 2, "dilations": dilation, "group": groups}
    return g.add("Conv", x, weight, bias, **how)


@writes("conv_grad_input")
def _(g, x, weight, *, size, stride, padding, dilation, groups):
    kernel = g.shape_of(weight)[2:]
    axes = zip(size, g.shape_of(x)[2:], kernel, stride, padding, dilation, strict=True)
    least = [(m + -1) * s + (d * (k - 1) + 1 - 2 * p) for _, m, k, s, p, d in axes]
    more = [_less(n, m) for n, m in zip(size, least, strict=True)]
    return g.add(
        "ConvTranspose", x, weight, strides=stride, pads=padding * 2, dilations=dilation,
        group=groups, output_padding=more,
    )  # fmt: skip


def _less(a, b):
    """a - b of ints or Dims, which must not depend on a dynamic axis."""
    if isinstance(a, Dim) and isinstance(b, Dim) and a.slopes and a.slopes == b.slopes:
        return a.base - b.base
    return static("a size", a) - static("a size", b)


def _frame(g, x, kernel, stride, padding, dilation, count):
    """The padding before all axes, then behind them, that makes for `count` windows."""
    after = []
    for n, k, s, p, d, c in zip(
        g.shape_of(x)[2:], kernel, stride, padding, dilation, count, strict=True
    ):
        known = isinstance(n, int) and isinstance(c, int)
        after.append(max(0, (c - 1) * s + d * (k - 1) + 1 - n - p) if known else p)
    return [*padding, *after]


@writes("max_pool")
def _(g, x, *, kernel, stride, padding, dilation, count):
    pads = _frame(g, x, kernel, stride, padding, dilation, count)
    how = {"kernel_shape": kernel, "strides": stride, "dilations": dilation}
    return g.add("MaxPool", x, pads=pads, **how)


@writes("pool_sum")
def _(g, x, *, kernel, stride, padding, count):
    pads = _frame(g, x, kernel, stride, padding, (1,) * len(kernel), count)
    how = {"kernel_shape": kernel, "strides": stride, "count_include_pad": 1}
    means = g.add("AveragePool", x, pads=pads, **how)
    return g.add("Mul", means, g.typed([x, math.prod(kernel)])[1])


@writes("resample")
def _(g, x, *, axes, taps):
    rank, out = len(g.shape_of(x)), x
    for axis, table in zip(reversed(axes), reversed(taps), strict=True):
        if is_mean(table) and math.isclose(table.weight[0, 0] * table.size, 1):
            out = g.add("ReduceMean", out, g.integers([axis]))
        elif table.plain:
            out = g.add("Gather", out, table.index[:, 0], axis=axis)
        else:
            order = list(range(rank))
            order[axis], order[-1] = order[-1], order[axis]
            last = axis == rank - 1
            moved = out if last else g.add("Transpose", out, perm=order)
            product = g.add("MatMul", moved, g.typed([x, table.matrix])[1])
            out = product if last else g.add("Transpose", product, perm=order)
    return out


@writes("grid_sample")
def _(g, x, grid, *, mode, padding, align_corners):
    earlier = {"linear": "bilinear", "cubic": "bicubic"} if g.opset < 20 else {}
    how = {"mode": earlier.get(mode, mode), "padding_mode": padding}
    return g.add("GridSample", x, grid, align_corners=int(align_corners), **how)


@writes("normalize_by")
def _normalize_by(g, x, average, variance, weight, bias, *, factor, eps):
    kind = g.dtype_of(average)
    weight = np.ones(g.shape_of(average), kind) if weight is None else weight
    bias = np.zeros(g.shape_of(average), kind) if bias is None else bias
    return g.add("BatchNormalization", x, weight, bias, average, variance, epsilon=eps)


@writes("normalize_relu_by")
def _(g, *operands, **how):
    return g.add("Relu", _normalize_by(g, *operands, **how))


@writes("normalize_add_relu_by")
def _(g, x, y, *operands, **how):
    return _add_relu(g, _normalize_by(g, x, *operands, **how), y)


@writes("add_relu")
def _add_relu(g, x, y):
    return g.add("Relu", g.add("Add", x, y))


@writes("normalize_relu")
def _(g, *operands, **how):
    return [g.add("Relu", *_normalize(g, *operands, centre=True, **how))]


@writes("normalize_add_relu")
def _(g, x, y, *operands, **how):
    return [_add_relu(g, *_normalize(g, x, *operands, centre=True, **how), y)]


@writes("normalize")
def _normalize(g, x, weight, bias, *, factor, axes, eps, centre):
    shape = g.shape_of(x)
    trailing = axes == tuple(range(len(shape) - len(axes), len(shape)))
    if trailing and centre and weight is not None and g.shape_of(weight) == shape[axes[0] :]:
        return [g.add("LayerNormalization", x, weight, bias, axis=axes[0], epsilon=eps)]
    centred, squares = _centred(g, x, axes, centre)
    out = g.add("Div", centred, g.add("Sqrt", g.add("Add", squares, g.typed([x, eps])[1])))
    for kind, part in (("Mul", weight), ("Add", bias)):
        if part is not None:
            out = g.add(kind, out, g.add("Reshape", part, g.shape(factor)))
    return [out]


# Recurrent layers: ONNX has the gates in another order, and an axis for the directions


def _recurrent(g, kind, x, states, weights, biases, batch_sizes, reverse, order, **how):
    """The states after each step (rows, hidden), and the last of each kind (N, hidden)."""
    if not isinstance(batch_sizes, Same) and len(set(batch_sizes)) > 1:
        raise NotSupportedError("onnx.export: expected sequences of one length, got packed ones")
    steps = batch_sizes.count if isinstance(batch_sizes, Same) else len(batch_sizes)
    batch = batch_sizes.number if isinstance(batch_sizes, Same) else batch_sizes[0]
    static("the weights of a recurrent layer", *weights, *biases)
    hidden, inputs = g.shape_of(weights[1])[1], g.shape_of(weights[0])[1]
    sequence = g.add("Reshape", x, g.shape((steps, batch, inputs)))
    both = None
    if biases[0] is not None:
        both = np.concatenate([_sorted(b, order) for b in biases])[None]
    out, *last = g.add(
        kind, sequence, *[_sorted(w, order)[None] for w in weights], both, None,
        *_first(g, states), outputs=1 + len(states), hidden_size=hidden,
        direction="reverse" if reverse else "forward", **how,
    )  # fmt: skip
    out = g.add("Reshape", out, g.integers([-1, hidden]))  # (L, 1, N, H) -> (rows, H)
    return [out, *(g.add("Squeeze", state, g.integers([0])) for state in last)]


def _first(g, states):
    """The states (N, hidden) that a layer begins with, or nothing where they are zeros."""
    if all(isinstance(x, Filled) and x.number == 0 for x in states):
        return []
    return [g.add("Unsqueeze", state, g.integers([0])) for state in states]


def _sorted(weight, order):
    """The gates of a weight or bias, which lie one below the other, in another order."""
    parts = np.split(np.asarray(weight), len(order))
    return np.concatenate([parts[i] for i in order])


@writes("rnn")
def _(g, x, h, w_ih, w_hh, b_ih, b_hh, *, relu, batch_sizes, reverse):
    kind = ["Relu" if relu else "Tanh"]
    weights, biases = (w_ih, w_hh), (b_ih, b_hh)
    return _recurrent(
        g, "RNN", x, [h], weights, biases, batch_sizes, reverse, [0], activations=kind
    )


@writes("lstm")
def _(g, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, *, batch_sizes, reverse):
    if w_hr is not None:
        raise NotSupportedError("onnx.export: expected an LSTM without proj_size, got one with it")
    weights, biases = (w_ih, w_hh), (b_ih, b_hh)
    return _recurrent(g, "LSTM", x, [h, c], weights, biases, batch_sizes, reverse, [0, 3, 1, 2])


@writes("gru")
def _(g, x, h, w_ih, w_hh, b_ih, b_hh, *, batch_sizes, reverse):
    weights, biases = (w_ih, w_hh), (b_ih, b_hh)
    return _recurrent(
        g, "GRU", x, [h], weights, biases, batch_sizes, reverse, [1, 0, 2], linear_before_reset=1
    )
