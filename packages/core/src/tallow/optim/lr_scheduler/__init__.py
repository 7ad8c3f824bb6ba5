"""Schedules of the learning rate: to be stepped after the optimizer, each epoch or each batch."""

from tallow.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from tallow.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from tallow.optim.lr_scheduler.cycle import CyclicLR, OneCycleLR
from tallow.optim.lr_scheduler.factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from tallow.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tallow.optim.lr_scheduler.scheduler import LRScheduler

_LRScheduler = LRScheduler  # its name before PyTorch 2.0

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
