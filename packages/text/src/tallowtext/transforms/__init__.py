"""Transforms of text, tokens and numbers of tokens, one at a time or in batches."""

from tallowtext.transforms.basic import (
    AddToken,
    LabelToIndex,
    MaskTransform,
    PadTransform,
    RegexTokenizer,
    Sequential,
    StrToIntTransform,
    ToTensor,
    Truncate,
    VocabTransform,
)
from tallowtext.transforms.subwords import (
    BERTTokenizer,
    CharBPETokenizer,
    CLIPTokenizer,
    GPT2BPETokenizer,
    SentencePieceTokenizer,
)

__all__ = [
    "AddToken", "BERTTokenizer", "CLIPTokenizer", "CharBPETokenizer", "GPT2BPETokenizer",
    "LabelToIndex", "MaskTransform", "PadTransform", "RegexTokenizer", "SentencePieceTokenizer",
    "Sequential", "StrToIntTransform", "ToTensor", "Truncate", "VocabTransform",
]  # fmt: skip
