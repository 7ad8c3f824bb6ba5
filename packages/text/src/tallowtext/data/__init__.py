"""Tokenizers, metrics, and what datasets need."""

from tallowtext.data import collation, functional, metrics, readers, streams, utils
from tallowtext.data.collation import (
    BucketBatchSampler,
    PackCollate,
    PadCollate,
    TokenBlocks,
    pack_sequences,
)
from tallowtext.data.functional import (
    custom_replace,
    load_sp_model,
    numericalize_tokens_from_iterator,
    sentencepiece_numericalizer,
    sentencepiece_tokenizer,
    simple_space_split,
    to_map_style_dataset,
)
from tallowtext.data.metrics import (
    accuracy,
    bleu_score,
    chrf,
    corpus_bleu,
    exact_match,
    perplexity,
    precision_recall_f1,
    rouge_l,
    token_f1,
)
from tallowtext.data.readers import CSVRows, JSONLines, Records, TextLines
from tallowtext.data.streams import Stream
from tallowtext.data.utils import get_tokenizer, interleave_keys, ngrams_iterator

__all__ = [
    "BucketBatchSampler", "CSVRows", "JSONLines", "PackCollate", "PadCollate", "Records",
    "Stream", "TextLines", "TokenBlocks", "accuracy", "bleu_score", "chrf", "collation",
    "corpus_bleu", "custom_replace", "exact_match", "functional", "get_tokenizer",
    "interleave_keys", "load_sp_model", "metrics", "ngrams_iterator",
    "numericalize_tokens_from_iterator", "pack_sequences", "perplexity", "precision_recall_f1",
    "readers", "rouge_l", "sentencepiece_numericalizer", "sentencepiece_tokenizer",
    "simple_space_split", "streams", "to_map_style_dataset", "token_f1", "utils",
]  # fmt: skip
