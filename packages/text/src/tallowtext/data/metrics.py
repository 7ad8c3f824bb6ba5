"""How good a text is, measured against others."""

import math
from collections import Counter

from tallow.errors import ArgumentError
from tallowtext.data._overlap import (
    chrf,
    corpus_bleu,
    counted_runs,
    exact_match,
    rouge_l,
    token_f1,
)
from tallowtext.data._scores import accuracy, perplexity, precision_recall_f1
from tallowtext.data.utils import ngrams_iterator

__all__ = [
    "accuracy", "bleu_score", "chrf", "corpus_bleu", "exact_match", "ngrams_iterator",
    "perplexity", "precision_recall_f1", "rouge_l", "token_f1",
]  # fmt: skip


def bleu_score(candidate_corpus, references_corpus, max_n=4, weights=(0.25,) * 4):
    """BLEU of a corpus of translations, lists of tokens, against lists of references for each.

    From 0 to 1. It counts runs of 1 to `max_n` tokens, weighted by `weights`; without any run of
    some length it is 0. Papineni et al., BLEU (2002), equations 1 to 3.

    >>> from tallowtext.data import bleu_score
    >>> candidates = [["My", "full", "pytorch", "test"], ["Another", "Sentence"]]
    >>> references = [
    ...     [["My", "full", "pytorch", "test"], ["Completely", "Different"]], [["No", "Match"]],
    ... ]
    >>> round(bleu_score(candidates, references), 4)
    0.8409
    """
    if len(weights) != max_n:
        raise ArgumentError(f"bleu_score: expected {max_n} weights, got {len(weights)}")
    if len(candidate_corpus) != len(references_corpus):
        raise ArgumentError(
            f"bleu_score: expected references for each of {len(candidate_corpus)} candidates, "
            f"got them for {len(references_corpus)}"
        )
    matched, total = [0] * max_n, [0] * max_n
    candidate_length = reference_length = 0
    for candidate, references in zip(candidate_corpus, references_corpus, strict=True):
        length = len(candidate)
        candidate_length += length
        reference_length += min((len(r) for r in references), key=lambda n: abs(length - n))
        allowed: Counter = Counter()
        for reference in references:
            allowed |= counted_runs(reference, max_n)
        for ngram, count in (counted_runs(candidate, max_n) & allowed).items():
            matched[len(ngram) - 1] += count
        for n in range(max_n):
            total[n] += max(length - n, 0)
    if min(matched) == 0:
        return 0.0
    precisions = zip(weights, matched, total, strict=True)
    mean = sum(weight * math.log(hits / all_) for weight, hits, all_ in precisions)
    return math.exp(mean + min(1 - reference_length / candidate_length, 0))
