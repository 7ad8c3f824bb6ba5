"""Vectors of words learnt from a corpus: skip-gram and CBOW with negative sampling, and GloVe.

Batches are computed whole, and rows of the tables get AdaGrad's steps (Duchi et al., Adaptive
Subgradient Methods, 2011), which a word's many places in a batch do not upset.
"""

from array import array

import numpy as np

import tallow
from tallow.errors import ArgumentError
from tallowtext.vocab.vectors import Vectors

__all__ = ["train_glove", "train_word2vec"]

PLACES = 20_000  # of the corpus that are prepared at once


class _Corpus:
    """The words of sentences as numbers, the most frequent word 0, without those that are rare."""

    def __init__(self, name, sentences, min_freq):
        numbers: dict[str, int] = {}
        words, of_sentence = array("i"), array("i")
        for sentence, tokens in enumerate(sentences):
            words.extend(numbers.setdefault(token, len(numbers)) for token in tokens)
            of_sentence.extend([sentence] * (len(words) - len(of_sentence)))
        found = np.array(words, np.int64)
        counts = np.bincount(found, minlength=len(numbers))
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] >= min_freq]
        if len(order) < 2:
            raise ArgumentError(
                f"{name}: expected two words or more that occur {min_freq} times, got {len(order)}"
            )
        new = np.full(len(numbers), -1)
        new[order] = np.arange(len(order))
        kept = new[found] >= 0
        listed = list(numbers)
        self.tokens = [listed[number] for number in order]
        self.counts = counts[order]
        self.words = new[found][kept]
        self.sentences = np.array(of_sentence)[kept]


class _Table:
    """Rows of numbers that learn."""

    def __init__(self, rows, dim, lr):
        self.values = (tallow.rand(rows, dim) - 0.5) / dim
        self.squares = tallow.full((rows, dim), 1e-8)
        self.lr = lr

    def step(self, rows, gradients):
        """A step against gradients (N, dim) of rows (N), some of which may be the same."""
        self.squares.index_add_(0, rows, gradients * gradients)
        steps = gradients / self.squares[rows].sqrt()
        self.values.index_add_(0, rows, steps, alpha=-self.lr)


def _around(words, sentences, start, stop, window):
    """Places (N, 2 window) around those from `start` to `stop`, and which are in the sentence."""
    offsets = np.concatenate([np.arange(-window, 0), np.arange(1, window + 1)])
    places = np.arange(start, stop)[:, None] + offsets
    inside = (places >= 0) & (places < len(words))
    places = np.where(inside, places, 0)
    return places, inside & (sentences[places] == sentences[start:stop, None]), abs(offsets)


@tallow.no_grad()
def train_word2vec(
    sentences, dim=100, model="skipgram", window=5, negatives=5, min_freq=5, epochs=5, lr=0.05,
    subsample=1e-3, batch_size=1024, report=None,
):  # fmt: skip
    """Vectors (words, dim) of the words in an iterable of sentences, lists of tokens.

    "skipgram" learns to tell the words up to `window` places around a word from `negatives` others
    drawn by their frequency, "cbow" a word from those around it. Words that occur less than
    `min_freq` times are left out, and the more of the others the more their share of the corpus is
    above `subsample`. `report(epoch, loss)` is called after each epoch. Mikolov et al., Distributed
    Representations of Words and Phrases (2013), equation 4 and sections 2.2 and 2.3.

    >>> import tallow
    >>> from tallowtext.vocab import train_word2vec
    >>> _ = tallow.manual_seed(0)
    >>> sentences = [f"the {pet} eats".split() for pet in ("cat", "dog")] * 20
    >>> vectors = train_word2vec(sentences, dim=8, epochs=2)
    >>> vectors.itos, vectors.vectors.shape
    (['the', 'eats', 'cat', 'dog'], tallow.Size([4, 8]))
    """
    if model not in ("skipgram", "cbow"):
        raise ArgumentError(f"train_word2vec: expected 'skipgram' or 'cbow', got {model!r}")
    corpus = _Corpus("train_word2vec", sentences, min_freq)
    inputs = _Table(len(corpus.tokens), dim, lr)
    outputs = _Table(len(corpus.tokens), dim, lr)
    outputs.values.zero_()
    shares = corpus.counts**0.75
    noise = tallow.from_numpy(np.cumsum(shares / shares.sum()))
    for epoch in range(epochs):
        total = count = 0
        for known, weights, wanted in _examples(corpus, model, window, subsample, batch_size):
            drawn = tallow.rand(len(wanted), negatives, dtype=tallow.double)
            others = tallow.searchsorted(noise, drawn).clamp(max=len(noise) - 1)
            total += _learn(inputs, outputs, known, weights, wanted, others) * len(wanted)
            count += len(wanted)
        if report:
            report(epoch, total / max(count, 1))
    return Vectors.of(corpus.tokens, inputs.values)


