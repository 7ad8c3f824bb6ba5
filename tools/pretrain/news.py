"""Train the classifier of news that tallowtext brings: world, sports, business, or science.

    python tools/pretrain/news.py --data ag_news --out runs/news

--data has classes.txt, a name in each line, and test.csv, "class","title","description": the 7,600
rows of AG News that are its test file, all that is used here. They are put in an order by a fixed
seed; the last 1,000 are held out. Without --final the 1,000 before them measure what is trained on
the others, which is how its settings were chosen; with it, they are learnt from too. Interrupted,
the same command goes on. Written to --out: news.safetensors.
"""

import argparse
import csv
from pathlib import Path

import ngrams

import tallow
from tallowtext.models import NgramFeatures

HELD_OUT = 1000


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of AG News")
    parser.add_argument("--final", action="store_true")
    parser.add_argument("--buckets", type=int, default=1 << 16)
    parser.add_argument("--penalty", type=float, default=1e-3)
    parser.add_argument("--iterations", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def read(path, seed):
    """Titles with descriptions, and classes from 0, in an order by a seed."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    tallow.manual_seed(seed)
    rows = [rows[place] for place in tallow.randperm(len(rows)).tolist()]
    return [f"{title} {text}" for _, title, text in rows], [int(label) - 1 for label, *_ in rows]


def main():
    options = parse_arguments()
    texts, labels = read(options.data / "test.csv", options.seed)
    classes = (options.data / "classes.txt").read_text(encoding="utf-8").split("\n")
    classes = [name.strip() for name in classes if name.strip()]
    if not options.final:
        texts, labels = texts[:-HELD_OUT], labels[:-HELD_OUT]
    labels = tallow.tensor(labels)
    features = NgramFeatures(options.buckets)
    name = "test" if options.final else "dev"
    model = ngrams.train(
        texts[:-HELD_OUT], labels[:-HELD_OUT], features, len(classes), options.penalty,
        options.iterations, options.out / f"checkpoints-{name}",
    )  # fmt: skip
    if options.final:
        ngrams.save(model, options.out / "news.safetensors")
    score = ngrams.accuracy(model, features, texts[-HELD_OUT:], labels[-HELD_OUT:])
    print(f"accuracy on {HELD_OUT} {name} rows ({', '.join(classes)}): {score:.2%}")


if __name__ == "__main__":
    main()
