"""Cases of tallow.ops.scatter."""

import numpy as np
import pytest

from tallow.ops import scatter as ops
from tallow.testing import Case, at_kink, checks, given, ints


def scattered(combine):
    """A reference that combines element by element."""

    def reference(x, src, axis, index):
        out = x.copy()
        for at in np.ndindex(*index.shape):
            there = at[:axis] + (index[at],) + at[axis + 1 :]
            out[there] = combine(out[there], src[at])
        return out

    return reference


def extreme(x, src, axis, index, largest):
    return scattered(max if largest else min)(x, src, axis, index)


def ties(x, src, out, axis, index):
    count = (x == out).astype(float)
    there = [(at, at[:axis] + (index[at],) + at[axis + 1 :]) for at in np.ndindex(*index.shape)]
    for at, place in there:
        count[place] += src[at] == out[place]
    theirs = np.array([(src[at] == out[p]) / count[p] for at, p in there]).reshape(index.shape)
    return (x == out) / count, theirs


PLACES = np.array([[0, 2, 1, 0], [1, 0, 0, 2]])
ZEROS = np.array([[2.0, 0, 1, 3], [0, 0, 2, 5], [1, 2, 0, 4]])
CASES = [
    Case(
        ops.scatter_prod, scattered(lambda a, b: a * b),
        given((3, 4), (2, 4), axis=0, index=PLACES), given((3,), (5,), axis=0, index=ints((5,), 3)),
        given((3, 4), (3, 2), axis=1, index=ints((3, 2), 4)),
        given(ZEROS, ZEROS[:2], axis=0, index=PLACES), dtypes="ifc", tolerance=8,
    ),
    Case(
        ops.scatter_extreme, extreme,
        given((3, 4), (2, 4), axis=0, index=PLACES, largest=True),
        given((3, 4), (3, 2), axis=1, index=ints((3, 2), 4), largest=False), dtypes="if",
    ),
    Case(
        ops.scatter_ties, ties,
        at_kink(
            np.array([1.0, 3, 2]), np.array([3.0, 0, 2, 2]), np.array([1.0, 3, 2]),
            axis=0, index=np.array([1, 0, 2, 2]),
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
