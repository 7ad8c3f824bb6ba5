"""Text as tokens, characters, words or parts of words, and windows of it to learn from."""

import re
from collections import Counter

import tallow

UNKNOWN = "<unk>"


def read(path):
    """The text of a file; without one, the reference of the language, which Python brings along."""
    if path is not None:
        return path.read_text(encoding="utf-8")
    from pydoc_data.topics import topics

    return "\n\n".join(topics.values())


class Corpus:
    """A text in tokens: `vocabulary`, and `train` and `test` (the last tenth), int64 (length,)."""

    def __init__(self, text, unit, most=10_000):
        self.unit = unit
        tokens = self.split(text)
        common = Counter(tokens).most_common(most)
        self.vocabulary = [UNKNOWN, *sorted(token for token, _ in common)]
        self.number = {token: n for n, token in enumerate(self.vocabulary)}
        self._divide(self.encode(tokens))

    def _divide(self, numbers):
        held_out = len(numbers) // 10
        self.train, self.test = numbers[:-held_out], numbers[-held_out:]

    def split(self, text):
        """Characters, or words, signs and line ends."""
        return list(text) if self.unit == "character" else re.findall(r"\w+|[^\w\s]|\n", text)

    def join(self, numbers):
        """The text of tokens, which are given by their numbers."""
        separator = "" if self.unit == "character" else " "
        return separator.join(self.vocabulary[n] for n in numbers)

    def encode(self, tokens):
        return tallow.tensor([self.number.get(token, 0) for token in tokens])


class Subwords(Corpus):
    """A text in the parts of words that byte-pair encoding finds in it."""

    def __init__(self, text, most=2000):
        from tallowtext import Tokenizer

        self.unit = "subword"
        self.tokenizer = Tokenizer.train(text.splitlines(True), "bpe", most)
        self.vocabulary = [self.tokenizer.id_to_token(n) for n in range(len(self.tokenizer))]
        self._divide(tallow.tensor(self.tokenizer.encode(text)))

    def join(self, numbers):
        return self.tokenizer.decode(numbers)


def load(options):
    """The text that the command line asks for, in the tokens that it asks for."""
    text = read(options.data)
    return Subwords(text) if options.tokens == "subword" else Corpus(text, options.tokens)


def windows(numbers, starts, length):
    """Windows of tokens, and for each of its tokens the one that follows: both (N, length)."""
    found = numbers[starts[:, None] + tallow.arange(length + 1)]
    return found[:, :-1], found[:, 1:]


def random_windows(numbers, count, length):
    return windows(numbers, tallow.randint(len(numbers) - length, (count,)), length)


def all_windows(numbers, count, length):
    """The whole text in windows, in batches of up to `count`."""
    for starts in tallow.arange(0, len(numbers) - length, length).split(count):
        yield windows(numbers, starts, length)
