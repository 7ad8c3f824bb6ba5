"""The models that come with the package: the weights that were measured, and what they say."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tallow
from tallow.errors import ArgumentError
from tallowtext import models
from tallowtext.__main__ import main
from tallowtext.models._weights import FOLDER

ENUMS = [
    models.News_Weights, models.Sentiment_Weights, models.ShakespeareGPT_Weights,
    models.WordVectors_Weights,
]  # fmt: skip
SENTENCES = ["a dull, lifeless mess", "A wonderful film!", "the plot is not bad", "it is there"]
REPORTS = [
    "The striker scored twice as United won the cup final",
    "Shares fell after the company cut its profit forecast",
    "The new chip doubles the speed of wireless networks",
    "Rebels attacked the town near the border, killing soldiers",
]
DATA = os.environ.get("TALLOW_TEST_DATA", "")


@pytest.mark.parametrize("enum", ENUMS)
def test_weights(enum):
    weights = enum.DEFAULT
    content = weights.path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == weights.meta["sha256"]
    assert len(content) <= 3_000_000
    card = Path(weights.meta["card"]).read_text(encoding="utf-8")
    for key in ("recipe", "sha256"):
        assert weights.meta[key] in card
    for part in ("terms**", "**Recipe**", "python tools/pretrain/", "**Limits**"):
        assert part in card
    state = weights.get_state_dict()
    assert sum(tensor.numel() for tensor in state.values()) == weights.meta["num_params"]
    assert {tensor.dtype for tensor in state.values()} == {tallow.float32}
    assert enum.verify(weights) is weights and enum.verify(weights.name) is weights
    with pytest.raises(ArgumentError, match=f"expected one of {enum.__name__}'s .*got 'none'"):
        enum.verify("none")
    assert repr(weights) == f"{enum.__name__}.{weights.name}"


def test_all_of_them_are_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 6_000_000


@pytest.mark.parametrize("name, texts", [("sentiment", SENTENCES), ("news", REPORTS)])
def test_probabilities_are_as_measured(name, texts):
    golden = json.loads((Path(__file__).parent / "golden" / "shipped.json").read_text())
    answers = list(models.Reader(name, top_k=4, words=0)(texts))
    for answer, expected in zip(answers, golden[name], strict=True):
        assert answer["classes"] == pytest.approx(expected, abs=1e-4)
    if name == "news":
        found = [answer["label"] for answer in answers]
        assert found == ["Sports", "Business", "Sci/Tech", "World"]


def test_what_the_gpt_writes():
    golden = json.loads((Path(__file__).parent / "golden" / "shipped.json").read_text())
    tokenizer = models.ShakespeareGPT_Weights.DEFAULT.transforms()
    prompt = tallow.tensor([tokenizer.encode("ROMEO:\n")])
    found = models.shakespeare_gpt().generate(prompt, 24)
    assert tokenizer.decode(found[0]) == golden["shakespeare_gpt"]
    assert models.shakespeare_gpt(None).config == models.shakespeare_gpt().config


def test_neighbours():
    vectors = models.word_vectors()
    assert len(vectors) == 10000 and vectors.dim == 64
    for word, other in (
        ("monday", "tuesday"), ("three", "four"), ("actor", "actress"), ("football", "soccer"),
        ("million", "billion"), ("river", "road"), ("he", "she"), ("war", "battle"),
    ):  # fmt: skip
        assert other in [found for found, _ in vectors.nearest(word, 20)], word


def test_reader():
    reader = models.Reader("sentiment", words=2)
    good, bad, empty = reader(["A wonderful, moving film.", "a dull mess", " ... "])
    assert (good["label"], bad["label"]) == ("positive", "negative")
    assert good["probability"] > 0.8 and list(good["classes"]) == ["positive"]
    assert [good["text"][w["start"] : w["end"]] for w in good["words"]] == ["wonderful", "moving"]
    assert all(word["importance"] > 0 for word in good["words"])
    assert empty == {"text": " ... ", "error": "expected a text with words, got ' ... '"}
    for name, how in (("mood", {}), ("news", {"top_k": 0}), ("news", {"words": -1})):
        with pytest.raises(ArgumentError, match="Reader: expected"):
            models.Reader(name, **how)


# The command line


def test_command_line(capsys, tmp_path):
    main(["sentiment", "a wonderful film"])
    line = capsys.readouterr().out
    assert line.startswith("positive ") and "wonderful +" in line
    file = tmp_path / "lines.txt"
    file.write_text("a dull mess\nfine\n", encoding="utf-8")
    main(["sentiment", "--files", str(file), "--json", "--top-k", "2", "--words", "0"])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["label"] for answer in answers] == ["negative", "positive"]
    assert sum(answers[0]["classes"].values()) == pytest.approx(1)
    assert main(["news", *REPORTS[:1], "--top-k", "2"]) == 0
    assert capsys.readouterr().out.startswith("Sports ")


def test_folders_and_patterns_of_texts(capsys, tmp_path):
    (tmp_path / "b.txt").write_text("a dull mess\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("a wonderful film\n\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("not asked for\n", encoding="utf-8")
    for given in (str(tmp_path), str(tmp_path / "?.txt")):
        assert main(["sentiment", "--words", "0", "--files", given]) == 1  # of the empty line
        out, err = capsys.readouterr()
        assert [line.split()[0] for line in out.splitlines()] == ["positive", "negative"]
        assert err == "tallowtext sentiment: expected a text with words, got ''\n"
    (tmp_path / "d.txt").write_bytes(b"\x89PNG\xff")
    for given, message in (("d.txt", "line 1: expected UTF-8"), ("*.md", "fit the pattern")):
        assert main(["sentiment", "--files", str(tmp_path / given)]) == 1
        out, err = capsys.readouterr()
        assert not out and message in err


def test_texts_without_words(capsys):
    assert main(["sentiment", "", "a wonderful film"]) == 1
    told = capsys.readouterr()
    assert told.err == "tallowtext sentiment: expected a text with words, got ''\n"
    assert told.out.startswith("positive ")


def test_generate(capsys):
    main(["generate", "--prompt", "JULIET:", "--length", "150", "--seed", "3"])
    first = capsys.readouterr().out
    main(["generate", "--prompt", "JULIET:", "--length", "150", "--seed", "3"])
    assert capsys.readouterr().out == first and first.startswith("JULIET:")
    assert len(first.split()) > 30
    for how, message in (
        (["--prompt", ""], "an empty text needs a first token"), (["--length", "0"], "length"),
        (["--model", "nowhere"], "expected a directory with config.json|nowhere"),
    ):  # fmt: skip
        assert main(["generate", *how]) == 1
        assert re.search(message, capsys.readouterr().err)


def test_a_fresh_process():
    command = [sys.executable, "-m", "tallowtext", "sentiment", "a wonderful film"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0 and found.stdout.startswith("positive"), found.stderr
    command = [sys.executable, "-m", "tallowtext", "sentiment", "--files", "nowhere.txt"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 1 and "nowhere.txt" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.skipif(not DATA, reason="TALLOW_TEST_DATA is not set to the folder of data sets")
def test_accuracy_of_sentiment():
    path = Path(DATA, "sst2", "test.tsv")
    lines = [line.rsplit("\t", 1) for line in path.read_text(encoding="utf-8").split("\n") if line]
    model, features = models.sentiment(), models.Sentiment_Weights.DEFAULT.transforms()
    guesses = model(*features([text for text, _ in lines])).argmax(1)
    right = (guesses == tallow.tensor([int(label) for _, label in lines])).float().mean().item()
    stated = models.Sentiment_Weights.DEFAULT.meta["metrics"]["SST-2 test accuracy"]
    assert right == pytest.approx(stated, abs=5e-5) and right >= 0.82


@pytest.mark.skipif(not DATA, reason="TALLOW_TEST_DATA is not set to the folder of data sets")
def test_accuracy_of_news():
    with open(Path(DATA, "ag_news", "test.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    tallow.manual_seed(0)
    rows = [rows[place] for place in tallow.randperm(len(rows)).tolist()[-1000:]]
    model, features = models.news(), models.News_Weights.DEFAULT.transforms()
    guesses = model(*features([f"{title} {text}" for _, title, text in rows])).argmax(1)
    right = guesses == tallow.tensor([int(label) - 1 for label, *_ in rows])
    stated = models.News_Weights.DEFAULT.meta["metrics"]["AG News held-out accuracy"]
    assert right.float().mean().item() == pytest.approx(stated, abs=5e-5) and stated >= 0.85
