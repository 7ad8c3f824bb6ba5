"""RMSprop: steps divided by a running root mean square of the gradient."""

from tallow.optim.optimizer import Optimizer, check_settings, given
from tallow.optim.update import direction, elementwise


@elementwise
def rmsprop(
    xp, p, g, square, buffer, mean, step, *, lr, alpha, eps, weight_decay, momentum, centered,
    maximize,
):  # fmt: skip
    g = direction(p, g, weight_decay, maximize)
    square *= alpha
    square += (1 - alpha) * (g * g)
    if centered:
        mean += (1 - alpha) * (g - mean)
        square = square - mean * mean
    change = g / (xp.sqrt(square) + eps)
    if momentum:
        buffer *= momentum
        buffer += change
        change = buffer
    p -= lr * change


class RMSprop(Optimizer):
    """RMSprop (Hinton, lecture 6e of "Neural Networks for Machine Learning", 2012).

    `p -= lr * g / (sqrt(square_avg) + eps)`, where the running mean of squares keeps `alpha` of
    itself. With `centered` the square of the mean gradient is taken off it (Graves, 2013).
    """

    _algorithm = rmsprop
    _hosts = True
    _slots = {"square_avg": None, "momentum_buffer": "momentum", "grad_avg": "centered"}

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False,
        capturable=False, foreach=None, maximize=False, differentiable=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(
            self, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum
        )
        super().__init__(params, defaults)
