"""SentencePiece models, read from their files and run by `tokenizers`.

A file is a message of Protocol Buffers, of which a small reader takes what is needed. Text is
normalised here, as the file's table says, since `tokenizers` does it otherwise in places. Kudo and
Richardson, SentencePiece (2018); Kudo, Subword Regularization (2018), section 3.2, for unigrams.
"""

import re
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import AddedToken, models
from tokenizers import Tokenizer as Core

from tallow.errors import ArgumentError
from tallowtext._files import TextFileError

__all__ = ["SentencePiece"]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)  # kinds of pieces
UNIGRAM, BPE, WORD, CHAR = range(1, 5)  # kinds of models
SPACE = "\u2581"  # what stands for a space in pieces
UNKNOWN_TEXT = " \u2047 "  # what an unknown piece becomes in text, unless the file says otherwise


class Piece(NamedTuple):
    """A piece of a model: its text, the logarithm of its probability, and its kind."""

    text: str
    score: float
    kind: int


def fields(message):
    """The (number, value) pairs of a Protocol Buffers message: ints, and bytes for all else."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(message, at)
        elif kind in (1, 2, 5):
            size, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = message[at : at + size], at + size
            if len(value) < size:
                raise ValueError("the end of the file within a field")
        else:
            raise ValueError(f"a field of the kind {kind}")
        yield number, value


def _varint(message, at):
    value = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("the end of the file within a number")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _piece(message):
    found = dict(fields(message))
    (score,) = struct.unpack("<f", found.get(2, bytes(4)))
    return Piece(found[1].decode(), score, found.get(3, NORMAL))


class SentencePiece:
    """A SentencePiece model (unigram, BPE or of characters), from the path of its .model file.

    Its methods have the names of torchtext's model. TextFileError for a file that is none. Among
    equally probable ways to split a text, such as "!!" "!" and "!" "!!", it may take another one
    than Google's library, which adds up the probabilities in single precision.
    """

    def __init__(self, path):
        message = Path(path).read_bytes()
        try:
            self.pieces, trainer, normalizer = _parsed(message)
        except (ValueError, KeyError, AttributeError, struct.error) as error:
            raise TextFileError(f"{path}: expected a SentencePiece model, got {error}") from None
        kind = trainer.get(3, UNIGRAM)
        if kind == WORD:
            raise TextFileError(f"{path}: expected pieces of words, got a model of whole words")
        self._numbers = {piece.text: number for number, piece in enumerate(self.pieces)}
        self._unknown = next(i for i, piece in enumerate(self.pieces) if piece.kind == UNKNOWN)
        self._byte_fallback = bool(trainer.get(35, 0))
        self._unknown_text = trainer.get(44, UNKNOWN_TEXT.encode()).decode()
        if trainer.get(24, 0):
            raise TextFileError(
                f"{path}: expected spaces at the start of pieces, got them at the end"
            )
        self._core = _unigram(self) if kind == UNIGRAM else _bpe(self, merge=kind == BPE)
        symbols = [piece.text for piece in self.pieces if piece.kind == USER_DEFINED]
        self._core.add_tokens([AddedToken(symbol, normalized=False) for symbol in symbols])
        self._normal = Normalizer(normalizer, symbols)

    def _encoded(self, text):
        """The (piece, number) pairs of a text."""
        text = self._normal(text)
        found, pairs = self._core.encode(text, add_special_tokens=False), []
        for number, (start, end) in zip(found.ids, found.offsets, strict=True):
            if number != self._unknown:
                pairs.append((self.pieces[number].text, number))
            elif self._byte_fallback:
                names = [f"<0x{byte:02X}>" for byte in text[start:end].encode()]
                pairs += [(name, self._numbers[name]) for name in names]
            elif pairs and pairs[-1][1] == number:
                pairs[-1] = (pairs[-1][0] + text[start:end], number)
            else:
                pairs.append((text[start:end], number))
        return pairs

    def EncodeAsPieces(self, text):
        """The pieces of a text; what is unknown is a piece of its own."""
        return [piece for piece, _ in self._encoded(text)]

    def EncodeAsIds(self, text):
        """The numbers of a text's pieces."""
        return [number for _, number in self._encoded(text)]

    def DecodeIds(self, ids):
        """The text of pieces' numbers."""
        return self._decoded([self._piece(number) for number in ids])

    def DecodePieces(self, pieces):
        """The text of pieces; those that the model has not stay as they are."""
        kinds = [self.pieces[self.PieceToId(piece)] for piece in pieces]
        return self._decoded([p._replace(text=t) for p, t in zip(kinds, pieces, strict=True)])

    def _decoded(self, pieces):
        text, data = "", b""
        leading = self._normal.dummy_prefix or self._normal.single_spaces
        for piece in pieces:
            if piece.kind == BYTE:
                data += bytes([int(piece.text[3:5], 16)])
                continue
            text, data = text + _of_bytes(data), b""
            if piece.kind == UNKNOWN:
                named = piece.text == self.pieces[self._unknown].text
                text += self._unknown_text if named else piece.text
            elif piece.kind != CONTROL:
                start = bool(leading and not text and piece.text.startswith(SPACE))
                leading = leading and (self._normal.single_spaces or not start)
                text += piece.text[start:].replace(SPACE, " ")
        return text + _of_bytes(data)

    def GetPieceSize(self):
        """How many pieces there are."""
        return len(self.pieces)

    __len__ = GetPieceSize

    def PieceToId(self, piece):
        """The number of a piece, or that of the unknown one."""
        return self._numbers.get(piece, self._unknown)

    def IdToPiece(self, number):
        """The piece with a number."""
        return self._piece(number).text

    def _piece(self, number):
        if not 0 <= number < len(self.pieces):
            raise ArgumentError(
                f"SentencePiece: expected a number below {len(self.pieces)}, got {number}"
            )
        return self.pieces[number]

    def unk_id(self):
        """The number of the unknown piece."""
        return self._unknown


