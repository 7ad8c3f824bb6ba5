"""Stochastic gradient descent."""

from tallow.errors import ArgumentError
from tallow.optim.optimizer import Optimizer, check_settings, check_single, column
from tallow.optim.update import update


@update
def sgd(xp, params, grads, buffers, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    for i, p in enumerate(params):
        g = grads[i]
        if maximize:
            g = -g
        if weight_decay:
            g = g + weight_decay * p
        if momentum:
            buffer = buffers[i]
            buffer *= momentum
            buffer += (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
        p -= lr * g


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked.

    With gradient g, plus `weight_decay` times the parameter: `buffer = momentum * buffer + (1 -
    dampening) * g`, which is g itself at the first step, and `p -= lr * buffer`; with `nesterov` `p
    -= lr * (g + momentum * buffer)` (Sutskever et al., 2013).

    >>> import tallow
    >>> weight = tallow.nn.Parameter(tallow.zeros(1))
    >>> optimizer = tallow.optim.SGD([weight], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     weight.sum().backward()
    ...     optimizer.step()
    >>> round(weight.item(), 4)
    -0.29
    """

    def __init__(
        self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *,
        maximize=False, foreach=None, differentiable=False, fused=None,
    ):  # fmt: skip
        check_single("SGD", lr=lr)
        check_settings("SGD", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ArgumentError("SGD: expected a momentum and no dampening with nesterov")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def _update(self, group, params):
        if not group["momentum"]:
            self._descend(group, params, [], group["dampening"])
            return
        fresh = [p for p in params if self.state[p].get("momentum_buffer") is None]
        if fresh:
            for p in fresh:
                self.state[p]["momentum_buffer"] = p.new_zeros(p.shape)
            self._descend(group, fresh, self._buffers(fresh), 0)  # the buffer becomes the gradient
        others = set(params).difference(fresh)
        params = [p for p in params if p in others]
        if params:
            self._descend(group, params, self._buffers(params), group["dampening"])

    def _buffers(self, params):
        return column([self.state[p] for p in params], "momentum_buffer")

    def _descend(self, group, params, buffers, dampening):
        sgd(
            params, buffers, lr=group["lr"], momentum=group["momentum"], dampening=dampening,
            weight_decay=group["weight_decay"], nesterov=group["nesterov"],
            maximize=group["maximize"], differentiable=group["differentiable"],
        )  # fmt: skip
