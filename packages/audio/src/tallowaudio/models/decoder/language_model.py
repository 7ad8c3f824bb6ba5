"""N-gram language models from ARPA files, looked up for many contexts and words at once."""

import gzip
from pathlib import Path

import numpy as np

from tallow.errors import ArgumentError

ABSENT = -100.0  # log10 probability of words that a model without <unk> does not know


def _lines(path):
    """The lines of a text file, plain or gzip's, with their numbers."""
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(12)
    if start.startswith(b"mmap lm http"):
        raise ArgumentError(
            f"{path}: expected an ARPA file, got one in KenLM's binary format; use the ARPA file "
            "it was made from"
        )
    with gzip.open(path, "rb") if start[:2] == b"\x1f\x8b" else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, line.decode().strip()
            except UnicodeDecodeError:
                raise ArgumentError(f"{path}, line {number}: expected UTF-8 text") from None


def _entry(path, number, line, order):
    """(words, log10 probability, log10 back-off) of a line of n-grams."""
    log, *fields = line.split()
    try:
        if len(fields) not in (order, order + 1):
            raise ValueError
        return tuple(fields[:order]), float(log), float((fields[order:] or [0])[0])
    except ValueError:
        raise ArgumentError(
            f"{path}, line {number}: expected a log probability, {order} word(s), maybe a back-off "
            f"weight, got {line!r}"
        ) from None


def read_arpa(path):
    """The n-grams of an ARPA file, plain or gzipped: {words: (log10 probability, back-off)}.

    ArgumentError names the file and the line that does not fit the format.
    """
    grams, counts, order, begun = {}, {}, None, False
    for number, line in _lines(path):
        if not line:
            continue
        if line == "\\data\\":
            begun = True
        elif not begun:
            continue  # comments may come first
        elif line == "\\end\\":
            break
        elif order is None and line.startswith("ngram "):
            length, _, count = line[6:].partition("=")
            if not (length.strip().isdigit() and count.strip().isdigit()):
                raise ArgumentError(
                    f"{path}, line {number}: expected 'ngram N=COUNT', got {line!r}"
                )
            counts[int(length)] = int(count)
        elif line.startswith("\\"):
            length = line.removeprefix("\\").removesuffix("-grams:")
            if not length.isdigit() or int(length) not in counts:
                known = ", ".join(f"\\{n}-grams:" for n in counts)
                raise ArgumentError(f"{path}, line {number}: expected {known}, got {line!r}")
            order = int(length)
        elif order is None:
            raise ArgumentError(f"{path}, line {number}: expected n-grams, got {line!r}")
        else:
            words, *values = _entry(path, number, line, order)
            grams[words] = values
    else:
        raise ArgumentError(f"{path}: expected \\data\\ and, at the end, \\end\\; is it whole?")
    for length, count in counts.items():
        found = sum(len(words) == length for words in grams)
        if found != count:
            raise ArgumentError(f"{path}: expected {count} {length}-grams, as it says, got {found}")
    return grams


class NGram:
    """A back-off model over the words of a dictionary, which are numbered as there.

    A state is the longest context that the model knows, 0 being the empty one. `score` takes arrays
    of states and of words.
    """

    def __init__(self, grams, words):
        numbers = {word: i for i, word in enumerate(words)}
        extra = dict.fromkeys(word for gram in grams for word in gram if word not in numbers)
        numbers |= {word: len(numbers) + i for i, word in enumerate(extra)}
        self.size = len(numbers)
        states = {(): 0} | {gram: i for i, gram in enumerate(grams, 1)}
        self.backoff = np.array([0.0, *[backoff for _, backoff in grams.values()]])
        self.shorter = np.zeros(len(states), np.int64)  # the context without its first word
        keys = np.empty(len(grams), np.int64)
        for gram, state in states.items():
            if gram:
                self.shorter[state] = states.get(gram[1:], 0)
                context = states.get(gram[:-1])
                if context is None:
                    raise ArgumentError(
                        f"language model: expected the n-gram {' '.join(gram[:-1])!r}, which "
                        f"{' '.join(gram)!r} extends, got none"
                    )
                keys[state - 1] = context * self.size + numbers[gram[-1]]
        order = np.argsort(keys)
        self.keys, self.next = keys[order], order + 1
        self.logs = np.array([log for log, _ in grams.values()])[order]
        unknown = grams.get(("<unk>",), (ABSENT, 0.0))[0]
        self.unknown = unknown
        self.begin = states.get(("<s>",), 0)
        self.end = numbers.get("</s>", -1)

    def start(self):
        """The state at the beginning of a sentence."""
        return self.begin

    def score(self, states, words):
        """log10 probabilities of words after states, and the states after them."""
        states, scores = states.copy(), np.zeros(len(states))
        after, open_ = np.zeros(len(states), np.int64), np.arange(len(states))
        while len(open_):
            keys = states[open_] * self.size + words[open_]
            places = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
            found = self.keys[places] == keys
            hit = open_[found]
            scores[hit] += self.logs[places[found]]
            after[hit] = self.next[places[found]]
            lost = open_[~found & (states[open_] == 0)]
            scores[lost] += self.unknown
            open_ = open_[~found & (states[open_] != 0)]
            scores[open_] += self.backoff[states[open_]]
            states[open_] = self.shorter[states[open_]]
        return scores, after

    def finish(self, states):
        """log10 probabilities of the sentences' end after states."""
        if self.end < 0:
            return np.full(len(states), self.unknown)
        return self.score(states, np.full(len(states), self.end))[0]


class NoModel:
    """A language model for which all words are alike."""

    def start(self):
        return 0

    def score(self, states, words):
        return np.zeros(len(states)), states

    def finish(self, states):
        return np.zeros(len(states))
