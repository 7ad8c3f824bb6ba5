"""Subword tokenizers: what torchtext has no golden for."""

import json
import pickle
from pathlib import Path

import pytest

from tallowtext import data, transforms
from tallowtext._files import TextFileError
from tallowtext.sentencepiece import Charsmap, SentencePiece, fields

FILES = Path(__file__).parent / "golden" / "vocabularies"


@pytest.fixture(scope="module")
def gpt2():
    return transforms.GPT2BPETokenizer(FILES / "gpt2.json", FILES / "gpt2.bpe")


def test_every_text_comes_back_from_bytes(gpt2):
    for text in ["a  b\n", "中文 🙂\u00a0é", "'s 's  's"]:
        assert gpt2.decode(gpt2(text)) == text
    first = gpt2("é")[0]
    assert gpt2.decode([first][:1]) in ("é", "\ufffd")


def test_clip_with_a_vocabulary():
    merges = (FILES / "clip.bpe").read_text(encoding="utf-8").splitlines()[1:]
    made = transforms.CLIPTokenizer(FILES / "clip.bpe", num_merges=len(merges))
    assert len(made.numbers) == 512 + len(merges) + 2
    assert made("<|startoftext|>The<|endoftext|>")[::2] == [
        str(len(made.numbers) - 2),
        str(len(made.numbers) - 1),
    ]


def test_clip_reads_its_vocabulary(tmp_path):
    made = transforms.CLIPTokenizer(FILES / "clip.bpe", num_merges=300)
    (tmp_path / "vocab.json").write_text(json.dumps(made.numbers), encoding="utf-8")
    again = transforms.CLIPTokenizer(FILES / "clip.bpe", tmp_path / "vocab.json")
    assert again("The quick fox") == made("The quick fox")


def test_accents_are_kept_if_asked():
    options = {"do_lower_case": False, "strip_accents": False, "return_tokens": True}
    kept = transforms.BERTTokenizer(FILES / "bert.txt", **options)
    assert kept._prepared("é, e\u0301") == "é ,  e\u0301"


def test_tokenizers_are_pickled(gpt2):
    model = transforms.SentencePieceTokenizer(FILES / "unigram.model")
    for tokenizer in (gpt2, model, transforms.BERTTokenizer(FILES / "bert.txt")):
        assert pickle.loads(pickle.dumps(tokenizer))("It's a fox.") == tokenizer("It's a fox.")


def test_sentencepiece_transforms():
    model = data.load_sp_model(FILES / "unigram.model")
    with open(FILES / "unigram.model", "rb") as file:
        assert data.load_sp_model(file).pieces == model.pieces
    texts = ["The quick brown fox", "jumps"]
    pieces = transforms.SentencePieceTokenizer(FILES / "unigram.model")(texts)
    assert list(data.sentencepiece_tokenizer(model)(texts)) == pieces
    numbers = list(data.sentencepiece_numericalizer(model)(texts))
    assert numbers == [[model.PieceToId(piece) for piece in line] for line in pieces]
    assert [model.DecodeIds(line) for line in numbers] == texts
    assert len(model) == model.GetPieceSize()


def test_bytes_that_are_no_text():
    model = SentencePiece(FILES / "bpe.model")
    numbers = [model.PieceToId(f"<0x{byte:02X}>") for byte in (0xE4, 0xB8, 0xAD, 0xE4, 0xB8)]
    assert model.DecodeIds(numbers) == "中\ufffd\ufffd"


def charsmap(rules, size=1024):
    """The bytes of a table, its nodes 256 units apart."""
    units, texts = [0] * (256 * size), b""
    units[0], free = 256 << 10, 512
    for key, value in rules.items():
        node = 0
        for byte in key.encode():
            base = node ^ (units[node] >> 10)
            if units[base ^ byte] & 255 != byte or not units[base ^ byte]:
                units[base ^ byte] = ((base ^ byte ^ free) << 10) | byte
                free += 256
            node = base ^ byte
        units[node] |= 256
        units[node ^ (units[node] >> 10)] = len(texts) | 1 << 31
        texts += value.encode() + b"\0"
    packed = b"".join(unit.to_bytes(4, "little") for unit in units[:free])
    return len(packed).to_bytes(4, "little") + packed + texts


