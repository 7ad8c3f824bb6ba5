"""Adadelta: steps in the parameters' own units."""

from tallow.errors import ArgumentError
from tallow.optim.optimizer import Optimizer, check_settings, given
from tallow.optim.update import direction, elementwise


@elementwise
def adadelta(
    xp, p, g, square, delta, step, *, lr, rho, eps, weight_decay, maximize
):  # fmt: skip
    g = direction(p, g, weight_decay, maximize)
    square *= rho
    square += (1 - rho) * (g * g)
    change = xp.sqrt(delta + eps) / xp.sqrt(square + eps) * g
    delta *= rho
    delta += (1 - rho) * (change * change)
    p -= lr * change


class Adadelta(Optimizer):
    """Adadelta (Zeiler, 2012).

    Running means of the squares of the gradient and of the change, which keep `rho` of themselves:
    `change = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * g`, and `p -= lr * change`.
    """

    _algorithm = adadelta
    _hosts = True
    _slots = {"square_avg": None, "acc_delta": None}

    def __init__(
        self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *, capturable=False,
        maximize=False, differentiable=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        if rho > 1.0:
            raise ArgumentError(f"Adadelta: expected rho from 0 to 1, got {rho}")
        super().__init__(params, defaults)
