"""LSTM and GRU layers: for each step a product with the state and one kernel for all the rest."""

import numpy as np

from tallow import backend
from tallow.kernels.cuda.launch import COMPILERS, Source, empty, in_order, is_real
from tallow.ops import rnn
from tallow.ops.linalg import linear, matmul

steps = Source("recurrent.cu")


def _narrowed(results, dtype):
    return tuple([x if x is None else x.astype(dtype, copy=False) for x in results])


def _wide(*arrays):
    """Arrays in order, those of 16 bits as float32; None as it is."""
    narrow = any(x is not None and x.dtype.itemsize == 2 for x in arrays)
    return [in_order(x.astype(np.float32) if narrow and x is not None else x) for x in arrays]


@rnn.lstm.on("cuda")
def _(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, *, batch_sizes, reverse):
    if w_hr is not None or not is_real(x, h, c, w_ih, w_hh, b_ih, b_hh):
        return NotImplemented
    dtype = x.dtype
    x, h, c, w_ih, w_hh, b_ih, b_hh = _wide(x, h, c, w_ih, w_hh, b_ih, b_hh)
    gates, n = linear(x, w_ih, b_ih if b_hh is None else b_ih + b_hh), h.shape[1]
    cells, states = (empty((len(x), n), x) for _ in range(2))
    last, cell = h.copy(), c.copy()
    for start, stop in rnn.spans(batch_sizes, reverse):
        part = matmul(last[: stop - start], w_hh.T)
        steps.each(
            "lstm_step", x, (stop - start) * n, gates[start:stop], part, cell, last,
            cells[start:stop], states[start:stop], n,
        )  # fmt: skip
    return _narrowed((states, last, cell, gates, cells), dtype)


@rnn.lstm.op.grad_on
def _(g, x, h, c, w_ih, w_hh, w_hr, out, needs, batch_sizes, reverse):
    by_states, by_last, by_cell, by_gates, by_cells = g
    if not _is_ours(x) or w_hr is not None or by_gates is not None or by_cells is not None:
        return NotImplemented
    if not is_real(x, h, c, w_ih, w_hh, *out):
        return NotImplemented
    dtype, (states, _, _, gates, cells) = x.dtype, out
    arrays = (by_states, by_last, by_cell, x, h, c, w_ih, w_hh, states, gates, cells)
    by_states, by_last, by_cell, x, h, c, w_ih, w_hh, states, gates, cells = _wide(*arrays)
    by_last, by_cell = _begun(by_last, h), _begun(by_cell, c)
    n, by_gates = h.shape[1], empty(gates.shape, gates)
    past = rnn.before(cells, c, batch_sizes, reverse)
    for start, stop in reversed(rnn.spans(batch_sizes, reverse)):
        rows = slice(start, stop)
        steps.each(
            "lstm_step_grad", x, (stop - start) * n, by_last, _part(by_states, rows), by_cell,
            gates[rows], cells[rows], past[rows], by_gates[rows], n,
        )  # fmt: skip
        by_last[: stop - start] = matmul(by_gates[rows], w_hh)
    previous = rnn.before(states, h, batch_sizes, reverse)
    wanted = (needs[0], *needs[3:])
    by_x, *others = rnn.by_weights(by_gates, by_gates, x, previous, w_ih, wanted)
    return _narrowed((by_x, by_last, by_cell, *others, None), dtype)


@rnn.gru.on("cuda")
def _(x, h, w_ih, w_hh, b_ih, b_hh, *, batch_sizes, reverse):
    if not is_real(x, h, w_ih, w_hh, b_ih, b_hh):
        return NotImplemented
    dtype = x.dtype
    x, h, w_ih, w_hh, b_ih, b_hh = _wide(x, h, w_ih, w_hh, b_ih, b_hh)
    gates, n = linear(x, w_ih, b_ih), h.shape[1]
    states, inner = (empty((len(x), n), x) for _ in range(2))
    last = h.copy()
    for start, stop in rnn.spans(batch_sizes, reverse):
        part = matmul(last[: stop - start], w_hh.T)
        steps.each(
            "gru_step", x, (stop - start) * n, gates[start:stop], part, b_hh, inner[start:stop],
            last, states[start:stop], n,
        )  # fmt: skip
    return _narrowed((states, last, gates, inner), dtype)


@rnn.gru.op.grad_on
def _(g, x, h, w_ih, w_hh, out, needs, batch_sizes, reverse):
    by_states, by_last, by_gates, by_inner = g
    if not _is_ours(x) or by_gates is not None or by_inner is not None:
        return NotImplemented
    if not is_real(x, h, w_ih, w_hh, *out):
        return NotImplemented
    dtype, (states, _, gates, inner) = x.dtype, out
    arrays = (by_states, by_last, x, h, w_ih, w_hh, states, gates, inner)
    by_states, by_last, x, h, w_ih, w_hh, states, gates, inner = _wide(*arrays)
    by_last, n = _begun(by_last, h), h.shape[1]
    by_gates, by_hidden = (empty(gates.shape, gates) for _ in range(2))
    previous = in_order(rnn.before(states, h, batch_sizes, reverse))
    for start, stop in reversed(rnn.spans(batch_sizes, reverse)):
        rows = slice(start, stop)
        steps.each(
            "gru_step_grad", x, (stop - start) * n, by_last, _part(by_states, rows), gates[rows],
            inner[rows], previous[rows], by_gates[rows], by_hidden[rows], n,
        )  # fmt: skip
        by_last[: stop - start] += matmul(by_hidden[rows], w_hh)
    wanted = (needs[0], *needs[2:])
    by_x, *others = rnn.by_weights(by_gates, by_hidden, x, previous, w_ih, wanted)
    return _narrowed((by_x, by_last, *others), dtype)


def _is_ours(x):
    """True for arrays that kernels can be launched on: a gradient's rule is asked for all."""
    return backend.is_array_type(type(x)) and backend.for_array(x).name in COMPILERS


def _begun(gradient, like):
    """A buffer with the gradient by a last state, zeros where nothing used it."""
    if gradient is None:
        return backend.for_array(like).xp.zeros_like(like)
    return gradient.copy()


def _part(whole, rows):
    return None if whole is None else whole[rows]
