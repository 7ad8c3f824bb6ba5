"""Texts compared with references by what they share, as sacreBLEU, rouge_score and SQuAD do."""

import math
import re
import string
import sys
import unicodedata
from collections import Counter
from functools import cache
from typing import NamedTuple

from tallow.errors import ArgumentError


def listed(name, candidates, references):
    """Each candidate with the list of its references, which may be single texts."""
    if isinstance(candidates, str) or len(candidates) != len(references):
        raise ArgumentError(
            f"{name}: expected a list of texts, and references for each, got {len(candidates)} and "
            f"{len(references)}"
        )
    lists = [[given] if isinstance(given, str) else list(given) for given in references]
    if not candidates or not all(lists):
        raise ArgumentError(f"{name}: expected texts, each with a reference, got none")
    return list(zip(candidates, lists, strict=True))


def counted_runs(tokens, longest):
    """How often runs of 1 to `longest` tokens occur."""
    return Counter(
        tuple(tokens[start : start + n])
        for n in range(1, longest + 1)
        for start in range(len(tokens) - n + 1)
    )


# BLEU


@cache
def _all(kind):
    """All characters of a kind of Unicode's ("P", "S", "N"), for the brackets of a pattern."""
    chars = map(chr, range(sys.maxunicode + 1))
    return "".join(re.escape(char) for char in chars if unicodedata.category(char)[0] == kind)


def _by_rules(text, rules):
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text.split()


_MTEVAL = (
    (r"([\{-\~\[-\` -\&\(-\+\:-\@\/])", r" \1 "),
    (r"([^0-9])([\.,])", r"\1 \2 "),
    (r"([\.,])([^0-9])", r" \1 \2"),
    (r"([0-9])(-)", r"\1 \2 "),
)


def _mteval(text):
    """Words and signs as NIST's mteval-v13a splits them."""
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, sign in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        text = text.replace(entity, sign)
    return _by_rules(f" {text} ", _MTEVAL)


def _international(text):
    """Words and signs of any script, as mteval-v14 splits them."""
    number, sign = _all("N"), _all("P")
    return _by_rules(text, (
        (f"([^{number}])([{sign}])", r"\1 \2 "),
        (f"([{sign}])([^{number}])", r" \1 \2"),
        (f"([{_all('S')}])", r" \1 "),
    ))  # fmt: skip


SPLITTERS = {
    "13a": _mteval,
    "intl": _international,
    "char": lambda text: list("".join(text.split())),
    "none": str.split,
}
SMOOTHINGS = ("exp", "floor", "add-k", "none")


class BLEU(NamedTuple):
    """A corpus's BLEU from 0 to 100, the precisions of its runs of 1 to 4 words, and its length."""

    score: float
    precisions: tuple
    brevity_penalty: float
    length: int
    reference_length: int


def corpus_bleu(candidates, references, tokenize="13a", smooth="exp", lowercase=False):
    """BLEU of a list of texts, as sacreBLEU has it: a named tuple with `score`, from 0 to 100.

    `references` has for each text another or a list of them. `tokenize`: "13a", "intl", "char" or
    "none"; `smooth`, for runs of words that never match: "exp", "floor" (0.1 match), "add-k" (1) or
    "none". Post, A Call for Clarity in Reporting BLEU Scores (2018).

    >>> from tallowtext.data.metrics import corpus_bleu
    >>> round(corpus_bleu(["The dog bit the man."], ["The dog had bit the man."]).score, 2)
    51.15
    """
    if tokenize not in SPLITTERS or smooth not in SMOOTHINGS:
        raise ArgumentError(
            f"corpus_bleu: expected tokenize of {', '.join(SPLITTERS)} and smooth of "
            f"{', '.join(SMOOTHINGS)}, got {tokenize!r} and {smooth!r}"
        )
    split = SPLITTERS[tokenize]
    matched, total = [0] * 4, [0] * 4
    length = reference_length = 0
    for candidate, others in listed("corpus_bleu", candidates, references):
        tokens, *wanted = (
            split(text.lower() if lowercase else text) for text in (candidate, *others)
        )
        length += len(tokens)
        reference_length += min(map(len, wanted), key=lambda n: (abs(n - len(tokens)), n))
        allowed: Counter = Counter()
        for reference in wanted:
            allowed |= counted_runs(reference, 4)
        for run, count in (counted_runs(tokens, 4) & allowed).items():
            matched[len(run) - 1] += count
        for n in range(4):
            total[n] += max(len(tokens) - n, 0)
    precisions = tuple(_smoothed(matched, total, smooth))
    penalty = math.exp(min(0, 1 - reference_length / length)) if length else 0.0
    mean = math.exp(sum(map(math.log, precisions)) / 4) if min(precisions) > 0 else 0.0
    return BLEU(penalty * mean, precisions, penalty, length, reference_length)


def _smoothed(matched, total, smooth):
    """The precisions in per cent; 0 for runs longer than any text, and where nothing matches."""
    halved = 1
    for n, (hits, count) in enumerate(zip(matched, total, strict=True)):
        if smooth == "add-k" and n:
            hits, count = hits + 1, count + 1
        if not count or not any(matched):
            yield 0.0
        elif hits:
            yield 100 * hits / count
        else:
            halved *= 2
            yield {"exp": 100 / (halved * count), "floor": 10 / count}.get(smooth, 0.0)


# chrF


