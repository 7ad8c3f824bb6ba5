"""Functions on iterators of lines and tokens."""

import re

from tallow.utils.data import Dataset
from tallowtext._files import asset
from tallowtext.sentencepiece import SentencePiece
from tallowtext.sentencepiece_training import train

__all__ = [
    "custom_replace", "filter_wikipedia_xml", "generate_sp_model", "load_sp_model",
    "numericalize_tokens_from_iterator", "sentencepiece_numericalizer", "sentencepiece_tokenizer",
    "simple_space_split", "to_map_style_dataset",
]  # fmt: skip


def load_sp_model(spm):
    """The SentencePiece model in a file, given by its path, its address, or opened for reading."""
    return SentencePiece(spm.name if hasattr(spm, "read") else asset(spm))


def generate_sp_model(filename, vocab_size=20000, model_type="unigram", model_prefix="m_user"):
    """Train a SentencePiece model ("unigram", "bpe" or "char") on the lines of a text file.

    Written are model_prefix.model, and model_prefix.vocab with the pieces and their scores. Text is
    brought into Unicode's form NFKC for training, and not by the model: normalise what it gets.
    """
    with open(filename, encoding="utf-8") as file:
        train(file, vocab_size, model_type, model_prefix)


def sentencepiece_tokenizer(sp_model):
    """A function from an iterator of texts to one of the lists of their pieces."""
    return lambda texts: map(sp_model.EncodeAsPieces, texts)


def sentencepiece_numericalizer(sp_model):
    """A function from an iterator of texts to one of the lists of their pieces' numbers."""
    return lambda texts: map(sp_model.EncodeAsIds, texts)


def custom_replace(replace_pattern):
    """A function from an iterator of lines to one with (pattern, replacement) applied in turn.

    >>> from tallowtext.data.functional import custom_replace
    >>> list(custom_replace([(r"S", "s"), (r"\\s+", " ")])(["Sentencepiece   encode"]))
    ['sentencepiece encode']
    """
    patterns = [(re.compile(pattern), replacement) for pattern, replacement in replace_pattern]

    def replace(lines):
        for line in lines:
            for pattern, replacement in patterns:
                line = pattern.sub(replacement, line)
            yield line

    return replace


def simple_space_split(iterator):
    """The lines of an iterator, each split at spaces."""
    for line in iterator:
        yield line.split()


def numericalize_tokens_from_iterator(vocab, iterator, removed_tokens=None):
    """For each list of tokens an iterator of their numbers, `vocab` being any dict of them.

    >>> from tallowtext.data.functional import numericalize_tokens_from_iterator
    >>> numbers = numericalize_tokens_from_iterator({"a": 0, "b": 1}, [["b", "a"], ["a"]], ["a"])
    >>> [list(line) for line in numbers]
    [[1], []]
    """
    removed = frozenset(removed_tokens or ())
    for tokens in iterator:
        yield iter([vocab[token] for token in tokens if token not in removed])


_DIGITS = "zero one two three four five six seven eight nine".split()
_WIKIPEDIA = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"<.*>", ""), (r"&amp;", "&"), (r"&lt;", "<"), (r"&gt;", ">"), (r"<ref[^<]*<\/ref>", ""),
        (r"<[^>]*>", ""), (r"\[http:[^] ]*", "["), (r"\|(?:thumb|left|right|\d+px)", ""),
        (r"\[\[image:[^\[\]]*\|", ""), (r"\[\[category:([^|\]]*)[^]]*\]\]", r"[[\1]]"),
        (r"\[\[[a-z\-]*:[^\]]*\]\]", ""), (r"\[\[[^\|\]]*\|", "[["), (r"\{\{[^\}]*\}\}", ""),
        (r"\{[^\}]*\}", ""), (r"[\[\]]", ""), (r"&[^;]*;", " "),
    )
]  # fmt: skip


def filter_wikipedia_xml(text_iterator):
    """The readable text of lines of Wikipedia's XML: words in a-z, digits spelled out.

    Lines without any are left out, and those that redirect. After Mahoney's wikifil.pl (2006).

    >>> from tallowtext.data.functional import filter_wikipedia_xml
    >>> list(filter_wikipedia_xml(["<text>The [[Felidae|cat]] has 4 legs.", "#REDIRECT [[Cat]]"]))
    ['the cat has four legs']
    """
    for line in text_iterator:
        if "#redirect" in line or "#REDIRECT" in line:
            continue
        for pattern, replacement in _WIKIPEDIA:
            line = pattern.sub(replacement, line)
        line = re.sub(r"\d", lambda digit: f" {_DIGITS[int(digit[0])]} ", line.lower())
        line = " ".join(re.findall("[a-z]+", line))
        if line:
            yield line


def to_map_style_dataset(iter_data):
    """The samples of an iterable as a dataset that is indexed."""
    return _Samples(list(iter_data))


class _Samples(Dataset):
    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]
