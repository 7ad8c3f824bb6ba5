"""Activations. Each takes a tensor of any shape and gives one of the same shape, except `glu`."""

from tallow import joining, math
from tallow.activations import along
from tallow.creation import empty, empty_like, ones_like
from tallow.dtypes import float64
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.nn.functional.common import floats, in_place
from tallow.ops import activation as ops
from tallow.ops import softmax as softmax_ops
from tallow.ops.elementwise import sigmoid as sigmoid_op
from tallow.ops.elementwise import tanh as tanh_op
from tallow.promotion import axis_of

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid",
    "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid",
    "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
    "threshold", "threshold_",
]  # fmt: skip

# Klambauer et al., "Self-Normalizing Neural Networks", 2017: these make mean 0, variance 1 a fixed
# point.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _apply(op, input, inplace, **params):
    return in_place(op, input, **params) if inplace else op(input, **params)


def relu(input, inplace=False):
    """max(input, 0).

    >>> tallow.nn.functional.relu(tallow.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return in_place(ops.relu, input) if inplace else ops.relu(input)


def relu_(input):
    """`relu`, in place."""
    return in_place(ops.relu, input)


def relu6(input, inplace=False):
    """min(max(input, 0), 6)."""
    return _apply(ops.hardtanh, input, inplace, low=0, high=6)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """input, moved into [min_val, max_val]."""
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: expected min_val <= max_val, got {min_val} and {max_val}")
    return _apply(ops.hardtanh, input, inplace, low=min_val, high=max_val)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """`hardtanh`, in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def threshold(input, threshold, value, inplace=False):
    """input where it is above the threshold, else `value`."""
    return _apply(ops.threshold, input, inplace, limit=threshold, value=value)


def threshold_(input, threshold, value):
    """`threshold`, in place."""
    return _apply(ops.threshold, input, True, limit=threshold, value=value)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """max(input, 0) + negative_slope * min(input, 0)."""
    return _apply(ops.leaky_relu, input, inplace, slope=negative_slope)


def leaky_relu_(input, negative_slope=0.01):
    """`leaky_relu`, in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def prelu(input, weight):
    """max(input, 0) + weight * min(input, 0). weight (1,), or (C,) for input (N, C, ...) or (C,).

    He et al., "Delving Deep into Rectifiers", 2015.
    """
    shape, count = input.array.shape, weight.array.size
    if count != 1:
        channels = shape[1] if len(shape) > 1 else shape[0] if shape else 1
        if weight.array.ndim != 1 or count != channels:
            raise ShapeError(
                f"prelu: expected weight (1,) or ({channels},) for input {shape}, got "
                f"{describe(weight)}"
            )
    if len(shape) > 1:
        weight = weight.reshape(-1, *(1,) * (len(shape) - 2))
    elif not shape:
        weight = weight.reshape(())
    return ops.prelu(input, weight)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """Leaky ReLU with slopes uniform in [lower, upper] in training, else with their mean."""
    if lower > upper:
        raise ShapeError(f"rrelu: expected lower <= upper, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    falling = input.detach() <= 0
    drawn = empty(int(falling.sum()), dtype=float64).uniform_(lower, upper)  # as PyTorch draws them
    slopes = ones_like(input, requires_grad=False)
    slopes[falling] = drawn.to(input.device, input.dtype)
    return _apply(ops.prelu, input, inplace, weight=slopes)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """`rrelu`, in place."""
    return rrelu(input, lower, upper, training, inplace=True)


def elu(input, alpha=1.0, inplace=False):
    """input where it is positive, else alpha * (exp(input) - 1).

    https://arxiv.org/abs/1511.07289
    """
    floats("elu", input)
    return _apply(ops.elu, input, inplace, alpha=alpha, scale=1, inner=1)


def elu_(input, alpha=1.0):
    """`elu`, in place."""
    return elu(input, alpha, inplace=True)


def celu(input, alpha=1.0, inplace=False):
    """max(input, 0) + min(alpha * (exp(input / alpha) - 1), 0). https://arxiv.org/abs/1704.07483"""
    floats("celu", input)
    if alpha == 0:
        raise ArgumentError("celu: expected alpha other than 0, got 0")
    return _apply(ops.elu, input, inplace, alpha=alpha, scale=1, inner=1 / alpha)


def celu_(input, alpha=1.0):
    """`celu`, in place."""
    return celu(input, alpha, inplace=True)


