"""Teach a linear model to tell what news are about, and show what it takes for what.

    python train.py --data AG_NEWS                     the folder with train.csv and test.csv
    python train.py --data AG_NEWS/test.csv            one file, of which a seventh is held out

Files have rows "class","title","description", the classes numbered from 1; names of the classes are
in classes.txt beside them, if that is there. The model adds up weights of hashed n-grams of words
and characters, `NgramClassifier`. Written to --out: model.safetensors, and confusion.png.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import Adam
from tallow.optim.lr_scheduler import LinearLR
from tallowtext.data import CSVRows
from tallowtext.models import NgramClassifier, NgramFeatures


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a folder or a file")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--buckets", type=int, default=1 << 16, help="that n-grams are hashed to")
    parser.add_argument("--lr", type=float, default=0.02, help="at first; it falls to zero")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/news_classification"))
    return parser.parse_args()


def read(path):
    """(text, class from 0) of each row of a file."""
    rows = CSVRows(path, names=["class", "title", "description"])
    return [(f"{row['title']} {row['description']}", int(row["class"]) - 1) for row in rows]


def load(path):
    """Rows to learn from, rows held out, and the names of the classes."""
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        known, held_out = read(path / "train.csv"), read(path / "test.csv")
    else:
        rows = read(path)
        order = tallow.randperm(len(rows)).tolist()
        rows = [rows[place] for place in order]
        known, held_out = rows[len(rows) // 7 :], rows[: len(rows) // 7]
    if (folder / "classes.txt").exists():
        return known, held_out, (folder / "classes.txt").read_text(encoding="utf-8").split("\n")
    return known, held_out, [str(number + 1) for number in range(1 + max(c for _, c in known))]


def train(model, features, rows, options):
    """Train for all epochs, with a progress bar."""
    batches = -(-len(rows) // options.batch_size)
    optimizer = Adam(model.parameters(), options.lr)
    scheduler = LinearLR(optimizer, 1.0, 0.0, options.epochs * batches)
    progress = tqdm(total=options.epochs * batches, desc="training", unit="batch")
    for _ in range(options.epochs):
        for chosen in tallow.randperm(len(rows)).split(options.batch_size):
            texts, labels = zip(*(rows[place] for place in chosen.tolist()), strict=True)
            loss = nn.functional.cross_entropy(model(*features(texts)), tallow.tensor(labels))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            progress.set_postfix(loss=f"{loss.item():.3f}")
            progress.update()
    progress.close()


@tallow.inference_mode()
def confusion(model, features, rows, classes):
    """(classes, classes): how many texts of a class (row) are taken for another (column)."""
    table = tallow.zeros(classes, classes, dtype=tallow.long)
    for start in range(0, len(rows), 500):
        texts, labels = zip(*rows[start : start + 500], strict=True)
        guesses = model(*features(texts)).argmax(1)
        ones = tallow.ones_like(guesses)
        table.index_put_((tallow.tensor(labels), guesses), ones, accumulate=True)
    return table


def draw(table, names, path):
    """A picture of the confusions."""
    figure, axis = plt.subplots(figsize=(5, 4.4), layout="constrained")
    axis.imshow((table / table.sum(1, keepdim=True)).numpy(), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in zip(
        ((r, c) for r in range(len(names)) for c in range(len(names))),
        table.flatten().tolist(),
        strict=True,
    ):
        axis.text(column, row, count, ha="center", color="white" if row == column else "black")
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="taken for", ylabel="is")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    known, held_out, names = load(options.data)
    names = [name for name in names if name]
    features = NgramFeatures(options.buckets)
    model = NgramClassifier(len(names), options.buckets)
    print(f"{len(known)} texts to learn from, {len(held_out)} held out")
    train(model, features, known, options)

    table = confusion(model, features, held_out, len(names))
    right, called, there = table.diagonal(), table.sum(0), table.sum(1)
    for name, *counts in zip(names, right.tolist(), called.tolist(), there.tolist(), strict=True):
        precision, recall = (counts[0] / max(count, 1) for count in counts[1:])
        print(f"{name:>12}  precision {precision:6.1%}  recall {recall:6.1%}")
    print(f"accuracy {right.sum().item() / table.sum().item():.2%}")
    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    draw(table, names, options.out / "confusion.png")
    print(f"picture: {options.out / 'confusion.png'}")


if __name__ == "__main__":
    main()
