"""Train a classifier of spoken digits, and show what it hears.

    python train.py --data fsdd.zip                 real recordings, a few minutes on two cores
    python train.py --data DIR --download           ... fetched first
    python train.py --generated                     chords in place of digits, to try it

The data are the Free Spoken Digit Dataset: 3,000 recordings by six speakers, of which 0 to 4 of
each speaker and digit are the test set. How well a voice is understood that was never heard is
measured by a second model, which learns without one speaker (--held-out; "all" takes one after the
other).
Written to --out: model.safetensors, curves.png, confusion.png and sounds.png.
"""

import argparse
from pathlib import Path

import data
import report
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallowaudio.models.spoken_digits import DigitClassifier, DigitFeatures

features = DigitFeatures()


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a zip file or a folder")
    parser.add_argument("--download", action="store_true", help="fetch it into --data first")
    parser.add_argument("--generated", action="store_true", help="no recordings, made-up sounds")
    parser.add_argument("--held-out", default="theo", help="a speaker, all or none")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/speech_commands"))
    options = parser.parse_args()
    if not options.generated and options.data is None:
        parser.error("expected --data PATH or --generated")
    return options


def train_epoch(model, optimizer, scheduler, digits, batch_size):
    """One pass in random order, the last incomplete batch left out; returns the mean loss."""
    model.train()
    losses = []
    order = tallow.randperm(len(digits))
    for chosen in order.split(batch_size)[: max(1, len(order) // batch_size)]:
        pictures = data.cover(features(data.varied(digits.waves[chosen])))
        loss = nn.functional.cross_entropy(
            model(pictures), digits.digits[chosen], label_smoothing=0.05
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@tallow.inference_mode()
def scores_of(model, digits):
    """The scores (N, 10) of all recordings."""
    model.eval()
    return tallow.cat([model(features(waves)) for waves in digits.waves.split(100)])


def accuracy(scores, digits):
    return (scores.argmax(1) == digits.digits).float().mean().item()


def training(options, steps_per_epoch):
    """A fresh model, with its optimizer and scheduler."""
    tallow.manual_seed(options.seed)
    model = DigitClassifier()
    optimizer = AdamW(model.parameters(), lr=options.lr, weight_decay=1e-2)
    total = options.epochs * max(1, steps_per_epoch)
    return model, optimizer, OneCycleLR(optimizer, max_lr=options.lr, total_steps=total)


def train(learnt, tested, options, title):
    """A model trained with a progress bar, and its history: a dict of one list a curve."""
    model, *steps = training(options, len(learnt) // options.batch_size)
    history = {"loss": [], "accuracy": []}
    progress = tqdm(range(options.epochs), desc=title, unit="epoch")
    for _ in progress:
        history["loss"].append(train_epoch(model, *steps, learnt, options.batch_size))
        history["accuracy"].append(accuracy(scores_of(model, tested), tested))
        progress.set_postfix({name: f"{values[-1]:.3f}" for name, values in history.items()})
    return model, history


def test_on_strangers(learnt, tested, options):
    """Print how well each held-out speaker is understood by a model that never heard them."""
    speakers = sorted(set(learnt.speakers))
    if options.held_out != "all":
        speakers = [options.held_out] if options.held_out in speakers else speakers[-1:]
    for name in speakers:
        others = learnt.where(lambda speaker, name=name: speaker != name)
        stranger = data.joined(learnt, tested).where(lambda speaker, name=name: speaker == name)
        model, _ = train(others, stranger, options, f"without {name}")
        print(
            f"accuracy on {name}, never heard: {accuracy(scores_of(model, stranger), stranger):.2%}"
        )


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    learnt, tested = (
        data.generated() if options.generated else data.load(options.data, options.download)
    )
    print(f"{len(learnt)} recordings to learn from, {len(tested)} to test on")
    model, history = train(learnt, tested, options, "training")
    scores = scores_of(model, tested)

    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    report.draw_curves(history, options.out / "curves.png")
    report.draw_confusion(scores.argmax(1), tested.digits, options.out / "confusion.png")
    report.draw_sounds(features(tested.waves), tested.digits, scores, options.out / "sounds.png")
    print(f"accuracy on the test set: {accuracy(scores, tested):.2%}")
    print(f"pictures: {', '.join(str(path) for path in sorted(options.out.glob('*.png')))}")
    if options.held_out != "none":
        test_on_strangers(learnt, tested, options)


if __name__ == "__main__":
    main()
