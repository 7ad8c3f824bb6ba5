"""What else has a name of torchtext's: training of SentencePiece, files, prototypes."""

import hashlib
import zipfile
from pathlib import Path

import pytest

import tallow
from tallowtext import data, utils
from tallowtext.data.functional import filter_wikipedia_xml, generate_sp_model
from tallowtext.prototype import transforms, vectors, vocab_factory

FILES = Path(__file__).parent / "golden" / "vocabularies"
TEXT = ["the cat sat on the mat", "the dog ate the ﬁsh", "a cat, a dog; the mats"] * 20


@pytest.mark.parametrize("kind", ["unigram", "bpe", "char"])
def test_a_model_of_pieces_is_trained(kind, tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(TEXT), encoding="utf-8")
    generate_sp_model(tmp_path / "text.txt", 40, kind, tmp_path / "m")
    model = data.load_sp_model(tmp_path / "m.model")
    assert model.GetPieceSize() <= 40 and model.IdToPiece(0) == "<unk>"
    listed = (tmp_path / "m.vocab").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[0] for line in listed] == [piece.text for piece in model.pieces]
    pieces = model.EncodeAsPieces("the cat ate")
    assert pieces[0] == {"char": "▁"}.get(kind, pieces[0]) and model.DecodePieces(pieces) == (
        "the cat ate"
    )
    assert len(pieces) == 12 if kind == "char" else len(pieces) < 9
    assert model.EncodeAsIds("Q")[-1] == 0


def test_models_of_unknown_kinds(tmp_path):
    (tmp_path / "text.txt").write_text("a", encoding="utf-8")
    with pytest.raises(ValueError, match="unigram, bpe, char, got 'word'"):
        generate_sp_model(tmp_path / "text.txt", 10, "word")


def test_wikipedia():
    # what torchtext 0.18 gives
    lines = [
        "[[image:a.jpg|thumb|right|Caption]] Text <b>bold</b> 12 &amp;c [[Link|shown]] {{box}}",
        "#REDIRECT [[X]]", " The '''Title''' is &lt;i&gt; 3rd. [[Category:Foo bar]]", "", "<page>",
        "é ü x", "[[fr:Paris]] [[de:X]] {a} a[b]c ABC",
    ]  # fmt: skip
    assert list(filter_wikipedia_xml(lines)) == [
        "caption text one two c shown", "the title is three rd category foo bar", "x", "abc abc",
    ]  # fmt: skip


def test_files(publish, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLOW_HOME", str(tmp_path / "home"))
    asked = publish({"words.txt": b"words"})
    url = "https://example.org/words.txt"
    path = Path(utils.download_from_url(url, root=tmp_path))
    assert path.read_bytes() == b"words" and path.parent == tmp_path
    utils.download_from_url(url, path, overwrite=True)
    assert len(asked) == 2
    for _ in range(2):
        assert Path(utils.get_asset_local_path(url)).read_bytes() == b"words"
    utils.get_asset_local_path(url, overwrite=True)
    assert len(asked) == 4 and utils.get_asset_local_path(str(path)) == str(path)
    assert utils.validate_file(path, hashlib.sha256(b"words").hexdigest())
    with open(path, "rb") as file:
        assert not utils.validate_file(file, "0" * 32, "md5")
    with pytest.raises(ValueError, match="got 'sha1'"):
        utils.validate_file(path, "", "sha1")


def test_archives(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/a.txt", "a")
    assert utils.extract_archive(tmp_path / "a.zip") == [str(tmp_path / "in" / "a.txt")]


def test_prototypes(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("b a b\na c\nb\n", encoding="utf-8")
    assert vocab_factory.build_vocab_from_text_file(path).get_itos() == ["b", "a", "c"]
    assert vocab_factory.build_vocab_from_text_file(path, list, 3).get_itos() == [" ", "b"]
    assert transforms.basic_english_normalize()("It's.") == ["it", "'", "s", "."]
    tokenizer = transforms.sentencepiece_tokenizer(FILES / "unigram.model")
    processor = transforms.sentencepiece_processor(FILES / "unigram.model")
    assert (
        tokenizer.decode(tokenizer("The fox"))
        == "The fox"
        == processor.decode(processor("The fox"))
    )
    path.write_text('a,1,2\n",3,4\n', encoding="utf-8")
    known = vectors.load_vectors_from_file_path(path, unk_tensor=tallow.tensor([9.0, 9]))
    found = transforms.VectorTransform(known)(["a", '"', "zzz"])
    assert found.tolist() == [[1, 2], [3, 4], [9, 9]]
