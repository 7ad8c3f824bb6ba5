"""Records what sacrebleu, rouge_score and scikit-learn give for the cases of tests/text.

python tools/goldens/text_metrics.py
"""

import importlib.util
import json
from pathlib import Path

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF
from sklearn.metrics import precision_recall_fscore_support

TESTS = Path(__file__).parents[2] / "tests" / "text"


def streams(references):
    """First references of all texts, then the second ones, None where there is none."""
    most = max(map(len, references))
    return [[given[i] if i < len(given) else None for given in references] for i in range(most)]


def bleu(candidates, references, **options):
    found = BLEU(**options).corpus_score(candidates, streams(references))
    return [found.score, found.precisions, found.bp, found.sys_len, found.ref_len]


def rouge(candidates, references):
    scorer = RougeScorer(["rougeL"])
    best = [
        scorer.score_multi(others, text)["rougeL"]
        for text, others in zip(candidates, references, strict=True)
    ]
    return [sum(column) / len(best) for column in zip(*best, strict=True)]


def main():
    spec = importlib.util.spec_from_file_location("metric_cases", TESTS / "metric_cases.py")
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    results = []
    for corpus in cases.CORPORA:
        found = {}
        for tokenize in ("13a", "intl", "char", "none"):
            for smooth in ("exp", "floor", "add-k", "none"):
                options = {"tokenize": tokenize, "smooth_method": smooth, "force": True}
                found[f"bleu {tokenize} {smooth}"] = bleu(*corpus, **options)
        found["bleu lower"] = bleu(*corpus, lowercase=True, force=True)
        for words in (0, 2):
            scorer = CHRF(word_order=words)
            found[f"chrf {words}"] = scorer.corpus_score(corpus[0], streams(corpus[1])).score
        found["rouge"] = rouge(*corpus)
        results.append(found)
    counted = {
        str(average): [
            x.tolist() if hasattr(x, "tolist") else x
            for x in precision_recall_fscore_support(
                cases.WANTED, cases.FOUND, average=average, labels=range(6), zero_division=0
            )[:3]
        ]
        for average in ("macro", "weighted", "micro", None)
    }
    path = TESTS / "golden" / "metrics.json"
    path.write_text(json.dumps({"texts": results, "classes": counted}, indent=0) + "\n")
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
