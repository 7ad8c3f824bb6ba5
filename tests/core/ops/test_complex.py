"""Cases of tallow.ops.complex."""

import numpy as np
import pytest

from tallow.ops import complex as ops
from tallow.testing import Case, checks, given

ONE = [given((2, 3)), given(()), given((0, 2))]
TWO = [given((2, 3), (2, 3)), given((3,), (2, 1)), given((), ())]
PAIRS = [given((3, 2)), given((2,)), given((0, 2))]


def view_as_real(x):
    return np.stack([x.real, x.imag], -1)


def view_as_complex(x):
    return x[..., 0] + 1j * x[..., 1]


CASES = [
    Case(ops.conj, np.conj, *ONE, dtypes="c"),
    Case(ops.real, np.real, *ONE, dtypes="c"),
    Case(ops.imag, np.imag, *ONE, dtypes="c"),
    Case(ops.view_as_real, view_as_real, *ONE, dtypes="c"),
    Case(ops.view_as_complex, view_as_complex, *PAIRS, dtypes=("f4", "f8")),
    Case(ops.join, lambda x, y: x + 1j * y, *TWO, dtypes=("f4", "f8")),
    Case(ops.angle, np.angle, *ONE, dtypes="fc", kinks=(0,), tolerance=8),
]


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
