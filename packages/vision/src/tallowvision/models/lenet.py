"""A small network for handwritten digits, after LeNet-5 (LeCun et al., 1998)."""

from tallow import nn
from tallow.errors import ShapeError, describe
from tallowvision.models._api import variant


class LeNet(nn.Sequential):
    """Grey pictures (N, 1, 8, 8) with values in [0, 1], bright on dark, to class scores.

    >>> import tallow
    >>> LeNet()(tallow.ones(2, 1, 8, 8)).shape
    tallow.Size([2, 10])
    """

    def __init__(self, num_classes=10):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(128, num_classes),
        )  # fmt: skip

    def forward(self, x):
        if tuple(x.shape[-2:]) != (8, 8):
            raise ShapeError(f"LeNet: expected images of 8 x 8, got {describe(x)}")
        return super().forward(x)


lenet_digits, LeNet_Digits_Weights = variant("LeNet_Digits", LeNet)
