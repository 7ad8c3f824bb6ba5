"""A linear classifier of hashed n-grams: small, quick, and hard to beat on few texts.

Wang and Manning, "Baselines and Bigrams" (2012); Joulin et al., "Bag of Tricks" (2017); Weinberger
et al., "Feature Hashing" (2009).
"""

import re
from itertools import chain

import numpy as np

import tallow
from tallow import nn
from tallow.errors import ArgumentError

__all__ = ["NgramClassifier", "NgramFeatures", "importance"]

WORD = re.compile(r"n't\b|[^\W_]+?(?=n't\b)|'?[^\W_]+|[!?]")
BASE, MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)  # odd, of mixed bits
INVERSE = np.uint64(pow(int(BASE), -1, 1 << 64))
OPEN, CLOSE = ord("<"), ord(">")  # around each word


class NgramFeatures(nn.Module):
    """Texts to the numbers of their n-grams: up to `words` words, `characters` characters of one.

    Gives the numbers, below `buckets`, in one sequence, and where in it each text begins, as
    `nn.EmbeddingBag` takes them; an n-gram counts once in a text. Raises ArgumentError for a text
    without a word.

    >>> from tallowtext.models import NgramFeatures
    >>> features = NgramFeatures(buckets=1000, words=2, characters=None)
    >>> numbers, offsets = features(["a fine film", "fine"])
    >>> len(numbers), offsets.tolist()
    (6, [0, 5])
    """

    def __init__(self, buckets=1 << 18, words=2, characters=(3, 5)):
        super().__init__()
        self.buckets, self.words, self.characters = buckets, words, characters

    def forward(self, texts):
        row, _, _, numbers = self.found([texts] if isinstance(texts, str) else texts)
        offsets = np.searchsorted(row, np.arange(row[-1] + 1))
        return tallow.from_numpy(numbers), tallow.from_numpy(offsets)

    def split(self, text):
        """The words of a text, as (start, end) in it; n't is one, and so are ! and ?."""
        return [match.span() for match in WORD.finditer(text.lower())]

    def found(self, texts):
        """For each n-gram its text, its first word there, how many words it has, and its number."""
        lists = [WORD.findall(text.lower()) for text in texts]
        for place, words in enumerate(lists):
            if not words:
                raise ArgumentError(f"text {place}: expected words, got {texts[place]!r:.60}")
        counts = np.fromiter(map(len, lists), np.int64, len(lists))
        parts = self._of_words(list(chain.from_iterable(lists)), np.cumsum(counts))
        first, length, hashed = (np.concatenate(column) for column in zip(*parts, strict=True))
        row = np.searchsorted(np.cumsum(counts), first, "right")
        hashed = (hashed ^ (hashed >> np.uint64(32))) * MIX
        number = (hashed >> np.uint64(32)).astype(np.int64) % self.buckets
        _, once = np.unique(row * self.buckets + number, return_index=True)
        return (
            row[once],
            first[once] - (np.cumsum(counts) - counts)[row[once]],
            length[once],
            number[once],
        )

    def _of_words(self, words, ends):
        """(first word, how many, hash) of all n-grams; texts end behind the words `ends`."""
        text = np.frombuffer("".join(f"<{word}>" for word in words).encode("utf-32-le"), np.uint32)
        places = np.arange(len(text) + 1, dtype=np.uint64)
        with np.errstate(over="ignore"):
            powers, inverses = _powers(BASE, places), _powers(INVERSE, places)
            sums = np.concatenate([[np.uint64(0)], np.cumsum(text * powers[:-1], dtype=np.uint64)])

            def hashed(start, end):
                return (sums[end] - sums[start]) * inverses[start]

            starts, stops = np.flatnonzero(text == OPEN), np.flatnonzero(text == CLOSE) + 1
            text_of = np.searchsorted(ends, np.arange(len(words)), "right")
            for n in range(1, self.words + 1):
                first = np.arange(len(words) - n + 1)
                first = first[text_of[first] == text_of[first + n - 1]]
                yield first, np.full(len(first), n), hashed(starts[first], stops[first + n - 1])
            word_of = np.repeat(np.arange(len(words)), stops - starts)
            for n in range(self.characters[0], self.characters[1] + 1) if self.characters else ():
                at = np.arange(max(len(text) - n + 1, 0))
                at = at[word_of[at] == word_of[at + n - 1]]
                own = hashed(at, at + n) * MIX + np.uint64(n)  # other than a word of these letters
                yield word_of[at], np.ones(len(at), np.int64), own


def _powers(base, exponents):
    return np.cumprod(np.where(exponents == 0, np.uint64(1), base), dtype=np.uint64)


class NgramClassifier(nn.Module):
    """Scores (N, classes) of texts: what their n-grams add up to.

    forward takes what `NgramFeatures` gives, and weights of the n-grams if they are not to be 1.

    >>> from tallowtext.models import NgramClassifier, NgramFeatures
    >>> model = NgramClassifier(3, buckets=1000)
    >>> tuple(model(*NgramFeatures(1000)(["a fine film", "fine"])).shape)
    (2, 3)
    """

    def __init__(self, num_classes=2, buckets=1 << 18):
        super().__init__()
        columns = 1 if num_classes == 2 else num_classes
        self.table = nn.EmbeddingBag(buckets, columns, mode="sum")
        nn.init.zeros_(self.table.weight)
        self.bias = nn.Parameter(tallow.zeros(columns))

    def forward(self, numbers, offsets, weights=None):
        scores = self.table(numbers, offsets, weights) + self.bias
        return scores if len(self.bias) > 1 else tallow.cat([-scores / 2, scores / 2], 1)


def importance(model, features, text, label):
    """How much each word of a text speaks for a class: [(start, end, value)], as `split` gives.

    The value is the gradient of the class's score with respect to how often an n-gram counts, times
    that, which is 1, shared evenly by the words of the n-gram where it occurs first; all values add
    up to the score, but for its bias. Simonyan et al. (2014), Shrikumar et al. (2017).
    """
    _, first, length, numbers = features.found([text])
    weights = tallow.ones(len(numbers), requires_grad=True)
    offsets = tallow.zeros(1, dtype=tallow.long)
    score = model(tallow.from_numpy(numbers), offsets, weights)[0, label]
    (gradient,) = tallow.autograd.grad(score, weights)
    shares = (gradient * weights).detach().numpy() / length
    spans = features.split(text)
    values = np.zeros(len(spans))
    for n in range(length.max()):
        reaches = length > n
        np.add.at(values, first[reaches] + n, shares[reaches])
    return [(*span, value) for span, value in zip(spans, values.tolist(), strict=True)]
