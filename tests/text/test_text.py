"""What torchtext has no golden for: errors, files, pickles."""

import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import tallow
from tallow.errors import TallowError
from tallow.utils.data import DataLoader
from tallowtext import data, functional, transforms
from tallowtext._files import TextFileError
from tallowtext.vocab import Vocab, build_vocab_from_iterator, load_vocab_from_file, vocab


@pytest.fixture
def words():
    return Vocab(["<unk>", "the", "ü"])


ERRORS = [
    (lambda v: v["dog"], RuntimeError, "got 'dog'; set_default_index"),
    (lambda v: v(["the", "dog"]), LookupError, "got 'dog'"),
    (lambda v: v.lookup_token(3), RuntimeError, "from 0 to 2, got 3"),
    (lambda v: v.lookup_tokens([0, -1]), RuntimeError, "from 0 to 2, got -1"),
    (lambda v: v.append_token("the"), RuntimeError, "'the', which has number 1"),
    (lambda v: v.insert_token("x", 4), RuntimeError, "from 0 to 3, got 4"),
    (lambda v: Vocab(["a", "b", "a"]), RuntimeError, "got 'a' 2 times"),
    (lambda v: vocab({}, specials=["s", "s"]), RuntimeError, "got 's' 2 times"),
    (lambda v: build_vocab_from_iterator([["a"]], specials=["x"], max_tokens=1), ValueError,
     "above the 1 specials"),
    (lambda v: data.get_tokenizer("basic"), ValueError, "basic_english, spacy, .* got 'basic'"),
    (lambda v: data.get_tokenizer("basic_english", "de"), ValueError, "got 'de'"),
    (lambda v: data.get_tokenizer("revtok"), ImportError, "needs the package revtok"),
    (lambda v: data.bleu_score([["a"]], []), ValueError, "each of 1 candidates"),
    (lambda v: data.bleu_score([], [], 2), ValueError, "expected 2 weights, got 4"),
    (lambda v: transforms.VocabTransform({"a": 1}), TypeError, "expected a Vocab, got dict"),
    (lambda v: transforms.VocabTransform(object()), TypeError, "expected a Vocab, got object"),
    (lambda v: transforms.VocabTransform(v)("the"), TypeError, "expected a list, got str"),
    (lambda v: functional.to_tensor([[1], [2, 3]]), ValueError, "lengths from 1 to 2"),
    (lambda v: functional.to_tensor(["a"]), TypeError, "use a Vocab first"),
    (lambda v: functional.add_token([1, 2], "x"), TypeError, "of type int, got 'x'"),
    (lambda v: functional.truncate([1, "a"], 1), TypeError, "got int, str"),
    (lambda v: transforms.LabelToIndex(), ValueError, "label_names or label_path"),
    (lambda v: transforms.MaskTransform(5, 1, 2, 3)(tallow.zeros(3)), ValueError, "got float32"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(words, number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message) as caught:
        call(words)
    assert isinstance(caught.value, TallowError)


def test_insertion_moves_the_others(words):
    words.insert_token("a", 1)
    assert words.get_itos() == ["<unk>", "a", "the", "ü"]
    assert [words[token] for token in words.get_itos()] == [0, 1, 2, 3]


def test_what_is_returned_is_a_copy(words):
    words.get_itos().append("x")
    words.get_stoi()["x"] = 9
    assert len(words) == 3 and "x" not in words


def test_building_leaves_its_dict_alone():
    counts = {"a": 2, "b": 1}
    vocab(counts, specials=["a"])
    assert counts == {"a": 2, "b": 1}


def test_a_vocabulary_takes_memory_for_its_words_alone():
    lines = (f"line {i % 100} of {i % 50}".split() for i in range(50_000))
    tracemalloc.start()
    made = build_vocab_from_iterator(lines)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(made) == 102 and most < 200_000


def test_pickle(words):
    words.set_default_index(0)
    again = pickle.loads(pickle.dumps(words))
    assert again.get_itos() == words.get_itos() and again["zzz"] == 0


def test_file(words, tmp_path):
    words.save(tmp_path / "words.txt")
    assert (tmp_path / "words.txt").read_bytes() == "<unk>\nthe\nü\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["words.txt"]
    again = Vocab.load(tmp_path / "words.txt", default_index=0)
    assert again.get_itos() == ["<unk>", "the", "ü"] and again["zzz"] == 0


def test_what_torchtext_saved(tmp_path):
    path = Path(__file__).parent / "golden" / "vocabularies" / "vocab.pt"
    found = Vocab.load(path)
    assert found.get_itos() == ["<unk>", "a", "ü"] and found["zzz"] == 0
    assert transforms.VocabTransform(tallow.load(path, weights_only=False))(["ü", "b"]) == [2, 0]


@pytest.mark.parametrize("token", ["", "two\nlines", "a\u2028b"])
def test_tokens_that_a_line_cannot_hold(token, tmp_path):
    with pytest.raises(RuntimeError, match="fill one line"):
        Vocab([token]).save(tmp_path / "words.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\n\xff\xfe\n", "words.txt, line 3: expected UTF-8, got byte 0xff at position 0"),
        (b"a\n\nb\n", "words.txt, line 2: expected a token, got an empty line"),
        (b"a\r\nb\r\na\r\n", "words.txt, line 3: expected a new token, got 'a', .*line 1"),
    ],
)
def test_bad_files(content, message, tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(TextFileError, match=message):
        Vocab.load(path)


def test_counted_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(b"\xef\xbb\xbfb\na\nb\n")
    assert load_vocab_from_file(path).get_itos() == ["b", "a"]
    assert load_vocab_from_file(path, min_freq=2).get_itos() == ["b"]


def test_labels_from_a_file(tmp_path):
    (tmp_path / "labels.txt").write_text("pos\n\n neg \n", encoding="utf-8")
    labels = transforms.LabelToIndex(label_path=tmp_path / "labels.txt")
    assert labels.label_names == ["pos", "neg"] and labels("neg") == 1


def test_map_style():
    samples = data.to_map_style_dataset(n * n for n in range(4))
    assert len(samples) == 4 and samples[2] == 4
    assert [batch.tolist() for batch in DataLoader(samples, batch_size=2)] == [[0, 1], [4, 9]]


def test_every_chosen_token_is_predicted():
    tokens = tallow.arange(56).reshape(4, 14)  # no padding among them
    masked, hidden, mask = transforms.MaskTransform(60, 59, 58, 57, True, 0.4)(tokens)
    assert mask.sum(1).tolist() == [5] * 4
    assert hidden.tolist() == tokens[mask.bool()].tolist()
    assert (masked == tokens)[~mask.bool()].all()


def test_it_imports_neither_vision_nor_audio():
    code = "import sys, tallowtext; print(sorted(n for n in sys.modules if 'tallow' in n))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "tallowvision" not in done.stdout and "tallowaudio" not in done.stdout