def _of_bytes(data):
    """Bytes as text, U+FFFD for each that is no UTF-8."""
    return re.sub("[\udc80-\udcff]", "\ufffd", data.decode("utf-8", errors="surrogateescape"))


def _parsed(message):
    """The pieces of a model's file, and the fields of its trainer and its normaliser as dicts."""
    pieces, trainer, normalizer = [], {}, {}
    for number, value in fields(message):
        if number == 1:
            pieces.append(_piece(value))
        elif number == 2:
            trainer = dict(fields(value))
        elif number == 3:
            normalizer = dict(fields(value))
    if not any(piece.kind == UNKNOWN for piece in pieces):
        raise ValueError(f"{len(pieces)} pieces, none of them for what is unknown")
    return pieces, trainer, normalizer


def _texts(model):
    """The pieces' texts, with a character before those that never stand for a part of a text."""
    return [
        piece.text if piece.kind in (NORMAL, USER_DEFINED) else f"\0{piece.text}"
        for piece in model.pieces
    ]


def _unigram(model):
    scores = [piece.score for piece in model.pieces]
    pairs = list(zip(_texts(model), scores, strict=True))
    return Core(models.Unigram(pairs, model.unk_id(), byte_fallback=False))


def _bpe(model, merge):
    """Any two neighbours merge that make a piece, those first that make the most probable one."""
    texts = _texts(model)
    vocab = {text: number for number, text in enumerate(texts)}
    ranked = []
    if merge:
        for piece in model.pieces:
            if piece.kind == NORMAL:
                cuts = range(1, len(piece.text))
                pairs = [(piece.text[:cut], piece.text[cut:]) for cut in cuts]
                ranked += [(-piece.score, p) for p in pairs if p[0] in vocab and p[1] in vocab]
    ranked.sort(key=lambda item: item[0])
    return Core(models.BPE(vocab, [pair for _, pair in ranked], unk_token=texts[model.unk_id()]))


