"""Recurrent networks: layers of `tallow.ops.rnn`, in both directions and on top of each other."""

from tallow.casting import by_policy
from tallow.joining import cat, stack
from tallow.nn.functional.dropout import dropout

__all__ = []


@by_policy
def run_layers(step, input, states, weights, batch_sizes, *, bidirectional, dropout_p, training):
    """The output (rows, directions * hidden) and the last states (layers * directions, N, hidden).

    input (rows, features) holds the sequences as `tallow.ops.rnn` takes them; `step` is one of its
    ops; `states` are one tensor for each kind of state (h, or h and c) of all layers, `weights` a
    tuple for each layer and direction.
    """
    directions = 2 if bidirectional else 1
    last = [[] for _ in states]
    layers = len(weights) // directions
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            index = layer * directions + direction
            first = [state[index] for state in states]
            out = step(
                input, *first, *weights[index], batch_sizes=batch_sizes, reverse=bool(direction)
            )
            outputs.append(out[0])
            for found, state in zip(last, out[1:], strict=False):
                found.append(state)
        input = outputs[0] if directions == 1 else cat(outputs, 1)
        if dropout_p and layer < layers - 1:
            input = dropout(input, dropout_p, training)
    return input, tuple(stack(found) for found in last)
