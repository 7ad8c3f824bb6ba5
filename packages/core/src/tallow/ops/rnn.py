"""Recurrent layers: one direction of one layer over all steps of a batch of sequences.

The sequences lie side by side, longest first: x (sum of batch_sizes, input) holds, step after step,
the `batch_sizes[t]` sequences that reach step t. States are (batch, hidden). Weights are PyTorch's:
w_ih (gates * hidden, input), w_hh (gates * hidden, hidden), biases (gates * hidden,) or None.
`reverse` goes from the last step to the first. Results are the states after each step (sum of
batch_sizes, hidden), the last state of each sequence, and what the gradient needs.
"""

from tallow.autograd.op import op
from tallow.ops.activation import relu_grad
from tallow.ops.elementwise import fill, tanh
from tallow.ops.linalg import matmul
from tallow.ops.reduce import sum, widened
from tallow.ops.shape import cat, cut, swap


def spans(batch_sizes, reverse):
    """The rows (start, stop) of each step, in the order in which the layer takes them."""
    stops = [0]
    for size in batch_sizes:
        stops.append(stops[-1] + size)
    steps = list(zip(stops, stops[1:], strict=False))
    return steps[::-1] if reverse else steps


def inputs(xp, x, w_ih, *biases):
    """What the inputs contribute to the gates, all steps at once."""
    gates = widened(xp, x) @ widened(xp, w_ih).T
    for bias in biases:
        if bias is not None:
            gates += bias
    return gates


def squash(xp, x):
    """The sigmoid of x, in place."""
    x *= 0.5
    xp.tanh(x, out=x)
    x *= 0.5
    x += 0.5


@op(materialize=False)
def rnn(xp, x, h, w_ih, w_hh, b_ih, b_hh, *, relu, batch_sizes, reverse):
    """h = tanh(w_ih x + b_ih + w_hh h + b_hh), or relu of it."""
    states = inputs(xp, x, w_ih, b_ih, b_hh)
    last, weight = widened(xp, h).copy(), widened(xp, w_hh).T
    for start, stop in spans(batch_sizes, reverse):
        state = states[start:stop]
        state += last[: stop - start] @ weight
        xp.maximum(state, 0, out=state) if relu else xp.tanh(state, out=state)
        last[: stop - start] = state
    return states.astype(x.dtype, copy=False), last.astype(x.dtype, copy=False)


@op(materialize=False)
def lstm(xp, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, *, batch_sizes, reverse):
    """c = f c + i m, h = o tanh(c), with gates i, f, o (sigmoid) and m (tanh) in the order i f m o.

    Hochreiter and Schmidhuber, "Long short-term memory", 1997. w_hr (projected, hidden), or None,
    maps each h, which then has the size of the projection. Also gives the last c, the gates
    (sum of batch_sizes, 4 * hidden) and the cells c after each step.
    """
    gates = inputs(xp, x, w_ih, b_ih, b_hh)
    n = gates.shape[1] // 4
    cells = xp.empty((len(gates), n), gates.dtype)
    states = xp.empty((len(gates), h.shape[1]), gates.dtype)
    last, cell, weight = widened(xp, h).copy(), widened(xp, c).copy(), widened(xp, w_hh).T
    for start, stop in spans(batch_sizes, reverse):
        rows, gate, new = stop - start, gates[start:stop], cells[start:stop]
        gate += last[:rows] @ weight
        squash(xp, gate[:, : 2 * n])
        squash(xp, gate[:, 3 * n :])
        memory = gate[:, 2 * n : 3 * n]
        xp.tanh(memory, out=memory)
        xp.multiply(gate[:, n : 2 * n], cell[:rows], out=new)
        new += gate[:, :n] * memory
        state = xp.tanh(new)
        state *= gate[:, 3 * n :]
        states[start:stop] = state if w_hr is None else state @ widened(xp, w_hr).T
        last[:rows], cell[:rows] = states[start:stop], new
    results = states, last, cell, gates, cells
    return tuple(result.astype(x.dtype, copy=False) for result in results)


