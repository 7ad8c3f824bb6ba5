"""Vectors of words under the names of torchtext's prototypes."""

import csv

import tallow
from tallowtext.data.readers import Records, rows
from tallowtext.vocab import FastText, GloVe, Vectors

__all__ = ["FastText", "GloVe", "Vectors", "build_vectors", "load_vectors_from_file_path"]


def build_vectors(tokens, vectors, unk_tensor=None):
    """The vectors (N, dim) of a list of tokens; others get `unk_tensor` (dim), zeros by default."""
    return Vectors.of(tokens, vectors, _always(unk_tensor))


def load_vectors_from_file_path(filepath, delimiter=",", unk_tensor=None, num_cpus=None):
    """The vectors in a file with a word and its numbers a line, between delimiters."""

    table = Records(filepath, rows(delimiter=delimiter, quoting=csv.QUOTE_NONE), _parsed)
    words, vectors = zip(*table, strict=True)
    return build_vectors(list(words), tallow.tensor(list(vectors)), unk_tensor)


def _parsed(row):
    return row[0], [float(number) for number in row[1:]]


def _always(unk_tensor):
    return None if unk_tensor is None else lambda empty: unk_tensor
