"""Softmax, its logarithm, and cross entropy along rows: the last axis."""

import numpy as np

from tallow.kernels.cuda import faults, launch
from tallow.kernels.cuda.launch import Source, block_for, empty, in_order, is_real, wide
from tallow.ops import loss, softmax

rows = Source("rows.cu")


def _launch(kernel, axis, *arrays):
    """A kernel from arrays of one shape, whose rows are along `axis`, to a new one."""
    x = arrays[0]
    if not is_real(*arrays) or axis != x.ndim - 1 or not x.size:
        return NotImplemented
    if any(y.shape != x.shape for y in arrays):
        return NotImplemented
    n = x.shape[-1]
    if x.size // n > launch.MOST_BLOCKS:
        return NotImplemented
    out = empty(x.shape, x)
    rows(kernel, x, x.size // n, block_for(n, x.itemsize), *map(in_order, arrays), out, n)
    return out


softmax.softmax.on("cuda")(lambda x, *, axis: _launch("softmax", axis, x))
softmax.log_softmax.on("cuda")(lambda x, *, axis: _launch("log_softmax", axis, x))
softmax.softmax_grad.on("cuda")(lambda g, out, *, axis: _launch("softmax_grad", axis, g, out))
softmax.log_softmax_grad.on("cuda")(
    lambda g, out, *, axis: _launch("log_softmax_grad", axis, g, out)
)


def _is_plain(x, label, weight):
    fits = x.ndim == 2 and label.dtype == np.int64 and x.size > 0
    return fits and is_real(x) and (weight is None or weight.dtype == x.dtype)


@loss.cross_entropy.on("cuda")
def _(x, label, weight, *, ignore_index, reduction):
    if not _is_plain(x, label, weight):
        return NotImplemented
    n, fault = x.shape[1], faults.place("cross_entropy", x)
    losses, factors = empty((2, len(x)), x, wide(x.dtype))
    x, label, weight = map(in_order, (x, label, weight))
    rows(
        "cross_entropy", x, len(x), block_for(n, x.itemsize), x, label, weight, losses, factors, n,
        ignore_index, fault,
    )  # fmt: skip
    if reduction == "none":
        return losses.astype(x.dtype, copy=False)
    out = empty((), x)
    rows(
        "gather_losses", x, 1, block_for(len(x)), len(x), losses, factors, reduction == "mean", out
    )
    return out


@loss.cross_entropy_grad.on("cuda")
def _(g, x, label, weight, *, ignore_index, reduction):
    if not _is_plain(x, label, weight) or g.dtype != x.dtype:
        return NotImplemented
    n, fault, out = x.shape[1], faults.place("cross_entropy", x), empty(x.shape, x)
    g, x, label, weight = map(in_order, (g, x, label, weight))
    whole = None
    if reduction == "mean":
        whole = empty((), x, wide(x.dtype))
        threads = block_for(len(x))
        rows("weigh_labels", x, 1, threads, len(x), label, weight, n, ignore_index, whole)
    rows(
        "cross_entropy_grad", x, len(x), block_for(n, x.itemsize), g, g.ndim > 0, x, label, weight,
        whole, out, n, ignore_index, fault,
    )  # fmt: skip
    return out
