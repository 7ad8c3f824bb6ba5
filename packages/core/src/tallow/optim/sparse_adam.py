"""SparseAdam: there for its name."""

from tallow.errors import NotSupportedError
from tallow.optim.optimizer import Optimizer


class SparseAdam(Optimizer):
    """Adam for sparse gradients, of which tallow has none: making one is an error that says so."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        raise NotSupportedError(
            "SparseAdam: expected sparse gradients, which tallow has not; use Adam, which does the "
            "same for rows with a gradient and also moves those without one"
        )
