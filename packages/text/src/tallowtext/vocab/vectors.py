"""Vectors of words: published ones and those in files, and which words are near each other."""

import gzip
import mmap
import os
import warnings
from functools import partial
from hashlib import sha1
from itertools import islice
from pathlib import Path

import numpy as np

import tallow
from tallow.errors import ArgumentError, TallowError
from tallow.hub import get_dir
from tallow.utils.datasets import extract, fetch
from tallowtext._files import TextFileError

__all__ = ["CharNGram", "FastText", "GloVe", "Vectors", "pretrained_aliases"]

BLOCK = 10_000  # numbers that are parsed at once


class MissingVectorsError(TallowError, RuntimeError):
    """A file of vectors that is not there."""


class Vectors:
    """Vectors of words from a file: GloVe's, fastText's and word2vec's text, or word2vec's binary.

    `name` is the path of the file (binary if it ends in .bin, unpacked while reading if in .gz), or
    its name in the folder `cache`, where it is downloaded from `url`, a zip or tar with it or the
    file itself. It is read once as a stream into an array beside it in `cache`, which later calls
    map into memory. Words that are not there get `unk_init` of a tensor (dim), zeros by default;
    only the first `max_vectors` are read if given. TextFileError names a line of another length.

    `itos` lists the words, `stoi` maps them to rows of `vectors`, a tensor (words, dim), which
    `nn.Embedding.from_pretrained` takes.

    >>> from pathlib import Path
    >>> _ = Path("toy.txt").write_text("king 1 1\\nqueen 1 -1\\nman 0 1\\nwoman 0 -1\\n")
    >>> toy = Vectors("toy.txt", cache=".")
    >>> toy.get_vecs_by_tokens(["queen", "unknown"]).tolist()
    [[1.0, -1.0], [0.0, 0.0]]
    >>> [word for word, _ in toy.analogy("man", "woman", "king", count=1)]
    ['queen']
    """

    def __init__(self, name, cache=None, url=None, unk_init=None, max_vectors=None):
        self.unk_init = unk_init
        cache = Path(get_dir(), "vectors") if cache is None else Path(cache)
        cache.mkdir(parents=True, exist_ok=True)
        path, stem = Path(name), Path(name).name
        if path.is_file():  # another file of this name has another array
            of = path.stat()
            known = f"{path.resolve()} {of.st_size} {of.st_mtime_ns}"
            stem += f".{sha1(known.encode(), usedforsecurity=False).hexdigest()[:12]}"
        else:
            path = cache / name
        stem += f"_{max_vectors}" if max_vectors else ""
        array, words = cache / f"{stem}.npy", cache / f"{stem}.words"
        if not (array.exists() and words.exists()):
            if not path.is_file():
                _download(path, url)
            _convert(path, array, words, max_vectors)
        table = np.asarray(np.load(array, mmap_mode="c"))  # changes stay in memory
        self._set(words.read_text(encoding="utf-8").split("\n")[:-1], tallow.from_numpy(table))

    @classmethod
    def of(cls, words, vectors, unk_init=None):
        """The vectors of words that are at hand, a tensor (words, dim)."""
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ArgumentError(
                f"Vectors: expected {len(words)} vectors for as many words, got the shape "
                f"{tuple(vectors.shape)}"
            )
        made = Vectors.__new__(cls)
        made.unk_init = unk_init
        made._set(list(words), vectors)
        return made

    def _set(self, words, vectors):
        self.itos = words
        self.stoi = {word: row for row, word in enumerate(words)}
        self.vectors = vectors
        self.dim = vectors.shape[1]
        self._lengths = None

    def save(self, path):
        """Write them as word2vec's text: a line with how many and how long, then one for each."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{len(self)} {self.dim}\n")
            for word, vector in zip(self.itos, self.vectors.numpy(), strict=True):
                file.write(f"{word} {' '.join(map(repr, vector.tolist()))}\n")

    def __len__(self):
        return len(self.vectors)

    def __contains__(self, token):
        return token in self.stoi

    def __getitem__(self, token):
        """The vector (dim) of a token."""
        if token in self.stoi:
            return self.vectors[self.stoi[token]]
        empty = tallow.zeros(self.dim)
        return self.unk_init(empty) if self.unk_init else empty

    def get_vecs_by_tokens(self, tokens, lower_case_backup=False):
        """The vector (dim) of a token, or the vectors (N, dim) of a list of them.

        With `lower_case_backup` a token that is not there is looked up in lower case.
        """
        names = [tokens] if isinstance(tokens, str) else tokens
        if lower_case_backup:
            names = [name if name in self.stoi else name.lower() for name in names]
        found = self._rows(names)
        return found[0] if isinstance(tokens, str) else found

    def _rows(self, names):
        rows = tallow.tensor([self.stoi.get(name, -1) for name in names], dtype=tallow.long)
        found = self.vectors[rows.clamp(min=0)]
        for row in (rows < 0).nonzero().flatten().tolist():
            found[row] = self[names[row]]
        return found

    def nearest(self, word, count=10):
        """The (word, cosine) pairs of the words most like a word or a vector (dim), best first."""
        if isinstance(word, str):
            return self._nearest(self._known(word), count, {word})
        return self._nearest(word, count, set())

    def analogy(self, a, b, c, count=10):
        """What is to c as b is to a: the (word, cosine) pairs nearest to b - a + c, best first."""
        a_, b_, c_ = map(self._known, (a, b, c))
        return self._nearest(b_ - a_ + c_, count, {a, b, c})

    def _known(self, word):
        """The vector of a word, of length 1."""
        if word not in self.stoi:
            raise ArgumentError(f"Vectors: expected a word that has a vector, got {word!r}")
        vector = self.vectors[self.stoi[word]]
        return vector / vector.norm().clamp(min=1e-12)

    def _nearest(self, vector, count, left_out):
        if self._lengths is None:
            self._lengths = self.vectors.norm(dim=1).clamp(min=1e-12)
        cosines = (self.vectors @ vector) / self._lengths / vector.norm().clamp(min=1e-12)
        best = cosines.topk(min(count + len(left_out), len(self)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        found = [(self.itos[row], cosine) for row, cosine in pairs]
        return [pair for pair in found if pair[0] not in left_out][:count]


def _download(path, url):
    if url is None:
        raise MissingVectorsError(f"{path}: expected a file of vectors, or url, got neither")
    archive = fetch(url, path.parent / url.rpartition("/")[2])
    if archive != path:
        extract(archive)
    if not path.is_file():
        raise MissingVectorsError(f"{archive}: expected the file {path.name} in it, got none")


def _convert(path, array, words, max_vectors):
    """Write what is in a file of vectors as an array and as words, one a line."""
    own = f".{os.getpid()}.partial"  # another process may do the same
    partial, partial_words = Path(f"{array}{own}"), Path(f"{words}{own}")
    read = _read_binary if path.suffix == ".bin" else _read_text
    count, dim, blocks = read(path, max_vectors)
    table = np.lib.format.open_memmap(partial, "w+", np.float32, (count, dim))
    row, unreadable = 0, 0
    with open(partial_words, "w", encoding="utf-8", newline="\n") as file:
        for names, vectors in blocks:
            texts = [_decoded(name) for name in names]
            good = [i for i, text in enumerate(texts) if text is not None]
            file.writelines(f"{texts[i]}\n" for i in good)
            table[row : row + len(good)] = vectors if len(good) == len(texts) else vectors[good]
            row, unreadable = row + len(good), unreadable + len(texts) - len(good)
    table.flush()
    del table
    if unreadable:
        warnings.warn(f"{path}: {unreadable} words were skipped, which are no UTF-8", stacklevel=4)
        _shorten(partial, row)
    os.replace(partial_words, words)
    os.replace(partial, array)


def _shorten(path, rows):
    """Leave the first rows of an array in a file."""
    table = np.load(path, mmap_mode="r")
    shorter = np.lib.format.open_memmap(f"{path}.short", "w+", table.dtype, (rows, table.shape[1]))
    shorter[:] = table[:rows]
    shorter.flush()
    os.replace(f"{path}.short", path)


def _decoded(name):
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return None
    return text if "\n" not in text else None


def _read_text(path, max_vectors):
    """How many vectors a file has, how long they are, and an iterator of blocks of them."""
    count, dim = 0, None
    for _, line in _vector_lines(path):
        count, dim = count + 1, dim or line.count(b" ")
        if count == max_vectors:
            break
    if dim is None:
        raise TextFileError(f"{path}: expected words with vectors, got none")
    return count, dim, _text_blocks(path, count, dim)


def _vector_lines(path):
    """The numbers of lines and the lines, but for a first one that says how many there are."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip()
            if line and (number > 1 or line.count(b" ") > 1):
                yield number, line


