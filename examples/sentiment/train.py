"""Compare four networks that tell good reviews from bad ones.

    python train.py                 sentences made up from lists of words, a minute
    python train.py --data SST2     the folder of the Stanford Sentiment Treebank

The folder has train.tsv, dev.tsv and test.tsv: a sentence, a tab and 0 or 1 in each line. Each
network is kept as it was after the epoch that was best on the development sentences, and tested
once. Written to --out: curves.png, and the networks, NAME.safetensors.
"""

import argparse
import time
from pathlib import Path

import data
import matplotlib
import models

matplotlib.use("agg")
from matplotlib import pyplot as plt
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the folder of sentences")
    parser.add_argument("--models", nargs="+", choices=models.MODELS, default=list(models.MODELS))
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--min-freq", type=int, default=2, help="of words that are learnt")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/sentiment"))
    return parser.parse_args()


@tallow.inference_mode()
def accuracy(model, loader, device):
    model.eval()
    right = seen = 0
    for tokens, labels in loader:
        guessed = model(tokens.to(device)).argmax(1).cpu()
        right += (guessed == labels).sum().item()
        seen += len(labels)
    return right / seen


def train(name, model, task, options):
    """Train a model; it ends as it was at its best, of which the curve is returned."""
    loader = task.loader("train", options.batch_size)
    optimizer = AdamW(model.parameters(), options.lr, weight_decay=1e-2)
    curve, best = [], None
    progress = tqdm(total=options.epochs * len(loader), desc=f"{name:>12}", unit="batch")
    for _ in range(options.epochs):
        model.train()
        for tokens, labels in loader:
            scores = model(tokens.to(options.device))
            loss = nn.functional.cross_entropy(scores, labels.to(options.device))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            progress.update()
        curve.append(accuracy(model, task.loader("dev", 200), options.device))
        if curve[-1] == max(curve):
            best = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        progress.set_postfix(loss=f"{loss.item():.3f}", dev=f"{curve[-1]:.1%}")
    progress.close()
    model.load_state_dict(best)
    return curve


def draw(curves, path):
    """The accuracy of each model over the epochs."""
    figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for name, curve in curves.items():
        axis.plot(range(1, len(curve) + 1), curve, marker="o", label=name)
    axis.set(xlabel="epoch", title="accuracy on the development sentences")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    task = data.load(options)
    counts = ", ".join(f"{len(samples)} {part}" for part, samples in task.parts.items())
    print(f"sentences: {counts}; {len(task.vocab)} words")
    rows, curves = [], {}
    for name in options.models:
        tallow.manual_seed(options.seed)
        model = models.MODELS[name](len(task.vocab), 2).to(options.device)
        started = time.perf_counter()
        curves[name] = train(name, model, task, options)
        seconds = time.perf_counter() - started
        tested = accuracy(model, task.loader("test", 200), options.device)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        rows.append(f"{name:>12} {parameters:>11,} {seconds:>8.1f} {max(curves[name]):>7.1%}"
                    f" {tested:>7.1%}")  # fmt: skip
        tallow.save(model.state_dict(), options.out / f"{name}.safetensors")
    print(f"{'model':>12} {'parameters':>11} {'seconds':>8} {'dev':>7} {'test':>7}")
    print("\n".join(rows))
    draw(curves, options.out / "curves.png")
    print(f"picture: {options.out / 'curves.png'}")


if __name__ == "__main__":
    main()
