"""Tokenizers of subwords with torchtext's names, files and results.

Each takes a text or a list of texts and gives lists of tokens (`return_tokens`), or of their
numbers, which are strings as torchtext's are: `StrToIntTransform` comes next.
"""

import json
import re
import unicodedata
from functools import cached_property
from itertools import chain, groupby

from tokenizers import Regex, models, pre_tokenizers
from tokenizers import Tokenizer as Core

from tallow import nn
from tallow.errors import ArgumentError, TypeMismatchError
from tallowtext._files import TextFileError, asset, numbered_lines
from tallowtext.sentencepiece import SentencePiece
from tallowtext.vocab import Vocab

__all__ = [
    "BERTTokenizer", "CLIPTokenizer", "CharBPETokenizer", "GPT2BPETokenizer",
    "SentencePieceTokenizer",
]  # fmt: skip

LETTER, NUMBER, SPACE = r"\p{L}", r"\p{N}", r"\t\n\v\f\r "  # RE2 knows ASCII's spaces alone
SHORT = r"'(?:s|t|re|ve|m|ll|d)"  # it's, don't, ...

# Words with a space before them. Where several spaces precede it, a short form gets the last one
# too, which is torchtext's way.
GPT2 = (
    rf"(?<=[{SPACE}]) {SHORT}|{SHORT}| ?{LETTER}+| ?{NUMBER}+| ?[^{SPACE}{LETTER}{NUMBER}]+"
    rf"|[{SPACE}]+(?![^{SPACE}])|[{SPACE}]+"
)
# Without regard to case "ſ" is an s, and U+0345 a letter, since it is an iota in upper case.
CLIP = rf"'ſ|{SHORT}|[{LETTER}\u0345]+|{NUMBER}|[^\t\n\f\r {LETTER}{NUMBER}\u0345]+"
BATCH = 1000  # texts encoded together, which takes more room than what is kept of it
CLIP_SPECIALS = ("<|startoftext|>", "<|endoftext|>")


def _symbols():
    """The characters that stand for bytes, in the order of GPT-2's vocabulary."""
    shown = [byte for byte in range(256) if chr(byte).isprintable() and byte != 32]
    others = [byte for byte in range(256) if byte not in shown]
    named = [*shown, *range(256, 256 + len(others))]
    return dict(zip([*shown, *others], map(chr, named), strict=True))


SYMBOLS = _symbols()
BYTES = {symbol: byte for byte, symbol in SYMBOLS.items()}


class _Subwords(nn.Module):
    """Texts, or lists of them, encoded by the model `core` of `tokenizers`, lists on all cores."""

    def __init__(self, return_tokens):
        super().__init__()
        self.return_tokens = return_tokens

    def forward(self, input):
        """Tokens, or their numbers, of a text or of each text in a list."""
        if isinstance(input, str):
            return self._all([input])[0]
        if not isinstance(input, list) or not all(isinstance(text, str) for text in input):
            name = type(self).__name__
            raise TypeMismatchError(f"{name}: expected a str or a list of them, got {input!r:.60}")
        return self._all(input)

    def _all(self, texts):
        found = []
        for at in range(0, len(texts), BATCH):
            batch = [self._prepared(text) for text in texts[at : at + BATCH]]
            found += map(self._result, batch, self.core.encode_batch(batch))
        return found

    def _prepared(self, text):
        return text

    @cached_property
    def _shown(self):
        """What is given for each number: one object, however many tokens are the same."""
        numbers = self.core.get_vocab().items()
        return {number: token if self.return_tokens else str(number) for token, number in numbers}

    def _result(self, text, encoding):
        return list(map(self._shown.__getitem__, encoding.ids))


def _read_json(path):
    """A dict from tokens to numbers; TextFileError if it is none, or has a number twice."""
    path = asset(path)
    try:
        with open(path, encoding="utf-8") as file:
            numbers = dict(json.load(file))
        tokens = {number: token for token, number in numbers.items()}
    except (ValueError, TypeError) as error:
        raise TextFileError(f"{path}: expected the JSON of a vocabulary, got {error}") from None
    for token, number in numbers.items():
        if tokens[number] != token:
            raise TextFileError(
                f"{path}: expected a number for each token, got {number!r} for {token!r} and "
                f"{tokens[number]!r}"
            )
    return numbers


