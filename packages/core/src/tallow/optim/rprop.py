"""Rprop: steps that look at the sign of the gradient alone."""

from tallow.creation import full_like
from tallow.errors import ArgumentError
from tallow.optim.optimizer import Optimizer, check_settings, given
from tallow.optim.update import direction, elementwise


@elementwise
def rprop(xp, p, g, previous, size, step, *, etas, step_sizes, maximize):
    g = direction(p, g, 0, maximize)
    same = g * previous
    turned = same < 0
    changed = xp.where(same > 0, size * etas[1], xp.where(turned, size * etas[0], size))
    size[...] = xp.clip(changed, *step_sizes)
    g = xp.where(turned, 0.0, g)
    p -= xp.sign(g) * size
    previous[...] = g


class Rprop(Optimizer):
    """Rprop (Riedmiller & Braun, 1993), for gradients of all data at once.

    Every element has a step size, `lr` at first, within `step_sizes`. It grows by `etas[1]` where
    the gradient kept its sign; where it did not, it shrinks by `etas[0]` and no step is made.
    """

    _algorithm = rprop
    _hosts = True
    _slots = {"prev": None, "step_size": None}

    def __init__(
        self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, capturable=False,
        foreach=None, maximize=False, differentiable=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ArgumentError(f"Rprop: expected etas below and above 1, got {etas}")
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        lr = float(group["lr"])
        size = full_like(p, complex(lr, lr) if p.is_complex() else lr)
        return super()._new_state(p, group) | {"step_size": size}
