"""Tokenizers, metrics, and what datasets need."""

from tallowtext.data import functional, metrics, readers, utils
from tallowtext.data.functional import (
    custom_replace,
    load_sp_model,
    numericalize_tokens_from_iterator,
    sentencepiece_numericalizer,
    sentencepiece_tokenizer,
    simple_space_split,
    to_map_style_dataset,
)
from tallowtext.data.metrics import bleu_score
from tallowtext.data.readers import CSVRows, JSONLines, Records, TextLines
from tallowtext.data.utils import get_tokenizer, interleave_keys, ngrams_iterator

__all__ = [
    "CSVRows", "JSONLines", "Records", "TextLines", "bleu_score", "custom_replace", "functional",
    "get_tokenizer", "interleave_keys", "load_sp_model", "metrics", "ngrams_iterator",
    "numericalize_tokens_from_iterator", "readers", "sentencepiece_numericalizer",
    "sentencepiece_tokenizer", "simple_space_split", "to_map_style_dataset", "utils",
]  # fmt: skip
