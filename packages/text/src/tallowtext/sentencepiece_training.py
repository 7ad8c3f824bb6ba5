"""SentencePiece models trained by `tokenizers`, and their files written."""

import json
import struct
import unicodedata
from collections import Counter

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from tallow.errors import ArgumentError
from tallowtext.sentencepiece import BPE, CHAR, CONTROL, NORMAL, SPACE, UNIGRAM, UNKNOWN, Piece

TYPES = {"unigram": UNIGRAM, "bpe": BPE, "char": CHAR}
FIRST = [Piece("<unk>", 0, UNKNOWN), Piece("<s>", 0, CONTROL), Piece("</s>", 0, CONTROL)]


def train(lines, vocab_size, model_type, model_prefix):
    """Write model_prefix.model and model_prefix.vocab, trained on lines of text."""
    if model_type not in TYPES:
        raise ArgumentError(
            f"generate_sp_model: expected model_type of {', '.join(TYPES)}, got {model_type!r}"
        )
    texts = (" ".join(unicodedata.normalize("NFKC", line).split()) for line in lines)
    known = {piece.text for piece in FIRST}
    found = [pair for pair in PIECES[model_type](texts, vocab_size) if pair[0] not in known]
    pieces = FIRST + [
        Piece(text, score, NORMAL) for text, score in found[: vocab_size - len(FIRST)]
    ]
    with open(f"{model_prefix}.model", "wb") as file:
        file.write(encoded(pieces, TYPES[model_type]))
    with open(f"{model_prefix}.vocab", "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{piece.text}\t{piece.score:g}\n" for piece in pieces)


def _unigram(texts, vocab_size):
    model = tokenizers.Tokenizer(models.Unigram())
    model.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocab_size, show_progress=False, unk_token="<unk>", special_tokens=["<unk>"]
    )
    model.train_from_iterator(texts, trainer)
    return _parts(model)["vocab"]


def _bpe(texts, vocab_size):
    """Pieces in the order in which they were merged, then single letters; scores fall with it."""
    model = tokenizers.Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.Metaspace()
    size = vocab_size - len(FIRST)
    model.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, show_progress=False))
    parts = _parts(model)
    merged = list(dict.fromkeys("".join(pair) for pair in parts["merges"]))
    letters = [token for token in parts["vocab"] if len(token) == 1]
    return [(token, -float(rank)) for rank, token in enumerate([*merged, *letters])]


def _char(texts, vocab_size):
    counts = Counter(char for text in texts for char in f"{SPACE}{text}".replace(" ", SPACE))
    return [(char, -float(rank)) for rank, (char, _) in enumerate(counts.most_common(vocab_size))]


PIECES = {"unigram": _unigram, "bpe": _bpe, "char": _char}


def _parts(model):
    """The vocabulary and the merges of a model of `tokenizers`."""

    return json.loads(model.to_str())["model"]


def encoded(pieces, kind):
    """A model's file: a message of Protocol Buffers."""
    message = b"".join(
        _field(1, _field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + _number(3, kind_))
        for text, score, kind_ in pieces
    )
    trainer = _number(3, kind) + _number(4, len(pieces))
    normalizer = _field(1, b"identity") + _number(3, 1) + _number(4, 1) + _number(5, 1)
    return message + _field(2, trainer) + _field(3, normalizer)


def _varint(value):
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _field(field, content):
    return _varint(field << 3 | 2) + _varint(len(content)) + content
