"""How good recognition, separation, enhancement and detection are."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import tallow
from tallow.errors import ArgumentError, ShapeError, listing
from tallowaudio import functional as F


@dataclass(frozen=True)
class Alignment:
    """A hypothesis beside its reference: pairs (reference, hypothesis), None where there is none.

    Printed, it has a line for each and one of marks: S substituted, D deleted, I inserted.
    """

    pairs: tuple[tuple, ...]

    @property
    def marks(self):
        """A character a pair: "S", "D", "I", or " " where both agree."""
        return "".join(
            " " if a == b else "I" if a is None else "D" if b is None else "S"
            for a, b in self.pairs
        )

    @property
    def errors(self):
        """How many units are substituted, deleted or inserted."""
        return sum(mark != " " for mark in self.marks)

    def __str__(self):
        columns = [
            ["*" if x is None else "_" if x == " " else str(x) for x in pair] + [mark]
            for pair, mark in zip(self.pairs, self.marks, strict=True)
        ]
        widths = [max(map(len, column)) for column in columns]
        titles = ("reference ", "hypothesis", "          ")
        rows = zip(*columns, strict=True) if columns else ((), (), ())
        return "\n".join(
            " ".join([title, *(x.ljust(w) for x, w in zip(row, widths, strict=True))]).rstrip()
            for title, row in zip(titles, rows, strict=True)
        )


def align(reference, hypothesis):
    """The `Alignment` of two sequences with the fewest errors (Levenshtein).

    >>> from tallowaudio.metrics import align
    >>> found = align("one two three".split(), "one two two tree".split())
    >>> print(found)
    reference  one *   two three
    hypothesis one two two tree
                   I       S
    >>> found.errors
    2
    """
    a, b = list(reference), list(hypothesis)
    codes = {unit: i for i, unit in enumerate(dict.fromkeys([*a, *b]))}
    x, y = (np.array([codes[unit] for unit in units], int) for units in (a, b))
    steps = np.arange(len(b) + 1)
    table = np.empty((len(a) + 1, len(b) + 1), int)
    table[0] = steps
    for i in range(len(a)):
        row = table[i] + 1
        row[1:] = np.minimum(row[1:], table[i, :-1] + (y != x[i]))
        table[i + 1] = np.minimum.accumulate(row - steps) + steps  # insertions
    pairs, i, j = [], len(a), len(b)
    while i or j:
        if i and j and table[i, j] == table[i - 1, j - 1] + (x[i - 1] != y[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((a[i], b[j]))
        elif i and table[i, j] == table[i - 1, j] + 1:
            i -= 1
            pairs.append((a[i], None))
        else:
            j -= 1
            pairs.append((None, b[j]))
    return Alignment(tuple(reversed(pairs)))


def _error_rate(name, references, hypotheses, units):
    if isinstance(references, str):
        references, hypotheses = [references], [hypotheses]
    if len(references) != len(hypotheses):
        raise ShapeError(
            f"{name}: expected a hypothesis for each reference, got {len(references)} and "
            f"{len(hypotheses)}"
        )
    total = sum(len(units(reference)) for reference in references)
    if total == 0:
        raise ArgumentError(f"{name}: expected references that are not empty, got none")
    pairs = zip(references, hypotheses, strict=True)
    return sum(align(units(a), units(b)).errors for a, b in pairs) / total


def word_error_rate(references, hypotheses):
    """Words substituted, deleted or inserted, by words of the references: strings, or lists.

    >>> from tallowaudio.metrics import word_error_rate
    >>> word_error_rate(["a cat sat", "yes"], ["a cat sits", "yes"])
    0.25
    """
    return _error_rate("word_error_rate", references, hypotheses, str.split)


def character_error_rate(references, hypotheses):
    """Characters substituted, deleted or inserted, by characters of the references.

    >>> from tallowaudio.metrics import character_error_rate
    >>> character_error_rate("31415", "3145")
    0.2
    """
    return _error_rate("character_error_rate", references, hypotheses, list)


def _check_pair(name, estimate, reference):
    if estimate.shape != reference.shape:
        raise ShapeError(
            f"{name}: expected two signals of one shape, got {listing((estimate, reference))}"
        )


def _decibels(power, other):
    eps = tallow.finfo(power.dtype).eps
    return 10 * ((power + eps) / (other + eps)).log10()


def snr(estimate, reference):
    """The signal-to-noise ratio in dB of estimates (..., time) of references: (...).

    >>> import tallow
    >>> from tallowaudio.metrics import snr
    >>> snr(tallow.tensor([1.1, 1.1]), tallow.tensor([1.0, 1.0])).round()
    tensor(20.)
    """
    _check_pair("snr", estimate, reference)
    return _decibels(reference.square().sum(-1), (reference - estimate).square().sum(-1))


def si_sdr(estimate, reference, zero_mean=True):
    """The scale-invariant signal-to-distortion ratio in dB of (..., time): (...).

    Differentiable. Le Roux et al., "SDR: half-baked or well done?", 2019.

    >>> import tallow
    >>> from tallowaudio.metrics import si_sdr
    >>> wave = tallow.tensor([1.0, -1.0, 1.0, -1.0])
    >>> si_sdr(0.3 * wave + 0.03 * wave.sign().cumsum(0), wave) > 18
    tensor(True)
    """
    _check_pair("si_sdr", estimate, reference)
    if zero_mean:
        estimate, reference = (x - x.mean(-1, keepdim=True) for x in (estimate, reference))
    energy = reference.square().sum(-1, keepdim=True)
    eps = tallow.finfo(energy.dtype).eps
    target = (estimate * reference).sum(-1, keepdim=True) / (energy + eps) * reference
    return _decibels(target.square().sum(-1), (target - estimate).square().sum(-1))


_RATE, _FRAME, _FFT = 10000, 256, 512  # Hz, samples, samples
_BANDS, _LOWEST, _SEGMENT = 15, 150.0, 30  # third octaves, Hz, frames
_SILENCE, _CLIP = 40.0, 10 ** (15 / 20)  # dB below the loudest frame; distortion at most


def _third_octaves():
    """Which frequencies belong to which band: (bands, _FFT / 2 + 1)."""
    frequencies = np.linspace(0, _RATE, _FFT + 1)[: _FFT // 2 + 1]
    edges = _LOWEST * 2 ** ((2 * np.arange(_BANDS + 1) - 1) / 6)
    nearest = np.abs(frequencies - edges[:, None]).argmin(1)
    places = np.arange(len(frequencies))
    return (places >= nearest[:-1, None]) & (places < nearest[1:, None])


def _frames(x):
    """Every other half of a frame a frame, as in the paper's program: none ends with the signal."""
    return sliding_window_view(x[:-1], _FRAME)[:: _FRAME // 2]


def _without_silence(estimate, reference):
    """Both without the frames in which the reference is silent."""
    window, step = np.hanning(_FRAME + 2)[1:-1], _FRAME // 2
    frames = [_frames(x) * window for x in (estimate, reference)]
    if len(frames[0]) == 0:
        return estimate[:0], reference[:0]
    loudness = 20 * np.log10(np.linalg.norm(frames[1], axis=1) + np.finfo(float).eps)
    loud = loudness > loudness.max() - _SILENCE
    out = []
    for kept in (x[loud] for x in frames):
        joined = np.zeros((len(kept) + 1) * step)
        joined[: len(kept) * step] += kept[:, :step].ravel()
        joined[step:] += kept[:, step:].ravel()
        out.append(joined)
    return out


def _stoi(estimate, reference):
    """The intelligibility of one signal at 10 kHz."""
    window = np.hanning(_FRAME + 2)[1:-1]
    segments = []
    for x in _without_silence(estimate, reference):
        if len(x) < _FRAME + _FRAME // 2 * _SEGMENT:
            raise ShapeError(
                f"stoi: expected {_SEGMENT} frames with speech, 0.4 s, got fewer; is it silence?"
            )
        frames = _frames(x) * window
        power = np.abs(np.fft.rfft(frames, _FFT)) ** 2
        bands = np.sqrt(power @ _third_octaves().T)
        segments.append(sliding_window_view(bands, _SEGMENT, axis=0))
    y, x = segments  # (segments, bands, frames)
    y = np.minimum(_unit(y) * np.linalg.norm(x, axis=2, keepdims=True), x * (1 + _CLIP))
    y, x = (_unit(a - a.mean(2, keepdims=True)) for a in (y, x))
    return (x * y).sum(2).mean()


def _unit(x):
    """The rows of the last dimension brought to length 1."""
    return x / (np.linalg.norm(x, axis=2, keepdims=True) + np.finfo(float).eps)


def stoi(estimate, reference, sample_rate):
    """How much of speech (..., time) can be understood, from 0 to 1: (...).

    Taal et al., "An Algorithm for Intelligibility Prediction of Time-Frequency Weighted Noisy
    Speech", 2011. Silent frames of the reference are left out; 0.4 s of speech are needed.
    """
    _check_pair("stoi", estimate, reference)
    both = [F.resample(x.double(), sample_rate, _RATE) for x in (estimate, reference)]
    rows = [x.reshape(-1, x.shape[-1]).numpy() for x in both]
    found = [_stoi(*pair) for pair in zip(*rows, strict=True)]
    return tallow.tensor(found).reshape(estimate.shape[:-1])


def equal_error_rate(scores, labels):
    """Where as large a share of positives is missed as of negatives accepted: (rate, threshold).

    `labels` (N,) are true for positives, whose scores (N,) should be at or over the threshold.

    >>> import tallow
    >>> from tallowaudio.metrics import equal_error_rate
    >>> equal_error_rate(tallow.tensor([4.0, 2.0, 3.0, 1.0]), tallow.tensor([1, 1, 0, 0]))
    (0.5, 3.0)
    """
    scores, labels = scores.numpy(), labels.numpy().astype(bool)
    if scores.shape != labels.shape or labels.all() or not labels.any():
        raise ArgumentError(
            "equal_error_rate: expected a label for each score, some true and some not, got "
            f"{int(labels.sum())} true of {labels.size} for {scores.size} scores"
        )
    order = np.argsort(scores, kind="stable")
    scores, labels = scores[order], labels[order]
    missed = np.concatenate([[0], np.cumsum(labels)]) / labels.sum()
    accepted = 1 - np.concatenate([[0], np.cumsum(~labels)]) / (~labels).sum()
    first = np.concatenate([[True], scores[1:] != scores[:-1]])  # a threshold takes all equals
    at = np.flatnonzero(first)
    best = at[np.abs(missed - accepted)[at].argmin()]
    rate = float(missed[best] + accepted[best]) / 2
    return rate, float(scores[best])
