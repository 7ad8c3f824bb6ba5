"""Cases of tallow.ops.strided."""

import numpy as np
import pytest

from tallow.ops import strided as ops
from tallow.testing import Case, checks, given


def frames(x, axis, size, step):
    starts = range(0, x.shape[axis] - size + 1, step)
    parts = [np.moveaxis(np.take(x, range(n, n + size), axis), axis, -1) for n in starts]
    return np.stack(parts, axis)


def overlap_add(x, axis, length, step):
    x = np.moveaxis(x, axis, 0)  # (count, ..., size)
    out = np.zeros((*x.shape[1:-1], length), x.dtype)
    for i, part in enumerate(x):
        out[..., i * step : i * step + x.shape[-1]] += part
    return np.moveaxis(out, -1, axis)


def positions(shape, strides, start):
    places = [start + sum(map(int.__mul__, at, strides)) for at in np.ndindex(*shape)]
    return np.array(places, int).reshape(shape)


def as_strided(x, shape, strides, start):
    return x.reshape(-1)[positions(shape, strides, start)]


def add_strided(g, shape, strides, start):
    out = np.zeros(int(np.prod(shape)), g.dtype)
    np.add.at(out, positions(g.shape, strides, start), g)
    return out.reshape(shape)


LAYOUTS = [((3, 4), (2, 3), (4, 1), 1), ((12,), (2, 2, 2), (3, 0, 1), 4), ((5,), (), (), 2)]
CASES = [
    Case(
        ops.frames, frames,
        given((7,), axis=0, size=3, step=2), given((2, 6), axis=1, size=2, step=1),
        given((6, 2), axis=0, size=4, step=3), given((2, 5, 2), axis=1, size=2, step=3),
        given((4,), axis=0, size=1, step=2), dtypes="bifc",
    ),
    Case(
        ops.overlap_add, overlap_add,
        given((3, 3), axis=0, length=7, step=2), given((2, 5, 2), axis=1, length=6, step=1),
        given((1, 2, 4), axis=0, length=6, step=3), given((2, 2, 2, 2), axis=1, length=5, step=3),
        given((3, 4), axis=0, length=8, step=2), dtypes="ifc", tolerance=4,
    ),
    Case(
        ops.as_strided, as_strided,
        *[given(x, shape=shape, strides=n, start=start) for x, shape, n, start in LAYOUTS],
        dtypes="bifc",
    ),
    Case(
        ops.add_strided, add_strided,
        *[given(part, shape=x, strides=n, start=start) for x, part, n, start in LAYOUTS],
        dtypes="ifc", tolerance=4,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
