"""Muon: steps along matrices made orthogonal."""

import math

from tallow.creation import zeros_like
from tallow.dtypes import bfloat16, float32
from tallow.errors import ArgumentError, DtypeError, describe
from tallow.optim.optimizer import Optimizer, check_settings, column, given
from tallow.optim.update import update


@update
def muon(
    xp, p, g, buffer, *, lr, weight_decay, momentum, nesterov, ns_coefficients, eps, ns_steps,
    adjust_lr_fn,
):  # fmt: skip
    buffer += (1 - momentum) * (g - buffer)
    g = g + momentum * (buffer - g) if nesterov else buffer
    change = _orthogonal(xp, g, ns_coefficients, ns_steps, eps)
    p *= 1 - lr * weight_decay
    p -= _adjusted(lr, adjust_lr_fn, *p.shape) * change


def _orthogonal(xp, matrix, coefficients, count, eps):
    """Nearly the nearest matrix with orthogonal rows (or columns), by a Newton-Schulz iteration.

    With `A = X X^T` it is `X = a X + (b A + c A^2) X`. As in PyTorch, each result is rounded to
    bfloat16.
    """
    a, b, c = coefficients
    x = _rounded(matrix.T if matrix.shape[0] > matrix.shape[1] else matrix)
    x = _rounded(x / max(float(_rounded(xp.sqrt(xp.sum(x * x)))), eps))
    for _ in range(count):
        gram = _rounded(x @ x.T)
        x = _rounded(a * x + _rounded(b * gram + c * (gram @ gram)) @ x)
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def _rounded(x):
    return x.astype(bfloat16.numpy).astype(float32.numpy)


def _adjusted(lr, rule, rows, columns):
    if rule == "match_rms_adamw":
        return lr * 0.2 * math.sqrt(max(rows, columns))
    return lr * math.sqrt(max(1, rows / columns))


class Muon(Optimizer):
    """Muon (Jordan, 2024), for the matrices of hidden layers; others go to another optimizer.

    The running mean of the gradient, which keeps `momentum` of itself, is made orthogonal by
    `ns_steps` Newton-Schulz iterations with `ns_coefficients`. Its rate is `lr * sqrt(max(1, rows /
    columns))`, or by `adjust_lr_fn="match_rms_adamw"` `0.2 * lr * sqrt(max(rows, columns))`
    (Liu et al., 2025), which suits rates that were found for AdamW. Weight decay is AdamW's.
    """

    def __init__(
        self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7, ns_steps=5, adjust_lr_fn=None,
    ):  # fmt: skip
        defaults = given(locals())
        check_settings(self, lr=lr, weight_decay=weight_decay, momentum=momentum)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ArgumentError(
                f"Muon: expected adjust_lr_fn 'original' or 'match_rms_adamw', got {adjust_lr_fn!r}"
            )
        if ns_steps >= 100 or len(ns_coefficients) != 3:
            raise ArgumentError("Muon: expected fewer than 100 ns_steps and three ns_coefficients")
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ArgumentError(f"Muon: expected matrices, got {describe(p)}")

    def _new_state(self, p, group):
        if p.is_complex():
            raise DtypeError("Muon: expected real parameters, got a complex one")
        return {"momentum_buffer": zeros_like(p)}

    def _update(self, group, params):
        muon(group, params, column(self._states(params, group), "momentum_buffer"))
