"""Vocabularies, and vectors of words: published ones, and one's own."""

from tallowtext.vocab.training import train_glove, train_word2vec
from tallowtext.vocab.vectors import CharNGram, FastText, GloVe, Vectors, pretrained_aliases
from tallowtext.vocab.vocabulary import (
    Vocab,
    VocabError,
    build_vocab_from_iterator,
    load_vocab_from_file,
    vocab,
)

__all__ = [
    "CharNGram", "FastText", "GloVe", "Vectors", "Vocab", "VocabError",
    "build_vocab_from_iterator", "load_vocab_from_file", "pretrained_aliases", "train_glove",
    "train_word2vec", "vocab",
]  # fmt: skip
