"""Recognition with a transducer, whole or as the sound comes."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import tallow
from tallow import nn
from tallow.errors import CheckpointError
from tallowaudio import models, transforms
from tallowaudio.pipelines._assets import asset, loaded


def sentencepiece_pieces(path):
    """The pieces of a SentencePiece model, by number.

    Field 1 of its protocol buffer is each piece, and field 1 of that the text.
    """
    return [_fields(piece)[1][0].decode() for piece in _fields(path.read_bytes(), path)[1]]


def _fields(data, name="a piece"):
    """The length-delimited fields of a protocol buffer: {number: [bytes, ...]}."""
    found, at = {}, 0
    try:
        while at < len(data):
            key, at = _varint(data, at)
            kind = key & 7
            if kind == 0:
                _, at = _varint(data, at)
            elif kind == 2:
                size, at = _varint(data, at)
                found.setdefault(key >> 3, []).append(data[at : at + size])
                at += size
            elif kind in (1, 5):
                at += 8 if kind == 1 else 4
            else:
                raise IndexError
    except IndexError:
        raise CheckpointError(f"{name}: expected a SentencePiece model, got other data") from None
    return found


def _varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


class TokenProcessor:
    """Numbers of pieces, the first one left out, to text."""

    def __init__(self, pieces):
        self.pieces = pieces

    def __call__(self, tokens, lstrip=True):
        said = [self.pieces[i] for i in tokens[1:] if i < len(self.pieces)]
        text = "".join(p for p in said if p not in ("<unk>", "</s>", "<pad>"))
        text = text.replace("\u2581", " ")
        return text.lstrip() if lstrip else text


class FeatureExtractor(nn.Module):
    """Normalised mel energies (frames, n_mels) of a waveform (time,), and how many frames."""

    gain = float(tallow.iinfo(tallow.int16).max) ** 2  # the weights heard 16-bit samples

    def __init__(self, spectrogram, mean, deviation, padding):
        super().__init__()
        self.spectrogram = spectrogram
        self.register_buffer("mean", mean)
        self.register_buffer("invstddev", deviation)
        self.padding = padding

    def forward(self, input):
        energy = self.spectrogram(input).T * self.gain
        level = tallow.where(energy > math.e, energy.clamp(min=math.e).log(), energy / math.e)
        level = (level - self.mean) * self.invstddev
        level = nn.functional.pad(level, (0, 0, 0, self.padding))
        return level, tallow.tensor([len(level)])


@dataclass(frozen=True)
class RNNTBundle:
    """A transducer: features of `get_feature_extractor()` through `get_decoder()` are tokens,
    which `get_token_processor()` makes text of.

    A segment is `segment_length` frames, `hop_length` samples each, and `right_context_length`.
    """

    path: str
    build: Callable
    statistics: str
    pieces: str
    blank: int
    sample_rate: int = 16000
    n_fft: int = 400
    n_mels: int = 80
    hop_length: int = 160
    segment_length: int = 16
    right_context_length: int = 4

    def get_decoder(self):
        """The `RNNTBeamSearch` of the model."""
        return models.RNNTBeamSearch(loaded(self.build(), self.path), self.blank)

    def _features(self, padding):
        statistics = json.loads(asset(self.statistics).read_text())
        mean, deviation = (tallow.tensor(statistics[key]) for key in ("mean", "invstddev"))
        spectrogram = transforms.MelSpectrogram(
            self.sample_rate, self.n_fft, n_mels=self.n_mels, hop_length=self.hop_length
        )
        return FeatureExtractor(spectrogram, mean, deviation, padding)

    def get_feature_extractor(self):
        """For whole utterances, with the right context after their end."""
        return self._features(self.right_context_length)

    def get_streaming_feature_extractor(self):
        """For segments."""
        return self._features(0)

    def get_token_processor(self):
        """From tokens to text."""
        return TokenProcessor(sentencepiece_pieces(asset(self.pieces)))


EMFORMER_RNNT_BASE_LIBRISPEECH = RNNTBundle(
    "models/emformer_rnnt_base_librispeech.pt",
    partial(models.emformer_rnnt_base, num_symbols=4097),
    "pipeline-assets/global_stats_rnnt_librispeech.json",
    "pipeline-assets/spm_bpe_4096_librispeech.model",
    blank=4096,
)
