"""Learn the word vectors that tallowtext brings, from texts: 10,000 words in 64 dimensions.

    python tools/pretrain/vectors.py --data DIR --out runs/vectors

DIR has the texts: wikitext2/valid.txt and test.txt, ag_news/test.csv, sst2/train.tsv,
rt_polarity/rt-polarity.neg and .pos. The recipe, of Levy and Goldberg (2014): how often words are
near one another, as positive pointwise mutual information, with contexts counted to the power of
0.75, and of that matrix the part of rank 64, by a randomised singular value decomposition (Halko et
al., 2011). It takes a minute or two, so there is nothing to go on from. Written to --out:
word_vectors.safetensors, float16, and word_vectors.txt, the words, the most frequent first.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tallow
from tallowtext.vocab import Vectors

TEXTS = """
    wikitext2/valid.txt wikitext2/test.txt ag_news/test.csv sst2/train.tsv
    rt_polarity/rt-polarity.neg rt_polarity/rt-polarity.pos
""".split()
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
SHOWN = "monday good bad he river war million actor football president london three".split()


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--words", type=int, default=10000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--window", type=int, default=5, help="words to each side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def lines(folder):
    """The words of each line of the texts, lower case; those of WikiText as they were written."""
    for name in tqdm(TEXTS, desc="reading", unit="file"):
        for line in (folder / name).read_text(encoding="utf-8").split("\n"):
            text = line.lower().replace("<unk>", "").replace(" n't", "n't").replace(" '", "'")
            if words := WORD.findall(text):
                yield words


def meetings(rows, words, window):
    """(words, words): how often the second is near the first, 1 / distance each time."""
    place = {word: number for number, word in enumerate(words)}
    numbers = np.array([place.get(word, -1) for row in rows for word in row])
    row_of = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    table = np.zeros((len(words), len(words)), np.float32)
    for distance in tqdm(range(1, window + 1), desc="counting", unit="distance"):
        one, other = numbers[:-distance], numbers[distance:]
        near = (row_of[:-distance] == row_of[distance:]) & (one >= 0) & (other >= 0)
        pairs, counts = np.unique(one[near] * len(words) + other[near], return_counts=True)
        table.reshape(-1)[pairs] += counts.astype(np.float32) / distance
    return tallow.from_numpy(table + table.T)


def information(table, power=0.75):
    """Positive pointwise mutual information; contexts are smoothed as by Levy et al. (2015)."""
    rows, contexts = table.sum(1), table.sum(0) ** power
    expected = rows[:, None] * (contexts / contexts.sum())
    return (table / expected.clamp(1e-12)).clamp(1.0).log()


def main_part(matrix, rank, rounds=4, extra=16):
    """(n, rank): the left singular vectors, times the roots of their singular values."""
    found = tallow.randn(matrix.shape[1], rank + extra)
    for _ in tqdm(range(rounds), desc="decomposing", unit="round"):
        found = tallow.linalg.qr(matrix @ found)[0]
        found = tallow.linalg.qr(matrix.T @ found)[0]
    left, values, _ = tallow.linalg.svd(matrix @ found, full_matrices=False)
    return left[:, :rank] * values[:rank].sqrt()


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    rows = list(lines(options.data))
    counts = Counter(word for row in rows for word in row)
    words = [word for word, _ in counts.most_common(options.words)]
    print(
        f"{sum(counts.values())} words, {len(counts)} different; kept from {counts[words[-1]]} on"
    )
    vectors = main_part(information(meetings(rows, words, options.window)), options.dim)
    vectors = (vectors - vectors.mean(0)).half()
    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save({"vectors": vectors}, options.out / "word_vectors.safetensors")
    (options.out / "word_vectors.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    known = Vectors.of(words, vectors.float())
    for word in SHOWN:
        print(f"{word:>10}: {', '.join(other for other, _ in known.nearest(word, 8))}")


if __name__ == "__main__":
    main()
