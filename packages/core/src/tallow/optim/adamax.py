"""Adamax: Adam with the largest gradient in the place of the mean of squares."""

from tallow.optim.optimizer import Optimizer, check_betas, check_settings, given
from tallow.optim.update import direction, elementwise


@elementwise
def adamax(
    xp, p, g, mean, norm, step, *, lr, betas, eps, weight_decay, maximize
):  # fmt: skip
    beta1, beta2 = betas
    g = direction(p, g, weight_decay, maximize)
    mean += (1 - beta1) * (g - mean)
    norm[...] = xp.maximum(norm * beta2, xp.abs(g) + eps)
    p -= (lr / (1 - beta1**step)) * (mean / norm)


class Adamax(Optimizer):
    """Adamax (Kingma & Ba, 2015, section 7.1).

    `exp_inf = max(beta2 * exp_inf, |g| + eps)`, and
    `p -= lr / (1 - beta1 ** step) * exp_avg / exp_inf`.
    """

    _algorithm = adamax
    _hosts = True
    _slots = {"exp_avg": None, "exp_inf": None}

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *,
        maximize=False, differentiable=False, capturable=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(self, betas)
        super().__init__(params, defaults)
