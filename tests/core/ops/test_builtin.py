"""Cases of the operations that autograd itself uses."""

import numpy as np
import pytest

from tallow.autograd import builtin as ops
from tallow.errors import ShapeError
from tallow.ops.index import getitem
from tallow.ops.shape import swap
from tallow.testing import Case, at_kink, checks, given


def sum_to(x, shape):
    extra = x.ndim - len(shape)
    x = x.sum(axis=tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return x.sum(axis=stretched, keepdims=True)


def patch(x, part, cut, arguments):
    out = x.copy()
    cut.__wrapped__(out, **arguments)[...] = part
    return out


def real(x, dtype):
    return x.real


def unstack(x, axis):
    return tuple(np.take(x, i, axis) for i in range(x.shape[axis]))


def cast(kind):
    return {"dtype": np.dtype(kind)}


CASES = [
    Case(
        ops.expand, lambda x, shape: np.broadcast_to(x, shape),
        given((2, 1), shape=(2, 3)), given((3,), shape=(2, 3)), given((), shape=(2, 2)),
        given((), shape=()), given((1, 3), shape=(0, 3)), given((2, 1, 3), shape=(2, 4, 3)),
        given((2, 3), shape=(2, 3)), dtypes="bifc",
    ),
    Case(
        ops.sum_to, sum_to,
        given((2, 3), shape=(2, 1)), given((2, 3), shape=(3,)), given((2, 3), shape=()),
        given((4, 2, 3), shape=(2, 1)), given((4, 2, 3), shape=(1, 2, 1)),
        given((0, 3), shape=(3,)), given((0, 3), shape=(1, 3)), dtypes="ifc", tolerance=2,
    ),
    Case(
        ops.cast, real, given((2, 3), **cast("f8")), given((), **cast("f8")),
        dtypes="fc", gives="f8",
    ),
    Case(ops.cast, real, at_kink((2, 3), **cast("f4")), dtypes="fc", gives="f4"),
    Case(ops.cast, lambda x, dtype: x, given((2, 3), **cast("c16")), dtypes="fc", gives="c16"),
    Case(
        ops.stack, lambda *xs, axis: np.stack(xs, axis),
        given((2, 3), (2, 3), axis=1), given((), (), (), axis=0), given((0, 2), axis=2),
        dtypes="bifc",
    ),
    Case(
        ops.unstack, unstack,
        given((2, 3), axis=0), given((2, 3), axis=1), given((3,), axis=0), given((2, 0), axis=0),
        dtypes="bifc",
    ),
    Case(
        ops.patch, patch,
        given((3, 4), (4,), cut=getitem, arguments={"key": (1, ...)}),
        given((3, 4), (2, 3), cut=getitem, arguments={"key": (slice(2), slice(1, None), ...)}),
        given((3, 4), (4, 3), cut=swap, arguments={"axis1": 0, "axis2": 1}),
        given((3,), (), cut=getitem, arguments={"key": (2, ...)}), dtypes="bifc",
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


@pytest.mark.parametrize("shape", [(2,), (2, 3, 1), (3, 2)])
def test_sum_to_refuses_what_broadcasting_cannot_give(shape):
    with pytest.raises(ShapeError, match=r"backward: expected a gradient that broadcasts from"):
        ops.sum_to(np.ones((2, 3)), shape=shape)