def _read_merges(path):
    """The pairs of symbols in a file with one a line, after a line that says its version."""
    path = asset(path)
    for number, line in numbered_lines(path):
        pair = tuple(line.split(" "))
        if number > 1 and line:
            if len(pair) != 2:
                raise TextFileError(f"{path}, line {number}: expected two symbols, got {line!r}")
            yield pair


def _core(vocab, merges, suffix, pattern, name):
    missing = [symbol for symbol in BYTES if symbol not in vocab]
    if missing:
        raise ArgumentError(
            f"{name}: expected a vocabulary with a symbol for each of 256 bytes, got one without "
            f"{missing[0]!r}"
        )
    try:
        model = Core(models.BPE(vocab, merges, end_of_word_suffix=suffix))
    except Exception as error:  # tokenizers raises nothing more special
        raise ArgumentError(
            f"{name}: expected merges that make tokens of the vocabulary, got: {error}"
        ) from error
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return model


class GPT2BPETokenizer(_Subwords):
    """GPT-2's byte-pair encoding, from its files encoder.json and vocab.bpe (paths or addresses).

    Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.2.
    """

    SPECIAL_TOKENS_ATTRIBUTES = (
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
        "additional_special_tokens",
    )  # fmt: skip

    def __init__(self, encoder_json_path, vocab_bpe_path, return_tokens=False):
        super().__init__(return_tokens)
        self.numbers = _read_json(encoder_json_path)
        merges = list(_read_merges(vocab_bpe_path))
        self.core = _core(self.numbers, merges, "", GPT2, "GPT2BPETokenizer")
        self.tokens = {number: token for token, number in self.numbers.items()}
        self.specials: dict[str, int] = {}

    def add_special_tokens(self, special_tokens_dict):
        """Tokens that are never split: {"pad_token": "<pad>", ...}; gives how many were new."""
        before = len(self.numbers)
        for key, value in special_tokens_dict.items():
            if key not in self.SPECIAL_TOKENS_ATTRIBUTES:
                raise ArgumentError(
                    f"add_special_tokens: expected keys of {self.SPECIAL_TOKENS_ATTRIBUTES}, got "
                    f"{key!r}"
                )
            for token in [value] if isinstance(value, str) else value:
                number = self.numbers.setdefault(token, len(self.numbers))
                self.tokens[number] = token
                self.specials[token] = number
        return len(self.numbers) - before

    def _parts(self, text):
        """The parts of a text, special tokens by themselves without the space beside them."""
        if not self.specials:
            return [text]
        longest_first = sorted(map(re.escape, self.specials), key=len, reverse=True)
        return re.split(rf"[{SPACE}]?({'|'.join(longest_first)})[{SPACE}]?", text)

    def _all(self, texts):
        if not self.specials:
            return super()._all(texts)
        found = []
        for text in texts:
            parts = [part for part in self._parts(text) if part]
            rest = iter(super()._all([part for part in parts if part not in self.specials]))
            tokens = ([self._named(p)] if p in self.specials else next(rest) for p in parts)
            found.append(list(chain.from_iterable(tokens)))
        return found

    def _named(self, special):
        return special if self.return_tokens else str(self.specials[special])

    def decode(self, tokens):
        """The text of tokens' numbers; bytes that are no UTF-8 become U+FFFD."""
        unknown = [token for token in tokens if int(token) not in self.tokens]
        if unknown:
            raise ArgumentError(f"GPT2BPETokenizer: expected numbers of tokens, got {unknown[0]!r}")
        parts = []
        names = [self.tokens[int(token)] for token in tokens]
        for special, group in groupby(names, self.specials.__contains__):
            if special:
                parts.append(" ".join(group))
            else:
                data = bytes(BYTES[symbol] for name in group for symbol in name)
                parts.append(data.decode("utf-8", errors="replace"))
        return " ".join(parts)


