"""Cases of tallow.ops.running."""

import numpy as np
import pytest

from tallow.ops import running as ops
from tallow.testing import Case, at_kink, checks, given


def cumargmax(x, axis, smallest):
    x = np.moveaxis(x * (-1 if smallest else 1), axis, 0)
    out = np.zeros(x.shape, np.int64)
    for i in range(1, len(x)):
        out[i] = i - np.argmax(x[i::-1], axis=0)
    return np.moveaxis(out, 0, axis)


def logcumsumexp(x, axis):
    return np.log(np.cumsum(np.exp(x), axis))


def shares(g, x, y, axis):
    """(..., i, j): g of its own axis times exp(x_i - y_j) where i is no later than j."""
    g, x, y = (np.moveaxis(part, axis, -1) for part in (g, x, y))
    return g, np.triu(np.exp(x[..., :, None] - y[..., None, :]))


def shares_before(g, x, y, axis):
    g, factors = shares(g, x, y, axis)
    return np.moveaxis((factors * g[..., None, :]).sum(-1), -1, axis)


def shares_after(g, x, y, axis):
    g, factors = shares(g, x, y, axis)
    return np.moveaxis((factors * g[..., :, None]).sum(-2), -1, axis)


def median(x, skip_nan):
    flat = np.sort(x.reshape(-1))
    if np.isnan(flat).any() and not skip_nan:
        return np.array(np.nan)
    flat = flat[~np.isnan(flat)]
    return flat[(len(flat) - 1) // 2] if len(flat) else np.array(np.nan)


NAN = np.array([1.0, np.nan, 3, 0])
RUNNING = [given((4,), axis=0), given((2, 3), axis=1), given((0, 2), axis=0)]
SHARES = [given((5,), (5,), (5,), axis=0), given((2, 3), (2, 3), (2, 3), axis=1)]
CASES = [
    Case(
        ops.cumargmax, cumargmax,
        given((4,), axis=0, smallest=False), given((2, 5), axis=1, smallest=True),
        given((0, 2), axis=0, smallest=False), dtypes="if", gives=np.int64,
    ),
    Case(ops.logcumsumexp, logcumsumexp, *RUNNING, tolerance=8),
    Case(ops.shares_before, shares_before, *SHARES, tolerance=32),
    Case(ops.shares_after, shares_after, *SHARES, tolerance=32),
    Case(
        ops.median, median,
        given((5,), skip_nan=False), given((2, 3), skip_nan=True), given((), skip_nan=False),
        at_kink(NAN, skip_nan=True), at_kink(NAN, skip_nan=False), dtypes="if",
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
