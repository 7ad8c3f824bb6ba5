"""Lexicons, dictionaries, and the tree of all words' spellings."""

from pathlib import Path

import numpy as np

from tallow.errors import ArgumentError


class Dictionary:
    """Entries and their numbers. Entries that share a line of a file share a number."""

    def __init__(self, entries):
        self.entries, self.indices = [], {}
        for names in entries:
            names = [names] if isinstance(names, str) else names
            for name in names:
                self.indices[name] = len(self.entries)
            self.entries.append(names[0])

    @classmethod
    def load(cls, path):
        """One entry a line."""
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        return cls([line.split() for line in lines if line.strip()])

    def __len__(self):
        return len(self.entries)

    def index_size(self):
        return len(self.entries)

    def get_entry(self, index):
        return self.entries[index]

    def get_index(self, entry):
        if entry not in self.indices:
            raise ArgumentError(f"tokens: expected {entry!r} among them, got {self.entries}")
        return self.indices[entry]


def read_lexicon(path, tokens):
    """The spellings of each word, a word and its tokens a line: {word: [[token number, ...], ...]}.

    ArgumentError names the line with an unknown token, or with none.
    """
    words: dict = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            word, *spelling = line.split() or [None]
            if word is None:
                continue
            unknown = [token for token in spelling if token not in tokens.indices]
            if unknown or not spelling:
                got = f"{unknown[0]!r}, which is not among the tokens" if unknown else "none"
                raise ArgumentError(
                    f"{path}, line {number}: expected tokens after {word!r}, got {got}"
                )
            words.setdefault(word, []).append([tokens.indices[token] for token in spelling])
    return words


class Tree:
    """The spellings of words as paths from node 0, found for many nodes and tokens at once.

    `best` (nodes,) is the highest score of the words that go through a node or end there; the words
    that end there are `labels[a:b]` with a, b = `ends[node : node + 2]`.
    """

    def __init__(self, lexicon, numbers, scores, tokens):
        self.tokens = tokens
        edges, ending, best = {}, {}, [-np.inf]
        for word, spellings in lexicon.items():
            score = scores[numbers[word]]
            for spelling in spellings:
                node, path = 0, [0]
                for token in spelling:
                    key = node * tokens + token
                    if key not in edges:
                        edges[key] = len(best)
                        best.append(-np.inf)
                    node = edges[key]
                    path.append(node)
                ending.setdefault(node, []).append(numbers[word])
                for node in path:
                    best[node] = max(best[node], score)
        self.keys = np.array(sorted(edges), np.int64)
        self.targets = np.array([edges[key] for key in self.keys.tolist()], np.int64)
        self.best = np.array(best)
        self.best[0] = 0.0  # no word has been begun
        self.inner = np.zeros(len(best), bool)
        self.inner[self.keys // tokens] = True
        counts = np.zeros(len(best) + 1, np.int64)
        for node, labels in ending.items():
            counts[node + 1] = len(labels)
        self.ends = counts.cumsum()
        self.labels = np.array(
            [label for node in sorted(ending) for label in ending[node]], np.int64
        )

    def children(self, nodes, tokens):
        """Where tokens lead to from nodes, arrays of one shape, and where they lead anywhere."""
        keys = nodes * self.tokens + tokens
        places = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return self.targets[places], self.keys[places] == keys
