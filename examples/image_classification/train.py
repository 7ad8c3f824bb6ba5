"""Train an image classifier, and show what it learnt.

    python train.py                                       handwritten digits, a minute on two cores
    python train.py --dataset imagefolder --data DIR      your own pictures, a folder for each class
    python train.py --dataset imagefolder --data cifar10 --model resnet20 --batch-size 128

With `imagefolder`, DIR/train and DIR/test (or DIR/val) hold the classes' folders, as CIFAR-10's do
where it is unpacked as JPEG files; where there is none to test on, a fifth of the pictures is held
out. --model may be any of tallowvision's classifiers too. Interrupted, the same command goes on
after the last whole epoch. Written to --out: the checkpoint model.safetensors, and the pictures
curves.png (loss and accuracy over the epochs) and predictions.png (some of the held-out images,
with what the model takes them for).
"""

import argparse
from pathlib import Path

import data
import models
import report
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.checkpointing import CheckpointManager


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", choices=["digits", "imagefolder"], default="digits")
    parser.add_argument("--data", type=Path, help="the folder of --dataset imagefolder")
    parser.add_argument("--size", type=int, default=32, help="pixels to resize pictures to")
    parser.add_argument("--augment", choices=["none", "shift", "trivial"], default="shift")
    parser.add_argument("--model", default="cnn", help="cnn, mlp, or a model of tallowvision")
    parser.add_argument("--amp", action="store_true", help="mixed precision, with bfloat16")
    parser.add_argument("--workers", type=int, default=0, help="processes that read pictures")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest learning rate")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/digits"))
    options = parser.parse_args()
    if options.dataset == "imagefolder" and options.data is None:
        parser.error("--dataset imagefolder needs --data DIR")
    return options


def train_epoch(model, loader, optimizer, scheduler, options):
    """One pass over the training images; returns the mean loss and the accuracy."""
    model.train()
    total_loss = correct = seen = 0
    for images, labels in tqdm(loader, leave=False, unit="batch"):
        images, labels = images.to(options.device), labels.to(options.device)
        with tallow.autocast(images.device.type, tallow.bfloat16, enabled=options.amp):
            scores = model(images)
            loss = nn.functional.cross_entropy(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total_loss += loss.item() * len(labels)
        correct += (scores.argmax(1) == labels).sum().item()
        seen += len(labels)
    return total_loss / seen, correct / seen


@tallow.no_grad()
def evaluate(model, loader, device):
    """Scores (N, classes) and labels (N,) of all images of a loader, on the CPU."""
    model.eval()
    scores, labels = [], []
    for images, targets in loader:
        scores.append(model(images.to(device)).cpu())
        labels.append(targets)
    return tallow.cat(scores), tallow.cat(labels)


def accuracy(scores, labels):
    return (scores.argmax(1) == labels).float().mean().item()


def train(model, train_loader, test_loader, options):
    """Train for all epochs, or those that are left; returns a dict of one list a curve."""
    optimizer = AdamW(model.parameters(), lr=options.lr, weight_decay=1e-2)
    steps = options.epochs * len(train_loader)
    scheduler = OneCycleLR(optimizer, max_lr=options.lr, total_steps=steps)
    history = {"train loss": [], "test loss": [], "train accuracy": [], "test accuracy": []}
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    checkpoints = CheckpointManager(options.out / "checkpoints", keep=1)
    done = 0
    if (latest := checkpoints.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(latest[name])
        done, history = latest["epochs"], latest["history"]
    progress = tqdm(range(done, options.epochs), desc="training", unit="epoch")
    for epoch in progress:
        tallow.manual_seed(options.seed + epoch + 1)
        loss, correct = train_epoch(model, train_loader, optimizer, scheduler, options)
        scores, labels = evaluate(model, test_loader, options.device)
        test_loss = nn.functional.cross_entropy(scores, labels).item()
        measured = (loss, test_loss, correct, accuracy(scores, labels))
        for curve, value in zip(history.values(), measured, strict=True):
            curve.append(value)
        progress.set_postfix(loss=f"{loss:.3f}", accuracy=f"{measured[-1]:.1%}")
        state = {name: part.state_dict() for name, part in parts.items()}
        checkpoints.save({**state, "history": history, "epochs": epoch + 1}, step=epoch + 1)
    return history


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    task = data.load(options)
    train_loader, test_loader = data.loaders(task, options.batch_size, options.workers)

    def fresh_model():
        model = models.build(options.model, task.channels, task.size, len(task.classes))
        return model.to(options.device)

    model = fresh_model()
    count = sum(p.numel() for p in model.parameters())
    print(
        f"{len(task.train)} images to learn from, {len(task.test)} held out; {count:,} parameters"
    )
    history = train(model, train_loader, test_loader, options)
    scores, labels = evaluate(model, test_loader, options.device)

    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "model.safetensors"
    tallow.save(model.state_dict(), checkpoint)
    again = fresh_model()
    again.load_state_dict(tallow.load(checkpoint))
    if not tallow.equal(evaluate(again, test_loader, options.device)[0], scores):
        raise SystemExit(f"{checkpoint}: the model loaded from it gives other scores")

    print(report.per_class(scores.argmax(1), labels, task.classes))
    report.draw_curves(history, options.out / "curves.png")
    report.draw_predictions(task.test, scores, task.classes, options.out / "predictions.png")
    print(f"accuracy {accuracy(scores, labels):.2%}, and the same from {checkpoint}")
    print(f"pictures: {options.out / 'curves.png'}, {options.out / 'predictions.png'}")


if __name__ == "__main__":
    main()
