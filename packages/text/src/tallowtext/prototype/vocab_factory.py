"""Vocabularies from files, under the names of torchtext's prototypes."""

from tallowtext._files import numbered_lines
from tallowtext.vocab import build_vocab_from_iterator, load_vocab_from_file

__all__ = ["build_vocab_from_text_file", "load_vocab_from_file"]


def build_vocab_from_text_file(file_path, tokenizer=None, min_freq=1, num_cpus=None):
    """A Vocab of the tokens in a text file, which are its words between spaces by default."""
    split = tokenizer or str.split
    return build_vocab_from_iterator(
        (split(line) for _, line in numbered_lines(file_path)), min_freq
    )
