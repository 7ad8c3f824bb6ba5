"""Adagrad: steps that shrink with the squares of all gradients so far."""

from tallow.creation import full_like
from tallow.errors import NotSupportedError
from tallow.optim.optimizer import Optimizer, advance, check_settings, given, hosted, new_count
from tallow.optim.update import direction, elementwise, plain


@elementwise
def adagrad(
    xp, p, g, total, step, *, lr, lr_decay, weight_decay, eps, maximize
):  # fmt: skip
    g = direction(p, g, weight_decay, maximize)
    total += g * g
    p -= (lr / (1 + (step - 1) * lr_decay)) * (g / (xp.sqrt(total) + eps))


class Adagrad(Optimizer):
    """Adagrad (Duchi et al., 2011).

    `p -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(sum) + eps)`, where `sum` is the sum of the
    squares of the gradients, from `initial_accumulator_value` on.
    """

    _algorithm = adagrad
    _hosts = True
    _slots = {"sum": None}

    def __init__(
        self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10,
        foreach=None, *, maximize=False, differentiable=False, fused=None,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps,
                       initial_accumulator_value=initial_accumulator_value)  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            self._states(group["params"], group)  # there before the first step, as in PyTorch

    def _update_sparse(self, group, p):
        from tallow.sparse.rows import changing  # there since the gradient is

        if group["weight_decay"]:
            raise NotSupportedError("Adagrad: expected no weight_decay with sparse gradients")
        (state,) = self._states([p], group)
        (step,) = advance([state])
        rate = plain(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        with changing(p, -p.grad if group["maximize"] else p.grad) as (place, g):
            total = state["sum"].array
            total[place] += g * g
            p.array[place] -= rate * (g / (total[place] ** 0.5 + group["eps"]))

    def _new_state(self, p, group):
        initial = group["initial_accumulator_value"]
        initial = complex(initial, initial) if p.is_complex() else initial
        count = new_count(p if hosted(group) else None)
        return {"step": count, "sum": full_like(p, initial)}
