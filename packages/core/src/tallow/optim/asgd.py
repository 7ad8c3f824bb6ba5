"""ASGD: stochastic gradient descent that also averages the parameters."""

from tallow.creation import full_like
from tallow.optim.optimizer import Optimizer, advance, check_settings, given
from tallow.optim.update import choose, direction, elementwise


@elementwise
def asgd(
    xp, p, g, average, rate, weight, *, lambd, weight_decay, maximize
):  # fmt: skip
    g = direction(p, g, weight_decay, maximize)
    p *= 1 - lambd * rate
    p -= rate * g
    average[...] = choose(weight >= 1, p, average + weight * (p - average))


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak & Juditsky, 1992).

    `p -= eta * g` after `p *= 1 - lambd * eta`, with a rate of
    `eta = lr / (1 + lambd * lr * step) ** alpha`. The average `ax` of the parameter, in the
    optimizer's state, begins after `t0` steps.
    """

    _algorithm = asgd
    _slots = {"ax": None}

    def __init__(
        self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None,
        maximize=False, differentiable=False, capturable=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, weight_decay=weight_decay)
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        state = super()._new_state(p, group)
        count = state["step"]
        return state | {"eta": full_like(count, float(group["lr"])), "mu": full_like(count, 1.0)}

    def _numbers(self, states, group):
        """The rates and weights of this step, which the last one left; and those of the next."""
        lr, lambd = float(group["lr"]), group["lambd"]
        rates = [state["eta"].item() for state in states]
        weights = [state["mu"].item() for state in states]
        for state, step in zip(states, advance(states), strict=True):
            state["eta"].fill_(lr / (1 + lambd * lr * step) ** group["alpha"])
            state["mu"].fill_(1 / max(1, step - group["t0"]))
        return [rates, weights]
