"""Recurrent layers, all steps of a direction in one call, as the compiled kernels do them."""

from tallow.kernels.cpu import compiled
from tallow.ops import rnn


def _entering(x, w_ih, *biases):
    """What the inputs give to the gates, all steps at once."""
    present = [bias for bias in biases if bias is not None]
    bias = present[0] + present[1] if len(present) == 2 else present[0] if present else None
    return compiled.linear(x, w_ih, bias)


@rnn.lstm.on("cpu")
def _(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, *, batch_sizes, reverse):
    if w_hr is not None:
        return NotImplemented
    gates = _entering(x, w_ih, b_ih, b_hh)
    if gates is NotImplemented:
        return gates
    return compiled.lstm(gates, h, c, w_hh, batch_sizes, reverse)


@rnn.lstm.op.grad_on
def _(g, x, h, c, w_ih, w_hh, w_hr, out, needs, batch_sizes, reverse):
    *on_results, by_gates, by_cells = g
    if w_hr is not None or by_gates is not None or by_cells is not None:
        return NotImplemented
    states, _, _, gates, cells = out
    made = compiled.lstm_grad(*on_results, gates, cells, c, w_hh, batch_sizes, reverse)
    if made is NotImplemented:
        return made
    by_gates, by_h, by_c = made
    previous = rnn.before(states, h, batch_sizes, reverse)
    wanted = (needs[0], *needs[3:])
    by_x, *others = rnn.by_weights(by_gates, by_gates, x, previous, w_ih, wanted)
    return by_x, by_h, by_c, *others, None


@rnn.gru.on("cpu")
def _(x, h, w_ih, w_hh, b_ih, b_hh, *, batch_sizes, reverse):
    gates = _entering(x, w_ih, b_ih)
    if gates is NotImplemented:
        return gates
    return compiled.gru(gates, h, w_hh, b_hh, batch_sizes, reverse)


@rnn.gru.op.grad_on
def _(g, x, h, w_ih, w_hh, out, needs, batch_sizes, reverse):
    by_states, by_last, by_gates, by_inner = g
    if by_gates is not None or by_inner is not None:
        return NotImplemented
    states, _, gates, inner = out
    how = (w_hh, batch_sizes, reverse)
    made = compiled.gru_grad(by_states, by_last, states, gates, inner, h, *how)
    if made is NotImplemented:
        return made
    by_gates, by_hidden, by_h = made
    previous = rnn.before(states, h, batch_sizes, reverse)
    wanted = (needs[0], *needs[2:])
    by_x, *others = rnn.by_weights(by_gates, by_hidden, x, previous, w_ih, wanted)
    return by_x, by_h, *others
