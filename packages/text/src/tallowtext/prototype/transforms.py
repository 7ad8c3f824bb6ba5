"""Transforms under the names of torchtext's prototypes."""

from tallow import nn
from tallowtext.data.functional import load_sp_model
from tallowtext.data.utils import basic_english
from tallowtext.transforms import VocabTransform

__all__ = [
    "BasicEnglishNormalize", "SentencePieceProcessor", "SentencePieceTokenizer", "VectorTransform",
    "VocabTransform", "basic_english_normalize", "load_sp_model", "sentencepiece_processor",
    "sentencepiece_tokenizer",
]  # fmt: skip


class BasicEnglishNormalize(nn.Module):
    """The words and signs of a line in lower case, as `get_tokenizer("basic_english")`."""

    def forward(self, line):
        return basic_english(line)


basic_english_normalize = BasicEnglishNormalize


class SentencePieceTokenizer(nn.Module):
    """The pieces of a line by a model of `load_sp_model`."""

    def __init__(self, spm_model):
        super().__init__()
        self.sp_model = spm_model

    def forward(self, line):
        return self.sp_model.EncodeAsPieces(line)

    def decode(self, tokens):
        """The text of pieces."""
        return self.sp_model.DecodePieces(tokens)


class SentencePieceProcessor(nn.Module):
    """The numbers of a line's pieces by a model of `load_sp_model`."""

    def __init__(self, spm_model):
        super().__init__()
        self.sp_model = spm_model

    def forward(self, line):
        return self.sp_model.EncodeAsIds(line)

    def decode(self, ids):
        """The text of pieces' numbers."""
        return self.sp_model.DecodeIds(ids)


def sentencepiece_tokenizer(sp_model):
    """A SentencePieceTokenizer of a model's file."""
    return SentencePieceTokenizer(load_sp_model(sp_model))


def sentencepiece_processor(sp_model):
    """A SentencePieceProcessor of a model's file."""
    return SentencePieceProcessor(load_sp_model(sp_model))


class VectorTransform(nn.Module):
    """The vectors (N, dim) of tokens in Vectors."""

    def __init__(self, vector):
        super().__init__()
        self.vector = vector

    def forward(self, tokens):
        return self.vector.get_vecs_by_tokens(tokens)
