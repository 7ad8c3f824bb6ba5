"""Train the classifier of handwritten digits that tallowvision brings, in a minute.

    python tools/pretrain/digits.py --out runs/lenet_digits

The pictures are those that scikit-learn bundles, a fifth of them, drawn by the seed, held out and
looked at once. The others are shifted by up to a pixel, anew each time. AdamW, one cycle of the
learning rate. Written to --out: weights.safetensors, float16.
"""

import argparse
from pathlib import Path

from sklearn.datasets import load_digits
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallowvision import models


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=5e-3, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def shifted(images):
    """Pictures (N, 1, 8, 8), each moved by up to a pixel in each direction."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    pixels, count = tallow.arange(8), len(images)
    rows = (tallow.randint(3, (count, 1)) + pixels).view(count, 1, 8, 1)
    columns = (tallow.randint(3, (count, 1)) + pixels).view(count, 1, 1, 8)
    return padded[tallow.arange(count).view(-1, 1, 1, 1), tallow.zeros(1).long(), rows, columns]


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    pixels, labels = map(tallow.from_numpy, load_digits(return_X_y=True))
    images = pixels.float().view(-1, 1, 8, 8) / 16
    test, train = tallow.randperm(len(images)).split([len(images) // 5, -(-len(images) * 4 // 5)])

    model = models.lenet_digits()
    optimizer = AdamW(model.parameters(), weight_decay=0.05)
    steps = options.epochs * -(-len(train) // options.batch_size)
    scheduler = OneCycleLR(optimizer, max_lr=options.lr, total_steps=steps)
    for _ in tqdm(range(options.epochs), unit="epoch"):
        for chosen in train[tallow.randperm(len(train))].split(options.batch_size):
            scores = model(shifted(images[chosen]))
            loss = nn.functional.cross_entropy(scores, labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()

    model.half().float()
    options.out.mkdir(parents=True, exist_ok=True)
    state = {name: value.half() for name, value in model.state_dict().items()}
    tallow.save(state, options.out / "weights.safetensors")
    with tallow.no_grad():
        right = (model(images[test]).argmax(1) == labels[test]).float().mean().item()
    print(f"accuracy on {len(test)} held-out digits: {right:.2%}")


if __name__ == "__main__":
    main()
