"""Steps of optimizers, of many parameters in one launch."""

import numpy as np

from tallow.kernels import updates
from tallow.kernels.cuda.launch import REALS, THREADS, Source, address

steps = Source("optimizers.cu")
MANY = 32  # parameters in a launch: their addresses are among its parameters, of 4 KiB at most
COLUMNS = 5
CHUNK = np.dtype(
    [
        ("at", np.uint64, (COLUMNS, MANY)), ("counter", np.uint64, MANY),
        ("step", np.float64, MANY), ("size", np.int64, MANY),
    ]
)  # fmt: skip


def _launch(kernel, columns, counts, *args):
    """Launch on chunks of what `columns`, lists of arrays, hold; NotImplemented if they differ.

    Arrays must lie in order and be of one dtype; `counts` are steps, numbers or arrays, or empty.
    """
    arrays = [x for column in columns for x in column]
    if len({x.dtype for x in arrays}) > 1 or arrays[0].dtype not in REALS:
        return NotImplemented
    if not all(x.flags.c_contiguous for x in arrays):
        return NotImplemented
    first = columns[0]
    for start in range(0, len(first), MANY):
        chunk, part = np.zeros((), CHUNK), slice(start, start + MANY)
        for k, column in enumerate(columns):
            for i, x in enumerate(column[part]):
                chunk["at"][k, i] = address(x)
        for i, count in enumerate(counts[part]):
            if hasattr(count, "dtype"):
                chunk["counter"][i] = address(count)
            else:
                chunk["step"][i] = count
        sizes = [x.size for x in first[part]]
        chunk["size"][: len(sizes)] = sizes
        blocks = max(1, min(-(-max(sizes) // (4 * THREADS)), 2048))
        steps(kernel, first[0], (blocks, len(sizes)), THREADS, chunk, *args)
    return None


@updates.updates("sgd", "cuda")
def _(params, grads, buffers, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    columns = [params, grads] + [buffers] * bool(momentum)
    how = (float(lr), float(momentum), float(dampening), float(weight_decay))
    return _launch("sgd", columns, [], updates.found, *how, nesterov, maximize)


@updates.updates("adam", "cuda")
def _(
    params, grads, means, squares, maxima, counts, *, lr, betas, eps, weight_decay, amsgrad,
    maximize, decoupled_weight_decay,
):  # fmt: skip
    columns = [params, grads, means, squares] + [maxima] * bool(amsgrad)
    how = map(float, (lr, *betas, eps, weight_decay))
    flags = map(bool, (amsgrad, maximize, decoupled_weight_decay))
    return _launch("adam", columns, counts, updates.found, *how, *flags)


@updates.updates("advance", "cuda")
def _(counts):
    for start in range(0, len(counts), MANY):
        part, chunk = counts[start : start + MANY], np.zeros((), CHUNK)
        chunk["counter"][: len(part)] = [address(count) for count in part]
        steps("advance", part[0], 1, MANY, chunk, updates.found, len(part))


@updates.updates("unscale", "cuda")
def _(grads, scale, found):
    return _launch("unscale", [grads], [], found, scale)