class CLIPTokenizer(_Subwords):
    """CLIP's byte-pair encoding of a text in lower case, from its file of merges.

    Without `encoder_json_path` the vocabulary is made of the first `num_merges` merges, by default
    all. Radford et al., Learning Transferable Visual Models (2021), section 2.4.
    """

    def __init__(self, merges_path, encoder_json_path=None, num_merges=None, return_tokens=False):
        super().__init__(return_tokens)
        merges = list(_read_merges(merges_path))
        if encoder_json_path:
            vocab = _read_json(encoder_json_path)
            merges = merges[: len(vocab) - 2 * 256 - len(CLIP_SPECIALS)]
        else:
            merges = merges[:num_merges]
            symbols = list(SYMBOLS.values())
            tokens = [*symbols, *(symbol + "</w>" for symbol in symbols), *map("".join, merges)]
            vocab = {token: i for i, token in enumerate([*tokens, *CLIP_SPECIALS])}
        self.numbers = vocab
        specials = "|".join(map(re.escape, CLIP_SPECIALS))
        self.core = _core(vocab, merges, "</w>", f"{specials}|{CLIP}", "CLIPTokenizer")

    def _prepared(self, text):
        return text.lower().strip()

    def _result(self, text, encoding):
        if not any(special in text for special in CLIP_SPECIALS):
            return super()._result(text, encoding)
        tokens = super()._result(text, encoding)
        words, kept = zip(tokens, encoding.offsets, encoding.word_ids, strict=True), []
        for _, group in groupby(words, key=lambda item: item[2]):
            pieces = list(group)
            word = text[pieces[0][1][0] : pieces[-1][1][1]]
            if word in CLIP_SPECIALS:
                kept.append(word if self.return_tokens else str(self.numbers[word]))
            else:
                kept += [token for token, *_ in pieces]
        return kept


class CharBPETokenizer(_Subwords):
    """Byte-pair encoding of the characters of each word, from a vocabulary and a file of merges.

    `suffix` marks a word's end in the files; `unk_token` stands for what the vocabulary has not;
    `special_tokens` are words that are never split. Sennrich et al., Neural Machine Translation of
    Rare Words with Subword Units (2016), section 3.2.
    """

    def __init__(
        self, bpe_encoder_path, bpe_merges_path, return_tokens=False, unk_token=None, suffix=None,
        special_tokens=None,
    ):  # fmt: skip
        super().__init__(return_tokens)
        self.numbers = _read_json(bpe_encoder_path)
        self.tokens = {number: token for token, number in self.numbers.items()}
        self.ranks = {pair: rank for rank, pair in enumerate(_read_merges(bpe_merges_path))}
        self.unk_token = unk_token
        self.suffix = suffix
        self.special_tokens = frozenset(special_tokens or ())
        for token in [*self.special_tokens, *([unk_token] if unk_token else [])]:
            if token not in self.numbers:
                raise ArgumentError(f"CharBPETokenizer: expected {token!r} in {bpe_encoder_path}")
        self._known: dict[str, list[str]] = {}

    @property
    def vocab_size(self):
        """How many tokens there are."""
        return len(self.numbers)

    def _split(self, word):
        if word in self.special_tokens:
            return [word]
        symbols = [*word[:-1], word[-1] + (self.suffix or "")]
        while len(symbols) > 1:
            pairs = list(zip(symbols, symbols[1:], strict=False))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            symbols = list(_merged(symbols, best))
        return symbols

    def _tokenize(self, text):
        tokens = []
        for word in re.findall(r"\S+\n?", text):
            if word not in self._known:
                self._known[word] = self._split(word)
            tokens += self._known[word]
        return tokens

    def _all(self, texts):
        return list(map(self._tokenize if self.return_tokens else self.encode, texts))

    def encode(self, text):
        """The numbers of a text's tokens, of the type that the vocabulary's file has."""
        try:
            tokens = self._tokenize(text)
            if self.unk_token is None:
                return [self.numbers[token] for token in tokens]
            unknown = self.numbers[self.unk_token]
            return [self.numbers.get(token, unknown) for token in tokens]
        except KeyError as error:
            raise ArgumentError(
                f"CharBPETokenizer: expected tokens of the vocabulary, got {error.args[0]!r}; "
                "unk_token names one for all others"
            ) from None

    def decode(self, tokens):
        """The text of tokens' numbers."""
        found = [self.tokens.get(number, self.unk_token) for number in tokens]
        if None in found:
            raise ArgumentError("CharBPETokenizer: expected numbers of tokens, got another")
        return "".join(found).replace(self.suffix, " ") if self.suffix else " ".join(found)


