"""Attention whose memory does not grow with the square of the length, but for given factors.

The kernels of `flash` take what fits them. Of the rest, which is float64, wide heads and weights
that are multiplied by given factors, some rows of the scores are made at a time, by products which
sum in float32 at least; a kernel makes weights of them, and drops some by their places. In the
gradient they are made anew.
"""

from itertools import zip_longest

import numpy as np

from tallow import backend
from tallow.autograd.builtin import sum_to
from tallow.kernels.cuda import flash
from tallow.kernels.cuda.launch import Source, block_for, empty, in_order, is_real, size, wide
from tallow.kernels.cuda.products import multiply
from tallow.kernels.cuda.random import signed
from tallow.ops import attention

rows_of = Source("philox.cuh", "attention.cu")
DROPS = np.dtype([("numbers", np.int64, 5), ("kept", np.float64)])
SCORES = 1 << 26  # elements of the scores at a time


def _together(*arrays):
    """Arrays of one batch shape, and it; NotImplemented where the kernels decline."""
    pairs = zip_longest(*(x.shape[-3::-1] for x in arrays), fillvalue=1)
    batch = tuple(max(sizes) for sizes in pairs)[::-1]
    xp = backend.for_array(arrays[0]).xp
    return [xp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in arrays], batch


def _blocks(batch, queries, keys, causal):
    """(rows, keys that they see) of the queries, as many at a time as `SCORES` allows."""
    step = max(1, SCORES // max(size(batch) * keys, 1))
    for start in range(0, queries, step):
        stop = min(start + step, queries)
        yield slice(start, stop), min(stop, keys) if causal else keys


def _scores(q, k, bias, part, keys, scale):
    """The scores of some queries in wide arithmetic, and what they are still to be scaled by."""
    scores = _product(q[..., part, :], k[..., :keys, :].swapaxes(-1, -2), wide(q.dtype))
    if bias is None:
        return scores, scale
    xp = backend.for_array(q).xp
    rows = part if bias.shape[-2] > 1 else slice(None)
    bias = bias[..., rows, : keys if bias.shape[-1] > 1 else None]
    scores *= scores.dtype.type(scale)
    scores = xp.where(bias, scores, -xp.inf) if bias.dtype.kind == "b" else scores + bias
    return in_order(scores.astype(wide(q.dtype), copy=False)), 1.0


def _dropped(x, keep, part, keys):
    """Some rows of weights, or of the gradient by them, times given factors."""
    return x if keep is None else in_order(x * keep[..., part, :keys]).astype(x.dtype, copy=False)


def _drops(drops, queries, keys):
    """What the kernels are told of dropout, (p, seed, offset) or None."""
    told, (p, seed, offset) = np.zeros((), DROPS), drops or (0.0, 0, 0)
    told["numbers"] = drops is not None, signed(seed), offset, queries, keys
    told["kept"] = 1 - p
    return told


def _takes(q, k, v, bias):
    plain = all(x.ndim >= 2 and x.size for x in (q, k, v)) and is_real(q, k, v)
    return plain and (bias is None or bias.ndim >= 2)


def _product(x, y, dtype=None):
    """`multiply`, or where that declines the same by CuPy."""
    made = multiply(x, y, dtype=dtype)
    if made is NotImplemented:
        made = x.astype(dtype or x.dtype) @ y.astype(dtype or y.dtype)
    return made


def _attend(q, k, v, bias, keep, move, scale, causal, drops):
    if not _takes(q, k, v, bias):
        return NotImplemented
    if keep is None and flash.takes(q, k, v, bias):
        if not flash.shared(q, k, v):
            q, k, v = _together(q, k, v)[0]
        return flash.attend(flash.Call(q, k, v, bias, scale, causal, drops, move), q, k, v)
    (q, k, v), batch = _together(q, k, v)
    queries, sums = q.shape[-2], wide(q.dtype)
    out, level = empty((*batch, queries, v.shape[-1]), q), empty((*batch, queries, 1), q, sums)
    told = _drops(drops, queries, k.shape[-2])
    for part, keys in _blocks(batch, queries, k.shape[-2], causal):
        scores, left = _scores(q, k, bias, part, keys, scale)
        if scores.shape[:-2] != batch:
            return NotImplemented
        weights, levels = empty(scores.shape, q), empty((*scores.shape[:-1], 1), q, sums)
        rows, n = scores.shape[-2:]
        rows_of(
            "attend", q, levels.size, block_for(n), scores, move, weights, levels, n, rows,
            part.start, float(left), causal, told,
        )  # fmt: skip
        out[..., part, :] = _product(_dropped(weights, keep, part, keys), v[..., :keys, :])
        level[..., part, :] = levels
    return out, level


def _attend_grad(g, q, k, v, bias, keep, move, out, level, scale, causal, drops):
    if not _takes(q, k, v, bias) or not is_real(g, q):
        return NotImplemented
    shapes = [x.shape for x in (q, k, v)]
    if keep is None and flash.takes(q, k, v, bias):
        if not flash.shared(q, k, v):
            g, q, k, v = _together(g, q, k, v)[0]
        call = flash.Call(q, k, v, bias, scale, causal, drops, move)
        return _summed(flash.attend_grad(call, g, q, k, v, out, level), shapes)
    (g, q, k, v), batch = _together(g, q, k, v)
    xp, sums = backend.for_array(q).xp, wide(q.dtype)
    by_q, by_k, by_v = empty(q.shape, q), xp.zeros(k.shape, sums), xp.zeros(v.shape, sums)
    told = _drops(drops, q.shape[-2], k.shape[-2])
    for part, keys in _blocks(batch, q.shape[-2], k.shape[-2], causal):
        scores, left = _scores(q, k, bias, part, keys, scale)
        if scores.shape[:-2] != batch:
            return NotImplemented
        seen, (rows, n) = slice(keys), scores.shape[-2:]
        by_weights = _product(g[..., part, :], v[..., seen, :].swapaxes(-1, -2), sums)
        by_weights = _dropped(by_weights, keep, part, keys)
        weights, by_scores = empty(scores.shape, q), empty(scores.shape, q)
        rows_of(
            "attend_grad", q, size(scores.shape[:-1]), block_for(n), scores, by_weights, move,
            weights, by_scores, n, rows, part.start, float(left), causal, float(scale), told,
        )  # fmt: skip
        by_q[..., part, :] = _product(by_scores, k[..., seen, :])
        by_k[..., seen, :] += _product(by_scores.swapaxes(-1, -2), q[..., part, :], sums)
        weights = _dropped(weights, keep, part, keys)
        by_v[..., seen, :] += _product(weights.swapaxes(-1, -2), g[..., part, :], sums)
    return _summed((by_q, by_k, by_v), shapes)


def _summed(grads, shapes):
    """Gradients in the shapes of operands, whose batches were broadcast, and the first's dtype."""
    return tuple(
        (x if x.shape == shape else sum_to(x, shape=shape)).astype(grads[0].dtype, copy=False)
        for x, shape in zip(grads, shapes, strict=True)
    )


@attention.attend.on("cuda")
def _(q, k, v, bias, keep, *, scale, causal):
    return _attend(q, k, v, bias, keep, None, scale, causal, None)


@attention.attend_dropping.on("cuda")
def _(q, k, v, bias, move, *, scale, causal, drops):
    return _attend(q, k, v, bias, None, move, scale, causal, drops)


@attention.attend_grad.on("cuda")
def _(g, q, k, v, bias, keep, out, level, *, scale, causal):
    return _attend_grad(g, q, k, v, bias, keep, None, out, level, scale, causal, None)


@attention.attend_dropping_grad.on("cuda")
def _(g, q, k, v, bias, move, out, level, *, scale, causal, drops):
    return _attend_grad(g, q, k, v, bias, None, move, out, level, scale, causal, drops)
