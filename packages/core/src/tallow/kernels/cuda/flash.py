"""Attention that writes no scores to memory: heads of up to 128 elements, not in float64."""

from functools import cache

import numpy as np

from tallow import backend
from tallow.kernels.cuda import launch
from tallow.kernels.cuda.launch import REALS, Source, empty, in_order, is_real, size
from tallow.kernels.cuda.random import signed

CHUNK, BROADEST = 16, 128  # bytes; elements
ATTENDED = np.dtype([("numbers", np.int64, 34), ("factors", np.float64, 2)])


@cache
def kernels_for(broad, biased, drops):
    """The kernels, compiled for rows of up to `broad` elements."""
    return Source("tiles.cuh", "philox.cuh", "flash.cu", BROAD=broad, BIASED=biased, DROPS=drops)


def takes(q, k, v, bias):
    """True for what the kernels do, where keys and values are shared in a way that they know."""
    fits = max(q.shape[-1], v.shape[-1]) <= BROADEST and q.dtype.itemsize < 8
    kinds = q.dtype in REALS and (bias is None or bias.dtype == bool or is_real(q, bias))
    return fits and kinds and launch.has_tensor_cores(q)


def shared(q, k, v):
    """By how many matrices of queries in a row those of keys and values are shared; None: else."""
    batch, others = q.shape[:-2], k.shape[:-2]
    if v.shape[:-2] != others:
        return None
    if others == batch:
        return 1
    return batch[-1] if batch and others == (*batch[:-1], 1) else None


class Call:
    """What all kernels of a call are told. `drops` is (p, seed, offset) or None."""

    def __init__(self, q, k, v, bias, scale, causal, drops, move=None):
        self.batch, self.matrices = q.shape[:-2], size(q.shape[:-2])
        self.queries, self.keys, self.widths = q.shape[-2], k.shape[-2], (q.shape[-1], v.shape[-1])
        self.share, self.move = shared(q, k, v), move
        self.broad = -(-max(self.widths) // 32) * 32
        self.bias, biased, self.about_bias = _bias(bias, (*self.batch, self.queries, self.keys))
        self.kernels = kernels_for(self.broad, biased, int(drops is not None))
        self.causal, self.scale, self.drops = causal, scale, drops or (0.0, 0, 0)
        self.itemsize = q.dtype.itemsize
        chunks = self.broad * self.itemsize // CHUNK
        self.rows = 128 if self.itemsize == 2 else 64  # of a block
        self.lines = 64 if chunks <= 8 else 32 if chunks <= 16 else 16  # of the others, a turn
        self.tile = chunks * CHUNK

    def launch(self, kernel, blocks, threads, like, layouts, *args, room=0):
        p, seed, offset = self.drops
        told = np.zeros((), ATTENDED)
        told["numbers"] = [
            self.queries, self.keys, *self.widths, self.causal, self.share, *self.about_bias,
            signed(seed), offset, *layouts,
        ]  # fmt: skip
        told["factors"] = self.scale, 1 - p
        self.kernels(kernel, like, blocks, threads, *args, told, room=room)

    def blocks(self, matrices, rows):
        return matrices * -(-rows // self.rows)


def _bias(bias, shape):
    """(array, kind, sizes and steps of four batch axes and the steps by query and by key)."""
    if bias is None:
        return None, 0, (1, 1, 1, 1, *(0,) * 6)
    kind = 2 if bias.dtype == bool else 1
    spread = backend.for_array(bias).xp.broadcast_to(bias, shape)
    if len(shape) > 6:
        spread = in_order(spread).reshape(-1, *shape[-2:])
    *sizes, _, _ = spread.shape
    *steps, by_query, by_key = (step // spread.itemsize for step in spread.strides)
    missing = 4 - len(sizes)
    return spread, kind, (*(1,) * missing, *sizes, *(0,) * missing, *steps, by_query, by_key)


def _laid_out(x):
    """x, copied if need be, and its Layout: (heads, outer step, inner step, step by row)."""
    axes = []
    for n, step in zip(x.shape[:-2], x.strides[:-2], strict=True):
        if axes and axes[-1][1] == n * step:
            axes[-1] = axes[-1][0] * n, step
        elif n > 1:
            axes.append((n, step))
    if len(axes) > 2 or x.shape[-1] > 1 and x.strides[-1] != x.itemsize:
        return _laid_out(in_order(x))
    (_, outer), (heads, inner) = [*[(1, 0)] * (2 - len(axes)), *axes]
    return x, (heads, *(step // x.itemsize for step in (outer, inner, x.strides[-2])))


def _all_laid_out(*arrays):
    """The arrays, and their Layouts one after the other."""
    made = [_laid_out(x) for x in arrays]
    return [x for x, _ in made], [n for _, layout in made for n in layout]


def attend(call, q, k, v):
    """(out, level), this in float32."""
    out = empty((*call.batch, call.queries, call.widths[1]), q)
    level = empty((*call.batch, call.queries, 1), q, np.float32)
    given, layouts = _all_laid_out(q, k, v)
    room = (call.rows + 4 * call.lines) * call.tile
    call.launch("flash", call.blocks(call.matrices, call.queries), 128, q, [*layouts, *(0,) * 4],
                *given, call.bias, call.move, out, level, room=room)  # fmt: skip
    return out, level


def attend_grad(call, g, q, k, v, out, level):
    """The gradients by q, k and v; of what `attend` gave, or None."""
    if out is None or level is None:
        out, level = attend(call, q, k, v)
    by_q, by_k, by_v = (empty(x.shape, q) for x in (q, k, v))
    (q, k, v, g), layouts = _all_laid_out(q, k, v, g)
    out, level, along = in_order(out), in_order(level), empty(level.shape, level)
    rows, threads = level.size, 2 * call.rows
    call.launch("flash_along", -(-rows // 8), 256, q, layouts, g, out, along, rows)
    room = (2 * call.rows + 4 * call.lines) * call.tile + 2 * 8 * call.lines
    given = g, q, k, v, call.bias, call.move, level, along
    for kernel, matrices, length, made in (
        ("flash_by_query", call.matrices, call.queries, (by_q, None)),
        ("flash_by_key", call.matrices // call.share, call.keys, (by_k, by_v)),
    ):
        call.launch(kernel, call.blocks(matrices, length), threads, q, layouts, *given, *made,
                    room=room)  # fmt: skip
    return by_q, by_k, by_v
