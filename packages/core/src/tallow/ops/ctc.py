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


LEAST = -1e30  # what is taken from -inf, so that no difference is nan


def log_sum(xp, stay, one, two):
    """log(exp(stay) + exp(one) + exp(two)), -inf where all are."""
    top = xp.maximum(xp.maximum(stay, one), xp.maximum(two, LEAST))
    return xp.log(xp.exp(stay - top) + xp.exp(one - top) + xp.exp(two - top)) + top


def emitted(xp, x, states, exists):
    """The log probability of each state's label at each time: (T, N, 2 S + 1)."""
    found = xp.take_along_axis(widened(xp, x), states[None], axis=2)
    return xp.where(exists, found, -xp.inf)


def nowhere(xp, like, more):
    """The states of a time (T, N, 2 S + 1), and `more` of them, all at -inf."""
    return xp.full((like.shape[1], like.shape[2] + more), -xp.inf, like.dtype)


@op
def ctc(xp, x, targets, input_lengths, target_lengths, *, blank):
    """-log likelihood (N,) of targets (N, S) under log probabilities x (T, N, C).

    The second result, for the gradient, are the forward variables (T, N, 2 S + 1).
    """
    states, exists, skips = lattice(xp, targets, target_lengths, blank)
    emission = emitted(xp, x, states, exists)
    skipping = nowhere(xp, emission, 0)
    skipping[skips] = 0
    forward = xp.empty(emission.shape, emission.dtype)
    reached = nowhere(xp, emission, 2)  # two before the first
    reached[:, 2:4] = emission[0, :, :2]
    forward[0] = reached[:, 2:]
    for t in range(1, len(x)):
        ways = reached[:, 2:], reached[:, 1:-1], reached[:, :-2] + skipping
        forward[t] = log_sum(xp, *ways) + emission[t]
        reached[:, 2:] = forward[t]
    row = xp.arange(x.shape[1])
    last = forward[xp.maximum(input_lengths - 1, 0), row]
    at_blank = last[row, 2 * target_lengths]
    at_label = last[row, xp.maximum(2 * target_lengths - 1, 0)]
    at_label = xp.where(target_lengths > 0, at_label, -xp.inf)
    losses = -log_sum(xp, at_blank, at_label, -xp.inf)
    losses = xp.where(input_lengths > 0, losses, xp.where(target_lengths > 0, xp.inf, 0))
    return losses.astype(x.dtype), forward.astype(x.dtype)


@op
def ctc_grad(xp, g, x, forward, losses, targets, input_lengths, target_lengths, *, blank):
    """-g times the share of the likelihood by time and label; 0 for an infinite loss."""
    states, exists, skips = lattice(xp, targets, target_lengths, blank)
    emission = emitted(xp, x, states, exists)
    skipping = nowhere(xp, emission, 0)
    skipping[:, :-2][skips[:, 2:]] = 0
    final = exists & (xp.arange(states.shape[1]) >= 2 * target_lengths[:, None] - 1)
    scale = xp.where(xp.isfinite(losses), losses, -xp.inf)[:, None]
    shares = xp.empty(emission.shape, emission.dtype)
    later = nowhere(xp, emission, 2)  # from a time on, with what is emitted; two after the last
    for t in reversed(range(len(x))):
        ways = later[:, :-2], later[:, 1:-1], later[:, 2:] + skipping
        onward = xp.where((t == input_lengths - 1)[:, None] & final, 0, log_sum(xp, *ways))
        shares[t] = xp.exp(forward[t] + onward + scale)
        later[:, :-2] = onward + emission[t]
    labels = (states[..., None] == xp.arange(x.shape[2])).astype(shares.dtype)  # (N, 2 S + 1, C)
    out = -xp.matmul(shares.swapaxes(0, 1), labels).swapaxes(0, 1)
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
