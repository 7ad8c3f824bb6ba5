"""Tokenizers by name, and n-grams."""

from functools import partial
from importlib import import_module

from tallow.errors import ArgumentError, TallowError

__all__ = ["get_tokenizer", "interleave_keys", "ngrams_iterator"]


class MissingPackageError(TallowError, ImportError):
    """A package that is not installed, and that only this needs."""


def split(text):
    """The parts of a text between spaces."""
    return text.split()


_APART = str.maketrans({sign: f" {sign} " for sign in "'.,()!?"} | {sign: " " for sign in ";:"})


def basic_english(text):
    """Words and punctuation in lower case; quotation marks, semicolons and colons dropped.

    >>> from tallowtext.data.utils import basic_english
    >>> basic_english("It's here; isn't it?")
    ['it', "'", 's', 'here', 'isn', "'", 't', 'it', '?']
    """
    text = text.lower().replace('"', "").replace("<br />", " ")
    return text.translate(_APART).split()


def _spacy(package, language):
    pipeline = package.load(language)
    return lambda text: [token.text for token in pipeline.tokenizer(text)]


def _moses(package, language):
    return package.MosesTokenizer().tokenize


def _toktok(package, language):
    return package.ToktokTokenizer().tokenize


# The tokenizers of other packages: the package, its module, and how that makes a tokenizer.
_OTHERS = {
    "spacy": ("spacy", "spacy", _spacy),
    "moses": ("sacremoses", "sacremoses", _moses),
    "toktok": ("nltk", "nltk.tokenize.toktok", _toktok),
    "revtok": ("revtok", "revtok", lambda package, _: package.tokenize),
    "subword": ("revtok", "revtok", lambda package, _: partial(package.tokenize, decap=True)),
}


def get_tokenizer(tokenizer, language="en"):
    """A function from a text to its tokens: None splits at spaces, a function is returned as it is.

    Names: "basic_english", and with another package "spacy", "moses", "toktok", "revtok" and
    "subword"; ArgumentError for others, MissingPackageError where the package is not installed.

    >>> from tallowtext.data import get_tokenizer
    >>> get_tokenizer("basic_english")("You can now install it, using pip!")
    ['you', 'can', 'now', 'install', 'it', ',', 'using', 'pip', '!']
    """
    if tokenizer is None:
        return split
    if callable(tokenizer):
        return tokenizer
    if tokenizer == "basic_english":
        if language != "en":
            raise ArgumentError(
                f"get_tokenizer: expected language 'en' with basic_english, got {language!r}"
            )
        return basic_english
    if tokenizer not in _OTHERS:
        names = ", ".join(["basic_english", *_OTHERS])
        raise ArgumentError(
            f"get_tokenizer: expected None, a function or one of {names}, got {tokenizer!r}"
        )
    package, module, make = _OTHERS[tokenizer]
    try:
        return make(import_module(module), language)
    except ImportError as error:
        raise MissingPackageError(
            f"get_tokenizer: {tokenizer!r} needs the package {package}, which is not installed"
        ) from error


def ngrams_iterator(token_list, ngrams):
    """The tokens, then all runs of 2, 3, ... `ngrams` of them, joined by spaces.

    >>> from tallowtext.data.utils import ngrams_iterator
    >>> list(ngrams_iterator(["here", "we", "are"], 2))
    ['here', 'we', 'are', 'here we', 'we are']
    """
    yield from token_list
    for n in range(2, ngrams + 1):
        for run in zip(*(token_list[i:] for i in range(n)), strict=False):
            yield " ".join(run)


def interleave_keys(a, b):
    """A sort key of two (from 0 to 65535): what is near in both is near in it."""
    bits = zip(format(a, "016b"), format(b, "016b"), strict=True)
    return int("".join(x + y for x, y in bits), base=2)
