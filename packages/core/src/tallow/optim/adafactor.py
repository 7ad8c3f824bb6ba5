"""Adafactor: the mean of squares of a matrix kept as one of its rows and one of its columns."""

from tallow.dtypes import FROM_NUMPY
from tallow.errors import ArgumentError, DtypeError
from tallow.info import finfo
from tallow.optim.optimizer import Optimizer, check_settings, given, new_count
from tallow.optim.update import direction, update


@update
def adafactor(
    xp, p, g, row, column, variance, step, *, lr, beta2_decay, eps, d, weight_decay, maximize
):  # fmt: skip
    if not p.size:
        return
    g = direction(p, g, 0, maximize)
    smallest = finfo(FROM_NUMPY[p.dtype]).eps if eps[0] is None else eps[0]
    fresh = step**beta2_decay
    rate = max(eps[1], _root_mean_square(xp, p)) * min(lr, 1 / step**0.5)
    if weight_decay:
        p *= 1 - lr * weight_decay
    if g.ndim > 1:
        row += fresh * (xp.mean(g * g, axis=-1, keepdims=True) - row)
        column += fresh * (xp.mean(g * g, axis=-2, keepdims=True) - column)
        mean = xp.mean(row, axis=-2, keepdims=True)
        variance = row * column / xp.maximum(mean, smallest)
    else:
        variance += fresh * (g * g - variance)
    change = g / xp.sqrt(xp.maximum(variance, smallest * smallest))
    p -= (rate / max(1.0, _root_mean_square(xp, change) / d)) * change


def _root_mean_square(xp, x):
    return float(xp.sqrt(xp.sum(x * x) / x.size))


class Adafactor(Optimizer):
    """Adafactor (Shazeer & Stern, 2018).

    For a matrix, the mean of squares is estimated from those of its rows and its columns,
    `row_var @ col_var / mean(row_var)`, so that no more is kept than a row and a column. Of it a
    step forgets `step ** beta2_decay`. The change is scaled to a root mean square of at most `d`,
    and by that of the parameter, at least `eps[1]`; `eps[0]` is the least variance (None: the
    dtype's eps). `lr` is the most that a step changes, of which later steps take 1 / sqrt(step).
    """

    _algorithm = adafactor

    def __init__(
        self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *,
        foreach=None, maximize=False,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, weight_decay=weight_decay)
        check_settings(self, **{"eps[0]": eps[0] or 0.0, "eps[1]": eps[1]})
        if beta2_decay > 0.0:
            raise ArgumentError(f"Adafactor: expected beta2_decay of 0 or less, got {beta2_decay}")
        if not d >= 1.0:
            raise ArgumentError(f"Adafactor: expected d of 1 or more, got {d}")
        super().__init__(params, defaults)

    def _new_state(self, p, group):
        if p.is_complex():
            raise DtypeError("Adafactor: expected real parameters, got a complex one")
        if p.ndim < 2:
            return {"step": new_count(), "variance": p.new_zeros(p.shape)}
        *outer, rows, columns = p.shape
        return {
            "step": new_count(),
            "row_var": p.new_zeros((*outer, rows, 1)),
            "col_var": p.new_zeros((*outer, 1, columns)),
        }

    def _update(self, group, params):
        states = self._states(params, group)
        kept = [
            [state.get(name) for state in states] for name in ("row_var", "col_var", "variance")
        ]
        adafactor(group, params, *kept, *self._numbers(states, group))