def _text_blocks(path, count, dim):
    lines = islice(_vector_lines(path), count)
    while block := list(islice(lines, max(1, BLOCK // dim))):
        names, texts = [], []
        for number, line in block:
            name, _, text = line.partition(b" ")
            if text.count(b" ") != dim - 1 or not text:
                name, text = _with_spaces(path, number, line, dim)
            names.append(name)
            texts.append(text)
        yield names, _numbers(path, [number for number, _ in block], texts, dim)


def _with_spaces(path, number, line, dim):
    """The word and the numbers of a line whose word has spaces in it."""
    parts = line.rsplit(b" ", dim)
    try:
        if len(parts) <= dim:
            raise ValueError
        float(parts[0].rpartition(b" ")[2])
    except ValueError:
        if len(parts) > dim:
            return parts[0], b" ".join(parts[1:])
    found = line.count(b" ")
    raise TextFileError(f"{path}, line {number}: expected {dim} numbers after a word, got {found}")


def _numbers(path, lines, texts, dim):
    """The texts of vectors as an array (N, dim)."""
    try:
        return np.array(b" ".join(texts).split(), np.float32).reshape(len(texts), dim)
    except ValueError:
        for number, text in zip(lines, texts, strict=True):
            try:
                np.array(text.split(), np.float32)
            except ValueError as error:
                raise TextFileError(f"{path}, line {number}: {error}") from None
        raise


def _read_binary(path, max_vectors):
    """The same of a binary file of word2vec: a line with both, then words and float32 numbers."""
    with open(path, "rb") as file:
        header = file.readline(100).split()
    if len(header) != 2 or not all(part.isdigit() for part in header):
        raise TextFileError(f"{path}: expected word2vec's binary format, got another")
    count, dim = map(int, header)
    count = min(count, max_vectors or count)
    return count, dim, _binary_blocks(path, count, dim)


def _binary_blocks(path, count, dim):
    size = 4 * dim
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(b"\n") + 1
        step = max(1, BLOCK // dim)
        for done in range(0, count, step):
            names, vectors = [], []
            for row in range(done, min(done + step, count)):
                space = data.find(b" ", at)
                vectors.append(data[space + 1 : space + 1 + size])
                if space < 0 or len(vectors[-1]) < size:
                    raise TextFileError(f"{path}: expected {count} vectors, got {row}")
                names.append(data[at:space].lstrip(b"\n"))
                at = space + 1 + size
            yield names, np.frombuffer(b"".join(vectors), "<f4").reshape(-1, dim)


class GloVe(Vectors):
    """GloVe's vectors, downloaded: `name` "6B", "42B", "840B" or "twitter.27B", and how long.

    Lengths: 300, of 6B also 50, 100 and 200; of twitter.27B 25, 50, 100 and 200. Pennington et al.,
    GloVe: Global Vectors for Word Representation (2014).
    """

    url = {
        "42B": "https://nlp.stanford.edu/data/glove.42B.300d.zip",
        "840B": "https://nlp.stanford.edu/data/glove.840B.300d.zip",
        "twitter.27B": "https://nlp.stanford.edu/data/glove.twitter.27B.zip",
        "6B": "https://nlp.stanford.edu/data/glove.6B.zip",
    }

    def __init__(self, name="840B", dim=300, **kwargs):
        if name not in self.url:
            raise ArgumentError(f"GloVe: expected one of {', '.join(self.url)}, got {name!r}")
        super().__init__(f"glove.{name}.{dim}d.txt", url=self.url[name], **kwargs)


class FastText(Vectors):
    """fastText's vectors (300) of the words of a Wikipedia, downloaded, by the code of a language.

    Bojanowski et al., Enriching Word Vectors with Subword Information (2017).
    """

    url_base = "https://dl.fbaipublicfiles.com/fasttext/vectors-wiki/wiki.{}.vec"

    def __init__(self, language="en", **kwargs):
        url = self.url_base.format(language)
        super().__init__(url.rpartition("/")[2], url=url, **kwargs)


class CharNGram(Vectors):
    """Vectors (1, 100) of any word: the mean of those of its runs of 2 to 4 characters.

    Hashimoto et al., A Joint Many-Task Model (2017), section 2.1.
    """

    name = "charNgram.txt"
    url = (
        "http://www.logos.t.u-tokyo.ac.jp/~hassy/publications/arxiv2016jmt/"
        "jmt_pre-trained_embeddings.tar.gz"
    )

    def __init__(self, **kwargs):
        super().__init__(self.name, url=self.url, **kwargs)

    def __getitem__(self, token):
        chars = ["#BEGIN#", *token, "#END#"]
        runs = [
            f"{n}gram-{''.join(chars[start : start + n])}"
            for n in (2, 3, 4)
            for start in range(len(chars) - n + 1)
        ]
        rows = [self.stoi[run] for run in runs if run in self.stoi]
        if rows and token != "<unk>":
            return self.vectors[rows].mean(0, keepdim=True)
        empty = tallow.zeros(1, self.dim)
        return self.unk_init(empty) if self.unk_init else empty

    def _rows(self, names):
        return tallow.stack([self[name] for name in names])


pretrained_aliases = {
    "charngram.100d": CharNGram,
    "fasttext.en.300d": partial(FastText, language="en"),
    "fasttext.simple.300d": partial(FastText, language="simple"),
    **{
        f"glove.{name}.{dim}d": partial(GloVe, name=name, dim=dim)
        for name, dims in {
            "42B": [300],
            "840B": [300],
            "twitter.27B": [25, 50, 100, 200],
            "6B": [50, 100, 200, 300],
        }.items()
        for dim in dims
    },
}
