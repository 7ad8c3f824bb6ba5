"""Tokenizers in Hugging Face's format, and the command line."""

import json
import pickle
import re
import sys
from pathlib import Path

import pytest
import tokenizers

from tallowtext import Tokenizer
from tallowtext.__main__ import main
from tallowtext._files import TextFileError

LINES = ["the cat sat on the mat", "ein Kätzchen saß auf der Matte 🙂", "the mat is flat"] * 5


@pytest.fixture(scope="module", params=["bpe", "wordpiece", "unigram"])
def trained(request):
    return Tokenizer.train(LINES, request.param, 300)


def test_what_was_trained_is_read_again(trained, tmp_path):
    trained.save(tmp_path / "tokenizer.json")
    again = Tokenizer.from_pretrained(tmp_path)
    assert again.get_vocab() == trained.get_vocab() and len(again) == len(trained)
    reference = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for line in [*LINES[:3], "unseen ß\u2003text"]:
        assert again.encode(line) == reference.encode(line).ids
        known = [again.token_to_id(token) for token in again.tokenize(line) if token in again]
        assert [number for number in again.encode(line) if number in known] == known
    assert again.id_to_token(again.encode("the")[0]) in again


def test_batch(trained):
    batch = trained(LINES[:3], return_offsets=True)
    lengths = [len(trained.encode(line)) for line in LINES[:3]]
    assert batch["attention_mask"].sum(1).tolist() == lengths
    assert batch["input_ids"].shape == (3, max(lengths)) == batch["token_type_ids"].shape
    for line, ids, offsets, length in zip(
        LINES, batch["input_ids"], batch["offset_mapping"], lengths, strict=False
    ):
        assert ids[:length].tolist() == trained.encode(line)
        assert set(ids[length:].tolist()) <= {trained.token_to_id(trained.pad_token)}
        assert offsets.shape == (max(lengths), 2) and offsets[length:].sum() == 0
        assert offsets[length - 1].tolist()[1] == len(line)


def test_bytes_come_back():
    text = "Unseen: ÄÖ 中文 \n\t🙂"
    trained = Tokenizer.train(LINES, "bpe", 280)
    assert trained.decode(trained.encode(text)) == text


def test_padding_and_truncation():
    trained = Tokenizer.train(LINES, "wordpiece", 200)
    batch = trained(["the cat", "the"], padding="max_length", max_length=4)
    assert batch["attention_mask"].tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]
    assert trained(LINES[:2], max_length=3)["input_ids"].shape == (2, 3)
    trained.pads_left = True
    assert trained(["the cat", "the"])["attention_mask"].tolist() == [[1, 1], [0, 1]]
    assert trained([])["input_ids"].shape == (0, 0)
    with pytest.raises(ValueError, match="expected max_length with padding"):
        trained("the", padding="max_length")
    with pytest.raises(ValueError, match="without padding, got 1 to 2 tokens"):
        trained(["the cat", "the"], padding=False)


def test_pairs_by_the_files_template(tmp_path):
    trained = Tokenizer.train(LINES, "wordpiece", 200)
    trained.model.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    trained.model.enable_padding(direction="left", pad_token="[MASK]")
    trained.model.enable_truncation(6, strategy="only_first")
    trained.save(tmp_path / "tokenizer.json")
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    batch = again(["the cat", "the"], ["mat", "mat"])
    assert again.pad_token == "[MASK]"
    assert batch["input_ids"][1, :2].tolist() == [4, 2]
    assert batch["input_ids"][:, -1].tolist() == [3, 3]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1]]
    cut = again(["the cat sat on the mat"], max_length=4)["input_ids"]
    assert cut.shape == (1, 4) and cut[0, [0, -1]].tolist() == [2, 3]
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "tokenizer.json").read_text()
    assert pickle.loads(pickle.dumps(again)).encode("the") == again.encode("the")
    assert again.encode("the", "mat") == batch["input_ids"][1, 1:].tolist()


def test_padding_needs_a_token():
    trained = Tokenizer.train(LINES, "unigram", 100, specials=["<unk>"])
    with pytest.raises(ValueError, match="expected pad_token, .* got None"):
        trained(["the cat", "the"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"version": "1.0",\n "model"}', "tokenizer.json, line 2: expected the JSON"),
        (json.dumps({"version": "1.0", "model": {"type": "Rune"}}), "tokenizer.json: .* of a kind"),
        (b"\xff\xfe", "tokenizer.json: expected a tokenizer.json, got .*0xff"),
    ],
)
def test_files_of_another_kind(content, message, tmp_path):
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(TextFileError, match=message):
        Tokenizer.from_pretrained(tmp_path)


def test_training_errors():
    with pytest.raises(ValueError, match="bpe, wordpiece, unigram, got 'word'"):
        Tokenizer.train(LINES, "word")
    with pytest.raises(TypeError, match="got one str"):
        Tokenizer.train("a text")


def test_command(capsys, monkeypatch, tmp_path):
    main(["tokenize", "It's here."])
    assert capsys.readouterr().out == "it ' s here .\n"
    trained = Tokenizer.train(LINES, "bpe", 280)
    trained.save(tmp_path / "t.json")
    monkeypatch.setattr(sys, "stdin", iter(["the cat\n", "mat\n"]))
    main(["tokenize", "--tokenizer", str(tmp_path / "t.json"), "--ids"])
    numbers = [list(map(int, line.split())) for line in capsys.readouterr().out.splitlines()]
    assert numbers == [trained.encode("the cat"), trained.encode("mat")]
    model = Path(__file__).parent / "golden" / "vocabularies" / "unigram.model"
    main(["tokenize", "--tokenizer", str(model), "The fox"])
    assert capsys.readouterr().out.startswith("▁T")
    main(["tokenize", "--tokenizer", str(model), "--ids", "The fox"])
    assert capsys.readouterr().out.replace(" ", "").strip().isdigit()
    assert main(["tokenize", "--ids", "text"]) == 1
    assert "--ids: expected --tokenizer FILE, got basic_english" in capsys.readouterr().err
    assert main(["tokenize", "--tokenizer", "unknown", "text"]) == 1
    assert "tallowtext tokenize: get_tokenizer: expected" in capsys.readouterr().err


def test_neighbours(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TALLOW_HOME", str(tmp_path))
    path = tmp_path / "toy.txt"
    path.write_text("a 1 0\nb 1 1\nc 0 1\n", encoding="utf-8")
    main(["neighbours", "a", "--vectors", str(path), "--count", "1"])
    assert capsys.readouterr().out == "0.707 b\n"
    assert main(["neighbours", "d", "--vectors", str(path)]) == 1
    found = capsys.readouterr().err
    assert re.match("tallowtext neighbours: Vectors: expected a word .* got 'd'", found)
