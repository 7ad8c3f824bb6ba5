"""Vocabularies: the numbers of tokens."""

import os
from collections import Counter
from itertools import islice

import tallow
from tallow.errors import ArgumentError, TallowError, TypeMismatchError
from tallow.nn import Module
from tallowtext._files import TextFileError, numbered_lines

__all__ = ["Vocab", "build_vocab_from_iterator", "load_vocab_from_file", "vocab"]


class VocabError(TallowError, RuntimeError, LookupError):
    """A token or a number that a vocabulary has not, or has already."""


class Vocab(Module):
    """Tokens and their numbers, from 0: a token's is its place in the list `tokens`.

    `default_index` is the number of all tokens that are not in it; None makes them an error.

    >>> from tallowtext.vocab import Vocab
    >>> words = Vocab(["<unk>", "the", "cat"], default_index=0)
    >>> words(["the", "dog"]), words["cat"], words.lookup_token(1)
    ([1, 0], 2, 'the')
    """

    def __init__(self, tokens=(), default_index=None):
        super().__init__()
        self._tokens = list(tokens)
        self._numbers = {token: number for number, token in enumerate(self._tokens)}
        if len(self._numbers) < len(self._tokens):
            token, count = Counter(self._tokens).most_common(1)[0]
            raise VocabError(f"Vocab: expected each token once, got {token!r} {count} times")
        self._default = default_index

    def __setstate__(self, state):
        made = _of_torchtext(state)
        super().__setstate__(state if made is None else made.__dict__)

    def forward(self, tokens):
        """`lookup_indices`."""
        return self.lookup_indices(tokens)

    def __len__(self):
        return len(self._tokens)

    def __contains__(self, token):
        return token in self._numbers

    def __getitem__(self, token):
        """The number of a token."""
        return self.lookup_indices((token,))[0]

    def lookup_indices(self, tokens):
        """The numbers of tokens; VocabError for one that is not here if there is no default."""
        try:
            numbers = self._numbers
            if self._default is None:
                return [numbers[token] for token in tokens]
            return [numbers.get(token, self._default) for token in tokens]
        except KeyError as error:
            raise VocabError(
                f"Vocab: expected tokens of the vocabulary, got {error.args[0]!r}; "
                "set_default_index gives a number to all others"
            ) from None

    def lookup_token(self, index):
        """The token with a number; VocabError if there is none."""
        if not 0 <= index < len(self._tokens):
            raise VocabError(f"Vocab: expected an index from 0 to {len(self) - 1}, got {index}")
        return self._tokens[index]

    def lookup_tokens(self, indices):
        """The tokens with some numbers."""
        return [self.lookup_token(index) for index in indices]

    def set_default_index(self, index):
        """Give the number `index` to all tokens that are not here; None makes them an error."""
        self._default = index

    def get_default_index(self):
        """The number of tokens that are not here, or None."""
        return self._default

    def append_token(self, token):
        """Add a token behind the others; VocabError if it is there already."""
        self.insert_token(token, len(self))

    def insert_token(self, token, index):
        """Add a token with the number `index`; those from there on move up by one."""
        if not 0 <= index <= len(self):
            raise VocabError(f"Vocab: expected an index from 0 to {len(self)}, got {index}")
        if token in self._numbers:
            raise VocabError(
                f"Vocab: expected a new token, got {token!r}, which has number {self[token]}"
            )
        self._tokens.insert(index, token)
        for number in range(index, len(self)):
            self._numbers[self._tokens[number]] = number

    def get_stoi(self):
        """A dict from tokens to numbers."""
        return dict(self._numbers)

    def get_itos(self):
        """The tokens in the order of their numbers."""
        return list(self._tokens)

    def save(self, path):
        """Write the tokens to a UTF-8 file, one a line. The default index is not in it."""
        for token in self._tokens:
            if not token or token.splitlines() != [token]:
                raise VocabError(
                    f"save: expected tokens that fill one line, got {token!r}; pickle the Vocab"
                )
        partial = f"{path}.partial"
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{token}\n" for token in self._tokens)
        os.replace(partial, path)

    @classmethod
    def load(cls, path, default_index=None):
        """The vocabulary in a file with one token a line; TextFileError names a bad line.

        A file with the end .pt is one that torchtext saved a Vocab in.
        """
        if str(path).endswith(".pt"):
            return saved_vocab(tallow.load(path))
        numbers = {}
        for line, token in numbered_lines(path):
            if not token:
                raise TextFileError(f"{path}, line {line}: expected a token, got an empty line")
            if token in numbers:
                raise TextFileError(
                    f"{path}, line {line}: expected a new token, got {token!r}, which is in line "
                    f"{numbers[token] + 1} already"
                )
            numbers[token] = line - 1
        return cls(numbers, default_index)

    def extra_repr(self):
        return f"{len(self)} tokens, default_index={self._default}"


def saved_vocab(found):
    """The Vocab that `tallow.load` found in a file of torchtext's; TypeMismatchError for another.

    Torchtext's class is not loaded: what stands for it has the version, the default index in a
    list that may be empty, the tokens, and tensors of which there are none.
    """
    if isinstance(found, Vocab):
        return found
    made = _of_torchtext(getattr(found, "state", None))
    if made is None:
        raise TypeMismatchError(f"Vocab: expected a Vocab, got {type(found).__name__}")
    return made


def _of_torchtext(state):
    """The Vocab that a state of torchtext's class says, None for any other state."""
    inner = state.get("vocab") if isinstance(state, dict) else None
    match getattr(inner, "state", None):
        case (str(), [*default], [*tokens], []):
            return Vocab(tokens, *default)
    return None


def vocab(ordered_dict, min_freq=1, specials=None, special_first=True):
    """A Vocab of the keys of a dict, in its order, whose values are at least `min_freq`.

    `specials` are tokens that it gets in any case, before the others or behind them.

    >>> from tallowtext.vocab import vocab
    >>> vocab({"a": 3, "b": 1, "c": 2}, min_freq=2, specials=["<pad>"]).get_itos()
    ['<pad>', 'a', 'c']
    """
    specials = list(specials or [])
    named = set(specials)
    tokens = [t for t, count in ordered_dict.items() if count >= min_freq and t not in named]
    return Vocab(specials + tokens if special_first else tokens + specials)


def build_vocab_from_iterator(
    iterator, min_freq=1, specials=None, special_first=True, max_tokens=None
):
    """A Vocab of the tokens in an iterator of lists of tokens, the most frequent first.

    Tokens that are equally frequent are in alphabetical order. `specials` count for `max_tokens`.

    >>> from tallowtext.vocab import build_vocab_from_iterator
    >>> lines = ["the cat and the dog".split(), "a cat".split()]
    >>> build_vocab_from_iterator(lines, specials=["<unk>"], max_tokens=3).get_itos()
    ['<unk>', 'cat', 'the']
    """
    counts = Counter()
    for tokens in iterator:
        counts.update(tokens)
    specials = list(specials or [])
    if max_tokens is not None and max_tokens <= len(specials):
        raise ArgumentError(
            f"build_vocab_from_iterator: expected max_tokens above the {len(specials)} specials, "
            f"got {max_tokens}"
        )
    room = None if max_tokens is None else max_tokens - len(specials)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return vocab(dict(islice(ordered, room)), min_freq, specials, special_first)


def load_vocab_from_file(file_path, min_freq=1):
    """A Vocab of the tokens in a file, one a line, that are in it at least `min_freq` times."""
    counts = Counter(token for _, token in numbered_lines(file_path) if token)
    return vocab(counts, min_freq)
