"""Subword tokenizers in the format of Hugging Face's tokenizer.json: read, trained, written."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

import tallow
from tallow.errors import ArgumentError, TypeMismatchError
from tallowtext._files import TextFileError

__all__ = ["Tokenizer"]

PADDING = ("<pad>", "[PAD]", "<|endoftext|>")  # what padding is called, where the file says nothing


class Tokenizer:
    """Text to numbers of subwords and back, by a model of Hugging Face's `tokenizers`.

    Called with texts it gives a batch: a dict of tensors (batch, length) under the names that
    Hugging Face's models use. `from_file`, `from_pretrained` and `train` make one.

    >>> words = Tokenizer.train(["low lower lowest", "new newer newest"] * 9, "bpe", 400)
    >>> words.tokenize("new lower")
    ['new', 'Ġlower']
    >>> batch = words(["new lower", "new"])
    >>> batch["attention_mask"].tolist()
    [[1, 1], [1, 0]]
    >>> [words.decode(ids) for ids in batch["input_ids"]]
    ['new lower', 'new']
    """

    def __init__(self, model, pad_token=None):
        self.model = model
        self._padding, self._truncation = model.padding, model.truncation  # what the file says
        padding, truncation = self._padding or {}, self._truncation or {}
        self.pads_left = padding.get("direction") == "left"
        self.pad_token = pad_token or padding.get("pad_token") or self._first(PADDING)
        self.max_length = truncation.get("max_length")
        model.no_padding()
        model.no_truncation()

    @classmethod
    def from_file(cls, path):
        """The tokenizer in a file tokenizer.json; TextFileError for a file of another kind."""
        try:
            content = Path(path).read_text(encoding="utf-8")
            json.loads(content)
        except UnicodeDecodeError as error:
            raise TextFileError(f"{path}: expected a tokenizer.json, got {error}") from None
        except json.JSONDecodeError as error:
            raise TextFileError(
                f"{path}, line {error.lineno}: expected the JSON of a tokenizer, got {error.msg}"
            ) from None
        try:
            return cls(tokenizers.Tokenizer.from_str(content))
        except Exception as error:  # tokenizers raises nothing more special
            raise TextFileError(
                f"{path}: expected a tokenizer of a kind that `tokenizers` knows, got: {error}"
            ) from error

    @classmethod
    def from_pretrained(cls, directory):
        """The tokenizer of a model's directory, in its file tokenizer.json."""
        return cls.from_file(Path(directory, "tokenizer.json"))

    @classmethod
    def train(cls, texts, kind="bpe", vocab_size=30000, specials=None, min_frequency=2):
        """A tokenizer of some kind made from an iterable of texts.

        Kinds: "bpe" (of bytes, as GPT-2's), "wordpiece" (as BERT's) and "unigram" (as T5's). The
        special tokens, with the numbers from 0, are by default the kind's own.
        """
        if kind not in KINDS:
            raise ArgumentError(f"train: expected one of {', '.join(KINDS)}, got {kind!r}")
        if isinstance(texts, str):
            raise TypeMismatchError("train: expected an iterable of texts, got one str")
        model, trainer = KINDS[kind](vocab_size, specials, min_frequency)
        model.train_from_iterator(texts, trainer)
        return cls(model)

    def save(self, path):
        """Write a file tokenizer.json, which Hugging Face's libraries read too."""
        if self._padding:
            self.model.enable_padding(**self._padding)
        if self._truncation:
            self.model.enable_truncation(**self._truncation)
        self.model.save(str(path))
        self.model.no_padding()
        self.model.no_truncation()

    def __len__(self):
        return self.model.get_vocab_size()

    def __contains__(self, token):
        return self.token_to_id(token) is not None

    def token_to_id(self, token):
        """The number of a token, or None."""
        return self.model.token_to_id(token)

    def id_to_token(self, number):
        """The token with a number, or None."""
        return self.model.id_to_token(number)

    def get_vocab(self):
        """A dict from tokens to numbers."""
        return self.model.get_vocab()

    def tokenize(self, text, add_special_tokens=False):
        """The tokens of a text."""
        return self.model.encode(text, add_special_tokens=add_special_tokens).tokens

    def encode(self, text, pair=None, add_special_tokens=True):
        """The numbers of a text's tokens, or of a pair of texts, as a list."""
        return self.model.encode(text, pair, add_special_tokens=add_special_tokens).ids

    def decode(self, ids, skip_special_tokens=True):
        """The text of numbers, a list or a tensor (length)."""
        ids = ids.tolist() if hasattr(ids, "tolist") else list(ids)
        return self.model.decode(ids, skip_special_tokens=skip_special_tokens)

    def __call__(
        self, texts, pairs=None, padding=True, max_length=None, add_special_tokens=True,
        return_offsets=False,
    ):  # fmt: skip
        """A batch of texts, or of pairs of them, as tensors (batch, length) in a dict.

        "input_ids", "attention_mask" (1 but for padding), "token_type_ids" (1 in the second text of
        a pair), and for `return_offsets` "offset_mapping" (batch, length, 2): from which to which
        character a token goes. Sequences are cut to `max_length`, and padded to the longest one, or
        to `max_length` for padding "max_length". ArgumentError for lengths that differ otherwise.
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        inputs = texts if pairs is None else list(zip(texts, pairs, strict=True))
        max_length = max_length or self.max_length
        if padding == "max_length" and max_length is None:
            raise ArgumentError("Tokenizer: expected max_length with padding 'max_length'")
        if max_length is not None:  # special tokens are put around what is left
            self.model.enable_truncation(**(self._truncation or {}) | {"max_length": max_length})
        try:
            found = self.model.encode_batch(inputs, add_special_tokens=add_special_tokens)
        finally:
            self.model.no_truncation()
        lengths = np.array([len(encoding) for encoding in found], np.int64)
        width = max_length if padding == "max_length" else lengths.max(initial=0)
        if not padding and (lengths != width).any():
            raise ArgumentError(
                f"Tokenizer: expected texts of one length without padding, got {lengths.min()} to "
                f"{width} tokens"
            )
        places = np.arange(width) < lengths[:, None]
        places = places[:, ::-1] if self.pads_left else places

        def table(rows, fill=0, shape=()):
            made = np.full((*places.shape, *shape), fill, np.int64)
            made[places] = np.array([item for row in rows for item in row], np.int64).reshape(
                -1, *shape
            )
            return tallow.from_numpy(made)

        batch = {
            "input_ids": table([e.ids for e in found], self._pad_id(places)),
            "attention_mask": tallow.from_numpy(places.astype(np.int64)),
            "token_type_ids": table([e.type_ids for e in found]),
        }
        if return_offsets:
            batch["offset_mapping"] = table([e.offsets for e in found], shape=(2,))
        return batch

    def _first(self, tokens):
        return next((token for token in tokens if token in self), None)

    def _pad_id(self, places):
        if places.all():
            return 0
        if self.pad_token is None or self.pad_token not in self:
            raise ArgumentError(
                f"Tokenizer: expected pad_token, a token of the vocabulary, got {self.pad_token!r}"
            )
        return self.token_to_id(self.pad_token)

    def __repr__(self):
        kind = type(self.model.model).__name__
        return f"Tokenizer({kind}, {len(self)} tokens, pad_token={self.pad_token!r})"


def _bpe(vocab_size, specials, min_frequency):
    model = tokenizers.Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    return model, trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=list(specials or ["<|endoftext|>"]),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


def _wordpiece(vocab_size, specials, min_frequency):
    specials = list(specials or ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    unknown = "[UNK]" if "[UNK]" in specials else "<unk>"
    model = tokenizers.Tokenizer(models.WordPiece(unk_token=unknown))
    model.normalizer = normalizers.BertNormalizer()
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    model.decoder = decoders.WordPiece()
    return model, trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=specials,
        show_progress=False,
    )


def _unigram(vocab_size, specials, min_frequency):
    specials = list(specials or ["<pad>", "</s>", "<unk>"])
    model = tokenizers.Tokenizer(models.Unigram())
    model.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    model.pre_tokenizer = pre_tokenizers.Metaspace()
    model.decoder = decoders.Metaspace()
    return model, trainers.UnigramTrainer(
        vocab_size=vocab_size,
        special_tokens=specials,
        unk_token="<unk>" if "<unk>" in specials else None,
        show_progress=False,
    )


KINDS: dict[str, Callable] = {"bpe": _bpe, "wordpiece": _wordpiece, "unigram": _unigram}
