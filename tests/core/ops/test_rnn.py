"""Cases of tallow.ops.rnn, against a loop over the sequences one by one."""

import numpy as np
import pytest

from tallow.ops import rnn as ops
from tallow.testing import Case, checks, given


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def over_sequences(cell, x, first, batch_sizes, reverse):
    """The states after each step, in the layout of x, and the last ones.

    `cell(row, state)` gives the new state and what else is kept; a state is a tuple of vectors.
    """
    starts = np.cumsum((0, *batch_sizes))
    rows, last = [None] * len(x), []
    for sequence, state in enumerate(zip(*first, strict=True)):
        steps = [t for t, size in enumerate(batch_sizes) if sequence < size]
        for t in reversed(steps) if reverse else steps:
            state, kept = cell(x[starts[t] + sequence], state)
            rows[starts[t] + sequence] = (state, kept)
        last.append(state)
    return rows, [np.stack(part) for part in zip(*last, strict=True)]


def zero(bias):
    return 0 if bias is None else bias


def rnn(x, h, w_ih, w_hh, b_ih, b_hh, relu, batch_sizes, reverse):
    def cell(row, state):
        new = w_ih @ row + zero(b_ih) + w_hh @ state[0] + zero(b_hh)
        return (np.maximum(new, 0) if relu else np.tanh(new),), None

    rows, last = over_sequences(cell, x, (h,), batch_sizes, reverse)
    return np.stack([state[0] for state, _ in rows]), last[0]


def lstm(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, batch_sizes, reverse):
    def cell(row, state):
        gates = w_ih @ row + zero(b_ih) + w_hh @ state[0] + zero(b_hh)
        i, f, m, o = np.split(gates, 4)
        i, f, m, o = sigmoid(i), sigmoid(f), np.tanh(m), sigmoid(o)
        new = f * state[1] + i * m
        hidden = o * np.tanh(new)
        hidden = hidden if w_hr is None else w_hr @ hidden
        return (hidden, new), np.concatenate([i, f, m, o])

    rows, last = over_sequences(cell, x, (h, c), batch_sizes, reverse)
    states, cells = (np.stack([state[k] for state, _ in rows]) for k in (0, 1))
    return states, *last, np.stack([kept for _, kept in rows]), cells


def gru(x, h, w_ih, w_hh, b_ih, b_hh, batch_sizes, reverse):
    def cell(row, state):
        (r, z, m), (hr, hz, hm) = (
            np.split(w @ v + zero(b), 3) for w, v, b in ((w_ih, row, b_ih), (w_hh, state[0], b_hh))
        )
        r, z = sigmoid(r + hr), sigmoid(z + hz)
        m = np.tanh(m + r * hm)
        return ((1 - z) * m + z * state[0],), (np.concatenate([r, z, m]), hm)

    rows, last = over_sequences(cell, x, (h,), batch_sizes, reverse)
    gates, inner = (np.stack([kept[k] for _, kept in rows]) for k in (0, 1))
    return np.stack([state[0] for state, _ in rows]), last[0], gates, inner


RUNS = [  # batch sizes, direction, are there biases
    ((2, 2, 2), False, True),
    ((2, 2, 2), True, False),
    ((3, 3, 1, 1), True, True),
    ((3, 3, 1, 1), False, False),
    ((1,), False, True),
]


def examples(gates, states, extra=(), projected=2, **params):
    """Examples with the operands x, states, weights, biases and `extra`."""
    found, n = [], 2 * gates
    for batch_sizes, reverse, biased in RUNS:
        first = [(batch_sizes[0], size) for size in (projected, 2)[:states]]
        biases = [(n,)] * 2 if biased else [None] * 2
        operands = [(sum(batch_sizes), 3), *first, (n, 3), (n, projected), *biases, *extra]
        found.append(given(*operands, batch_sizes=batch_sizes, reverse=reverse, **params))
    return found


CASES = [
    Case(ops.rnn, rnn, *examples(1, 1, relu=False), *examples(1, 1, relu=True), tolerance=20),
    Case(
        ops.lstm, lstm, *examples(4, 2, (None,)), *examples(4, 2, ((1, 2),), projected=1),
        tolerance=20,
    ),
    Case(ops.gru, gru, *examples(3, 1), tolerance=20),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
