"""Optimizers, one algorithm a file, and schedules of their learning rates."""

from tallow.optim import lr_scheduler, swa_utils
from tallow.optim.adadelta import Adadelta
from tallow.optim.adafactor import Adafactor
from tallow.optim.adagrad import Adagrad
from tallow.optim.adam import Adam
from tallow.optim.adamax import Adamax
from tallow.optim.adamw import AdamW
from tallow.optim.asgd import ASGD
from tallow.optim.lbfgs import LBFGS
from tallow.optim.muon import Muon
from tallow.optim.nadam import NAdam
from tallow.optim.optimizer import Optimizer
from tallow.optim.radam import RAdam
from tallow.optim.rmsprop import RMSprop
from tallow.optim.rprop import Rprop
from tallow.optim.sgd import SGD
from tallow.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
]
