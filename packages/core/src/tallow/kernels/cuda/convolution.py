"""Convolution and its gradients on CUDA, by the first of these that does the call.

- cuDNN, where it is installed;
- with a channel to each group, where products of matrices would be of single rows: a kernel of its
  own (windows.cu);
- with a kernel of one element at every place: a product of matrices, by cuBLASLt;
- the kernels of `implicit`, for one to three axes.
"""

from tallow.kernels.cuda import cudnn, implicit
from tallow.kernels.cuda.launch import block_for, empty, in_order, is_real, size
from tallow.kernels.cuda.windows import described, over
from tallow.ops import conv
from tallow.ops.linalg import matmul


def _takes(*arrays, axes):
    """True if kernels do it: one floating dtype, something to compute, and up to three axes."""
    present = [x for x in arrays if x is not None]
    return is_real(*arrays) and all(x.size for x in present) and axes <= 3


def _is_plain(kernel, stride, padding):
    """True if the columns of x are x itself."""
    return size(kernel) == 1 and size(stride) == 1 and not any(padding)


def _depthwise(name, s, how, *arrays):
    """A kernel from two arrays to a new one; None for what it does not do."""
    windows = described(s.sizes, s.kernel, *how, s.count)
    if windows is None:
        return None
    given, like = map(in_order, arrays), arrays[0]
    if name == "depthwise_grad_weight":
        out = empty((s.groups * s.outputs, 1, *s.kernel), like)
        threads = block_for(s.images * size(s.count))
        over(name, out, out.size, threads, *given, out, windows, s.images, s.groups, s.outputs)
        return out
    forward = name == "depthwise"
    channels, sizes = (s.outputs, s.count) if forward else (1, s.sizes)
    out = empty((s.images, s.groups * channels, *sizes), like)
    over.each(name, out, out.size, *given, out, windows, s.groups, s.outputs)
    return out


def _matrix(weight, groups):
    """The weight (groups, outputs, inputs) of a kernel of one element; (outputs, inputs) of one."""
    matrix = in_order(weight).reshape(groups, len(weight) // groups, weight.shape[1])
    return matrix[0] if groups == 1 else matrix


def _in_groups(x, groups):
    """x (N, C, *size) as (N, groups, C / groups, places), or (N, C, places) of a single group."""
    parts = (x.shape[1],) if groups == 1 else (groups, x.shape[1] // groups)
    return in_order(x).reshape(len(x), *parts, size(x.shape[2:]))


@conv.conv.on("cuda")
def _(x, weight, bias, *, stride, padding, dilation, groups):
    kernel = weight.shape[2:]
    if not _takes(x, weight, bias, axes=len(kernel)):
        return NotImplemented
    how = (stride, padding, dilation)
    count = conv.out_size(x.shape[2:], kernel, *how)
    s = implicit.shape_of(x.shape, weight.shape, count, groups)
    out = cudnn.run("conv_fprop", (len(x), len(weight), *s.count), x, weight, *how)
    if out is None and s.inputs == 1 < groups:
        out = _depthwise("depthwise", s, how, x, weight)
    if out is None and _is_plain(kernel, stride, padding):
        out = matmul(_matrix(weight, groups), _in_groups(x, groups))
        out = out.reshape(len(x), len(weight), *s.count)
    if out is None:
        return implicit.forward(s, x, weight, bias, *how) if implicit.takes(s) else NotImplemented
    if bias is not None:
        out += bias.reshape(-1, *(1,) * len(kernel))
    return out


@conv.conv_grad_input.on("cuda")
def _(g, weight, *, size, stride, padding, dilation, groups):
    kernel, how = weight.shape[2:], (stride, padding, dilation)
    if not _takes(g, weight, axes=len(kernel)):
        return NotImplemented
    if conv.out_size(size, kernel, *how) != g.shape[2:]:
        return NotImplemented
    shape = (len(g), weight.shape[1] * groups, *size)
    s = implicit.shape_of(shape, weight.shape, g.shape[2:], groups)
    out = cudnn.run("conv_dgrad", shape, g, weight, *how)
    if out is None and s.inputs == 1 < groups:
        out = _depthwise("depthwise_grad_input", s, how, g, weight)
    if out is None and _is_plain(kernel, stride, padding):
        matrix = _matrix(weight, groups).swapaxes(-1, -2)
        out = matmul(matrix, _in_groups(g, groups)).reshape(shape)
    if out is None:
        return implicit.grad_input(s, g, weight, *how) if implicit.takes(s) else NotImplemented
    return out


@conv.conv_grad_weight.on("cuda")
def _(g, x, *, kernel, stride, padding, dilation, groups):
    how = (stride, padding, dilation)
    if not _takes(g, x, axes=len(kernel)):
        return NotImplemented
    if conv.out_size(x.shape[2:], kernel, *how) != g.shape[2:]:
        return NotImplemented
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    s = implicit.shape_of(x.shape, shape, g.shape[2:], groups)
    out = cudnn.run("conv_wgrad", shape, x, g, *how)
    if out is None and s.inputs == 1 < groups:
        out = _depthwise("depthwise_grad_weight", s, how, g, x)
    if out is None:
        return implicit.grad_weight(s, g, x, *how) if implicit.takes(s) else NotImplemented
    return out
