"""Cases of tallow.ops.shape."""

import numpy as np
import pytest

from tallow.ops import shape as ops
from tallow.testing import Case, checks, given


def sum_tiles(x, repeats, shape):
    for axis, (r, n) in enumerate(zip(repeats, shape, strict=True)):
        zero = np.zeros((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype)
        x = sum(np.split(x, r, axis), zero) if r else zero
    return x


def crop(x, widths):
    return x[tuple(slice(low, n - high) for n, (low, high) in zip(x.shape, widths, strict=True))]


def cut(x, axis, start, stop):
    return np.take(x, np.arange(start, stop), axis)


def diagonal_scatter(x, shape, offset, axis1, axis2):
    out = np.zeros(shape, x.dtype)
    for index in np.ndindex(*shape):
        i, j = index[axis1], index[axis2]
        if j - i == offset:
            rest = tuple(n for axis, n in enumerate(index) if axis not in (axis1, axis2))
            out[index] = x[(*rest, min(i, j))]
    return out


ALL = "bifc"
CASES = [
    Case(
        ops.reshape, lambda x, shape: np.reshape(x, shape),
        given((2, 6), shape=(3, 4)), given((2, 3), shape=(-1,)), given((), shape=(1, 1)),
        given((1,), shape=()), given((0, 3), shape=(3, 0)), dtypes=ALL,
    ),
    Case(
        ops.permute, lambda x, axes: np.transpose(x, axes),
        given((2, 3, 4), axes=(2, 0, 1)), given((), axes=()), given((0, 2), axes=(1, 0)),
        dtypes=ALL,
    ),
    Case(
        ops.swap, lambda x, axis1, axis2: np.swapaxes(x, axis1, axis2),
        given((2, 3, 4), axis1=0, axis2=2), given((2, 3), axis1=-1, axis2=-2),
        given((2, 0), axis1=0, axis2=1), dtypes=ALL,
    ),
    Case(
        ops.flip, lambda x, axis: np.flip(x, axis),
        given((2, 3), axis=(0,)), given((2, 3), axis=(0, 1)), given((2, 3), axis=()),
        given((), axis=()), given((0, 2), axis=(0,)), dtypes=ALL,
    ),
    Case(
        ops.roll, lambda x, shifts, axis: np.roll(x, shifts, axis),
        given((2, 3), shifts=(1,), axis=(1,)), given((4, 3), shifts=(-5, 2), axis=(0, 1)),
        given((0,), shifts=(1,), axis=(0,)), dtypes=ALL,
    ),
    Case(
        ops.repeat_each, lambda x, axis, count: np.repeat(x, count, axis),
        given((2, 3), axis=1, count=2), given((2, 3), axis=0, count=3),
        given((2,), axis=0, count=0), given((0, 2), axis=1, count=1), dtypes=ALL,
    ),
    Case(
        ops.repeat, lambda x, repeats: np.tile(x, repeats),
        given((2, 3), repeats=(2, 1)), given((2, 3), repeats=(3, 2)), given((), repeats=()),
        given((2,), repeats=(0,)), given((0, 2), repeats=(2, 2)), dtypes=ALL,
    ),
    Case(
        ops.sum_tiles, sum_tiles,
        given((4, 3), repeats=(2, 1), shape=(2, 3)), given((6, 4), repeats=(3, 2), shape=(2, 2)),
        given((), repeats=(), shape=()), given((0, 3), repeats=(0, 1), shape=(2, 3)),
        given((0, 4), repeats=(2, 2), shape=(0, 2)), dtypes="fc", tolerance=4,
    ),
    Case(
        ops.cut, cut,
        given((5,), axis=0, start=1, stop=3), given((2, 4, 3), axis=1, start=0, stop=4),
        given((2, 3), axis=1, start=2, stop=2), given((0, 3), axis=1, start=1, stop=2),
        dtypes=ALL,
    ),
    Case(
        ops.pad, lambda x, widths, value: np.pad(x, widths, constant_values=value),
        given((2, 3), widths=((1, 0), (0, 2)), value=0), given((2,), widths=((2, 1),), value=3),
        given((0,), widths=((1, 1),), value=1), dtypes=ALL,
    ),
    Case(
        ops.crop, crop,
        given((4, 5), widths=((1, 0), (2, 2))), given((3,), widths=((0, 0),)),
        given((3,), widths=((2, 1),)), dtypes=ALL,
    ),
    Case(
        ops.cat, lambda *xs, axis: np.concatenate(xs, axis),
        given((2, 3), (1, 3), axis=0), given((2, 3), (2, 0), (2, 2), axis=1),
        given((4,), axis=0), given((0,), (0,), axis=0), dtypes=ALL,
    ),
    Case(
        ops.tril, lambda x, k: np.tril(x, k),
        given((3, 4), k=0), given((2, 3, 3), k=-1), given((3, 2), k=1), given((0, 3), k=0),
        dtypes=ALL,
    ),
    Case(
        ops.triu, lambda x, k: np.triu(x, k),
        given((3, 4), k=0), given((2, 3, 3), k=-1), given((3, 2), k=1), given((3, 0), k=0),
        dtypes=ALL,
    ),
    Case(
        ops.diagonal,
        lambda x, offset, axis1, axis2: np.diagonal(x, offset, axis1, axis2),
        given((3, 4), offset=0, axis1=0, axis2=1), given((3, 4), offset=2, axis1=0, axis2=1),
        given((3, 2, 4), offset=-1, axis1=2, axis2=0), given((3, 3), offset=5, axis1=0, axis2=1),
        dtypes=ALL,
    ),
    Case(
        ops.diagonal_scatter, diagonal_scatter,
        given((3,), shape=(3, 4), offset=0, axis1=0, axis2=1),
        given((2,), shape=(3, 4), offset=2, axis1=0, axis2=1),
        given((2, 2), shape=(3, 2, 4), offset=-1, axis1=0, axis2=2),
        given((0,), shape=(3, 3), offset=3, axis1=0, axis2=1), dtypes=ALL,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
