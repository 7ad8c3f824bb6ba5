"""Adam: steps scaled by running means of the gradient and of its square."""

from tallow.creation import zeros_like
from tallow.errors import ArgumentError
from tallow.optim.optimizer import (
    Optimizer,
    advance,
    check_fractions,
    check_settings,
    check_single,
    column,
    new_count,
)
from tallow.optim.update import update
from tallow.tensor import Tensor


@update
def adam(
    xp, params, grads, means, squares, maxima, steps, *, lr, beta1, beta2, eps, weight_decay,
    amsgrad, maximize, decoupled_weight_decay,
):  # fmt: skip
    for i, p in enumerate(params):
        g, mean, square, step = grads[i], means[i], squares[i], steps[i]
        if maximize:
            g = -g
        if weight_decay:
            if decoupled_weight_decay:
                p *= 1 - lr * weight_decay
            else:
                g = g + weight_decay * p
        mean += (1 - beta1) * (g - mean)
        square *= beta2
        square += (1 - beta2) * (g * g)
        if amsgrad:
            maxima[i][...] = xp.maximum(maxima[i], square)
            square = maxima[i]
        scale = xp.sqrt(square) / (1 - beta2**step) ** 0.5 + eps
        p -= (lr / (1 - beta1**step)) * (mean / scale)


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2015).

    `exp_avg` and `exp_avg_sq` are running means of the gradient and of its square that forget by
    `betas` a step; both are divided by 1 - beta**step, since they begin at 0, and `p -= lr *
    exp_avg / (sqrt(exp_avg_sq) + eps)`. `weight_decay` adds to the gradient, or with
    `decoupled_weight_decay` shrinks the parameter (`AdamW`). `amsgrad` takes the largest
    `exp_avg_sq` so far (Reddi et al., 2018).

    >>> import tallow
    >>> weight = tallow.nn.Parameter(tallow.zeros(1))
    >>> optimizer = tallow.optim.Adam([weight], lr=0.1)
    >>> (weight * 1000).sum().backward()
    >>> optimizer.step()
    >>> round(weight.item(), 4)
    -0.1
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *,
        foreach=None, maximize=False, capturable=False, differentiable=False, fused=None,
        decoupled_weight_decay=False,
    ):  # fmt: skip
        name = type(self).__name__
        check_single(name, lr=lr, beta1=betas[0], beta2=betas[1])
        check_settings(name, lr=lr, eps=eps, weight_decay=weight_decay)
        check_fractions(name, beta1=betas[0], beta2=betas[1])
        tensors = [isinstance(x, Tensor) for x in (lr, *betas)]
        if tensors[1] != tensors[2]:
            raise ArgumentError(
                f"{name}: expected betas to be two numbers or two tensors, got one of each"
            )
        if any(tensors) and foreach and not capturable:
            raise ArgumentError(
                f"{name}: expected numbers as lr and betas with foreach, got a tensor"
            )
        super().__init__(params, {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def _new_state(self, p, group):
        state = {"step": new_count(), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def _update(self, group, params):
        states = self._states(params, group)
        maxima = column(states, "max_exp_avg_sq") if group["amsgrad"] else []
        beta1, beta2 = group["betas"]
        adam(
            params, column(states, "exp_avg"), column(states, "exp_avg_sq"), maxima,
            advance(states), lr=group["lr"], beta1=beta1, beta2=beta2, eps=group["eps"],
            weight_decay=group["weight_decay"], amsgrad=group["amsgrad"],
            maximize=group["maximize"], decoupled_weight_decay=group["decoupled_weight_decay"],
            differentiable=group["differentiable"],
        )  # fmt: skip
