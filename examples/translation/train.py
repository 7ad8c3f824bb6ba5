"""Teach a network to translate dates: "tuesday, 3 march 1987" to "1987-03-03".

    python train.py                     a minute on two cores
    python train.py "mar. 3rd, 1987"    then translate dates of one's own

The network, a `Seq2Seq` with attention, sees dates character by character; dates of its own are
held out. Written to --out: model.safetensors, and attention.png, where the network looked in the
date for each character that it wrote.
"""

import argparse
from pathlib import Path

import data
import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import Adam
from tallow.optim.lr_scheduler import OneCycleLR
from tallowtext.models import Seq2Seq

LONGEST = 10  # characters of a date in ISO 8601


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dates", nargs="*", help="dates to translate, once trained")
    parser.add_argument("--pairs", type=int, default=10000, help="dates to learn from")
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--hidden-size", type=int, default=96)
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/translation"))
    return parser.parse_args()


def train(model, source, target, options):
    """Train for all epochs, with a progress bar."""
    batches = len(source) // options.batch_size
    optimizer = Adam(model.parameters(), options.lr)
    scheduler = OneCycleLR(optimizer, options.lr, options.epochs * batches)
    progress = tqdm(total=options.epochs * batches, desc="training", unit="batch")
    model.train()
    for _ in range(options.epochs):
        for chosen in tallow.randperm(len(source)).split(options.batch_size)[:batches]:
            scores = model(source[chosen], target[chosen, :-1])
            loss = nn.functional.cross_entropy(
                scores.flatten(0, 1), target[chosen, 1:].flatten(), ignore_index=data.PADDING
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            progress.set_postfix(loss=f"{loss.item():.4f}")
            progress.update()
    progress.close()


@tallow.inference_mode()
def translate(model, texts, beams=1):
    """What the model makes of dates, with a search of so many beams."""
    model.eval()
    written = model.generate(
        data.encode(texts), LONGEST + 1, beams, eos_token_id=data.END, pad_token_id=data.PADDING
    )
    return [data.decode(row) for row in written]


@tallow.inference_mode()
def draw_attention(model, text, path):
    """A picture of how much each character of a date counts for each that is written."""
    result = translate(model, [text])[0]
    target = data.encode([result], frame=True)[:, :-2]
    weights = model.attention(data.encode([text]), target)[0]
    figure, axis = plt.subplots(figsize=(len(text) * 0.3 + 1, 4), layout="constrained")
    axis.imshow(weights.numpy(), cmap="Blues", aspect="auto")
    axis.set_xticks(range(len(text)), list(text))
    axis.set_yticks(range(len(result)), list(result))
    axis.set(xlabel="read", ylabel="written", title=f"{text}  ->  {result}")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    pairs = data.pairs(options.pairs + options.held_out, options.seed)
    held_out, known = pairs[: options.held_out], pairs[options.held_out :]
    source = data.encode([text for text, _ in known])
    target = data.encode([date for _, date in known], frame=True)
    size = len(data.CHARACTERS) + 3
    model = Seq2Seq(size, size, 32, options.hidden_size, start_idx=data.START)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{len(known)} dates to learn from, {len(held_out)} held out; {count:,} parameters")
    train(model, source, target, options)

    guesses = translate(model, [text for text, _ in held_out])
    right = [guess == date for guess, (_, date) in zip(guesses, held_out, strict=True)]
    for guess, (text, date) in list(zip(guesses, held_out, strict=True))[:6]:
        print(f"{text:>30}  {guess}  {'' if guess == date else 'not ' + date}")
    print(f"exact match on {len(held_out)} held-out dates: {sum(right) / len(right):.2%}")
    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    draw_attention(model, held_out[0][0], options.out / "attention.png")
    print(f"picture: {options.out / 'attention.png'}")
    for text in options.dates:
        print(f"{text} -> {translate(model, [text.lower()], beams=3)[0]}")


if __name__ == "__main__":
    main()
