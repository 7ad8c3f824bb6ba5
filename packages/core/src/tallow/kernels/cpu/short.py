"""bfloat16 and float16: computed in float32 and rounded once, as PyTorch does it.

Where there is a compiled kernel for the 16-bit floats themselves it is asked first; else operands
are widened, the operation is called with them, and its result narrowed. Results after the first
(statistics for a gradient) stay float32, but those of recurrent layers.
"""

import numpy as np

from tallow.autograd import builtin
from tallow.kernels.cpu import compiled
from tallow.ops import (
    activation,
    attention,
    conv,
    dropout,
    elementwise,
    linalg,
    loss,
    norm,
    pool,
    reduce,
    rnn,
    softmax,
)


def is_short(x):
    """True for an array of 16-bit floats."""
    dtype = getattr(x, "dtype", None)
    return dtype is not None and dtype.itemsize == 2 and dtype.kind in "fV"


def widened(x):
    """Short floats as float32, in tuples too; other things as they are."""
    if type(x) is tuple:
        return tuple(map(widened, x))
    return cast(x, np.dtype(np.float32)) if is_short(x) else x


def cast(x, dtype):
    """An array of floats in another dtype of floats."""
    made = compiled.widen(x) if dtype == np.float32 else compiled.narrow(x, dtype)
    return x.astype(dtype) if made is NotImplemented else made


def by_float32(op, results=1):
    """Register the operation in float32; so many of its results are narrowed."""

    @op.on("cpu")
    def kernel(x, *others, **params):
        if not is_short(x):
            return NotImplemented
        out = op(widened(x), *map(widened, others), **params)
        if type(out) is not tuple:
            return cast(out, x.dtype)
        return *[cast(part, x.dtype) for part in out[:results]], *out[results:]


for op in (
    linalg.matmul, linalg.linear,
    conv.conv, conv.conv_grad_input, conv.conv_grad_weight,
    pool.max_pool, pool.max_pool_grad, pool.pool_sum, pool.pool_spread,
    activation.relu, activation.relu_grad, activation.gelu, activation.gelu_grad,
    activation.silu, activation.silu_grad, activation.prelu, activation.prelu_slope,
    activation.hardsigmoid, activation.hardsigmoid_grad,
    activation.hardswish, activation.hardswish_grad,
    elementwise.add, elementwise.sub, elementwise.mul, elementwise.div, elementwise.power,
    elementwise.maximum, elementwise.minimum, elementwise.square, elementwise.sqrt,
    elementwise.rsqrt, elementwise.reciprocal, elementwise.exp, elementwise.log,
    elementwise.sin, elementwise.cos,
    elementwise.tanh, elementwise.tanh_grad, elementwise.sigmoid, elementwise.sigmoid_grad,
    norm.normalize, norm.normalize_grad, norm.normalize_by,
    norm.normalize_relu, norm.normalize_relu_grad, norm.normalize_relu_by,
    reduce.sum, reduce.mean, reduce.amax, reduce.amin, builtin.sum_to,
    softmax.softmax, softmax.softmax_grad, softmax.log_softmax, softmax.log_softmax_grad,
    loss.cross_entropy, loss.cross_entropy_grad, loss.squared_error,
    dropout.masked, dropout.masked_sum, attention.attend,
):  # fmt: skip
    by_float32(op)

by_float32(attention.attend_grad, results=3)
by_float32(rnn.lstm, results=5)
by_float32(rnn.gru, results=4)


def gradient_by_float32(op):
    """The same for the joint rule of an operation."""

    @op.op.grad_on
    def kernel(g, x, *kept):
        if not is_short(x):
            return NotImplemented
        made = op.op.joint.function(*map(widened, (g, x, *kept)))
        return tuple(part if part is None else cast(part, x.dtype) for part in made)


gradient_by_float32(rnn.lstm)
gradient_by_float32(rnn.gru)


# Kernels of their own

CONVOLUTIONS = (conv.conv, conv.conv_grad_input, conv.conv_grad_weight)

for op in (
    activation.relu, activation.relu_grad, activation.gelu, activation.gelu_grad,
    activation.silu, activation.silu_grad, activation.hardsigmoid, activation.hardsigmoid_grad,
    activation.hardswish, activation.hardswish_grad,
    elementwise.add, elementwise.sub, elementwise.mul, elementwise.div,
    elementwise.maximum, elementwise.minimum,
    elementwise.exp, elementwise.tanh, elementwise.tanh_grad,
    elementwise.sigmoid, elementwise.sigmoid_grad,
    *(CONVOLUTIONS if compiled.tile_unit() == "AMX" else ()),
):  # fmt: skip
    op.on("cpu")(getattr(compiled.shorts, op.op.name))


@builtin.cast.on("cpu")
def _(x, *, dtype):
    return NotImplemented if x.dtype.kind == "c" else cast(x, dtype)
