"""Forecast a time series by a recurrent or a convolutional network.

    python train.py                               a generated series of 5,000 hours
    python train.py --model conv --horizon 48

The series has a daily and a weekly rhythm, slow drift and noise that lasts. From `--past` values
the network forecasts the next `--horizon`. The last fifth of the series is held out, and the
forecast is compared with repeating what was a day ago. Written to --out: the checkpoint
model.safetensors, and forecasts.png: held-out forecasts, and their error by how far they look.
"""

import argparse
from math import pi
from pathlib import Path

import matplotlib

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import CosineAnnealingLR
from tallow.utils.data import DataLoader, TensorDataset
from tallow.utils.progress import progress

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402

DAY = 24  # values


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=list(MODELS), default="lstm")
    parser.add_argument("--count", type=int, default=5000, help="values of the series")
    parser.add_argument("--past", type=int, default=96, help="values to forecast from")
    parser.add_argument("--horizon", type=int, default=24, help="values to forecast")
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/time_series"))
    return parser.parse_args()


def generate(count):
    """Days that are busier in the middle of a week, a random walk, and noise that fades slowly."""
    hours = tallow.arange(float(count))
    week = 1 + 0.5 * (2 * pi * hours / (7 * DAY)).sin()
    daily = (2 * pi * hours / DAY).sin() + 0.4 * (4 * pi * hours / DAY + 1).sin()
    walk = 0.02 * tallow.randn(count).cumsum(0)
    fading = nn.functional.conv1d(
        0.15 * tallow.randn(1, 1, count + 15), (0.8 ** tallow.arange(16.0)).flip(0)[None, None]
    )
    return week * daily + walk + fading[0, 0]


class Recurrent(nn.Module):
    """An LSTM reads the past (N, past); its last state gives the forecast (N, horizon)."""

    def __init__(self, past, horizon, width):
        super().__init__()
        self.lstm = nn.LSTM(1, width, batch_first=True)
        self.head = nn.Linear(width, horizon)

    def forward(self, x):
        _, (state, _) = self.lstm(x[:, :, None])
        return self.head(state[-1])


class Convolutional(nn.Sequential):
    """Convolutions that look further back each: (N, past) -> (N, horizon)."""

    def __init__(self, past, horizon, width):
        layers, channels = [nn.Unflatten(1, (1, past))], 1
        for dilation in (1, 2, 4, 8):
            layers += [nn.Conv1d(channels, width, 3, padding="same", dilation=dilation), nn.GELU()]
            channels = width
        layers += [nn.AvgPool1d(4), nn.Flatten(), nn.Linear(width * (past // 4), horizon)]
        super().__init__(*layers)


MODELS = {"lstm": Recurrent, "conv": Convolutional}


def windows(series, past, horizon):
    """Every window of a series: its past (N, past) and what follows (N, horizon)."""
    found = series.unfold(0, past + horizon, 1)
    return found[:, :past], found[:, past:]


def forecast(model, x):
    """What the model says of the future, relative to the last value that is known."""
    last = x[:, -1:]
    return last + model(x - last)


def train(model, x, y, options):
    loader = DataLoader(TensorDataset(x, y), options.batch_size, shuffle=True)
    optimizer = AdamW(model.parameters(), options.lr)
    scheduler = CosineAnnealingLR(optimizer, options.epochs)
    bar = progress(range(options.epochs), "training", unit="epoch")
    for _ in bar:
        for past, future in loader:
            past, future = past.to(options.device), future.to(options.device)
            loss = nn.functional.smooth_l1_loss(forecast(model, past), future)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        bar.set_postfix(loss=f"{loss.item():.4f}")


def draw(x, y, predicted, errors, path):
    """Three forecasts, and the mean error of each step ahead."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6), layout="constrained")
    past, horizon = x.shape[1], y.shape[1]
    for axis, n in zip(axes.flat, (0, len(x) // 2, len(x) - 1), strict=False):
        axis.plot(range(-past, 0), x[n].numpy(), color="gray", label="past")
        axis.plot(range(horizon), y[n].numpy(), color="black", label="what came")
        axis.plot(range(horizon), predicted[n].numpy(), color="tab:red", label="forecast")
        axis.set(xlabel="hours from now")
        axis.legend(fontsize=8)
    for name, error in errors.items():
        axes[1, 1].plot(range(1, horizon + 1), error.mean(0).numpy(), label=name)
    axes[1, 1].set(xlabel="hours ahead", ylabel="mean absolute error", ylim=(0, None))
    axes[1, 1].legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    series = generate(options.count)
    known = options.count * 4 // 5
    past, horizon = options.past, options.horizon
    model = MODELS[options.model](past, horizon, options.width).to(options.device)
    train(model, *windows(series[:known], past, horizon), options)

    x, y = windows(series[known:], past, horizon)
    model.eval()
    with tallow.no_grad():
        predicted = forecast(model, x.to(options.device)).cpu()
    day_ago = x[:, -DAY:].repeat(1, horizon // DAY + 1)[:, :horizon]
    errors = {"forecast": (predicted - y).abs(), "as a day ago": (day_ago - y).abs()}
    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    draw(x, y, predicted, errors, options.out / "forecasts.png")
    for name, error in errors.items():
        print(f"mean absolute error, {name}: {error.mean().item():.3f}")
    print(f"written: {options.out / 'forecasts.png'}")


if __name__ == "__main__":
    main()
