"""Convolution and its gradients: cuDNN's where it is installed, else products with columns.

These reach the tensor cores by cuBLASLt. With a channel to each group, products would be of single
rows: a kernel takes their place.
"""

from tallow import backend
from tallow.kernels.cuda import cudnn
from tallow.kernels.cuda.launch import block_for, empty, in_order, is_real, size
from tallow.kernels.cuda.windows import described, folded, over, unfolded
from tallow.ops import conv
from tallow.ops.linalg import matmul

COLUMNS = 1 << 27  # elements of columns at a time; a kernel of one element needs none


def _takes(*arrays, axes):
    """True if kernels do it: one floating dtype, something to compute, and up to three axes."""
    present = [x for x in arrays if x is not None]
    return is_real(*arrays) and all(x.size for x in present) and axes <= 3


def _parts(images, per_image):
    """Slices of the batch with about `COLUMNS` elements each."""
    step = max(1, COLUMNS // max(per_image, 1))
    return [slice(start, start + step) for start in range(0, images, step)]


def _is_plain(kernel, stride, padding):
    """True if the columns of x are x itself."""
    return size(kernel) == 1 and size(stride) == 1 and not any(padding)


def _depthwise(name, shape, sizes, how, channels, many, *arrays):
    """A kernel from two arrays to a new one; None for what it does not do."""
    kernel, stride, padding, dilation = how
    count = conv.out_size(sizes, *how)
    windows = described(sizes, kernel, stride, padding, dilation, count)
    if windows is None:
        return None
    out, given = empty(shape, arrays[0]), map(in_order, arrays)
    if name == "depthwise_grad_weight":
        images = len(arrays[0])
        threads = block_for(images * size(count))
        over(name, out, out.size, threads, *given, out, windows, images, channels, many)
    else:
        over.each(name, out, out.size, *given, out, windows, channels, many)
    return out


def _joined(parts):
    return parts[0] if len(parts) == 1 else backend.for_array(parts[0]).xp.concatenate(parts)


@conv.conv.on("cuda")
def _(x, weight, bias, *, stride, padding, dilation, groups):
    kernel = weight.shape[2:]
    if not _takes(x, weight, bias, axes=len(kernel)):
        return NotImplemented
    count = conv.out_size(x.shape[2:], kernel, stride, padding, dilation)
    shape = (len(x), len(weight), *count)
    out = cudnn.run("conv_fprop", shape, x, weight, stride, padding, dilation)
    if out is None and weight.shape[1] == 1 < groups:
        how = (kernel, stride, padding, dilation)
        many = len(weight) // groups
        out = _depthwise("depthwise", shape, x.shape[2:], how, groups, many, x, weight)
    if out is None:
        places, depth = size(count), weight[0].size
        matrix = in_order(weight).reshape(groups, -1, depth)
        matrix = matrix[0] if groups == 1 else matrix
        made = []
        for part in _parts(len(x), groups * depth * places):
            columns = _columns(x[part], kernel, stride, padding, dilation)
            made.append(matmul(matrix, _in_groups(columns, groups, places)))
        out = _joined(made).reshape(shape)
    if bias is not None:
        out += bias.reshape(-1, *(1,) * len(kernel))
    return out


def _columns(x, kernel, stride, padding, dilation):
    """The windows of x, image by image."""
    if _is_plain(kernel, stride, padding):
        return in_order(x)
    return unfolded(x, False, kernel, stride, padding, dilation)


def _in_groups(columns, groups, places):
    """(N, groups, lines, places), or without the axis of a single group."""
    if groups == 1:
        return columns.reshape(len(columns), -1, places)
    return columns.reshape(len(columns), groups, -1, places)


@conv.conv_grad_input.on("cuda")
def _(g, weight, *, size, stride, padding, dilation, groups):
    kernel, sizes = weight.shape[2:], size
    if not _takes(g, weight, axes=len(kernel)):
        return NotImplemented
    if conv.out_size(sizes, kernel, stride, padding, dilation) != g.shape[2:]:
        return NotImplemented
    shape = (len(g), weight.shape[1] * groups, *sizes)
    out = cudnn.run("conv_dgrad", shape, g, weight, stride, padding, dilation)
    if out is None and weight.shape[1] == 1 < groups:
        how = (kernel, stride, padding, dilation)
        many = len(weight) // groups
        out = _depthwise("depthwise_grad_input", shape, sizes, how, groups, many, g, weight)
    if out is not None:
        return out
    places, lines = _count(g.shape[2:]), shape[1] * _count(kernel)
    matrix = in_order(weight).reshape(groups, len(weight) // groups, -1).swapaxes(1, 2)
    matrix = matrix[0] if groups == 1 else matrix
    made = []
    for part in _parts(len(g), lines * places):
        columns = matmul(matrix, _in_groups(in_order(g[part]), groups, places))
        columns = columns.reshape(-1, lines, places)
        if _is_plain(kernel, stride, padding):
            made.append(columns.reshape(-1, *shape[1:]))
        else:
            made.append(folded(columns, sizes, kernel, stride, padding, dilation))
    return _joined(made)


_count = size  # a name that no parameter hides


@conv.conv_grad_weight.on("cuda")
def _(g, x, *, kernel, stride, padding, dilation, groups):
    if not _takes(g, x, axes=len(kernel)):
        return NotImplemented
    if conv.out_size(x.shape[2:], kernel, stride, padding, dilation) != g.shape[2:]:
        return NotImplemented
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    total = cudnn.run("conv_wgrad", shape, x, g, stride, padding, dilation)
    if total is None and x.shape[1] == groups > 1:
        how = (kernel, stride, padding, dilation)
        many = g.shape[1] // groups
        total = _depthwise("depthwise_grad_weight", shape, x.shape[2:], how, groups, many, g, x)
    if total is not None:
        return total
    for part in _parts(len(x), x.shape[1] * size(kernel) * size(g.shape[2:])):
        lines = unfolded(x[part], True, kernel, stride, padding, dilation)
        lines = lines.reshape(groups, -1, lines.shape[-1])
        left = in_order(g[part].swapaxes(0, 1)).reshape(groups, g.shape[1] // groups, -1)
        made = matmul(left, lines.swapaxes(1, 2))
        total = made if total is None else total + made
    return total.reshape(shape)
