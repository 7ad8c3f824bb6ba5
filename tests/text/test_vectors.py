"""Vectors of words: files of all kinds, what is near, and what is learnt."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

import tallow
from tallow import nn
from tallow.testing import assert_close
from tallowtext import vocab
from tallowtext._files import TextFileError
from tallowtext.vocab import CharNGram, FastText, GloVe, Vectors, training

TEXT = "the 0.5 -1.25 3\nüber 1e-3 2 0.25\nCat 1 1 1\n"
TABLE = [[0.5, -1.25, 3], [1e-3, 2, 0.25], [1, 1, 1]]


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        content = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def binary(words, table, end=b""):
    rows = zip(words, np.array(table, "<f4"), strict=True)
    body = b"".join(word.encode() + b" " + row.tobytes() + end for word, row in rows)
    return f"{len(words)} {len(table[0])}\n".encode() + body


WORDS = ["the", "über", "Cat"]
KINDS = {
    "glove.txt": TEXT,
    "fast.vec": f"3 3\n{TEXT}",
    "ends.txt": TEXT.replace("\n", " \r\n"),
    "packed.txt.gz": gzip.compress(TEXT.encode()),
    "word2vec.bin": binary(WORDS, TABLE),
    "lines.bin": binary(WORDS, TABLE, b"\n"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_files(name, written, tmp_path):
    path = written(name, KINDS[name])
    for made in (Vectors(path, cache=tmp_path / "cache"), Vectors(path, cache=tmp_path / "cache")):
        assert made.itos == WORDS and made.stoi == {"the": 0, "über": 1, "Cat": 2}
        assert (len(made), made.dim) == (3, 3) and "über" in made and "cat" not in made
        assert_close(made.vectors, tallow.tensor(TABLE))
    first = Vectors(path, cache=tmp_path / "cache", max_vectors=2)
    assert first.itos == WORDS[:2] and first.vectors.shape == (2, 3)


def test_lookup(written, tmp_path):
    made = Vectors(written("a.txt", TEXT), cache=tmp_path)
    assert made["the"].tolist() == [0.5, -1.25, 3] and made["dog"].tolist() == [0, 0, 0]
    assert made.get_vecs_by_tokens("Cat").tolist() == [1, 1, 1]
    found = made.get_vecs_by_tokens(["THE", "Cat", "cat"], lower_case_backup=True)
    assert found.tolist() == [[0.5, -1.25, 3], [1, 1, 1], [0, 0, 0]]
    ones = Vectors(tmp_path / "a.txt", cache=tmp_path, unk_init=nn.init.ones_)
    assert ones["dog"].tolist() == [1, 1, 1]
    table = nn.Embedding.from_pretrained(made.vectors)
    assert table(tallow.tensor([2, 0])).tolist() == [[1, 1, 1], [0.5, -1.25, 3]]


def test_the_cache_is_mapped_and_not_written_to(written, tmp_path):
    path = written("a.txt", TEXT)
    made = Vectors(path, cache=tmp_path / "cache")
    made.vectors[0] = 7
    assert Vectors(path, cache=tmp_path / "cache")["the"].tolist() == [0.5, -1.25, 3]
    path.write_text("dog 1 2\n", encoding="utf-8")  # another file of the same name
    assert Vectors(path, cache=tmp_path / "cache").itos == ["dog"]


def test_a_file_is_read_as_a_stream(tmp_path):
    rows = [" ".join(f"{i + j / 7:.5f}" for j in range(300)) for i in range(20)]
    with open(tmp_path / "big.txt", "w") as file:
        file.writelines(f"word{i} {rows[i % 20]}\n" for i in range(4000))
    tracemalloc.start()
    made = Vectors(tmp_path / "big.txt", cache=tmp_path)  # the array itself is a file
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.vectors.shape == (4000, 300) and most < 0.3 * made.vectors.numel() * 4


def test_near_words_and_analogies():
    words = ["king", "queen", "man", "woman", "apple"]
    table = tallow.tensor([[1.0, 1, 0], [1, -1, 0], [0.1, 2, 0], [0.1, -2, 0], [0, 0, 1]])
    made = Vectors.of(words, table)
    assert made.analogy("man", "woman", "king", count=1)[0][0] == "queen"
    found = made.nearest("king", count=9)
    assert [word for word, _ in found][:1] == ["man"] and len(found) == 4
    x, y = table[0].numpy(), table[2].numpy()
    assert found[0][1] == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), rel=1e-6)
    assert made.nearest(tallow.tensor([0.0, 0, 2]), 1) == [("apple", pytest.approx(1))]
    with pytest.raises(ValueError, match="expected a word that has a vector, got 'pear'"):
        made.nearest("pear")
    with pytest.raises(ValueError, match=r"expected 2 vectors .* \(5, 3\)"):
        Vectors.of(["a", "b"], table)


def test_saved_vectors_are_read_again(tmp_path):
    made = Vectors.of(["a", "ü"], tallow.randn(2, 5))
    made.save(tmp_path / "v.txt")
    again = Vectors(tmp_path / "v.txt", cache=tmp_path)
    assert again.itos == made.itos and again.vectors.tolist() == made.vectors.tolist()


def test_words_with_spaces(written, tmp_path):
    made = Vectors(written("a.txt", "the 1 2 3\n. . 4 5 6\na\u00a0b 7 8 9\n"), cache=tmp_path)
    assert made.itos == ["the", ". .", "a\u00a0b"] and made[". ."].tolist() == [4, 5, 6]


def test_words_that_are_no_text_are_counted(written, tmp_path):
    path = written("a.txt", b"a 1 2\n\xff\xfe 3 4\nb 5 6\n")
    with pytest.warns(UserWarning, match="a.txt: 1 words were skipped, which are no UTF-8"):
        made = Vectors(path, cache=tmp_path)
    assert made.itos == ["a", "b"] and made.vectors.tolist() == [[1, 2], [5, 6]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "the 1 2 3\ncat 1 2\n", "a.txt, line 2: expected 3 numbers after a word, got 2"),
        ("a.txt", "the 1 2 3\ncat 1 2 3 4\n", "a.txt, line 2: expected 3 numbers .* got 4"),
        ("a.txt", "the 1 2 3\ncat\n", "a.txt, line 2: expected 3 numbers after a word, got 0"),
        ("a.txt", "the 1 2 3\ncat 1 x 3\n", "a.txt, line 2: could not convert"),
        ("a.txt", "", "a.txt: expected words with vectors, got none"),
        ("a.bin", "the 1 2 3\n", "a.bin: expected word2vec's binary format"),
        ("a.bin", binary(WORDS, TABLE)[:-3], "a.bin: expected 3 vectors, got 2"),
    ],
)
def test_bad_files(name, content, message, written, tmp_path):
    with pytest.raises(TextFileError, match=message):
        Vectors(written(name, content), cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.npy"))


def zipped(name, text):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        target.writestr(name, text)
    return made.getvalue()


def test_published_vectors(publish, tmp_path):
    grams = "2gram-#BEGIN#a 1 2\n3gram-#BEGIN#ab 3 4\n2gram-b#END# 5 8\n4gram-abcd 9 9\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as target:
        member = tarfile.TarInfo("charNgram.txt")
        member.size = len(grams)
        target.addfile(member, io.BytesIO(grams.encode()))
    asked = publish({
        "glove.6B.zip": zipped("glove.6B.50d.txt", "the 1 2\n"),
        "wiki.simple.vec": b"1 2\nthe 3 4\n",
        "jmt_pre-trained": packed.getvalue(),
    })  # fmt: skip
    assert GloVe("6B", 50, cache=tmp_path)["the"].tolist() == [1, 2]
    assert vocab.pretrained_aliases["glove.6B.50d"](cache=tmp_path)["the"].tolist() == [1, 2]
    assert FastText("simple", cache=tmp_path)["the"].tolist() == [3, 4]
    grams = CharNGram(cache=tmp_path)
    assert_close(grams["ab"], tallow.tensor([[3, 14 / 3]]))  # the mean of three
    assert grams["<unk>"].tolist() == [[0, 0]] and grams["zz"].shape == (1, 2)
    assert grams.get_vecs_by_tokens(["ab", "zz"]).shape == (2, 1, 2)
    assert len(asked) == 3
    with pytest.raises(RuntimeError, match=r"glove.6B.zip: expected the file glove.6B.300d.txt"):
        GloVe("6B", cache=tmp_path)
    with pytest.raises(ValueError, match="42B, 840B, twitter.27B, 6B, got '5B'"):
        GloVe("5B")
    with pytest.raises(RuntimeError, match="none.txt: expected a file of vectors, or url"):
        Vectors("none.txt", cache=tmp_path)


# Training

PETS, TOOLS = "cat dog horse cow goat".split(), "hammer saw drill file plane".split()


def sentences(count=300):
    draw = np.random.default_rng(0)
    for i in range(count):
        things, verbs = (PETS, ["eats", "sleeps"]) if i % 2 else (TOOLS, ["cuts", "breaks"])
        yield [*draw.choice(things, 2), draw.choice(verbs), draw.choice(things), "rare" + str(i)]


TRAINERS = {
    "skipgram": lambda **options: vocab.train_word2vec(sentences(), 16, epochs=15, **options),
    "cbow": lambda **options: vocab.train_word2vec(
        sentences(), 16, model="cbow", epochs=30, **options
    ),
    "glove": lambda **options: vocab.train_glove(sentences(), 16, **options),
}


@pytest.mark.parametrize("name", TRAINERS)
def test_what_is_used_alike_becomes_near(name):
    tallow.manual_seed(0)
    losses = []
    made = TRAINERS[name](min_freq=2, report=lambda epoch, loss: losses.append(loss))
    assert len(made) == 14 and losses[-1] < 0.9 * losses[0]
    for group in (PETS, TOOLS):
        for word in group:
            near = [other for other, _ in made.nearest(word, 4)]
            assert len({*near} & {*group, "eats", "sleeps", "cuts", "breaks"}) == 4
            assert not {*near} & ({*PETS, *TOOLS} - {*group})


def record(table):
    """Have a table keep its gradients, summed up by row, and learn nothing."""
    total = tallow.zeros_like(table.values)
    table.step = lambda rows, gradients: total.index_add_(0, rows, gradients)
    return total


def test_gradients_of_negative_sampling():
    tallow.manual_seed(0)
    inputs, outputs = (training._Table(9, 4, 1) for _ in range(2))
    inputs.values, outputs.values = tallow.randn(9, 4), tallow.randn(9, 4)
    known, wanted = tallow.tensor([[1, 2], [1, 1], [3, 0]]), tallow.tensor([4, 5, 4])
    weights = tallow.tensor([[0.5, 0.5], [1, 0], [0.25, 0.75]])
    others = tallow.tensor([[6, 4], [7, 7], [8, 6]])  # the first 4 is wanted
    to_inputs, to_outputs = record(inputs), record(outputs)
    loss = training._learn(inputs, outputs, known, weights, wanted, others)
    x, y = inputs.values.requires_grad_(), outputs.values.requires_grad_()
    state = (x[known] * weights[..., None]).sum(1)
    log_sigmoid = nn.functional.logsigmoid
    expected = -log_sigmoid((state * y[wanted]).sum(1))
    negative = -log_sigmoid(-(y[others] * state[:, None]).sum(2))
    negative = negative * tallow.tensor([[1.0, 0], [1, 1], [1, 1]])
    expected = (expected + negative.sum(1)).sum()
    expected.backward()
    assert loss == pytest.approx(expected.item() / 3, rel=1e-5)
    assert_close(to_inputs, x.grad)
    assert_close(to_outputs, y.grad)


def test_gradients_of_glove():
    tallow.manual_seed(0)
    sides = [tuple(training._Table(5, dim, 1) for dim in (3, 1)) for _ in range(2)]
    totals = [record(table) for side in sides for table in side]
    pairs, wanted = tallow.tensor([[0, 1, 0], [2, 2, 4]]), tallow.tensor([0.5, 1, 2])
    weights = tallow.tensor([1, 0.5, 0.25])
    loss = training._fit(sides, pairs, wanted, weights)
    values = [table.values.requires_grad_() for side in sides for table in side]
    x, a, y, b = (table[pairs[i // 2]] for i, table in enumerate(values))
    errors = (x * y).sum(1) + (a + b).squeeze(1) - wanted
    expected = (weights * errors * errors).sum()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    for total, table in zip(totals, values, strict=True):
        assert_close(2 * total, table.grad)


def test_meetings():
    corpus = training._Corpus("x", ["a b c a".split(), ["a", "b"]], 1)
    first, second, counts = training._meetings(corpus, 2)
    names = corpus.tokens
    found = {(names[i], names[j]): count for i, j, count in zip(first, second, counts, strict=True)}
    one_way = {("a", "b"): 2.5, ("a", "c"): 1.5, ("b", "c"): 1.0}
    assert found == one_way | {pair[::-1]: count for pair, count in one_way.items()}


def test_training_errors():
    with pytest.raises(ValueError, match="'skipgram' or 'cbow', got 'bag'"):
        vocab.train_word2vec([["a", "b"]], model="bag")
    with pytest.raises(ValueError, match="two words or more that occur 5 times, got 1"):
        vocab.train_word2vec([["a"] * 6 + ["b"]])
    with pytest.raises(ValueError, match="words that meet"):
        vocab.train_glove([["a"], ["b"]], min_freq=1)