def chrf(candidates, references, char_order=6, word_order=0, beta=2):
    """chrF of a list of texts, from 0 to 100: what runs of 1 to `char_order` letters they share.

    Spaces do not count. `word_order` 2 takes runs of words in too, which is chrF++; `beta` is how
    much recall weighs. The best of a text's references counts. Popovic, chrF (2015) and chrF++
    (2017), as sacreBLEU has them.

    >>> from tallowtext.data.metrics import chrf
    >>> round(chrf(["The dog bit the man."], ["The dog had bit the man."]), 2)
    67.65
    """
    sums = None
    for candidate, others in listed("chrf", candidates, references):
        found = [_shared(candidate, other, char_order, word_order) for other in others]
        best = max(found, key=lambda counts: _f_score(counts, beta))
        sums = best if sums is None else [
            tuple(map(sum, zip(*pair, strict=True))) for pair in zip(sums, best, strict=True)
        ]  # fmt: skip
    return 100 * _f_score(sums, beta)


def _shared(candidate, reference, char_order, word_order):
    """For runs of each length how many both have, the one and the other."""
    counts = []
    for tokens_of, order in ((_letters, char_order), (_words, word_order)):
        one, other = (counted_runs(tokens_of(text), order) for text in (candidate, reference))
        for n in range(1, order + 1):
            mine, theirs, both = (
                sum(count for run, count in runs.items() if len(run) == n)
                for runs in (one, other, one & other)
            )
            counts.append((both, mine, theirs))
    return counts


def _letters(text):
    return "".join(text.split())


def _words(text):
    """Words, a sign at the end or else at the start being one of its own."""
    words = []
    for word in text.split():
        if len(word) > 1 and word[-1] in string.punctuation:
            words += [word[:-1], word[-1]]
        elif len(word) > 1 and word[0] in string.punctuation:
            words += [word[0], word[1:]]
        else:
            words.append(word)
    return words


def _f_score(counts, beta):
    """F of the means of precision and recall over the lengths that both have runs of."""
    rates = [(both / mine, both / theirs) for both, mine, theirs in counts if mine and theirs]
    if not any(precision for precision, _ in rates):
        return 0.0
    precision, recall = (sum(column) / len(rates) for column in zip(*rates, strict=True))
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


# ROUGE-L, exact match


class Overlap(NamedTuple):
    """Precision, recall and their harmonic mean, from 0 to 1."""

    precision: float
    recall: float
    f1: float


def _overlap(shared, mine, theirs):
    if not shared:
        return Overlap(0.0, 0.0, 0.0)
    return Overlap(shared / mine, shared / theirs, 2 * shared / (mine + theirs))


def _best_mean(name, candidates, references, compare):
    """The means over texts, of the reference whose F1 is highest."""
    found = [
        max((compare(candidate, other) for other in others), key=lambda overlap: overlap.f1)
        for candidate, others in listed(name, candidates, references)
    ]
    return Overlap(*(sum(column) / len(found) for column in zip(*found, strict=True)))


def rouge_l(candidates, references):
    """ROUGE-L of a list of texts: (precision, recall, f1) of the longest common subsequence.

    Words are runs of a-z and 0-9 in lower case. The best of a text's references counts, and of the
    texts the mean. Lin, ROUGE (2004), section 3.

    >>> from tallowtext.data.metrics import rouge_l
    >>> round(rouge_l(["the cat was on the mat"], ["the cat sat on a mat"]).f1, 4)
    0.6667
    """

    def compare(candidate, reference):
        mine, theirs = (re.findall("[a-z0-9]+", text.lower()) for text in (candidate, reference))
        return _overlap(longest_common(mine, theirs), len(mine), len(theirs))

    return _best_mean("rouge_l", candidates, references, compare)


def longest_common(one, other):
    """How long the longest common subsequence of two lists is.

    Bits of a number stand for the places in the first: Hyyro, Bit-Parallel LCS-length Computation
    Revisited (2004).
    """
    places: dict = {}
    for place, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << place
    everything = (1 << len(one)) - 1
    open_ = everything
    for token in other:
        hits = open_ & places.get(token, 0)
        open_ = (open_ + hits | open_ - hits) & everything
    return len(one) - open_.bit_count()


def _bare(text):
    """A text in lower case without punctuation, articles and additional spaces."""
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def exact_match(candidates, references, normalize=True):
    """The share of texts that are as one of their references is.

    With `normalize` case, punctuation, articles and spaces do not count, as on SQuAD.

    >>> from tallowtext.data.metrics import exact_match
    >>> exact_match(["The cat!", "a dog"], [["cat", "hat"], "dogs"])
    0.5
    """
    spelled = _bare if normalize else str
    found = [
        spelled(candidate) in [spelled(other) for other in others]
        for candidate, others in listed("exact_match", candidates, references)
    ]
    return sum(found) / len(found)


def token_f1(candidates, references):
    """(precision, recall, f1) of the words that texts share with a reference, as on SQuAD.

    The best of a text's references counts, and of the texts the mean; words are as `exact_match`
    normalises them.
    """

    def compare(candidate, reference):
        mine, theirs = _bare(candidate), _bare(reference)
        if not mine or not theirs:
            return Overlap(*[float(mine == theirs)] * 3)
        shared = (Counter(mine) & Counter(theirs)).total()
        return _overlap(shared, len(mine), len(theirs))

    return _best_mean("token_f1", candidates, references, compare)