@op(materialize=False)
def gru(xp, x, h, w_ih, w_hh, b_ih, b_hh, *, batch_sizes, reverse):
    """h = (1 - z) m + z h: gates r, z (sigmoid), and m = tanh(w_im x + b_im + r (w_hm h + b_hm)).

    Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014, with the reset
    after the product. Also gives the gates (sum of batch_sizes, 3 * hidden), in the order r z m,
    and w_hm h + b_hm.
    """
    gates = inputs(xp, x, w_ih, b_ih)
    n = gates.shape[1] // 3
    states, inner = xp.empty((2, len(gates), n), gates.dtype)
    last, weight = widened(xp, h).copy(), widened(xp, w_hh).T
    for start, stop in spans(batch_sizes, reverse):
        rows, gate = stop - start, gates[start:stop]
        part = last[:rows] @ weight
        if b_hh is not None:
            part += b_hh
        gate[:, : 2 * n] += part[:, : 2 * n]
        squash(xp, gate[:, : 2 * n])
        inner[start:stop] = part[:, 2 * n :]
        memory = gate[:, 2 * n :]
        memory += gate[:, :n] * part[:, 2 * n :]
        xp.tanh(memory, out=memory)
        state = last[:rows] - memory
        state *= gate[:, n : 2 * n]
        state += memory
        states[start:stop] = last[:rows] = state
    return tuple(part.astype(x.dtype, copy=False) for part in (states, last, gates, inner))


# Gradients: backwards through the steps, then all weights at once


def rows_of(x, start, stop):
    return cut(x, axis=0, start=start, stop=stop)


def columns(x, start, stop):
    return cut(x, axis=1, start=start, stop=stop)


def transposed(x):
    return swap(x, axis1=0, axis2=1)


def renewed(part, whole):
    """`whole` with its first rows replaced by `part`."""
    rows, total = part.shape[0], whole.shape[0]
    return part if rows == total else cat(part, rows_of(whole, rows, total), axis=0)


def in_order(parts, reverse):
    """What was found walking backwards, in the order of the steps."""
    return cat(*(parts if reverse else parts[::-1]), axis=0)


def before(states, first, batch_sizes, reverse):
    """The state that each step began with: what the step taken before gave, at first `first`."""
    if batch_sizes[0] == batch_sizes[-1]:
        rows, total = batch_sizes[0], states.shape[0]
        if reverse:
            return cat(rows_of(states, rows, total), first, axis=0)
        return cat(first, rows_of(states, 0, total - rows), axis=0)
    steps = spans(batch_sizes, False)
    if not reverse:
        starts = zip(steps, batch_sizes[1:], strict=False)
        parts = [rows_of(states, start, start + size) for (start, _), size in starts]
        return cat(rows_of(first, 0, batch_sizes[0]), *parts, axis=0)
    parts = []
    for (start, stop), later in zip(steps, (*batch_sizes[1:], 0), strict=True):
        parts += [rows_of(states, stop, stop + later), rows_of(first, later, stop - start)]
    return cat(*parts, axis=0)


def by_weights(by_gates, by_hidden, x, previous, w_ih, needs):
    """The gradients by x, w_ih, w_hh, b_ih and b_hh from those of what enters the gates."""
    over_steps = {"axis": (0,), "keepdims": False}
    return (
        matmul(by_gates, w_ih) if needs[0] else None,
        matmul(transposed(by_gates), x) if needs[1] else None,
        matmul(transposed(by_hidden), previous) if needs[2] else None,
        sum(by_gates, **over_steps) if needs[3] else None,
        sum(by_hidden, **over_steps) if needs[4] else None,
    )


def plus(part, whole, start, stop):
    """A part of a gradient, and what the gradient `whole` of a result, or None, adds to it."""
    return part if whole is None else part + rows_of(whole, start, stop)


@rnn.joint_vjp
def _(g, x, h, w_ih, w_hh, out, needs, relu, batch_sizes, reverse):
    (by_states, by_last), (states, _) = g, out
    by_last = fill(h, 0) if by_last is None else by_last
    parts = []
    for start, stop in reversed(spans(batch_sizes, reverse)):
        state = rows_of(states, start, stop)
        part = plus(rows_of(by_last, 0, stop - start), by_states, start, stop)
        part = relu_grad(part, state) if relu else part * (1 - state * state)
        parts.append(part)
        by_last = renewed(matmul(part, w_hh), by_last)
    by_gates, previous = in_order(parts, reverse), before(states, h, batch_sizes, reverse)
    by_x, *others = by_weights(by_gates, by_gates, x, previous, w_ih, (needs[0], *needs[2:]))
    return by_x, by_last, *others


