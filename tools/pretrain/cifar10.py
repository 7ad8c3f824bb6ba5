"""Train a small classifier of CIFAR-10's pictures: the weights that tallowvision brings.

    python tools/pretrain/cifar10.py resnet20 --data cifar10_jpg.zip --out runs/resnet20

--data is a zip file with train/<class>/NNNN.jpg and test/<class>/NNNN.jpg, 32 x 32 pixels. The
recipe: stochastic gradient descent with Nesterov's momentum, the learning rate raised over the
first tenth of the steps and lowered linearly to zero, weight decay, pictures shifted by up to four
pixels and mirrored, a square of --hide pixels' side hidden at random (DeVries and Taylor, 2017).
--start FILE goes through that once more from weights that are there. With --teachers FILE ... the
model learns from their softened scores beside the labels (Hinton et al., 2015), averaged over
random views of each picture, all at the start. The test pictures are looked at once, after the last
epoch. Interrupted, the same command goes on from the last whole epoch. Written to --out:
weights.safetensors, float16.

    python tools/pretrain/cifar10.py resnet20 --data cifar10_jpg.zip --test weights.safetensors

only says how many of the test pictures those weights get right.
"""

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import SGD
from tallow.optim.lr_scheduler import LambdaLR
from tallow.utils.checkpointing import CheckpointManager
from tallowvision import models

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
BORDER = 4  # pixels that a training picture is shifted by at most
VIEWS = 8  # of each picture that a teacher is asked about
TEMPERATURE = 4  # that teachers' scores are softened by
TRUST = 0.8  # the part of the loss that is about the teachers' scores, not about the labels


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a name of tallowvision.models, such as resnet20")
    parser.add_argument("--data", type=Path, required=True, help="the zip file of pictures")
    parser.add_argument("--test", type=Path, help="a file of weights: test those and be done")
    parser.add_argument("--start", type=Path, help="a file of weights, in place of random ones")
    parser.add_argument("--teachers", type=Path, nargs="+", default=[], help="files of weights")
    parser.add_argument("--hide", type=int, default=0, help="side of the hidden square, in pixels")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.2, help="the highest learning rate")
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="the folder for checkpoints and weights")
    options = parser.parse_args()
    if not (options.test or options.out):
        parser.error("--out or --test is needed")
    return options


def read_pictures(archive, split):
    """Pictures (N, 3, 32, 32), uint8, and labels (N,): the classes in alphabetical order."""
    names = sorted(n for n in archive.namelist() if n.startswith(f"{split}/") and n[-4:] == ".jpg")
    classes = sorted({name.split("/")[1] for name in names})
    pictures = np.empty((len(names), 32, 32, 3), np.uint8)
    for place, name in enumerate(tqdm(names, desc=f"reading {split}", unit="picture")):
        pictures[place] = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
    labels = [classes.index(name.split("/")[1]) for name in names]
    return tallow.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(), tallow.tensor(labels)


