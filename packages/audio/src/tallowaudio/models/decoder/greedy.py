"""The likeliest label of each frame."""

import tallow
from tallow.errors import ArgumentError


def ctc_greedy(scores, lengths, labels, blank=0):
    """The texts of scores (N, frames, labels): the best label of each frame, repetitions and blanks
    left out. `labels` are strings, `lengths` (N,) in frames or None.

    >>> import tallow
    >>> from tallowaudio.models.decoder import ctc_greedy
    >>> scores = tallow.nn.functional.one_hot(tallow.tensor([[1, 1, 0, 1, 2]]), 3)
    >>> ctc_greedy(scores, tallow.tensor([4]), "-ab")
    ['aa']
    """
    if len(labels) != scores.shape[-1]:
        raise ArgumentError(f"ctc_greedy: expected {scores.shape[-1]} labels, got {len(labels)}")
    best = scores.argmax(-1)
    before = tallow.nn.functional.pad(best, (1, 0), value=blank)[:, :-1]
    said = (best != blank) & (best != before)
    if lengths is not None:
        said = said & (tallow.arange(best.shape[1]) < lengths[:, None])
    rows = zip(best, said, strict=True)
    return ["".join(labels[i] for i in row[kept].tolist()) for row, kept in rows]
