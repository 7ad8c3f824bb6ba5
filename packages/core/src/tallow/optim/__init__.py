"""Optimizers, one algorithm a file, and schedules of their learning rates."""

from tallow.optim import lr_scheduler
from tallow.optim.adam import Adam
from tallow.optim.adamw import AdamW
from tallow.optim.optimizer import Optimizer
from tallow.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]