class Normalizer:
    """Text as a model's pieces spell it: characters replaced, spaces as U+2581.

    `fields` are those of the file's NormalizerSpec; what is in `symbols` is left as it is.
    """

    def __init__(self, fields, symbols=()):
        self.replace = Charsmap(fields.get(2, b""))
        self.dummy_prefix = bool(fields.get(3, 1))
        self.single_spaces = bool(fields.get(4, 1))
        self.space = SPACE if fields.get(5, 1) else " "
        longest_first = sorted(map(re.escape, symbols), key=len, reverse=True)
        self.symbols = re.compile(f"({'|'.join(longest_first)})") if symbols else None

    def __call__(self, text):
        if not text:
            return text
        parts = self.symbols.split(text) if self.symbols else [text]
        parts[::2] = map(self.replace, parts[::2])  # the others are symbols
        text = "".join(parts)
        if self.single_spaces:
            text = re.sub(" +", " ", text.lstrip(" "))
        if self.dummy_prefix:
            text = f" {text}"
        text = text.replace(" ", self.space)
        return text.rstrip(self.space) if self.single_spaces else text


class Charsmap:
    """A file's rules of what replaces which characters, the longest from left to right.

    They are a trie of bytes in a double array (Aoe, An Efficient Digital Search Algorithm by Using
    a Double-Array Structure, 1989), its size before it, and the replacements behind it. A unit has
    the last byte of its path in bits 0 to 7, in bit 8 that a rule ends here, and from bit 10 on how
    far the next units are, times 256 with bit 9.
    """

    def __init__(self, data):
        size = int.from_bytes(data[:4], "little")
        units = np.frombuffer(data, "<u4", size // 4, 4 if size else 0).astype(np.int64)
        following = np.arange(len(units)) ^ (units >> 10 << ((units >> 6) & 8))
        self._texts = data[4 + size :]
        self._labels = (units & 0x800000FF).tolist()
        self._ends = (units >> 8 & 1).tolist()
        self._values = (units & 0x7FFFFFFF).tolist()
        self._following = following.tolist()
        self._known: dict[str, str] = {}
        self._ascii = {code: self._walked(chr(code)) for code in range(1, 128)} if size else {}
        # Where no rule has ASCII behind its start, only what is not ASCII is walked through,
        # together with the character before it.
        everything = size and _ascii_within(units, following)
        self._walk = re.compile("(?s).+" if everything else "[\x00-\x7f]?[^\x00-\x7f]+")

    def __call__(self, text):
        if not self._labels:
            return text
        made, at = [], 0
        for found in self._walk.finditer(text):
            made += text[at : found.start()].translate(self._ascii), self._remembered(found[0])
            at = found.end()
        return "".join([*made, text[at:].translate(self._ascii)])

    def _remembered(self, text):
        if text not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[text] = self._walked(text)
        return self._known[text]

    def _walked(self, text):
        data, made, at = text.encode(), b"", 0
        while at < len(data):
            end, replacement = self._longest(data, at)
            if end == at:
                byte = data[at]
                end += 1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)
                replacement = data[at:end]
            made, at = made + replacement, end
        return made.decode()

    def _longest(self, data, at):
        """Where the longest rule for the bytes from `at` on ends, and what replaces it."""
        node, end, value = self._following[0], at, None
        for place in range(at, len(data)):
            node ^= data[place]
            if node >= len(self._labels) or self._labels[node] != data[place]:
                break
            ends, node = self._ends[node], self._following[node]
            if ends:
                end, value = place + 1, self._values[node]
        if value is None:
            return at, b""
        return end, self._texts[value : self._texts.index(0, value)]


def _ascii_within(units, following):
    """True if a path of the trie has an ASCII character that is not its first."""
    labels, seen = units & 0x800000FF, np.zeros(len(units), bool)
    letters, nodes = np.arange(1, 256), following[:1]
    for depth in range(len(units)):
        places = nodes[:, None] ^ letters
        inside = np.where(places < len(units), places, 0)
        rows, columns = np.nonzero(labels[inside] == letters)
        if depth and (letters[columns] < 128).any():
            return True
        reached = np.unique(inside[rows, columns])
        reached = reached[~seen[reached]]
        if not len(reached):
            return False
        seen[reached] = True
        nodes = following[reached]
    return False
