"""Streams of samples."""

import pickle

import tallow
from tallow.utils.data import DataLoader
from tallowtext import transforms as T
from tallowtext.data import CSVRows, Stream
from tallowtext.functional import to_tensor
from tallowtext.vocab import build_vocab_from_iterator


def test_a_loader_as_torchtexts_tutorials_make_it(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\tlabel\n" + "a good film\t1\nbad\t0\n" * 5, encoding="utf-8")
    rows = CSVRows(path, columns=["text", "label"])
    words = build_vocab_from_iterator((text.split() for text, _ in rows), specials=["<pad>"])
    prepare = T.Sequential(T.VocabTransform(words), T.Truncate(2))
    stream = rows.map(lambda row: (prepare(row[0].split()), int(row[1])))
    stream = stream.batch(4).rows2columnar(["token_ids", "target"])
    batches = list(DataLoader(stream, batch_size=None))
    assert [len(batch["target"]) for batch in batches] == [4, 4, 2]
    assert to_tensor(batches[0]["token_ids"], padding_value=0).shape == (4, 2)
    assert list(stream) == list(stream)


def test_shuffling():
    tallow.manual_seed(0)
    numbers = Stream.of(range(100)).shuffle(10)
    first, second = list(numbers), list(numbers)
    assert sorted(first) == list(range(100)) and first != second != sorted(first)
    assert all(place - n < 100 and n - place <= 10 for place, n in enumerate(first))
    tallow.manual_seed(0)
    assert list(numbers) == first


def test_the_ends():
    numbers = Stream.of([1, 2, 3])
    assert list(numbers.batch(2, drop_last=True)) == [[1, 2]]
    assert list(numbers.concat(numbers.map(str), [9])) == [1, 2, 3, "1", "2", "3", 9]


def test_streams_are_pickled():
    made = Stream.of([3, 0, 1]).map(str).filter(str.isdigit).shuffle().batch(2)
    assert sorted(sum(pickle.loads(pickle.dumps(made)), [])) == ["0", "1", "3"]


def test_workers_share_the_samples():
    numbers = Stream.of(range(20)).concat(range(20, 30)).map(lambda n: n * 2).batch(4)
    found = [n for batch in DataLoader(numbers, batch_size=None, num_workers=3) for n in batch]
    assert sorted(found) == list(range(0, 60, 2))
    assert Stream.of(numbers) is numbers
