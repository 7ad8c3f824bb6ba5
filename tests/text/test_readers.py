"""Files of a user: what is read, what is refused, and what is skipped and counted."""

import gzip
import lzma
import pickle

import pytest

from tallow.utils.data import DataLoader
from tallowtext._files import TextFileError
from tallowtext.data import CSVRows, JSONLines, Records, TextLines


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def test_lines(written):
    path = written("a.txt", "\ufeffone\r\n\n two \nüber".encode())
    assert list(TextLines(path)) == ["one", "", " two ", "über"]
    assert list(TextLines(path)) == list(TextLines(path))
    packed = written("a.txt.gz", gzip.compress(b"one\n"))
    assert list(TextLines(packed)) == ["one"]
    assert list(TextLines(written("a.xz", lzma.compress(b"one\ntwo\n")))) == ["one", "two"]


def test_csv(written):
    path = written("a.csv", b'text,label\r\n"a ""b"",\r\nc",1\r\nd,2\r\n')
    assert list(CSVRows(path)) == [
        {"text": 'a "b",\nc', "label": "1"},
        {"text": "d", "label": "2"},
    ]
    assert list(CSVRows(path, columns=["label", 0])) == [("1", 'a "b",\nc'), ("2", "d")]
    path = written("a.tsv", b'a "x\t1\n')
    assert list(CSVRows(path, names=["text", "label"])) == [{"text": 'a "x', "label": "1"}]
    path = written("a.txt", b"x;y\n")
    assert list(CSVRows(path, columns=[1], names=["a", "b"], delimiter=";")) == [("y",)]


def test_readers_are_pickled(written):
    path = written("a.csv", b"text,label\nx,1\n")
    for reader in (CSVRows(path, columns=[1]), TextLines(path)):
        assert list(pickle.loads(pickle.dumps(reader))) == list(reader)


def test_json_lines(written):
    path = written("a.jsonl", '{"text": "ü", "label": 1}\n{"text": "b"}\n'.encode())
    assert list(JSONLines(path)) == [{"text": "ü", "label": 1}, {"text": "b"}]
    with pytest.raises(TextFileError, match=r"jsonl, line 2: expected the fields .*\['label'\]"):
        list(JSONLines(path, fields=["text", "label"]))


BAD = [
    (TextLines, {}, b"ok\n\xff\nok\n", "line 2: expected UTF-8, got byte 0xff", 2),
    (TextLines, {"empty": False}, b"ok\n\nok\n", "line 2: expected text, got an empty line", 2),
    (CSVRows, {}, b"a,b\n1,2\n3\n4,5\n", "line 3: expected 2 columns, got 1 columns", 2),
    (CSVRows, {}, b"a,b\n1,2\n\n4,5\n", "line 3: expected 2 columns, got an empty line", 2),
    (CSVRows, {}, b'a,b\n1,"x\ny\xe4"\n4,5\n', "line 3: expected UTF-8, got byte 0xe4", 1),
    (CSVRows, {"names": ["a"]}, b"1\n" + b"x" * 200_000 + b"\n2\n", "line 2: field larger", 2),
    (JSONLines, {}, b'{"a": 1}\n\n{"a": }\n', "line 2: expected an object as JSON, got ''", 1),
    (JSONLines, {"fields": ["a"]}, b'{"a": 1}\n{"b": 1}\n', "line 2: expected the fields", 1),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_records(number, written):
    reader, options, content, message, good = BAD[number]
    path = written("bad.csv", content)
    with pytest.raises(TextFileError, match=f"bad.csv, {message}"):
        list(reader(path, **options))
    skipping = reader(path, skip_bad=True, **options)
    with pytest.warns(UserWarning, match=f"bad records were skipped, the first: .*{message}"):
        assert len(list(skipping)) == good
    assert skipping.skipped == (2 if b"}\n\n{" in content else 1)


def test_columns_that_are_not_there(written):
    path = written("a.csv", b"text,label\nx,1\n")
    with pytest.raises(ValueError, match="a.csv, which has text, label; got 'title'"):
        CSVRows(path, columns=["title"])
    with pytest.raises(ValueError, match="got 2"):
        CSVRows(path, columns=[2])
    with pytest.raises(TextFileError, match="names of columns, got an empty file"):
        CSVRows(written("b.csv", b""))


def test_a_reader_of_ones_own():
    def split(file):
        yield from ((n, word, None) for n, word in enumerate(file.read().split(), 1))

    words = Records(__file__, split, lambda word: word.decode() if word.isalpha() else None)
    assert "import" in list(words)


def test_workers_share_the_records(written):
    path = written("a.txt", b"".join(b"%d\n" % n for n in range(30)))
    found = list(DataLoader(TextLines(path), batch_size=None, num_workers=3))
    assert sorted(map(int, found)) == list(range(30))
