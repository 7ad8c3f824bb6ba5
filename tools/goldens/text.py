"""Records what torchtext 0.18 gives for the cases of tests/text: run where it is installed.

python tools/goldens/text.py
"""

import gzip
import importlib.util
import json
from pathlib import Path

import torch
import torchtext

torchtext.disable_torchtext_deprecation_warning()

from torchtext import transforms  # noqa: E402
from torchtext.data.functional import load_sp_model  # noqa: E402
from torchtext.data.metrics import bleu_score  # noqa: E402
from torchtext.data.utils import get_tokenizer, interleave_keys, ngrams_iterator  # noqa: E402
from torchtext.vocab import build_vocab_from_iterator, vocab  # noqa: E402

TESTS = Path(__file__).parents[2] / "tests" / "text"
FUNCTIONS = {
    f.__name__: f
    for f in (
        bleu_score, build_vocab_from_iterator, get_tokenizer, interleave_keys, ngrams_iterator,
        vocab,
    )
}  # fmt: skip


def main():
    spec = importlib.util.spec_from_file_location("parity_cases", TESTS / "parity_cases.py")
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    results = {case: cases.evaluate(case, torch, transforms, FUNCTIONS) for case in cases.CASES}
    path = TESTS / "golden" / "torchtext.json"
    path.write_text(json.dumps(results, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path.name, len(results), "cases", path.stat().st_size, "bytes")
    path = TESTS / "golden" / "subwords.json.gz"
    results = cases.tokenized(TESTS / "golden" / "vocabularies", transforms, load_sp_model)
    content = json.dumps(results, ensure_ascii=False).encode()
    path.write_bytes(gzip.compress(content, 9, mtime=0))
    print(path.name, len(results), "results", path.stat().st_size, "bytes")
    saved = vocab({"a": 2, "ü": 1}, specials=["<unk>"])
    saved.set_default_index(0)
    torch.save(saved, TESTS / "golden" / "vocabularies" / "vocab.pt")


if __name__ == "__main__":
    main()
