"""Train a small network to say what a shape does in generated videos.

    python train.py                it moves, grows or turns: some five minutes on one core

Every epoch has videos of its own. Written to --out: the model, model.safetensors, the pictures
curves.png (the loss and the accuracy over the epochs) and predictions.png (frames of videos that it
has not seen, and what it says), and one of these videos, moving.gif.
"""

import argparse
from pathlib import Path

import matplotlib
import moving
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.data import DataLoader
from tallowvision.io import write_video
from tallowvision.models.video import r2plus1d_tiny
from tallowvision.transforms import functional as F

matplotlib.use("agg")
from matplotlib import pyplot as plt

RIGHT, WRONG = "#2a7f3f", "#c0392b"


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000, help="videos in an epoch")
    parser.add_argument("--frames", type=int, default=8, help="frames of a video")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=25)
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest learning rate")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/video_classification"))
    return parser.parse_args(arguments)


def train_epoch(model, loader, optimizer, scheduler, device):
    """One pass over videos; returns the mean loss."""
    model.train()
    losses = []
    for videos, labels in tqdm(loader, leave=False, unit="batch"):
        loss = nn.functional.cross_entropy(model(videos.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@tallow.inference_mode()
def predictions(model, videos, device):
    """What the model says of videos (N): the numbers of classes."""
    model.eval()
    return tallow.cat([model(some.to(device)).argmax(1).cpu() for some in videos.split(100)])


def draw(videos, labels, said, path, rows=8):
    """Four frames of some videos, a row for each, and what the model says."""
    figure, axes = plt.subplots(rows, 4, figsize=(5, rows * 1.25), layout="constrained")
    for video, label, found, line in zip(videos, labels, said, axes, strict=False):
        shown = tallow.linspace(0, video.shape[1] - 1, 4).long()
        for axis, frame in zip(line, video[:, shown].permute(1, 2, 3, 0), strict=True):
            axis.imshow(frame.numpy())
            axis.set(xticks=[], yticks=[])
        right = found == label
        text = moving.CLASSES[found] if right else f"{moving.CLASSES[found]}?"
        line[0].set_ylabel(text, fontsize=8, color=RIGHT if right else WRONG)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_curves(history, path):
    """The loss and the accuracy over the epochs, side by side."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for axis, values, title in zip(
        axes, zip(*history, strict=True), ("loss", "accuracy"), strict=True
    ):
        axis.plot(range(1, len(values) + 1), values)
        axis.set(xlabel="epoch", title=title)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments=None):
    options = parse_arguments(arguments)
    tallow.manual_seed(options.seed)
    model = r2plus1d_tiny(num_classes=len(moving.CLASSES)).to(options.device)
    count = sum(x.numel() for x in model.parameters())
    print(f"{options.count} videos an epoch; {count:,} parameters")
    videos, labels = moving.dataset(800, options.frames, 1_000_000).tensors

    optimizer = AdamW(model.parameters(), options.lr, weight_decay=1e-2)
    steps = options.epochs * -(-options.count // options.batch_size)
    scheduler = OneCycleLR(optimizer, max_lr=options.lr, total_steps=steps)
    history = []
    progress = tqdm(range(options.epochs), desc="training", unit="epoch")
    for epoch in progress:
        made = moving.dataset(options.count, options.frames, options.seed * 1000 + epoch)
        loader = DataLoader(made, options.batch_size, shuffle=True)
        loss = train_epoch(model, loader, optimizer, scheduler, options.device)
        said = predictions(model, videos, options.device)
        history.append((loss, (said == labels).float().mean().item()))
        progress.set_postfix(loss=f"{loss:.3f}", accuracy=f"{history[-1][1]:.1%}")

    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    for number, name in enumerate(moving.CLASSES):
        own = said[labels == number]
        print(f"{name:>12}  {(own == number).float().mean().item():6.1%}")
    print(f"accuracy on {len(labels)} other videos: {history[-1][1]:.2%}")
    draw_curves(history, options.out / "curves.png")
    order = (said == labels).long().argsort(stable=True)[:8]  # mistakes first
    draw(videos[order], labels[order], said[order], options.out / "predictions.png")
    frames = (F.resize(videos[0].transpose(0, 1), 96, "nearest") * 255).byte()
    write_video(options.out / "moving.gif", frames.permute(0, 2, 3, 1), 8)
    print(f"pictures: {options.out / 'curves.png'}, {options.out / 'predictions.png'}")


if __name__ == "__main__":
    main()
