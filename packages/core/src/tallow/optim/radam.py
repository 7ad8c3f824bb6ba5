"""RAdam: Adam that does without the mean of squares until it is known well enough."""

from tallow.optim.optimizer import Optimizer, check_betas, check_settings, given
from tallow.optim.update import choose, direction, elementwise


@elementwise
def radam(
    xp, p, g, mean, square, step, *, lr, betas, eps, weight_decay, maximize,
    decoupled_weight_decay,
):  # fmt: skip
    beta1, beta2 = betas
    if decoupled_weight_decay:
        p *= 1 - lr * weight_decay
    g = direction(p, g, 0 if decoupled_weight_decay else weight_decay, maximize)
    mean += (1 - beta1) * (g - mean)
    square *= beta2
    square += (1 - beta2) * (g * g)
    longest, rest = 2 / (1 - beta2) - 1, 1 - beta2**step
    length = longest - 2 * step * beta2**step / rest
    is_known = length > 5.0
    known = choose(is_known, (length - 4) * (length - 2) * longest, 0.0)
    rectify = (known / ((longest - 4) * (longest - 2) * length)) ** 0.5 * rest**0.5
    rate = lr / (1 - beta1**step) * choose(is_known, rectify, 1.0)
    p -= rate * choose(is_known, mean / (xp.sqrt(square) + eps), mean)


class RAdam(Optimizer):
    """RAdam (Liu et al., 2020).

    As Adam, times a factor that rises to 1 with how many gradients the mean of squares holds;
    while they are at most 5, `p -= lr * exp_avg / (1 - beta1 ** step)`.
    """

    _algorithm = radam
    _hosts = True
    _slots = {"exp_avg": None, "exp_avg_sq": None}

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0,
        decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False,
        differentiable=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(self, betas)
        super().__init__(params, defaults)
