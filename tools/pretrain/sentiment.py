"""Train the sentiment classifier that tallowtext brings: whether a sentence of a review is good.

    python tools/pretrain/sentiment.py --data sst2 --more rt_polarity --out runs/sentiment

--data has train.tsv, dev.tsv and test.tsv, a sentence, a tab and 0 or 1 in each line: the Stanford
Sentiment Treebank. --more has rt-polarity.neg and .pos, a sentence in each line; those of which
more than a seventh of the runs of four words are in the development or test sentences are left
out, and so are those that are training sentences already. Without --final what is trained is
measured on the development sentences, by which its settings were chosen; with it, they are learnt
from too, and the test sentences measure. Interrupted, the same command goes on. Written to --out:
sentiment.safetensors.
"""

import argparse
from pathlib import Path

import ngrams

import tallow
from tallowtext.models import NgramFeatures
from tallowtext.models.ngrams import WORD


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of SST-2")
    parser.add_argument("--more", type=Path, help="the folder of rt-polarity")
    parser.add_argument("--final", action="store_true")
    parser.add_argument("--buckets", type=int, default=1 << 19)
    parser.add_argument("--penalty", type=float, default=5e-4)
    parser.add_argument("--iterations", type=int, default=30)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def lines(path):
    """The lines of a file that are not blank; other ends of lines than "\\n" are within them."""
    return list(filter(str.strip, path.read_text(encoding="utf-8").split("\n")))


def read(path):
    """The sentences and labels of a file."""
    texts, labels = zip(*(line.rsplit("\t", 1) for line in lines(path)), strict=True)
    return list(texts), [int(label) for label in labels]


def runs(text):
    """The runs of four words in a text, or all of it if that is shorter."""
    words = [word.strip("'") for word in WORD.findall(text.lower())]
    return {tuple(words[i : i + 4]) for i in range(max(len(words) - 3, 1))}


def others(folder, held_out, known):
    """Sentences and labels of rt-polarity that are neither held out nor known."""
    held_out, known = (set().union(*map(runs, texts)) for texts in (held_out, known))
    texts, labels = [], []
    for label, ending in enumerate(("neg", "pos")):
        for text in lines(folder / f"rt-polarity.{ending}"):
            found = runs(text)
            if len(found & held_out) * 7 <= len(found) and len(found & known) * 2 <= len(found):
                texts.append(text)
                labels.append(label)
    return texts, labels


def main():
    options = parse_arguments()
    (texts, labels), dev, test = (
        read(options.data / f"{name}.tsv") for name in ("train", "dev", "test")
    )
    if options.more:
        more = others(options.more, dev[0] + test[0], texts)
        texts, labels = texts + more[0], labels + more[1]
    if options.final:
        texts, labels = texts + dev[0], labels + dev[1]
    name, measured = ("test", test) if options.final else ("dev", dev)
    features = NgramFeatures(options.buckets)
    model = ngrams.train(
        texts, tallow.tensor(labels), features, 2, options.penalty, options.iterations,
        options.out / f"checkpoints-{name}",
    )  # fmt: skip
    if options.final:
        ngrams.save(model, options.out / "sentiment.safetensors")
    score = ngrams.accuracy(model, features, measured[0], tallow.tensor(measured[1]))
    print(f"accuracy on {len(measured[0])} {name} sentences: {score:.2%}")


if __name__ == "__main__":
    main()