def selu(input, inplace=False):
    """ELU, scaled such that mean 0 and variance 1 are preserved.

    https://arxiv.org/abs/1706.02515
    """
    floats("selu", input)
    return _apply(ops.elu, input, inplace, alpha=SELU_ALPHA, scale=SELU_SCALE, inner=1)


def selu_(input):
    """`selu`, in place."""
    return selu(input, inplace=True)


def gelu(input, approximate="none"):
    """input * Phi(input), Phi the normal distribution function; approximate="tanh": by a tanh.

    >>> tallow.nn.functional.gelu(tallow.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    floats("gelu", input)
    if approximate == "none":
        return ops.gelu(input)
    if approximate == "tanh":
        return ops.gelu_tanh(input)
    raise ArgumentError(f"gelu: expected approximate 'none' or 'tanh', got {approximate!r}")


def silu(input, inplace=False):
    """input * sigmoid(input), also called swish. https://arxiv.org/abs/1702.03118"""
    floats("silu", input)
    return _apply(ops.silu, input, inplace)


def mish(input, inplace=False):
    """input * tanh(softplus(input)). https://arxiv.org/abs/1908.08681"""
    floats("mish", input)
    return _apply(ops.mish, input, inplace)


def hardswish(input, inplace=False):
    """input * relu6(input + 3) / 6. https://arxiv.org/abs/1905.02244"""
    floats("hardswish", input)
    return _apply(ops.hardswish, input, inplace)


def hardsigmoid(input, inplace=False):
    """relu6(input + 3) / 6."""
    floats("hardsigmoid", input)
    return _apply(ops.hardsigmoid, input, inplace)


def sigmoid(input):
    """1 / (1 + exp(-input))."""
    floats("sigmoid", input)
    return sigmoid_op(input)


def tanh(input):
    """The hyperbolic tangent."""
    floats("tanh", input)
    return tanh_op(input)


def logsigmoid(input):
    """log(sigmoid(input)), without overflow."""
    floats("logsigmoid", input)
    return ops.logsigmoid(input)


def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta * input)) / beta; input itself where beta * input is above the threshold."""
    floats("softplus", input)
    return ops.softplus(input, beta=beta, threshold=threshold)


def softsign(input):
    """input / (1 + |input|)."""
    return input / (math.abs(input) + 1)


def tanhshrink(input):
    """input - tanh(input)."""
    return input - math.tanh(input)


def softshrink(input, lambd=0.5):
    """input, moved towards 0 by `lambd`, not past it."""
    if lambd < 0:
        raise ArgumentError(f"softshrink: expected lambd >= 0, got {lambd}")
    return ops.softshrink(input, limit=lambd)


def hardshrink(input, lambd=0.5):
    """input where |input| is above `lambd`, else 0."""
    return ops.hardshrink(input, limit=lambd)


def glu(input, dim=-1):
    """a * sigmoid(b), a and b the halves of input along `dim`. https://arxiv.org/abs/1612.08083"""
    axis = axis_of("glu", dim, input.array.ndim)
    if input.array.shape[axis] % 2:
        raise ShapeError(f"glu: expected an even size along dim {dim}, got {describe(input)}")
    a, b = joining.chunk(input, 2, axis)
    return a * math.sigmoid(b)


# Along a dim


def _dim(dim, input):
    """None means, as in old PyTorch, 0 for tensors of 0, 1 or 3 dims, and 1 for others."""
    return (0 if input.array.ndim in (0, 1, 3) else 1) if dim is None else dim


def _along(name, op, input, dim, dtype):
    return along(name, op, input, _dim(dim, input), dtype)


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(input) / sum(exp(input)) along `dim`: positive numbers that sum to 1.

    >>> tallow.nn.functional.softmax(tallow.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _along("softmax", softmax_ops.softmax, input, dim, dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax(-input)."""
    return _along("softmin", softmax_ops.softmax, -input, dim, dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """log(softmax(input)) along `dim`, without overflow."""
    return _along("log_softmax", softmax_ops.log_softmax, input, dim, dtype)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A differentiable sample of a category: softmax of the logits plus Gumbel noise, over `tau`.

    `hard` gives exactly one 1, with the gradient of the soft sample.
    https://arxiv.org/abs/1611.01144
    """
    floats("gumbel_softmax", logits)
    noise = -math.log(empty_like(logits.detach()).exponential_())
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.argmax(dim, keepdim=True)
    one = soft.detach().mul(0).scatter(dim, index, 1.0)
    return one - soft.detach() + soft
