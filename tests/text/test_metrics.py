"""Metrics against what sacrebleu, rouge_score and scikit-learn gave (goldens)."""

import importlib.util
import json
from pathlib import Path

import pytest

import tallow
from tallowtext.data import metrics

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("text_metric_cases", HERE / "metric_cases.py")
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
GOLDEN = json.loads((HERE / "golden" / "metrics.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", range(len(cases.CORPORA)))
def test_texts(number):
    corpus, golden = cases.CORPORA[number], GOLDEN["texts"][number]
    for key, expected in golden.items():
        kind, *how = key.split()
        if key == "bleu lower":
            found = metrics.corpus_bleu(*corpus, lowercase=True)
        elif kind == "bleu":
            found = metrics.corpus_bleu(*corpus, *how)
        elif kind == "chrf":
            found = metrics.chrf(*corpus, word_order=int(how[0]))
        else:
            found = metrics.rouge_l(*corpus)
        if kind == "bleu":
            expected = (expected[0], tuple(expected[1]), *expected[2:])
            assert found[1] == pytest.approx(expected[1], abs=1e-9), key
            found, expected = (*found[:1], *found[2:]), (*expected[:1], *expected[2:])
        assert found == pytest.approx(expected, abs=1e-9), key


@pytest.mark.parametrize("average", ["macro", "weighted", "micro", None])
def test_classes(average):
    found = metrics.precision_recall_f1(
        tallow.tensor(cases.FOUND), tallow.tensor(cases.WANTED), 6, average
    )
    found = [x.tolist() if average is None else x for x in found]
    for x, expected in zip(found, GOLDEN["classes"][str(average)], strict=True):
        assert x == pytest.approx(expected)


def test_padding_is_ignored():
    scores = tallow.nn.functional.one_hot(tallow.tensor([[0, 1, 2], [1, 1, 0]]), 3).float()
    targets = tallow.tensor([[0, 1, -100], [0, 1, -100]])
    assert metrics.accuracy(scores, targets) == 0.75
    assert metrics.accuracy(scores.argmax(-1), targets, ignore_index=1) == 1 / 4
    binary = metrics.precision_recall_f1(scores, targets, 3, "binary")
    assert binary == pytest.approx((2 / 3, 1, 0.8))
    loss = tallow.nn.functional.cross_entropy(scores[:, :2].flatten(0, 1), targets[:, :2].flatten())
    assert metrics.perplexity(scores, targets) == pytest.approx(loss.exp().item())


def test_squad():
    texts, answers = ["The  Cat!", "a dog", ""], [["cat", "hat"], ["dogs", "big dog"], [""]]
    assert metrics.exact_match(texts, answers) == pytest.approx(2 / 3)
    assert metrics.exact_match(["a"], ["A"], normalize=False) == 0
    found = metrics.token_f1(texts, answers)
    assert found == pytest.approx(((1 + 1 + 1) / 3, (1 + 0.5 + 1) / 3, (1 + 2 / 3 + 1) / 3))
    assert metrics.token_f1(["the"], ["cat"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.corpus_bleu(["a"], []), "corpus_bleu: expected a list .* got 1 and 0"),
        (lambda: metrics.chrf([], []), "chrf: expected texts, each with a reference"),
        (lambda: metrics.rouge_l(["a"], [[]]), "rouge_l: expected texts, each with a reference"),
        (lambda: metrics.corpus_bleu(["a"], ["a"], "14a"), "13a, intl, char, none .* got '14a'"),
        (lambda: metrics.accuracy(tallow.zeros(2, 3), tallow.zeros(3).long()),
         r"accuracy: .* int64 \(2,\) and int64 \(3,\)"),
        (lambda: metrics.precision_recall_f1(tallow.tensor([1]), tallow.tensor([1]), 2, "mean"),
         "got 'mean'"),
        (lambda: metrics.perplexity(tallow.zeros(2, 3), tallow.zeros(3).long()), "perplexity: "),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
