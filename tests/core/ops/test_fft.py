"""Cases of tallow.ops.fft: transforms as sums of sines and cosines."""

import numpy as np
import pytest

from tallow.ops import fft as ops
from tallow.testing import Case, checks, given


def matrix(n, sign, norm):
    scale = {"backward": 1.0 if sign < 0 else 1 / n, "ortho": n**-0.5}
    turns = np.outer(np.arange(n), np.arange(n))
    return np.exp(sign * 2j * np.pi * turns / n) * scale.get(norm, 1 / n if sign < 0 else 1.0)


def along(x, m, axis):
    return np.moveaxis(np.moveaxis(x, axis, -1) @ m.T, -1, axis)


def transform(sign):
    def reference(x, axes, norm):
        for axis in axes:
            x = along(x, matrix(x.shape[axis], sign, norm), axis)
        return x

    return reference


def rfft(x, axis, norm):
    n = x.shape[axis]
    return along(x, matrix(n, -1, norm)[: n // 2 + 1], axis)


def irfft(x, n, axis, norm):
    return along(x, (matrix(n, 1, norm)[:, : n // 2 + 1] * paired(n, 2)), axis).real


def paired(n, factor):
    weights = np.full(n // 2 + 1, float(factor))
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights


def scale_paired(x, n, axis, factor):
    return along(x, np.diag(paired(n, factor)), axis)


NORMS = ["backward", "ortho", "forward"]
WHOLE = [given((3, 4), axes=(1,), norm=norm) for norm in NORMS] + [
    given((3, 2, 4), axes=(0, 2), norm="backward"), given((0, 3), axes=(1,), norm="ortho"),
    given((1,), axes=(0,), norm="backward"), given((9, 4), axes=(1,), norm="ortho"),
]  # fmt: skip


def without_half(case):
    """Transforms take no 16-bit floats."""
    case.dtypes = [t for t in case.dtypes if t.itemsize > 2]
    return case


CASES = [
    Case(ops.fft, transform(-1), *WHOLE, dtypes="c", tolerance=8),
    Case(ops.ifft, transform(1), *WHOLE, dtypes="c", tolerance=8),
    without_half(
        Case(
            ops.rfft, rfft, *[given((2, n), axis=1, norm=norm) for n in (4, 5) for norm in NORMS],
            given((6, 2), axis=0, norm="backward"), given((1,), axis=0, norm="ortho"),
            given((9, 4), axis=1, norm="ortho"), tolerance=8,
        )
    ),
    Case(
        ops.irfft, irfft,
        *[given((2, 3), n=n, axis=1, norm=norm) for n in (4, 5) for norm in NORMS],
        given((4, 2), n=6, axis=0, norm="backward"), given((1,), n=1, axis=0, norm="ortho"),
        given((9, 3), n=4, axis=1, norm="ortho"), dtypes="c", tolerance=8,
    ),
    Case(
        ops.scale_paired, scale_paired,
        given((2, 3), n=4, axis=1, factor=2), given((2, 3), n=5, axis=1, factor=0.5),
        given((4, 2), n=6, axis=0, factor=2), given((1,), n=1, axis=0, factor=2),
        dtypes="c", tolerance=4,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
