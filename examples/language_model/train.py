"""Train a language model on a text, and let it write.

    python train.py                                    Python's language reference, by characters
    python train.py --data FILE --tokens word          any text file in UTF-8, by words
    python train.py --tokens subword --model gpt2      by parts of words, with a small GPT-2
    python -m tallow.distributed.run -n 2 train.py     in two processes, each half of every batch

The last tenth of the text is held out. Perplexity is how many tokens the model takes to be equally
likely, on average: the number of different tokens where it knows nothing, 1 where it knows all.
Written to --out: the checkpoint model.safetensors, curves.png (perplexity while it learnt), and
sample.txt, what it writes.
"""

import argparse
import math
import os
from pathlib import Path

import data
import matplotlib
import models

import tallow
from tallow import distributed, nn
from tallow.nn.parallel import DistributedDataParallel
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.progress import progress

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a text file; without, Python's reference")
    parser.add_argument("--tokens", choices=["character", "word", "subword"], default="character")
    parser.add_argument("--model", choices=list(models.MODELS), default="lstm")
    parser.add_argument("--width", type=int, default=128, help="numbers that describe a token")
    parser.add_argument("--length", type=int, default=64, help="tokens in a window")
    parser.add_argument("--batch-size", type=int, default=32, help="of all processes together")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--lr", type=float, default=3e-3, help="the highest learning rate")
    parser.add_argument("--sample", type=int, default=400, help="tokens to write")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/language_model"))
    return parser.parse_args()


def place():
    """This process's rank, and how many there are: (0, 1) unless a launcher started several."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def loss_of(model, x, y, device):
    """Cross entropy in nats a token."""
    return nn.functional.cross_entropy(model(x.to(device)).flatten(0, 1), y.to(device).flatten())


@tallow.no_grad()
def perplexity(model, numbers, options, batches=20):
    """On the first `batches` batches of a text."""
    model.eval()
    losses = []
    for x, y in data.all_windows(numbers, options.batch_size, options.length):
        losses.append(loss_of(model, x, y, options.device).item())
        if len(losses) == batches:
            break
    model.train()
    return math.exp(sum(losses) / len(losses))


def train(model, corpus, options):
    """Train for all steps; returns the points (step, perplexity) of two curves.

    Among several processes each takes its share of the windows, which all have drawn.
    """
    rank, size = place()
    trained = DistributedDataParallel(model) if size > 1 else model
    optimizer = AdamW(model.parameters(), lr=options.lr, weight_decay=0.01)
    scheduler = OneCycleLR(optimizer, options.lr, total_steps=options.steps)
    history = {"train": [], "test": []}
    every = max(1, options.steps // 10)
    recent = []
    bar = progress(range(1, options.steps + 1), "training", unit="step")
    for step in bar:
        x, y = data.random_windows(corpus.train, options.batch_size, options.length)
        loss = loss_of(trained, x[rank::size], y[rank::size], options.device)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        recent.append(loss.item())
        if step % every == 0:
            history["train"].append((step, math.exp(sum(recent) / len(recent))))
            history["test"].append((step, perplexity(model, corpus.test, options)))
            recent.clear()
            bar.set_postfix(perplexity=f"{history['test'][-1][1]:.2f}")
    return history


def draw(history, path):
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, points in history.items():
        axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    axis.set(xlabel="step", ylabel="perplexity", yscale="log", title="Perplexity of the next token")
    axis.yaxis.set_major_formatter("{x:.0f}")
    axis.yaxis.set_minor_formatter("{x:.0f}")
    axis.grid(alpha=0.3, which="both")
    axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    if "WORLD_SIZE" in os.environ:
        distributed.init_process_group()
    rank, size = place()
    if options.batch_size % size:
        raise SystemExit(f"--batch-size {options.batch_size} is not a multiple of {size} processes")
    tallow.manual_seed(options.seed)
    corpus = data.load(options)
    if len(corpus.test) <= options.length:
        raise SystemExit(f"expected a text of over {10 * options.length} tokens, got a shorter one")
    tokens = len(corpus.vocabulary)
    model = models.MODELS[options.model](tokens, options.width, options.length).to(options.device)
    count = sum(p.numel() for p in model.parameters())
    if rank == 0:
        print(
            f"{len(corpus.train):,} {options.tokens}s, {tokens:,} different; {count:,} parameters"
        )
    history = train(model, corpus, options)
    if size > 1:
        distributed.destroy_process_group()
    if rank > 0:
        return

    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    draw(history, options.out / "curves.png")
    start = corpus.test[: options.length].to(options.device)
    written = models.generate(model, start, options.sample, options.length)
    text = corpus.join(written[options.length :].tolist())
    (options.out / "sample.txt").write_text(text, encoding="utf-8")
    print(text)
    whole = perplexity(model, corpus.test, options, batches=None)
    print(f"perplexity {whole:.2f} on {len(corpus.test):,} held-out {options.tokens}s")
    print(f"written: {options.out / 'curves.png'}, {options.out / 'sample.txt'}")


if __name__ == "__main__":
    main()