def test_the_longest_rule_wins():
    table = Charsmap(charsmap({"é": "e", "éa": "[ea]", "x": "y", "e\u0301": "é", "ab": ""}))
    assert table("éa éb exe\u0301x abc") == "[ea] eb eyéy c"


def test_rules_without_ascii_within():
    table = Charsmap(charsmap({"e\u0301": "é", "t": " ", "中": ""}))
    assert table("tee\u0301 中t\u0301x") == " eé  \u0301x"
    assert Charsmap(b"")("tee") == "tee"


ERRORS = [
    (lambda: transforms.GPT2BPETokenizer(FILES / "char.json", FILES / "gpt2.bpe"), ValueError,
     "a symbol for each of 256 bytes"),
    (lambda: transforms.GPT2BPETokenizer(FILES / "gpt2.bpe", FILES / "gpt2.bpe"), TextFileError,
     "gpt2.bpe: expected the JSON"),
    (lambda: transforms.CharBPETokenizer(FILES / "char.json", FILES / "bert.txt"), TextFileError,
     "bert.txt, line 2: expected two symbols, got "),
    (lambda: transforms.CharBPETokenizer(FILES / "char.json", FILES / "char.bpe", unk_token="?x"),
     ValueError, "expected '\\?x' in"),
    (lambda: transforms.CharBPETokenizer(FILES / "char.json", FILES / "char.bpe")("\u0fff"),
     ValueError, r"got '.u0fff'; unk_token"),
    (lambda: transforms.BERTTokenizer(FILES / "bert.txt")(3), TypeError, "a str or a list"),
    (lambda: transforms.SentencePieceTokenizer(FILES / "unigram.model")(3), TypeError, "got 3"),
    (lambda: SentencePiece(FILES / "bert.txt"), TextFileError, "bert.txt: expected a Sentence"),
    (lambda: SentencePiece(FILES / "unigram.model").IdToPiece(-1), ValueError, "got -1"),
    (lambda: SentencePiece(FILES / "unigram.model").DecodeIds([4, 9999]), ValueError, "got 9999"),
    (lambda: transforms.GPT2BPETokenizer(FILES / "gpt2.json", FILES / "gpt2.bpe").decode(["9999"]),
     ValueError, "expected numbers of tokens, got '9999'"),
    (lambda: list(fields(b"\x0a\x05abc")), ValueError, "the end of the file"),
    (lambda: list(fields(b"\x80")), ValueError, "within a number"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 0, "b": 1, "c": 0}', "j.json: expected a number for each token, got 0 for 'a'"),
        ("[1, 2]", "j.json: expected the JSON of a vocabulary, got cannot convert"),
        ('{"a": [1]}', "j.json: expected the JSON of a vocabulary, got unhashable"),
    ],
)
def test_bad_vocabularies(content, message, tmp_path):
    (tmp_path / "j.json").write_text(content, encoding="utf-8")
    with pytest.raises(TextFileError, match=message):
        transforms.CharBPETokenizer(tmp_path / "j.json", FILES / "char.bpe")


def test_merges_of_another_vocabulary():
    with pytest.raises(ValueError, match="CLIPTokenizer: expected merges that make tokens"):
        transforms.CLIPTokenizer(FILES / "clip.bpe", FILES / "gpt2.json")


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, error, message = ERRORS[number]
    with pytest.raises(error, match=message):
        call()


def test_special_tokens_have_known_roles(gpt2):
    with pytest.raises(ValueError, match="got 'end_token'"):
        gpt2.add_special_tokens({"end_token": "</s>"})
    assert gpt2.add_special_tokens({}) == 0


@pytest.mark.parametrize(
    ("trainer", "message"), [(b"\x18\x03", "whole words"), (b"\xc0\x01\x01", "at the end")]
)
def test_models_of_other_kinds(trainer, message, tmp_path):
    piece = b"\x0a\x05<unk>\x15\0\0\0\0\x18\x02"
    content = b"\x0a" + bytes([len(piece)]) + piece + b"\x12" + bytes([len(trainer)]) + trainer
    (tmp_path / "m.model").write_bytes(content)
    with pytest.raises(TextFileError, match=message):
        SentencePiece(tmp_path / "m.model")
