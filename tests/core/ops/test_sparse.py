"""Cases of tallow.ops.sparse."""

import numpy as np
import pytest

from tallow.ops import sparse as ops
from tallow.testing import Case, checks, given

ROWS, COLUMNS = np.array([0, 2, 2, 0, 1]), np.array([1, 0, 3, 1, 3])
NONE = np.zeros(0, np.int64)


def matrix(values, rows, columns, shape):
    out = np.zeros(shape, values.dtype)
    np.add.at(out, (rows, columns), values)
    return out


def spmm(values, dense, rows, columns, count):
    return matrix(values, rows, columns, (count, len(dense))) @ dense


def sampled(x, y, rows, columns):
    return (x @ y.T)[rows, columns]


CASES = [
    Case(
        ops.spmm, spmm,
        given((5,), (4, 3), rows=ROWS, columns=COLUMNS, count=3),
        given((5,), (4, 1), rows=ROWS, columns=COLUMNS, count=6),
        given((0,), (4, 3), rows=NONE, columns=NONE, count=2), dtypes="ifc", tolerance=4,
    ),
    Case(
        ops.sampled, sampled,
        given((3, 2), (4, 2), rows=ROWS, columns=COLUMNS),
        given((3, 2), (4, 2), rows=NONE, columns=NONE), dtypes="ifc", tolerance=4,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
