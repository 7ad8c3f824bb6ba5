"""Time tallowtext on generated text, and say how much memory it takes.

    python benchmarks/text.py                     every case
    python benchmarks/text.py vocabulary          the cases whose name contains "vocabulary"
    python benchmarks/text.py --scale 0.1         a tenth of the sizes named

Each case runs in a process of its own. Reported are the seconds, how many items that is a second,
and the peak of the memory above that of the process before.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

WORDS = 50_000  # different words of the generated text, frequent as those of a language are


def words():
    """Different words of 2 to 10 letters."""
    draw = random.Random(0)
    made = {}
    while len(made) < WORDS:
        made["".join(draw.choices("etaoinshrdlucmfwypvbgk", k=draw.randint(2, 10)))] = None
    return list(made)


def sentences(count, length=20):
    """Generated sentences; how frequent a word is falls with its rank, by Zipf's law."""
    draw = np.random.default_rng(1)
    known = np.array(words())
    shares = np.cumsum(1 / np.arange(1, WORDS + 1))
    for _ in range(0, count, 1000):
        places = np.searchsorted(shares, draw.random((min(count, 1000), length)) * shares[-1])
        yield from map(" ".join, known[places].tolist())
        count -= 1000


def tokenizer(kind, count, folder):
    """Batches of sentences encoded by a subword tokenizer, and the vocabulary it is of."""
    from tallowtext import Tokenizer

    texts = list(sentences(count))
    made = Tokenizer.train(texts[:5000], kind, 10_000)
    start = perf_counter()
    for at in range(0, count, 1000):
        made(texts[at : at + 1000], max_length=64)
    return perf_counter() - start, count, "sentences"


def transform(name, count, folder):
    """Sentences encoded one by one by a transform with torchtext's files."""
    from tallowtext import transforms

    files = Path(__file__).parents[1] / "tests" / "text" / "golden" / "vocabularies"
    made = {
        "GPT2BPETokenizer": lambda: transforms.GPT2BPETokenizer(
            files / "gpt2.json", files / "gpt2.bpe"
        ),
        "BERTTokenizer": lambda: transforms.BERTTokenizer(files / "bert.txt"),
        "SentencePieceTokenizer": lambda: transforms.SentencePieceTokenizer(
            files / "unigram.model"
        ),
    }[name]()
    texts = list(sentences(count))
    start = perf_counter()
    made(texts)
    return perf_counter() - start, count, "sentences"


def vocabulary(count, folder):
    """A vocabulary from generated lines, of which one is there at a time."""
    from tallowtext.data import get_tokenizer
    from tallowtext.vocab import build_vocab_from_iterator

    split = get_tokenizer("basic_english")
    start = perf_counter()
    made = build_vocab_from_iterator(map(split, sentences(count)), specials=["<unk>"])
    assert len(made) == WORDS + 1 or count < 500_000
    return perf_counter() - start, count, "lines"


def lines(count, folder):
    """Rows of a CSV file read as a stream."""
    from tallowtext.data import CSVRows

    path = folder / "rows.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("label,text\n")
        file.writelines(f'{i % 4},"{text}"\n' for i, text in enumerate(sentences(count)))
    start = perf_counter()
    assert sum(1 for _ in CSVRows(path, columns=["text", "label"])) == count
    return perf_counter() - start, count, "rows"


def vectors(count, folder):
    """A text file of GloVe's format, vectors of 300, read into an array that is then mapped."""
    from tallowtext.vocab import Vectors

    path = folder / "glove.txt"
    draw = random.Random(2)
    rows = [" ".join(f"{draw.gauss(0, 0.4):.5f}" for _ in range(300)) for _ in range(100)]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"word{i} {rows[i % 100]}\n" for i in range(count))
    before, start = peak(), perf_counter()
    made = Vectors(path, cache=folder)
    seconds = perf_counter() - start
    size = made.vectors.numel() * 4
    return seconds, path.stat().st_size / 1e6, f"MB, peak {(peak() - before) / size:.2f} x matrix"


CASES = {
    "encode, byte-pair": (tokenizer, 100_000, "bpe"),
    "encode, word pieces": (tokenizer, 100_000, "wordpiece"),
    "encode, unigram": (tokenizer, 100_000, "unigram"),
    **{
        f"encode, {name}": (transform, 100_000, name)
        for name in ("GPT2BPETokenizer", "BERTTokenizer", "SentencePieceTokenizer")
    },
    "vocabulary of lines": (vocabulary, 1_000_000),
    "read CSV": (lines, 1_000_000),
    "load vectors": (vectors, 400_000),
}


def peak():
    """The most memory that this process has taken, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def alone(name, scale):
    """Run a case in this process, and print what was measured as JSON."""
    import tallowtext  # noqa: F401, its memory is not the case's

    function, count, *arguments = CASES[name]
    list(sentences(1))
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        seconds, items, unit = function(*arguments, int(count * scale), Path(folder))
    print(json.dumps([seconds, items, unit, peak() - before]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pattern", nargs="?", default="", help="a part of the names of the cases")
    parser.add_argument("--scale", type=float, default=1.0, help="times the sizes of the cases")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        alone(options.alone, options.scale)
        return
    for name in CASES:
        if options.pattern in name:
            command = [sys.executable, __file__, "--alone", name, "--scale", str(options.scale)]
            printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
            seconds, items, unit, memory = json.loads(printed.splitlines()[-1])
            rate = f"{items / seconds:12,.0f} a second"
            print(f"{name:32} {seconds:8.2f} s {rate} {memory / 1e6:6.0f} MB  {items:,.0f} {unit}")


if __name__ == "__main__":
    main()