@lstm.joint_vjp
def _(g, x, h, c, w_ih, w_hh, w_hr, out, needs, batch_sizes, reverse):
    by_states, by_last, by_cell, by_gates, by_cells = g
    by_last = fill(h, 0) if by_last is None else by_last
    by_cell = fill(c, 0) if by_cell is None else by_cell
    states, _, _, gates, cells = out
    n = cells.shape[1]
    i, f, m, o = (columns(gates, k * n, (k + 1) * n) for k in range(4))
    squashed, past = tanh(cells), before(cells, c, batch_sizes, reverse)
    slopes = cat(i * (1 - i), f * (1 - f), 1 - m * m, o * (1 - o), axis=1)
    factors = cat(m, past, i, squashed, axis=1) * slopes
    extra = None if by_gates is None else by_gates * slopes
    through = o * (1 - squashed * squashed)
    parts, projected = [], []
    for start, stop in reversed(spans(batch_sizes, reverse)):
        rows = stop - start
        by_state = plus(rows_of(by_last, 0, rows), by_states, start, stop)
        if w_hr is not None:
            projected.append(by_state)
            by_state = matmul(by_state, w_hr)
        by_new = rows_of(by_cell, 0, rows) + by_state * rows_of(through, start, stop)
        by_new = plus(by_new, by_cells, start, stop)
        part = cat(by_new, by_new, by_new, by_state, axis=1) * rows_of(factors, start, stop)
        parts.append(plus(part, extra, start, stop))
        by_last = renewed(matmul(parts[-1], w_hh), by_last)
        by_cell = renewed(by_new * rows_of(f, start, stop), by_cell)
    by_gates, previous = in_order(parts, reverse), before(states, h, batch_sizes, reverse)
    by_x, *others = by_weights(by_gates, by_gates, x, previous, w_ih, (needs[0], *needs[3:]))
    if w_hr is not None:
        by_projected = transposed(in_order(projected, reverse))
        return by_x, by_last, by_cell, *others, matmul(by_projected, o * squashed)
    return by_x, by_last, by_cell, *others, None


@gru.joint_vjp
def _(g, x, h, w_ih, w_hh, out, needs, batch_sizes, reverse):
    by_states, by_last, by_gates, by_inner = g
    by_last = fill(h, 0) if by_last is None else by_last
    states, _, gates, inner = out
    n = states.shape[1]
    r, z, m = (columns(gates, k * n, (k + 1) * n) for k in range(3))
    previous = before(states, h, batch_sizes, reverse)
    slopes = cat(r * (1 - r), z * (1 - z), 1 - m * m, axis=1)
    # What the gates get from the state, but for r, which gets it through m.
    factors = cat(inner, previous - m, 1 - z, axis=1) * slopes
    extra = None if by_gates is None else by_gates * slopes
    parts, hidden = [], []
    for start, stop in reversed(spans(batch_sizes, reverse)):
        by_state = plus(rows_of(by_last, 0, stop - start), by_states, start, stop)
        factor = rows_of(factors, start, stop)
        part = cat(by_state, by_state, axis=1) * columns(factor, n, 3 * n)
        if extra is not None:
            part = part + columns(rows_of(extra, start, stop), n, 3 * n)
        by_m = columns(part, n, 2 * n)
        by_r = by_m * columns(factor, 0, n)
        if extra is not None:
            by_r = by_r + columns(rows_of(extra, start, stop), 0, n)
        by_m = plus(by_m * rows_of(r, start, stop), by_inner, start, stop)
        parts.append(cat(by_r, part, axis=1))
        hidden.append(cat(by_r, columns(part, 0, n), by_m, axis=1))
        by_state = by_state * rows_of(z, start, stop) + matmul(hidden[-1], w_hh)
        by_last = renewed(by_state, by_last)
    by_gates, by_hidden = in_order(parts, reverse), in_order(hidden, reverse)
    wanted = (needs[0], *needs[2:])
    by_x, *others = by_weights(by_gates, by_hidden, x, previous, w_ih, wanted)
    return by_x, by_last, *others
