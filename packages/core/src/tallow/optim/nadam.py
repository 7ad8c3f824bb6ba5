"""NAdam: Adam that looks ahead, as Nesterov's momentum does."""

from tallow.creation import ones_like
from tallow.optim.optimizer import Optimizer, advance, check_betas, check_settings, given
from tallow.optim.update import direction, elementwise


def _momentum(beta1, step, momentum_decay):
    return beta1 * (1.0 - 0.5 * 0.96 ** (step * momentum_decay))


@elementwise
def nadam(
    xp, p, g, mean, square, step, product, *, lr, betas, eps, weight_decay, momentum_decay,
    maximize, decoupled_weight_decay,
):  # fmt: skip
    beta1, beta2 = betas
    if decoupled_weight_decay:
        p *= 1 - lr * weight_decay
    g = direction(p, g, 0 if decoupled_weight_decay else weight_decay, maximize)
    now = _momentum(beta1, step, momentum_decay)
    following = _momentum(beta1, step + 1, momentum_decay)
    mean += (1 - beta1) * (g - mean)
    square *= beta2
    square += (1 - beta2) * (g * g)
    by_gradient = lr * (1.0 - now) / (1.0 - product)
    by_mean = lr * following / (1.0 - product * following)
    scale = xp.sqrt(square * (1 / (1 - beta2**step))) + eps
    p -= (by_gradient * g + by_mean * mean) / scale


class NAdam(Optimizer):
    """NAdam (Dozat, 2016).

    The momentum of a step is `mu = beta1 * (1 - 0.96 ** (step * momentum_decay) / 2)`, and
    `mu_product` is that of all steps; the rest is as in Adam, with the momentum of the next step in
    the place of that of this one, and the gradient beside.
    """

    _algorithm = nadam
    _slots = {"exp_avg": None, "exp_avg_sq": None}

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
        decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False,
        differentiable=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(
            self, lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay
        )
        check_betas(self, betas)
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        state = super()._new_state(p, group)
        return state | {"mu_product": ones_like(state["step"])}

    def _numbers(self, states, group):
        steps, products = advance(states), []
        for state, step in zip(states, steps, strict=True):
            product = state["mu_product"].array
            product *= _momentum(float(group["betas"][0]), step, group["momentum_decay"])
            products.append(product.item())
        return [steps, products]
