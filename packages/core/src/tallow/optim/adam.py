"""Adam: steps scaled by running means of the gradient and of its square."""

from tallow.errors import ArgumentError
from tallow.optim.optimizer import Optimizer, check_betas, check_settings, given
from tallow.optim.update import direction, elementwise
from tallow.tensor import Tensor


@elementwise
def adam(
    xp, p, g, mean, square, largest, step, *, lr, betas, eps, weight_decay, amsgrad, maximize,
    decoupled_weight_decay,
):  # fmt: skip
    beta1, beta2 = betas
    if decoupled_weight_decay:
        p *= 1 - lr * weight_decay
    g = direction(p, g, 0 if decoupled_weight_decay else weight_decay, maximize)
    mean += (1 - beta1) * (g - mean)
    square *= beta2
    square += (1 - beta2) * (g * g)
    if amsgrad:
        largest[...] = xp.where(square <= largest, largest, square)
        square = largest
    scale = xp.sqrt(square) * (1 / (1 - beta2**step) ** 0.5) + eps
    p -= (lr / (1 - beta1**step)) * (mean / scale)


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2015).

    `exp_avg` and `exp_avg_sq` are running means of the gradient and of its square that keep `betas`
    of themselves at each step. Both are divided by `1 - beta ** step`, since they begin at 0, and
    `p -= lr * exp_avg / (sqrt(exp_avg_sq) + eps)`. `weight_decay` times the parameter is added to
    the gradient, or with `decoupled_weight_decay` shrinks the parameter (`AdamW`). `amsgrad` takes
    the largest `exp_avg_sq` so far (Reddi et al., 2018).

    >>> import tallow
    >>> weight = tallow.nn.Parameter(tallow.zeros(1))
    >>> optimizer = tallow.optim.Adam([weight], lr=0.1)
    >>> (weight * 1000).sum().backward()
    >>> optimizer.step()
    >>> round(weight.item(), 4)
    -0.1
    """

    _algorithm = adam
    _hosts = True
    _slots = {"exp_avg": None, "exp_avg_sq": None, "max_exp_avg_sq": "amsgrad"}

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *,
        foreach=None, maximize=False, capturable=False, differentiable=False, fused=None,
        decoupled_weight_decay=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(self, betas)
        if foreach and not capturable and any(isinstance(x, Tensor) for x in (lr, *betas)):
            name = type(self).__name__
            raise ArgumentError(
                f"{name}: expected lr and betas as numbers with foreach, got a tensor"
            )
        super().__init__(params, defaults)