def _merged(symbols, pair):
    """The symbols with each occurrence of a pair made one."""
    i = 0
    while i < len(symbols):
        step = 2 if tuple(symbols[i : i + 2]) == pair else 1
        yield "".join(symbols[i : i + step])
        i += step


class BERTTokenizer(_Subwords):
    """BERT's word pieces, from its vocabulary, a text file with one token a line.

    Accents are stripped if `strip_accents`, by default if `do_lower_case`. What stands between
    spaces and is in `never_split` is one word. Devlin et al., BERT (2018), section 3.
    """

    longest = 100  # bytes: words above are unknown

    def __init__(
        self, vocab_path, do_lower_case=True, strip_accents=None, return_tokens=False,
        never_split=None,
    ):  # fmt: skip
        super().__init__(return_tokens)
        self.strip_accents = do_lower_case if strip_accents is None else strip_accents
        self.never_split = frozenset(never_split or ())
        self.table = _Spelling(do_lower_case, self.strip_accents, True)
        self.kept_table = _Spelling(False, False, False)
        vocab = Vocab.load(asset(vocab_path)).get_stoi()
        self.core = Core(models.WordPiece(vocab, unk_token="[UNK]"))
        self.core.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(" ")

    def _prepared(self, text):
        """A text as words between spaces."""
        parts = text.strip().split(" ") if self.never_split else [text.strip()]
        tables = [self.kept_table if part in self.never_split else self.table for part in parts]
        if self.strip_accents:
            parts = [unicodedata.normalize("NFD", part) for part in parts]
        text = " ".join(part.translate(table) for part, table in zip(parts, tables, strict=True))
        if len(text) * 4 <= self.longest:
            return text
        words = text.split(" ")
        return " ".join("\0" if len(word.encode()) > self.longest else word for word in words)


class _Spelling(dict):
    """What becomes of each character, for `str.translate`; it is worked out at its first use."""

    def __init__(self, lower, strip_accents, punctuation):
        self.lower = lower
        self.strip_accents = strip_accents
        self.punctuation = punctuation

    def __missing__(self, code):
        self[code] = self._spelled(chr(code))
        return self[code]

    def _spelled(self, char):
        kind = unicodedata.category(char)
        if char in "\t\n\r " or kind == "Zs":
            return " "
        if char == "\ufffd" or kind[0] == "C" or (self.strip_accents and kind == "Mn"):
            return ""
        shown = char.lower()[0] if self.lower else char  # U+0130 has two in lower case
        marks = kind[0] == "P" or char in "$+<=>^`|~"
        alone = (self.punctuation and marks) or is_chinese(ord(char))
        return f" {shown} " if alone else shown


def is_chinese(code):
    """True for a code point of the blocks of CJK ideographs."""
    blocks = (
        (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
    )  # fmt: skip
    return any(low <= code <= high for low, high in blocks)


class SentencePieceTokenizer(nn.Module):
    """The pieces of texts by a SentencePiece model, a file (or its address) with the end .model."""

    def __init__(self, sp_model_path):
        super().__init__()
        self.sp_model = SentencePiece(asset(sp_model_path))

    def forward(self, input):
        """The pieces of a text, or of each text in a list."""
        if isinstance(input, str):
            return self.sp_model.EncodeAsPieces(input)
        if not isinstance(input, list):
            raise TypeMismatchError(
                f"SentencePieceTokenizer: expected a str or a list of them, got {input!r:.60}"
            )
        return [self.sp_model.EncodeAsPieces(text) for text in input]
