"""Connectionist temporal classification: the likelihood of a sequence under all its alignments.

Graves et al., "Connectionist temporal classification", 2006. Everything is in logarithms. A target
of S labels has 2 S + 1 states, labels with blanks around them; an alignment goes through them in
order, and may skip a blank between two different labels.
"""

from tallow.autograd.op import op
from tallow.errors import NotSupportedError
from tallow.ops.reduce import sum, widened


def lattice(xp, targets, lengths, blank):
    """The labels of the states (N, 2 S + 1), which of them exist, and which are skipped to."""
    states = xp.full((targets.shape[0], 2 * targets.shape[1] + 1), blank, xp.int64)
    states[:, 1::2] = targets
    exists = xp.arange(states.shape[1]) <= 2 * lengths[:, None]
    states = xp.where(exists, states, blank)
    skips = xp.zeros(states.shape, bool)
    skips[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    return states, exists, skips


def log_sum(xp, *terms):
    """log(sum(exp(terms))), -inf where all are."""
    top = terms[0]
    for term in terms[1:]:
        top = xp.maximum(top, term)
    top = xp.where(top == -xp.inf, 0, top)
    total = 0
    for term in terms:
        total = total + xp.exp(term - top)
    none = total == 0
    return xp.where(none, -xp.inf, xp.log(xp.where(none, 1, total)) + top)


def delayed(xp, x, steps):
    """x moved by some states to later ones, -inf entering at the front."""
    out = xp.full_like(x, -xp.inf)
    out[:, steps:] = x[:, : x.shape[1] - steps]
    return out


def emitted(xp, x, states):
    """The log probability of each state's label at each time: (T, N, 2 S + 1)."""
    return xp.take_along_axis(widened(xp, x), states[None], axis=2)


@op
def ctc(xp, x, targets, input_lengths, target_lengths, *, blank):
    """-log likelihood (N,) of targets (N, S) under log probabilities x (T, N, C).

    The second result, for the gradient, are the forward variables (T, N, 2 S + 1).
    """
    states, exists, skips = lattice(xp, targets, target_lengths, blank)
    emission = emitted(xp, x, states)
    forward = xp.full(emission.shape, -xp.inf, emission.dtype)
    forward[0, :, :2] = emission[0, :, :2]
    forward[0] = xp.where(exists, forward[0], -xp.inf)
    for t in range(1, len(x)):
        before = forward[t - 1]
        skipped = xp.where(skips, delayed(xp, before, 2), -xp.inf)
        reached = log_sum(xp, before, delayed(xp, before, 1), skipped) + emission[t]
        forward[t] = xp.where(exists, reached, -xp.inf)
    row = xp.arange(x.shape[1])
    last = forward[xp.maximum(input_lengths - 1, 0), row]
    at_blank = last[row, 2 * target_lengths]
    at_label = last[row, xp.maximum(2 * target_lengths - 1, 0)]
    at_label = xp.where(target_lengths > 0, at_label, -xp.inf)
    losses = -log_sum(xp, at_blank, at_label)
    losses = xp.where(input_lengths > 0, losses, xp.where(target_lengths > 0, xp.inf, 0))
    return losses.astype(x.dtype), forward.astype(x.dtype)


@op
def ctc_grad(xp, g, x, forward, losses, targets, input_lengths, target_lengths, *, blank):
    """-g times the share of the likelihood by time and label; 0 for an infinite loss."""
    states, exists, skips = lattice(xp, targets, target_lengths, blank)
    emission = emitted(xp, x, states)
    skips_from = xp.zeros(skips.shape, bool)
    skips_from[:, :-2] = skips[:, 2:]
    final = exists & (xp.arange(states.shape[1]) >= 2 * target_lengths[:, None] - 1)
    row, out = xp.arange(x.shape[1]), xp.zeros(x.shape, emission.dtype)
    scale = xp.where(xp.isfinite(losses), losses, -xp.inf)[:, None]
    later = xp.full(states.shape, -xp.inf, emission.dtype)  # from here on, without what is emitted
    for t in reversed(range(len(x))):
        skipped = xp.where(skips_from, delayed(xp, later[:, ::-1], 2)[:, ::-1], -xp.inf)
        later = log_sum(xp, later, delayed(xp, later[:, ::-1], 1)[:, ::-1], skipped)
        later = xp.where((t == input_lengths - 1)[:, None] & final, 0, later)
        share = xp.exp(forward[t] + later + scale)
        for state in range(states.shape[1]):
            out[t, row, states[:, state]] -= share[:, state]
        later = later + emission[t]
    return (out * g[:, None]).astype(x.dtype)


def _rule(g, x, targets, input_lengths, target_lengths, out, blank):
    lengths = input_lengths, target_lengths
    return ctc_grad(g[0], x, out[1], out[0], targets, *lengths, blank=blank)


def _rule_of_g(v, g, x, forward, losses, targets, input_lengths, target_lengths, blank):
    lengths = input_lengths, target_lengths
    slopes = ctc_grad(g * 0 + 1, x, forward, losses, targets, *lengths, blank=blank)
    return sum(v * slopes, axis=(0, 2), keepdims=False)


def _no_second_derivative(v):
    raise NotSupportedError("ctc_loss: expected one backward pass, got one through its gradient")


ctc.vjp(_rule)
ctc_grad.vjp(_rule_of_g, *[_no_second_derivative] * 3)
