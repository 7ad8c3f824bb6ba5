"""The classifiers. Each takes (N, channels, size, size) and gives scores (N, classes)."""

from tallow import nn


def mlp(channels, size, classes):
    """A perceptron with two hidden layers."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * size * size, 128), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(64, classes),
    )  # fmt: skip


def block(inputs, outputs):
    """Two convolutions, then half the height and width."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.MaxPool2d(2),
    )  # fmt: skip


def cnn(channels, size, classes):
    """Blocks of 16, 32, ... channels until the image is 2 pixels wide or there are four."""
    blocks, width = [], 16
    while size >= 4 and len(blocks) < 4:
        blocks.append(block(channels, width))
        channels, width, size = width, width * 2, size // 2
    return nn.Sequential(
        *blocks, nn.Flatten(), nn.Dropout(0.2), nn.Linear(channels * size * size, classes)
    )


MODELS = {"cnn": cnn, "mlp": mlp}


def build(name, channels, size, classes):
    """One of these, or one of tallowvision's for pictures in colour, such as resnet20."""
    if name in MODELS:
        return MODELS[name](channels, size, classes)
    from tallowvision.models import get_model

    if channels != 3:
        raise SystemExit(f"{name}: expected pictures in colour; cnn and mlp take the digits")
    return get_model(name, num_classes=classes)
