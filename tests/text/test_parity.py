"""Vocabularies, tokenizers and transforms against what torchtext 0.18 gave (goldens)."""

import importlib.util
import json
from pathlib import Path

import pytest

import tallow
from tallowtext import data, transforms, vocab

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("text_parity_cases", HERE / "parity_cases.py")
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

FUNCTIONS = {name: getattr(data, name) for name in data.__all__} | {
    name: getattr(vocab, name) for name in vocab.__all__
}


@pytest.fixture(scope="module")
def golden():
    return json.loads((HERE / "golden" / "torchtext.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", cases.CASES)
def test_as_torchtext(golden, case):
    found, expected = cases.evaluate(case, tallow, transforms, FUNCTIONS), golden[case]
    if "bleu" in case:
        assert found == pytest.approx(expected, rel=1e-5)
    else:
        assert found == expected
