"""Learn vectors of words from a text, and draw which words are near each other.

    python train.py                               the reference of Python's language, a minute
    python train.py --data FILE --model glove     your own text: the longer, the better
    python train.py --data FILE --show king river two

Models: skipgram, cbow (both word2vec's, with negative sampling) and glove. Printed and drawn are
the words nearest to those of --show, by default some of the most frequent. Written to --out: the
vectors as vectors.txt, which `python -m tallowtext neighbours WORD --vectors FILE` reads, and the
picture neighbours.png.
"""

import argparse
import re
from functools import partial
from pathlib import Path

import matplotlib

import tallow
from tallow.utils.progress import progress
from tallowtext.data import get_tokenizer
from tallowtext.vocab import train_glove, train_word2vec

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402

MODELS = {
    "skipgram": partial(train_word2vec, model="skipgram"),
    "cbow": partial(train_word2vec, model="cbow"),
    "glove": train_glove,
}
EPOCHS = {"skipgram": 5, "cbow": 10, "glove": 25}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a text in UTF-8")
    parser.add_argument("--model", choices=list(MODELS), default="skipgram")
    parser.add_argument("--dim", type=int, default=50, help="numbers in a vector")
    parser.add_argument("--window", type=int, default=5, help="words to either side that count")
    parser.add_argument("--min-freq", type=int, default=5, help="rarer words are left out")
    parser.add_argument("--epochs", type=int, help="5, of cbow 10, of glove 25")
    parser.add_argument("--show", nargs="+", help="words to draw with those near them")
    parser.add_argument("--near", type=int, default=7, help="how many are near")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/word_vectors"))
    return parser.parse_args()


def read(path):
    """The text of a file; without one, the reference of the language, which Python brings along."""
    if path is not None:
        return path.read_text(encoding="utf-8")
    from pydoc_data.topics import topics

    return "\n\n".join(topics.values())


def sentences(text):
    """The sentences of a text, lists of words in lower case."""
    words = get_tokenizer("basic_english")
    parts = re.split(r"\n\s*\n|(?<=[.!?])\s", text)
    return [found for part in parts if (found := [w for w in words(part) if w.isalpha()])]


def train(corpus, options):
    epochs = options.epochs or EPOCHS[options.model]
    bar = iter(progress(range(epochs), "training", unit="epoch"))
    next(bar)
    return MODELS[options.model](
        corpus,
        options.dim,
        window=options.window,
        min_freq=options.min_freq,
        epochs=epochs,
        report=lambda epoch, loss: next(bar, None),
    )


def in_two_dimensions(vectors):
    """Vectors (N, dim) of length 1 in the plane (N, 2) that shows most of their variance."""
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    centred = unit - unit.mean(0)
    _, _, axes = tallow.linalg.svd(centred, full_matrices=False)
    return centred @ axes[:2].T


def draw(groups, vectors, path):
    """Words in the plane, each group of neighbours in a colour."""
    words = list(dict.fromkeys(word for group in groups for word in group))
    places = in_two_dimensions(vectors.get_vecs_by_tokens(words)).numpy()
    figure, axis = plt.subplots(figsize=(10, 8), layout="constrained")
    colours = plt.get_cmap("tab10")
    shown = set()
    for number, group in enumerate(groups):
        for word in group:
            if word not in shown:
                shown.add(word)
                weight = "bold" if word == group[0] else "normal"
                x, y = places[words.index(word)]
                axis.scatter(x, y, s=8, color=colours(number % 10))
                axis.annotate(
                    word, (x, y), (3, 3), textcoords="offset points", fontsize=9,
                    color=colours(number % 10), weight=weight,
                )  # fmt: skip
    axis.set(xticks=[], yticks=[], title="Words and those nearest to them, in two dimensions")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    corpus = sentences(read(options.data))
    vectors = train(corpus, options)
    show = options.show or [word for word in vectors.itos[:300] if len(word) > 4][:8]
    groups = [
        [word, *(near for near, _ in vectors.nearest(word, options.near))]
        for word in show or vectors.itos[:8]
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    vectors.save(options.out / "vectors.txt")
    draw(groups, vectors, options.out / "neighbours.png")
    for word, *near in groups:
        print(f"{word}: {', '.join(near)}")
    total = sum(map(len, corpus))
    print(f"{len(vectors)} words from {total}; written: {options.out / 'neighbours.png'}")


if __name__ == "__main__":
    main()
