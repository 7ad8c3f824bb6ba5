"""Sequences: distances, the transducer's loss, alignments of tokens with frames."""

from dataclasses import dataclass

import numpy as np

import tallow
from tallow.errors import ArgumentError, describe

_NEVER = -1e30  # a log probability; differences of it are no NaN


def edit_distance(seq1, seq2):
    """How many items to insert, delete or replace to make one sequence of the other (Levenshtein).

    >>> from tallowaudio import functional as F
    >>> F.edit_distance("kitten", "sitting"), F.edit_distance(["a", "cat"], ["the", "cat"])
    (3, 1)
    """
    numbers: dict = {}
    first, second = (
        np.array([numbers.setdefault(item, len(numbers)) for item in seq], int)
        for seq in (seq1, seq2)
    )
    places = np.arange(len(second) + 1)
    row = places
    for count, item in enumerate(first, 1):
        cheaper = np.minimum(row[1:] + 1, row[:-1] + (second != item))
        row = np.minimum.accumulate(np.concatenate([[count], cheaper]) - places) + places
    return int(row[-1])


# The recurrent neural network transducer: Graves, "Sequence transduction with recurrent neural
# networks" (2012).


def rnnt_loss(
    logits, targets, logit_lengths, target_lengths, blank=-1, clamp=-1, reduction="mean",
    fused_log_softmax=True,
):  # fmt: skip
    """-log likelihood of targets (N, S) under a transducer's logits (N, T, S + 1, classes).

    After t frames and s labels, either the blank leads to the next frame or a label to the next
    place. `clamp` above 0 limits the gradient. Without `fused_log_softmax` the logits are log
    probabilities already. `reduction` is none, (N,), mean or sum.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> lengths = tallow.tensor([2]), tallow.tensor([1])
    >>> F.rnnt_loss(tallow.zeros(1, 2, 2, 3), tallow.tensor([[1]]), *lengths)
    tensor(2.6027)
    """
    reductions = {"none": lambda x: x, "mean": lambda x: x.mean(), "sum": lambda x: x.sum()}
    if reduction not in reductions:
        raise ArgumentError(f"rnnt_loss: expected none, mean or sum, got {reduction!r}")
    _check_transducer(logits, targets, logit_lengths, target_lengths)
    blank = blank + logits.shape[-1] if blank < 0 else blank
    arguments = targets.long(), logit_lengths.long(), target_lengths.long(), blank
    if clamp > 0:
        costs = _Clamped.apply(logits, arguments, clamp, fused_log_softmax)
    else:
        costs = _transducer_costs(logits, *arguments, fused_log_softmax)
    return reductions[reduction](costs)


def _check_transducer(logits, targets, logit_lengths, target_lengths):
    if logits.ndim != 4 or targets.shape != (logits.shape[0], logits.shape[2] - 1):
        raise ArgumentError(
            f"rnnt_loss: expected logits (N, T, S + 1, classes) and targets (N, S), got "
            f"{describe(logits)} and {describe(targets)}"
        )
    for name, lengths, most in (
        ("logit_lengths", logit_lengths, logits.shape[1]),
        ("target_lengths", target_lengths, targets.shape[1]),
    ):
        least = int(name == "logit_lengths")
        if lengths.shape != logits.shape[:1] or not (
            least <= int(lengths.min()) and int(lengths.max()) <= most
        ):
            raise ArgumentError(
                f"rnnt_loss: expected {name} (N,) from {least} to {most}, got {lengths.tolist()}"
            )


def _transducer_costs(logits, targets, frames, labels, blank, normalize):
    """The costs (N,), all places at once whose t + s is the same."""
    scores = logits.log_softmax(-1) if normalize else logits
    count, places = scores.shape[1], scores.shape[2]
    blanks = scores[..., blank]
    index = targets[:, None, :, None].expand(-1, count, -1, -1)
    emitted = scores[:, :, :-1].gather(-1, index)[..., 0]
    emitted = tallow.nn.functional.pad(emitted, (0, 1), value=_NEVER)
    blanks_at, emitted_at = (_diagonals(x) for x in (blanks, emitted))
    before = tallow.full((len(scores), places), _NEVER, dtype=scores.dtype, device=scores.device)
    before[:, 0] = 0
    reached = [before]
    for diagonal in range(count + places - 2):
        stay = before + blanks_at[:, diagonal]
        move = tallow.nn.functional.pad(
            (before + emitted_at[:, diagonal])[:, :-1], (1, 0), value=_NEVER
        )
        before = tallow.logaddexp(stay, move)
        reached.append(before)
    row = tallow.arange(len(scores), device=scores.device)
    last = tallow.stack(reached, 1)[row, frames - 1 + labels, labels]
    return -(last + blanks[row, frames - 1, labels])


def _diagonals(x):
    """x (N, T, S) as (N, T + S - 1, S): at [d, s] what x has at [d - s, s]."""
    count, places = x.shape[1:]
    frame = tallow.arange(count + places - 1, device=x.device)[:, None]
    frame = frame - tallow.arange(places, device=x.device)
    index = frame.clamp(0, count - 1).expand(len(x), -1, -1)
    outside = (frame < 0) | (frame >= count)
    return x.gather(1, index).masked_fill(outside, _NEVER)


