"""Train a small U-Net to say what each pixel of generated pictures shows.

    python train.py                circles, squares and triangles, some ten minutes on one core

Every epoch has pictures of its own. Written to --out: the model, model.safetensors, and the
pictures curves.png (the loss and the mean overlap with the truth over the epochs) and
predictions.png (pictures that it has not seen, the truth, and what it says).
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import shapes
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.data import DataLoader
from tallowvision.evaluation import confusion_matrix, intersection_over_union
from tallowvision.models.segmentation import unet_tiny
from tallowvision.utils import draw_segmentation_masks, make_grid, save_image

matplotlib.use("agg")
from matplotlib import pyplot as plt

COLOURS = ["#e6a117", "#c0392b", "#2456a4"]


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1200, help="pictures in an epoch")
    parser.add_argument("--size", type=int, default=64, help="pixels of a side of pictures")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest learning rate")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/segmentation"))
    return parser.parse_args(arguments)


def train_epoch(model, loader, optimizer, scheduler, device):
    """One pass over pictures; returns the mean loss."""
    model.train()
    losses = []
    for pictures, labels in tqdm(loader, leave=False, unit="batch"):
        scores = model(pictures.to(device))["out"]
        loss = nn.functional.cross_entropy(scores, labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@tallow.inference_mode()
def overlaps(model, loader, device):
    """The overlap of what is said with the truth, for each class."""
    model.eval()
    confusion = sum(
        confusion_matrix(model(pictures.to(device))["out"].argmax(1), labels, len(shapes.CLASSES))
        for pictures, labels in loader
    )
    return intersection_over_union(confusion)


@tallow.inference_mode()
def draw(model, pictures, labels, device, path):
    """Pictures, the truth, and what the model says, in three rows."""
    model.eval()
    said = model(pictures.to(device))["out"].argmax(1).cpu()
    kinds = tallow.arange(1, len(shapes.CLASSES))[:, None, None]
    rows = [*pictures]
    for found in (labels, said):
        rows += [
            draw_segmentation_masks(picture, own == kinds, 0.8, COLOURS)
            for picture, own in zip(pictures, found, strict=True)
        ]
    grid = make_grid(rows, nrow=len(pictures))
    save_image(nn.functional.interpolate(grid[None], scale_factor=2.0), path)


def draw_curves(history, path):
    """The loss and the mean overlap over the epochs, side by side."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for axis, values, title in zip(
        axes, zip(*history, strict=True), ("loss", "mean IoU"), strict=True
    ):
        axis.plot(range(1, len(values) + 1), values)
        axis.set(xlabel="epoch", title=title)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments=None):
    options = parse_arguments(arguments)
    tallow.manual_seed(options.seed)
    model = unet_tiny(num_classes=len(shapes.CLASSES)).to(options.device)
    count = sum(x.numel() for x in model.parameters())
    print(f"{options.count} pictures an epoch; {count:,} parameters")
    held_out = shapes.dataset(500, options.size, 1_000_000)
    test_loader = DataLoader(held_out, 50)

    optimizer = AdamW(model.parameters(), options.lr, weight_decay=1e-2)
    steps = options.epochs * -(-options.count // options.batch_size)
    scheduler = OneCycleLR(optimizer, max_lr=options.lr, total_steps=steps)
    history = []
    progress = tqdm(range(options.epochs), desc="training", unit="epoch")
    for epoch in progress:
        pictures = shapes.dataset(options.count, options.size, options.seed * 1000 + epoch)
        loader = DataLoader(pictures, options.batch_size, shuffle=True)
        loss = train_epoch(model, loader, optimizer, scheduler, options.device)
        overlap = overlaps(model, test_loader, options.device)
        history.append((loss, np.nanmean(overlap)))
        progress.set_postfix(loss=f"{loss:.3f}", iou=f"{history[-1][1]:.3f}")

    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    for name, value in zip(shapes.CLASSES, overlap, strict=True):
        print(f"{name:>12}  {value:.3f}")
    print(f"mean IoU on {len(held_out)} other pictures: {np.nanmean(overlap):.3f}")
    draw_curves(history, options.out / "curves.png")
    draw(model, *held_out[:8], options.device, options.out / "predictions.png")
    print(f"pictures: {options.out / 'curves.png'}, {options.out / 'predictions.png'}")


if __name__ == "__main__":
    main()
