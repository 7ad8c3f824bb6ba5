"""Cases of tallow.ops.linalg."""

import numpy as np
import pytest

from tallow.ops import linalg as ops
from tallow.testing import Case, checks, given


def linear(x, weight, bias):
    out = np.einsum("...i,oi->...o", x, weight)
    return out if bias is None else out + bias


def euclidean(x, y):
    return np.sqrt(((x[..., :, None, :] - y[..., None, :, :]) ** 2).sum(-1))


CASES = [
    Case(
        ops.matmul, np.matmul,
        given((2, 3), (3, 4)), given((3,), (3,)), given((2, 3), (3,)), given((3,), (3, 2)),
        given((0, 3), (3, 2)), given((2, 0), (0, 3)), given((4, 1, 2, 3), (5, 3, 2)),
        given((3,), (2, 3, 2)), given((2, 2, 3), (3,)), given((2, 3, 4), (4, 2)),
        dtypes="ifc", tolerance=4,
    ),
    Case(
        ops.linear, linear,
        given((2, 3), (4, 3), (4,)), given((3,), (2, 3), None), given((2, 2, 3), (1, 3), (1,)),
        given((0, 3), (2, 3), (2,)), given((2, 3), (0, 3), (0,)),
        dtypes="fc", tolerance=4,
    ),
    Case(
        ops.euclidean, euclidean,
        given((2, 3), (4, 3)), given((3, 2, 2), (4, 2)), given((1, 2), (0, 2)), tolerance=100,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