class _Clamped(tallow.autograd.Function):
    """The costs, whose gradient by the logits is limited before it is scaled."""

    @staticmethod
    def forward(ctx, logits, arguments, clamp, normalize):
        with tallow.enable_grad():
            leaf = logits.detach().requires_grad_()
            costs = _transducer_costs(leaf, *arguments, normalize)
            (slope,) = tallow.autograd.grad(costs.sum(), leaf)
        ctx.save_for_backward(slope.clamp(-clamp, clamp))
        return costs.detach()

    @staticmethod
    def backward(ctx, g):
        (slope,) = ctx.saved_tensors
        return slope * g[:, None, None, None], None, None, None


# Alignment with connectionist temporal classification


def forced_align(log_probs, targets, input_lengths=None, target_lengths=None, blank=0):
    """The likeliest path of targets (1, S) through log probabilities (1, T, classes), by CTC.

    Returns the token of each frame, (1, T), blanks among them, and their log probabilities. The
    frames have to suffice for the targets and a blank between two equal ones.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> scores = tallow.tensor([[[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]]]).log()
    >>> F.forced_align(scores, tallow.tensor([[1, 2]]))[0]
    tensor([[1, 0, 2]])
    """
    if log_probs.ndim != 3 or targets.ndim != 2 or not len(log_probs) == len(targets) == 1:
        raise ArgumentError(
            f"forced_align: expected log_probs (1, T, classes) and targets (1, S), got "
            f"{describe(log_probs)} and {describe(targets)}"
        )
    frames = log_probs.shape[1] if input_lengths is None else int(input_lengths[0])
    count = targets.shape[1] if target_lengths is None else int(target_lengths[0])
    labels = targets[0, :count].detach().cpu().numpy()
    if (labels == blank).any() or ((labels < 0) | (labels >= log_probs.shape[2])).any():
        raise ArgumentError(
            f"forced_align: expected targets from 0 to {log_probs.shape[2] - 1} without the blank "
            f"{blank}, got {labels.tolist()}"
        )
    needed = count + int((labels[1:] == labels[:-1]).sum())
    if frames < needed:
        raise ArgumentError(
            f"forced_align: expected {needed} frames or more for {count} targets, got {frames}"
        )
    path = _best_path(log_probs[0, :frames].detach().cpu().numpy(), labels, blank)
    path = np.pad(path, (0, log_probs.shape[1] - frames))
    paths = tallow.from_numpy(path.astype(targets.dtype.numpy))[None].to(targets.device)
    return paths, log_probs.gather(2, paths.long()[..., None])[..., 0]


def _best_path(scores, labels, blank):
    """The tokens (T,) of the likeliest path through labels with blanks around them (Viterbi)."""
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    skips = np.zeros(len(states), bool)  # where the blank before may be left out
    skips[3::2] = labels[1:] != labels[:-1]
    best = np.full(len(states), -np.inf, scores.dtype)
    best[:2] = scores[0, states[:2]]
    steps = np.zeros((len(scores), len(states)), np.int8)
    for t in range(1, len(scores)):
        one, two = (np.concatenate([np.full(n, -np.inf), best])[: len(best)] for n in (1, 2))
        two = np.where(skips, two, -np.inf)
        steps[t] = np.where((two > one) & (two > best), 2, (one > best) & (one > two))
        best = np.choose(steps[t], [best, one, two]).astype(scores.dtype) + scores[t, states]
    state = len(states) - 1
    if len(states) > 1 and not best[-1] > best[-2]:
        state -= 1
    path = np.empty(len(scores), int)
    for t in range(len(scores) - 1, -1, -1):
        path[t] = states[state]
        state -= steps[t, state]
    return path


@dataclass
class TokenSpan:
    """A token and its frames: from `start` up to, not including, `end`; `score` is their mean."""

    token: int
    start: int
    end: int
    score: float

    def __len__(self):
        return self.end - self.start


def merge_tokens(tokens, scores, blank=0):
    """The tokens of `forced_align`, (T,) each with a score, as a list of TokenSpan, no blanks.

    >>> import tallow
    >>> from tallowaudio import functional as F
    >>> F.merge_tokens(tallow.tensor([0, 5, 5, 0]), tallow.tensor([0.1, 0.5, 0.7, 0.2]))
    [TokenSpan(token=5, start=1, end=3, score=0.6...)]
    """
    if tokens.ndim != 1 or scores.shape != tokens.shape:
        raise ArgumentError(
            f"merge_tokens: expected tokens (T,) and scores (T,), got {describe(tokens)} and "
            f"{describe(scores)}"
        )
    row = tokens.cpu().numpy()
    bounds = [0, *np.flatnonzero(row[1:] != row[:-1]) + 1, len(row)]
    return [
        TokenSpan(int(row[start]), int(start), int(end), scores[start:end].mean().item())
        for start, end in zip(bounds, bounds[1:], strict=False)
        if end > start and row[start] != blank
    ]