def _examples(corpus, model, window, subsample, batch_size):
    """Batches of numbers of known words (N, M), their weights (N, M), and the word wanted (N)."""
    share = corpus.counts / corpus.counts.sum()
    kept = np.sqrt(subsample / share) + subsample / share
    mask = tallow.rand(len(corpus.words)).numpy() < kept[corpus.words]
    words, sentences = corpus.words[mask], corpus.sentences[mask]
    for start in range(0, len(words), PLACES):
        stop = min(start + PLACES, len(words))
        places, near, offsets = _around(words, sentences, start, stop, window)
        near &= offsets <= tallow.randint(1, window + 1, (stop - start, 1)).numpy()
        centres = words[start:stop]
        if model == "cbow":
            rows = near.any(1)
            known, wanted = words[places[rows]], centres[rows]
            weights = near[rows] / near[rows].sum(1, keepdims=True)
        else:
            wanted = words[places[near]]
            known = np.repeat(centres, near.sum(1))[:, None]
            weights = np.ones(known.shape)
        order = tallow.randperm(len(wanted)).numpy()
        for at in range(0, len(order), batch_size):
            rows = order[at : at + batch_size]
            yield (
                tallow.from_numpy(known[rows]),
                tallow.from_numpy(weights[rows]).float(),
                tallow.from_numpy(wanted[rows]),
            )


def _learn(inputs, outputs, known, weights, wanted, others):
    """A step for a batch; its mean loss. Others that are the word wanted count for nothing."""
    state = (inputs.values[known] * weights.unsqueeze(2)).sum(1)  # (N, dim)
    asked = tallow.cat([wanted.unsqueeze(1), others], 1)  # (N, 1 + negatives)
    rows = outputs.values[asked]  # (N, 1 + negatives, dim)
    scores = (rows @ state.unsqueeze(2)).squeeze(2)
    signs = tallow.ones_like(scores)
    signs[:, 1:] = -(others != wanted.unsqueeze(1)).float()
    losses = tallow.nn.functional.softplus(-scores * signs) * signs.abs()
    slopes = -signs * tallow.sigmoid(-scores * signs)
    to_state = (slopes.unsqueeze(1) @ rows).squeeze(1)
    to_rows = slopes.unsqueeze(2) * state.unsqueeze(1)
    outputs.step(asked.flatten(), to_rows.flatten(0, 1))
    to_inputs = weights.unsqueeze(2) * to_state.unsqueeze(1)
    inputs.step(known.flatten(), to_inputs.flatten(0, 1))
    return losses.sum(1).mean().item()


@tallow.no_grad()
def train_glove(
    sentences, dim=100, window=10, min_freq=5, epochs=25, lr=0.05, most=100.0, power=0.75,
    batch_size=4096, report=None,
):  # fmt: skip
    """Vectors (words, dim) of the words in an iterable of sentences, from how often they meet.

    Two words that are d places apart, up to `window`, meet 1 / d times; pairs weigh
    (meetings / `most`) ** `power`, but not above 1. `report(epoch, loss)` is called after each
    epoch. Pennington et al., GloVe (2014), equations 8 and 9; the result is the sum of both tables.
    """
    corpus = _Corpus("train_glove", sentences, min_freq)
    first, second, meetings = _meetings(corpus, window)
    if not len(first):
        raise ArgumentError("train_glove: expected words that meet, got sentences of one word")
    size = len(corpus.tokens)
    sides = [(_Table(size, dim, lr), _Table(size, 1, lr)) for _ in range(2)]
    wanted = tallow.from_numpy(np.log(meetings)).float()
    weights = tallow.from_numpy(np.minimum(meetings / most, 1) ** power).float()
    pairs = tallow.from_numpy(np.stack([first, second]))
    for epoch in range(epochs):
        total = 0
        for rows in tallow.randperm(len(first)).split(batch_size):
            total += _fit(sides, pairs[:, rows], wanted[rows], weights[rows])
        if report:
            report(epoch, total / len(first))
    return Vectors.of(corpus.tokens, sides[0][0].values + sides[1][0].values)


def _fit(sides, pairs, wanted, weights):
    """A step for a batch of pairs; its loss, summed up."""
    (one, one_bias), (other, other_bias) = sides
    x, y = one.values[pairs[0]], other.values[pairs[1]]
    biases = one_bias.values[pairs[0]] + other_bias.values[pairs[1]]
    errors = (x * y).sum(1) + biases.squeeze(1) - wanted
    slopes = (weights * errors).unsqueeze(1)
    one.step(pairs[0], slopes * y)
    other.step(pairs[1], slopes * x)
    one_bias.step(pairs[0], slopes)
    other_bias.step(pairs[1], slopes)
    return (weights * errors * errors).sum().item()


def _meetings(corpus, window):
    """Pairs of words and how often they meet: numbers of both, and counts."""
    size = len(corpus.tokens)
    words = corpus.words
    keys, values = np.zeros(0, np.int64), np.zeros(0)
    for start in range(0, len(words), PLACES * 10):
        stop = min(start + PLACES * 10, len(words))
        places, near, offsets = _around(words, corpus.sentences, start, stop, window)
        pairs = (words[start:stop, None] * size + words[places])[near]
        counts = np.broadcast_to(1 / offsets, near.shape)[near]
        keys, values = np.concatenate([keys, pairs]), np.concatenate([values, counts])
        keys, inverse = np.unique(keys, return_inverse=True)
        values = np.bincount(inverse, values, len(keys))
    return keys // size, keys % size, values
