"""Stochastic gradient descent."""

from tallow.creation import zeros_like
from tallow.errors import ArgumentError, NotSupportedError
from tallow.optim.optimizer import Optimizer, check_settings, column, given
from tallow.optim.update import direction, elementwise, plain


@elementwise
def sgd(
    xp, p, g, buffer, *, lr, momentum, dampening, weight_decay, nesterov, maximize
):  # fmt: skip
    g = direction(p, g, weight_decay, maximize)
    if momentum:
        buffer *= momentum
        buffer += (1 - dampening) * g
        g = g + momentum * buffer if nesterov else buffer
    p -= lr * g


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked.

    With gradient g, plus `weight_decay` times the parameter:
    `buffer = momentum * buffer + (1 - dampening) * g`, which is g itself at the first step, and
    `p -= lr * buffer`; with `nesterov` `p -= lr * (g + momentum * buffer)`
    (Sutskever et al., 2013).

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

    _counts = False

    def __init__(
        self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *,
        maximize=False, foreach=None, differentiable=False, fused=None,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ArgumentError("SGD: expected momentum and no dampening with nesterov")
        super().__init__(params, defaults)

    def _update_sparse(self, group, p):
        from tallow.sparse.rows import changing  # there since the gradient is

        if group["weight_decay"]:
            raise NotSupportedError("SGD: expected no weight_decay with sparse gradients")
        g, state = -p.grad if group["maximize"] else p.grad, self.state[p]
        if group["momentum"]:
            before = state.get("momentum_buffer")
            if before is None:
                buffer = g.detach().clone()
            else:
                buffer = before * group["momentum"] + g * (1 - group["dampening"])
            state["momentum_buffer"] = buffer
            g = g + buffer * group["momentum"] if group["nesterov"] else buffer
        with changing(p, g) as (place, values):
            p.array[place] -= plain(group["lr"]) * values

    def _update(self, group, params):
        if not group["momentum"]:
            sgd(group, params, [])
            return
        states = [self.state[p] for p in params]
        begun = [state.get("momentum_buffer") is not None for state in states]
        if all(begun):
            sgd(group, params, column(states, "momentum_buffer"))
            return
        fresh = [p for p, has_buffer in zip(params, begun, strict=True) if not has_buffer]
        for p in fresh:
            self.state[p]["momentum_buffer"] = zeros_like(p)
        first = group | {"dampening": 0}  # the buffer becomes the gradient itself
        sgd(first, fresh, [self.state[p]["momentum_buffer"] for p in fresh])
        rest = [p for p, has_buffer in zip(params, begun, strict=True) if has_buffer]
        if rest:
            self._update(group, rest)