def normalise(pictures):
    mean, std = (tallow.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (pictures / 255 - mean) / std


def shifted_and_mirrored(bordered, chosen):
    """The chosen pictures (B, 3, 32, 32), each at a random place of its own, half of them mirrored.

    bordered: all pictures with a border, (N, 3, 32 + 2 BORDER, 32 + 2 BORDER)
    """
    count, pixels = len(chosen), tallow.arange(32)
    rows = tallow.randint(2 * BORDER + 1, (count, 1)) + pixels
    columns = tallow.randint(2 * BORDER + 1, (count, 1)) + pixels
    columns = tallow.where(tallow.rand(count, 1) < 0.5, columns, columns.flip(1))
    channels = tallow.arange(3).view(1, 3, 1, 1)
    return bordered[
        chosen.view(-1, 1, 1, 1), channels, rows.view(-1, 1, 32, 1), columns.view(-1, 1, 1, 32)
    ]


def hidden(pictures, side):
    """Pictures (B, 3, 32, 32), in each a square of a random centre and an odd side set to 0."""
    centres = tallow.randint(32, (2, len(pictures), 1))
    rows, columns = (centres - tallow.arange(32)).abs() < side / 2
    return pictures.masked_fill((rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1), 0)


@tallow.inference_mode()
def opinions(teachers, bordered):
    """What the teachers hold each picture for, softened and averaged over views: (N, 10)."""
    soft = tallow.zeros(len(bordered), 10)
    for _ in tqdm(range(VIEWS), desc="asking the teachers", unit="view"):
        for chosen in tallow.arange(len(bordered)).split(250):
            view = normalise(shifted_and_mirrored(bordered, chosen))
            for teacher in teachers:
                soft[chosen] += (teacher(view) / TEMPERATURE).softmax(1) / (VIEWS * len(teachers))
    return soft


def loss_of(scores, labels, soft):
    """The cross entropy to the labels and, if there are teachers, to what they think."""
    loss = nn.functional.cross_entropy(scores, labels)
    if soft is None:
        return loss
    taught = TEMPERATURE**2 * nn.functional.cross_entropy(scores / TEMPERATURE, soft)
    return TRUST * taught + (1 - TRUST) * loss


def train_epoch(model, optimizer, scheduler, bordered, labels, soft, batch_size, hide):
    """One pass in random order, the last incomplete batch left out; returns the mean loss."""
    model.train()
    losses = []
    order = tallow.randperm(len(labels))
    for chosen in tqdm(order.split(batch_size)[: len(order) // batch_size], leave=False):
        scores = model(hidden(normalise(shifted_and_mirrored(bordered, chosen)), hide))
        loss = loss_of(scores, labels[chosen], None if soft is None else soft[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@tallow.inference_mode()
def accuracy(model, pictures, labels):
    model.eval()
    correct = [
        (model(normalise(some)).argmax(1) == these).sum().item()
        for some, these in zip(pictures.split(250), labels.split(250), strict=True)
    ]
    return sum(correct) / len(labels)


def report(model, pictures, labels):
    print(f"accuracy on {len(labels)} test pictures: {accuracy(model, pictures, labels):.2%}")


def classifier(name, weights=None):
    model = models.get_model(name, num_classes=10)
    if weights:
        model.load_state_dict(tallow.load(weights))
    return model.eval()


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    with zipfile.ZipFile(options.data) as archive:
        held_out = read_pictures(archive, "test")
        if options.test:
            return report(classifier(options.model, options.test), *held_out)
        pictures, labels = read_pictures(archive, "train")
    bordered = tallow.from_numpy(
        np.pad(pictures.numpy(), ((0, 0), (0, 0), (BORDER, BORDER), (BORDER, BORDER)), "reflect")
    )
    teachers = [classifier(options.model, weights) for weights in options.teachers]
    soft = opinions(teachers, bordered) if teachers else None

    model = classifier(options.model, options.start)
    optimizer = SGD(
        model.parameters(), options.lr, 0.9, weight_decay=options.weight_decay, nesterov=True
    )
    steps = options.epochs * (len(labels) // options.batch_size)
    scheduler = LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
    )
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    checkpoints = CheckpointManager(options.out / "checkpoints", keep=1)
    done = 0
    if (latest := checkpoints.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(latest[name])
        done = latest["epochs"]

    for epoch in range(done, options.epochs):
        tallow.manual_seed(options.seed + epoch + 1)
        loss = train_epoch(
            model, optimizer, scheduler, bordered, labels, soft, options.batch_size, options.hide
        )
        print(f"epoch {epoch + 1} of {options.epochs}: loss {loss:.4f}", flush=True)
        state = {name: part.state_dict() for name, part in parts.items()}
        checkpoints.save({**state, "epochs": epoch + 1}, step=epoch + 1)

    model.half().float()
    tallow.save(
        {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()},
        options.out / "weights.safetensors",
    )
    report(model, *held_out)


if __name__ == "__main__":
    main()
