"""Train a small detector on pictures with boxes, and show what it finds.

    python train.py --data bccd.zip                 blood cells, within an hour on one core
    python train.py --data DIR --train train --test val

--data is a folder or zip file in VOC's format: JPEGImages, Annotations (XML), ImageSets/Main. The
detector is tallowvision's `fcos_tiny`, from scratch or from --weights; all pictures are kept in
memory. Interrupted, the same command goes on from the last whole epoch. Written to --out: the
model, model.safetensors, the names of its classes, categories.txt, and the pictures curves.png
(the losses over the epochs) and predictions.png (what it finds in held-out pictures). Then

    python -m tallowvision detect PICTURE --weights model.safetensors --categories categories.txt
"""

import argparse
from pathlib import Path

import data
import numpy as np
import report
from tqdm import tqdm

import tallow
from tallow.nn.utils import clip_grad_norm_
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.checkpointing import CheckpointManager
from tallow.utils.data import DataLoader
from tallowvision.evaluation import coco_metrics, voc_average_precision
from tallowvision.models.detection import fcos_tiny

SIZE = 320  # pixels, of the longer side


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a folder or zip file")
    parser.add_argument("--train", default="trainval", help="the list of pictures to learn from")
    parser.add_argument("--test", default="test", help="the list of pictures held out")
    parser.add_argument("--weights", type=Path, help="a model.safetensors to start from")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--lr", type=float, default=3e-3, help="the highest learning rate")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/object_detection"))
    return parser.parse_args(arguments)


def moved(images, targets, device):
    """A batch on a device."""
    targets = [{name: x.to(device) for name, x in target.items()} for target in targets]
    return [image.to(device) for image in images], targets


def train_epoch(model, loader, optimizer, scheduler, device):
    """One pass over the training pictures; returns the mean of each loss."""
    model.train()
    history = []
    for images, targets in tqdm(loader, leave=False, unit="batch"):
        losses = model(*moved(images, targets, device))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        scheduler.step()
        history.append({name: loss.item() for name, loss in losses.items()})
    return {name: sum(one[name] for one in history) / len(history) for name in history[0]}


@tallow.inference_mode()
def predict(model, loader, device):
    """What the model finds in all pictures of a loader, and what is there, on the CPU."""
    model.eval()
    found, there = [], []
    for images, targets in tqdm(loader, desc="testing", leave=False, unit="batch"):
        images, _ = moved(images, targets, device)
        found += [{name: x.cpu() for name, x in one.items()} for one in model(images)]
        there += targets
    return found, there


def train(model, loader, options):
    """Train for all epochs, or those that are left; returns a list of the losses of each."""
    optimizer = AdamW(model.parameters(), options.lr, weight_decay=1e-2)
    steps = options.epochs * len(loader)
    scheduler = OneCycleLR(optimizer, max_lr=options.lr, total_steps=steps, pct_start=0.15)
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    checkpoints = CheckpointManager(options.out / "checkpoints", keep=1)
    history = []
    if (latest := checkpoints.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(latest[name])
        history = latest["history"]
    progress = tqdm(range(len(history), options.epochs), desc="training", unit="epoch")
    for epoch in progress:
        tallow.manual_seed(options.seed + epoch + 1)
        losses = train_epoch(model, loader, optimizer, scheduler, options.device)
        history.append(losses)
        state = {name: part.state_dict() for name, part in parts.items()}
        checkpoints.save({**state, "history": history}, step=epoch + 1)
        progress.set_postfix({name: f"{loss:.3f}" for name, loss in losses.items()})
    return history


def measured(found, there, classes):
    """A line for each class, and the means."""
    precision = voc_average_precision(found, there)
    lines = [f"{classes[label - 1]:>12}  {value:.3f}" for label, value in precision.items()]
    coco = coco_metrics(found, there)
    lines.append(f"mAP at an overlap of 0.5: {np.mean(list(precision.values())):.3f}")
    lines.append(f"COCO's AP: {coco['AP']:.3f}, AP50 {coco['AP50']:.3f}, AP75 {coco['AP75']:.3f}")
    return "\n".join(lines)


def main(arguments=None):
    options = parse_arguments(arguments)
    tallow.manual_seed(options.seed)
    files = data.Files(options.data)
    pictures = data.Pictures(files, options.train, SIZE, transform=data.varied())
    held_out = data.Pictures(files, options.test, SIZE, pictures.classes)
    loader = DataLoader(
        pictures, options.batch_size, shuffle=True, drop_last=len(pictures) > options.batch_size,
        collate_fn=data.collate,
    )  # fmt: skip
    model = fcos_tiny(num_classes=len(pictures.classes) + 1).to(options.device)
    if options.weights is not None:
        model.load_state_dict(tallow.load(options.weights))
    count = sum(x.numel() for x in model.parameters())
    print(f"{len(pictures)} pictures to learn from, {len(held_out)} held out; {count:,} parameters")

    history = train(model, loader, options)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    (options.out / "categories.txt").write_text("\n".join(["__background__", *pictures.classes]))
    test_loader = DataLoader(held_out, options.batch_size, collate_fn=data.collate)
    found, there = predict(model, test_loader, options.device)
    print(measured(found, there, pictures.classes))
    report.draw_curves(history, options.out / "curves.png")
    report.draw_predictions(held_out, found, pictures.classes, options.out / "predictions.png")
    print(f"pictures: {options.out / 'curves.png'}, {options.out / 'predictions.png'}")
    return model, held_out


if __name__ == "__main__":
    main()
