"""Attention that writes no scores to memory: heads of up to 128 elements, not in float64."""

import numpy as np

from tallow import backend
from tallow.kernels.cuda.launch import REALS, Source, empty, in_order, is_real, size, wide
from tallow.kernels.cuda.random import signed

blocks_of = Source("tiles.cuh", "philox.cuh", "flash.cu")
ROWS, THREADS, BROADEST = 32, 256, 128
ATTENDED = np.dtype([("numbers", np.int64, 19), ("factors", np.float64, 2)])


def takes(q, k, v, bias):
    """True for what the kernels do, of operands of one batch shape."""
    fits = max(q.shape[-1], v.shape[-1]) <= BROADEST and q.dtype.itemsize < 8
    return fits and q.dtype in REALS and (bias is None or bias.dtype == bool or is_real(q, bias))


class Call:
    """What all kernels of a call are told. `drops` is (p, seed, offset) or None."""

    def __init__(self, q, k, v, bias, scale, causal, drops, move=None):
        self.batch, self.matrices = q.shape[:-2], size(q.shape[:-2])
        self.queries, self.keys, self.widths = q.shape[-2], k.shape[-2], (q.shape[-1], v.shape[-1])
        self.broad = 64 if max(self.widths) <= 64 else 128
        self.bias, kind, layout = _bias(bias, (*self.batch, self.queries, self.keys))
        p, seed, offset = drops or (0.0, 0, 0)
        self.move, made = move, np.zeros((), ATTENDED)
        made["numbers"] = [
            self.queries, self.keys, *self.widths, causal, kind, *layout, drops is not None,
            signed(seed), offset,
        ]  # fmt: skip
        made["factors"] = scale, 1 - p
        self.told = made

    def launch(self, kernel, rows, like, *args):
        """Launch a kernel that takes `rows` of each matrix, some to a block."""
        blocks = self.matrices * -(-rows // ROWS)
        blocks_of(f"{kernel}_{self.broad}", like, blocks, THREADS, *args, self.told)


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


def attend(call, q, k, v, whole=None):
    """(out, level), and the level in wide arithmetic in `whole` if that is given."""
    out = empty((*call.batch, call.queries, call.widths[1]), q)
    level = empty((*call.batch, call.queries, 1), q)
    call.launch("attend", call.queries, q, q, k, v, call.bias, call.move, out, level, whole)
    return out, level


def attend_grad(call, g, q, k, v):
    """The gradients by q, k and v."""
    whole, along = empty((2, call.matrices, call.queries), q, wide(q.dtype))
    out, _ = attend(call, q, k, v, whole)
    blocks_of("attend_along", q, call.matrices * call.queries, 32, g, out, along, call.widths[1])
    by_q, by_k, by_v = (empty(x.shape, q) for x in (q, k, v))
    given = (g, q, k, v, call.bias, call.move, whole, along)
    call.launch("attend_by_query", call.queries, q, *given, by_q, None)
    call.launch("attend_by_key", call.keys, q, *given, by_k, by_v)
    return by_q, by_k, by_v
