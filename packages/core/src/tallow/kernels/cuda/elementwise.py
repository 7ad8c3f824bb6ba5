"""Activations and other chains of elementwise operations, in one pass over memory each."""

from tallow.kernels.cuda.launch import Source, empty, in_order, is_real, size
from tallow.ops import activation, dropout, elementwise, norm

passes = Source("elementwise.cu")


def _register(op):
    """The kernel of an operation's own name, for arrays of one shape that lie in order."""

    @op.on("cuda")
    def kernel(*arrays):
        x = arrays[0]
        plain = all(y.shape == x.shape and y.flags.c_contiguous for y in arrays)
        if not plain or not is_real(*arrays):
            return NotImplemented
        out = empty(x.shape, x)
        passes.each(op.op.name, x, x.size, *arrays, out)
        return out


for op in (
    elementwise.sigmoid, activation.silu, activation.gelu, activation.gelu_tanh,
    activation.relu_grad, elementwise.sigmoid_grad, elementwise.tanh_grad, activation.silu_grad,
    activation.gelu_grad,
):  # fmt: skip
    _register(op)


@dropout.masked.on("cuda")
def _(x, keep, *, p):
    if not is_real(x) or keep.shape != x.shape or keep.dtype != bool:
        return NotImplemented
    out = empty(x.shape, x)
    passes.each("masked", x, x.size, in_order(x), in_order(keep), out, 1 / (1 - p))
    return out


@norm.normalize_by.on("cuda")
def _(x, average, variance, weight, bias, *, factor, eps):
    channels = x.shape[1] if x.ndim > 1 else 0
    if factor != (1, channels, *(1,) * (x.ndim - 2)) or not is_real(
        x, average, variance, weight, bias
    ):
        return NotImplemented
    out, given = empty(x.shape, x), map(in_order, (x, average, variance, weight, bias))
    passes.each("normalize_by", x, x.size, *given, out, size(x.shape[2:]), channels, eps)
    return out
