"""Sums, means and extremes along axes, in the order of memory."""

from functools import partial
from itertools import groupby

from tallow.autograd import builtin
from tallow.kernels.cuda.launch import THREADS, Source, block_for, empty, is_real, size, wide
from tallow.ops import reduce

sums = Source("reduce.cu")
ADD, MAXIMUM, MINIMUM = range(3)
BLOCKS, LEAST, MOST = 1024, 4096, 512  # that are wanted; elements of a part; parts of a result


def _runs(shape, axes):
    """The sizes of axes all kept or all reduced, by turns, and whether the first are kept."""
    named = [(i not in axes, n) for i, n in enumerate(shape) if n != 1]
    runs = [(kept, size(n for _, n in run)) for kept, run in groupby(named, lambda x: x[0])]
    return [n for _, n in runs], bool(runs) and runs[0][0]


def reduced(how, x, axes, shape, count=1):
    """x reduced along `axes` in a shape, by `how`; a sum divided by a count.

    NotImplemented for what there is no kernel for.
    """
    axes = range(x.ndim) if axes is None else axes
    runs, kept = _runs(x.shape, axes)
    if not is_real(x) or not x.size or not x.flags.c_contiguous:
        return NotImplemented
    match kept, *runs:
        case False, _:
            return _rows(how, x, shape, (1, 1, x.size, 0), count)
        case True, groups, inner:
            return _rows(how, x, shape, (groups, 1, inner, 0), count)
        case False, images, groups, inner:
            return _rows(how, x, shape, (groups, images, inner, groups * inner), count)
        case False, n, inner:
            return _columns(how, x, shape, (1, n, inner), count)
        case True, matrices, n, inner:
            return _columns(how, x, shape, (matrices, n, inner), count)
    return NotImplemented


def _rows(how, x, shape, layout, count):
    groups, images, inner, stride = layout
    number = images * inner
    parts = max(1, min(BLOCKS // groups, number // LEAST, MOST))
    threads = block_for(-(-number // parts), x.itemsize)
    launch = partial(sums, "reduce_rows", x, (groups, parts), threads, how, x)
    if parts == 1:
        out = empty(shape, x)
        launch(out, None, images, inner, stride, count)
        return out
    shared = empty((groups, parts), x, wide(x.dtype))
    launch(None, shared, images, inner, stride, count)
    out = _rows(how, shared, shape, (groups, 1, parts, 0), count)
    return out.astype(x.dtype, copy=False)


def _columns(how, x, shape, layout, count):
    matrices, n, inner = layout
    pack = 16 // x.itemsize
    lanes = min(32, -(-inner // pack))
    blocks = matrices * -(-inner // (lanes * pack))
    parts = max(1, min(BLOCKS // blocks, n // (4 * (THREADS // lanes)), MOST))
    launch = partial(sums, "reduce_columns", x, (blocks, parts), THREADS, how, x)
    if parts == 1:
        out = empty(shape, x)
        launch(out, None, n, inner, lanes, count)
        return out
    shared = empty((matrices, parts, inner), x, wide(x.dtype))
    launch(None, shared, n, inner, lanes, count)
    return _columns(how, shared, shape, shared.shape, count).astype(x.dtype, copy=False)


def _shape(x, axis, keepdims):
    kept = reduce.kept_shape(x.shape, axis)
    if keepdims or axis is None:
        return kept if keepdims else ()
    return tuple(n for i, n in enumerate(x.shape) if i not in axis)


@reduce.sum.on("cuda")
def _(x, *, axis, keepdims):
    return reduced(ADD, x, axis, _shape(x, axis, keepdims))


@reduce.mean.on("cuda")
def _(x, *, axis, keepdims):
    return reduced(ADD, x, axis, _shape(x, axis, keepdims), reduce.count(x.shape, axis))


reduce.amax.on("cuda")(lambda x, *, axis: reduced(MAXIMUM, x, axis, _shape(x, axis, True)))
reduce.amin.on("cuda")(lambda x, *, axis: reduced(MINIMUM, x, axis, _shape(x, axis, True)))


@builtin.sum_to.on("cuda")
def _(x, *, shape):
    whole = (1,) * (x.ndim - len(shape)) + tuple(shape)
    if len(whole) != x.ndim or any(n not in (1, m) for n, m in zip(whole, x.shape, strict=True)):
        return NotImplemented
    axes = [i for i, n in enumerate(whole) if n == 1 and x.shape[i] != 1]
    return reduced(ADD, x, axes, shape) if axes else NotImplemented
