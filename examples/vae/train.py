"""Train a variational autoencoder on pictures, and let it draw new ones.

    python train.py                               handwritten digits, a minute
    python train.py --data DIR --size 32          your own pictures, a folder for each kind

It learns a code of a few numbers for each picture, close to normally distributed, so that a random
code is a picture as well (Kingma and Welling, "Auto-encoding variational Bayes", 2014). Written to
--out: the checkpoint model.safetensors, and pictures.png: held-out pictures, what becomes of them
by way of their codes, and pictures of random codes.
"""

import argparse
from math import prod
from pathlib import Path

import matplotlib

import tallow
from tallow import nn
from tallow.distributions import Normal, kl_divergence
from tallow.optim import Adam
from tallow.utils.data import DataLoader, random_split
from tallow.utils.progress import progress

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a folder of folders of pictures")
    parser.add_argument("--size", type=int, default=32, help="pixels to resize pictures to")
    parser.add_argument("--code", type=int, default=8, help="numbers in a code")
    parser.add_argument("--width", type=int, default=256, help="units of the hidden layers")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/vae"))
    return parser.parse_args()


def load(options):
    """Pictures (C, H, W) from 0 to 1 to learn from, and held-out ones."""
    if options.data is None:
        from sklearn.datasets import load_digits

        pictures = tallow.from_numpy(load_digits().images).float()[:, None] / 16
    else:
        from tallowvision import transforms
        from tallowvision.datasets import ImageFolder

        size = (options.size, options.size)
        change = transforms.Compose([transforms.Resize(size), transforms.ToTensor()])
        folder = ImageFolder(options.data, change)
        pictures = tallow.stack([folder[n][0] for n in range(len(folder))])
    train, test = random_split(pictures, [0.9, 0.1])
    return train, tallow.stack([test[n] for n in range(min(len(test), 256))])


class VAE(nn.Module):
    """Codes for pictures (N, *shape), and pictures for codes (N, code)."""

    def __init__(self, shape, code, width):
        super().__init__()
        pixels = prod(shape)
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, 2 * code),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(code, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, pixels), nn.Unflatten(1, shape),
        )  # fmt: skip

    def encode(self, pictures):
        """The distribution of the code of each picture."""
        mean, log_deviation = self.encoder(pictures).chunk(2, dim=1)
        return Normal(mean, log_deviation.exp())

    def decode(self, codes):
        """Pictures of codes."""
        return self.decoder(codes).sigmoid()

    def loss(self, pictures):
        """The negative lower bound of the log-likelihood, in nats a picture."""
        code = self.encode(pictures)
        scores = self.decoder(code.rsample())
        error = nn.functional.binary_cross_entropy_with_logits(scores, pictures, reduction="sum")
        ordinary = Normal(tallow.zeros_like(code.loc), tallow.ones_like(code.scale))
        return (error + kl_divergence(code, ordinary).sum()) / len(pictures)


def train(model, pictures, held_out, options):
    """Train for all epochs; returns the loss of the held-out pictures."""
    loader = DataLoader(pictures, options.batch_size, shuffle=True)
    optimizer = Adam(model.parameters(), options.lr)
    bar = progress(range(options.epochs), "training", unit="epoch")
    for _ in bar:
        for batch in loader:
            loss = model.loss(batch.to(options.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with tallow.no_grad():
            loss = model.loss(held_out).item()
        bar.set_postfix(loss=f"{loss:.2f}")
    return loss


def draw(rows, path):
    """Rows of pictures (N, C, H, W), each below its title."""
    columns = len(next(iter(rows.values())))
    figure, axes = plt.subplots(len(rows), 1, figsize=(0.7 * columns, 1.1 * len(rows)))
    for axis, (title, pictures) in zip(axes, rows.items(), strict=True):
        strip = nn.functional.pad(pictures.cpu(), (1, 1, 1, 1), value=0.5)
        axis.imshow(tallow.cat(list(strip), 2).permute(1, 2, 0).numpy(), cmap="gray")
        axis.set_title(title, fontsize=9, loc="left")
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    pictures, held_out = load(options)
    held_out = held_out.to(options.device)
    model = VAE(tuple(held_out.shape[1:]), options.code, options.width).to(options.device)
    loss = train(model, pictures, held_out, options)

    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    with tallow.no_grad():
        some = held_out[:16]
        again = model.decode(model.encode(some).mean)
        drawn = model.decode(tallow.randn(len(some), options.code, device=options.device))
    rows = {"held out": some, "by way of their codes": again, "of random codes": drawn}
    draw(rows, options.out / "pictures.png")
    print(f"loss {loss:.2f} nats a held-out picture; see {options.out / 'pictures.png'}")


if __name__ == "__main__":
    main()
