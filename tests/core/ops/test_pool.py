"""Cases of tallow.ops.pool and tallow.ops.resample, against loops over windows and tables."""

from itertools import product

import numpy as np
import pytest

from tallow.ops import pool as ops
from tallow.ops import resample, taps
from tallow.testing import Case, checks, given


def windows(size, kernel, stride, padding, dilation, count):
    """Each window's place and the places in the input that it looks at."""
    for out in product(*map(range, count)):
        axes = zip(out, kernel, stride, padding, dilation, size, strict=True)
        ranges = [
            [i for i in range(o * s - p, o * s - p + d * k, d) if 0 <= i < n]
            for o, k, s, p, d, n in axes
        ]
        yield out, list(product(*ranges))


def over(n):
    """The key of a place in all images and channels."""
    return lambda place: (slice(None), slice(None), *place)


at = over(2)


def best(x, kernel, stride, padding, dilation, count):
    """The flat positions of the first maxima (N, C, *count)."""
    out = np.zeros((*x.shape[:2], *count), np.int64)
    for place, seen in windows(x.shape[2:], kernel, stride, padding, dilation, count):
        values = np.stack([x[at(source)] for source in seen])
        flat = np.array([np.ravel_multi_index(source, x.shape[2:]) for source in seen])
        out[at(place)] = flat[values.argmax(0)]
    return out


def flat(x):
    return x.reshape(*x.shape[:2], int(np.prod(x.shape[2:])))


def taken(x, index):
    shape = (*x.shape[:2], *index.shape[2:])
    index = np.broadcast_to(flat(index), (*x.shape[:2], flat(index).shape[2]))
    return np.take_along_axis(flat(x), index, 2).reshape(shape)


def put_back(g, index, size):
    out = np.zeros((*g.shape[:2], int(np.prod(size))), g.dtype)
    index = np.broadcast_to(flat(index), flat(g).shape)
    for n, c in np.ndindex(*g.shape[:2]):
        np.add.at(out[n, c], index[n, c], flat(g)[n, c])
    return out.reshape(*g.shape[:2], *size)


def max_pool(x, **how):
    return taken(x, best(x, **how))


def max_pool_grad(g, x, out, **how):
    return put_back(g, best(x, **how), x.shape[2:])


def max_pool_pick(v, x, out, **how):
    return taken(v, best(x, **how))


def pool_sum(x, kernel, stride, padding, count):
    out = np.zeros((*x.shape[:2], *count), x.dtype)
    for place, seen in windows(x.shape[2:], kernel, stride, padding, (1,) * len(kernel), count):
        for source in seen:
            out[at(place)] += x[at(source)]
    return out


def pool_spread(g, size, kernel, stride, padding, count):
    out = np.zeros((*g.shape[:2], *size), g.dtype)
    for place, seen in windows(size, kernel, stride, padding, (1,) * len(kernel), count):
        for source in seen:
            out[at(source)] += g[at(place)]
    return out


def window_argmax(x, places):
    tables = [np.broadcast_to(t, (*x.shape[:2], *t.shape[-2:])) for t in places]
    count = tuple(t.shape[2] for t in tables)
    out = np.zeros((*x.shape[:2], *count), np.int64)
    for n, c in np.ndindex(*x.shape[:2]):
        for place in np.ndindex(count):
            seen = list(product(*[t[n, c, i] for t, i in zip(tables, place, strict=True)]))
            sources = [np.ravel_multi_index(source, x.shape[2:]) for source in seen]
            out[(n, c, *place)] = sources[np.argmax([x[(n, c, *source)] for source in seen])]
    return out


def max_unpool(x, index, size):
    out = np.zeros((*x.shape[:2], int(np.prod(size))), x.dtype)
    np.put_along_axis(out, flat(index), flat(x), 2)
    return out.reshape(*x.shape[:2], *size)


MAXIMA = [  # x, and how it is pooled
    ((2, 3, 7), {"kernel": (3,), "stride": (2,), "padding": (1,), "dilation": (1,), "count": (4,)}),
    ((2, 2, 6, 6), {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1),
                    "count": (3, 3)}),
    ((2, 3, 5, 6), {"kernel": (2, 3), "stride": (2, 2), "padding": (0, 1), "dilation": (1, 2),
                    "count": (3, 2)}),
    ((1, 2, 4, 3, 4), {"kernel": (2, 2, 2), "stride": (2, 1, 2), "padding": (0, 0, 0),
                       "dilation": (1, 1, 1), "count": (2, 2, 2)}),
    ((0, 2, 4), {"kernel": (2,), "stride": (2,), "padding": (0,), "dilation": (1,), "count": (2,)}),
]  # fmt: skip
SUMS = [
    (x, {name: value for name, value in how.items() if name != "dilation"})
    for x, how in MAXIMA
    if not any(d > 1 for d in how["dilation"])
]


def maxima(make):
    return [make(x, (*x[:2], *how["count"]), how) for x, how in MAXIMA]


def pooled(shape, how):
    """An input without ties, and its maxima."""
    x = np.random.default_rng(3).permutation(np.arange(float(np.prod(shape)))).reshape(shape)
    return x, max_pool(x, **how)


INDEX = np.array([[[1, 3], [0, 5]], [[2, 4], [5, 1]]])
SHARED = np.array([[[1, 3, 3]], [[0, 5, 0]]])
TWO_WINDOWS = np.array([[0, 1], [1, 2]])
OF_EACH = np.array([[[[0, 1]], [[2, 3]]], [[[1, 2]], [[0, 1]]]])
TABLES = [
    taps.linear(5, 8, None, False),
    taps.cubic(5, 3, 1.7, False),
    taps.nearest(5, 7, None, False),
    taps.window_means(5, 2),
    taps.smoothed(40, 3, None, False, "cubic"),
]


def resampled(x, axes, taps):
    for axis, table in zip(axes, taps, strict=True):
        x = resampled_along(x, axis, table)
    return x


def resampled_along(x, axis, taps):
    matrix = np.zeros((taps.size, len(taps.index)))
    for i, (index, weight) in enumerate(zip(taps.index, taps.weight, strict=True)):
        for source, factor in zip(index, weight, strict=True):
            matrix[source, i] += factor
    return np.moveaxis(np.tensordot(x, matrix, (axis, 0)), -1, axis)


CASES = [
    Case(ops.max_pool, max_pool, *maxima(lambda x, out, how: given(x, **how)), dtypes="if"),
    Case(ops.max_pool_grad, max_pool_grad,
         *maxima(lambda x, out, how: given(out, *pooled(x, how), **how)), by=("g",), tolerance=4),
    Case(ops.max_pool_pick, max_pool_pick,
         *maxima(lambda x, out, how: given(x, *pooled(x, how), **how)), by=("v",)),
    Case(ops.max_pool_indices, lambda x, **how: best(x, **how),
         *maxima(lambda x, out, how: given(x, **how)), gives=np.int64),
    Case(ops.window_argmax, window_argmax, given((2, 3, 4), places=(TWO_WINDOWS,)),
         given((2, 2, 4, 3), places=(OF_EACH, TWO_WINDOWS)), gives=np.int64),
    Case(ops.max_unpool, max_unpool, given((2, 2, 2), INDEX, size=(2, 3)), dtypes="if"),
    Case(ops.read_at, taken, given((2, 2, 2, 3), INDEX), given((2, 4, 6), SHARED), dtypes="if"),
    Case(ops.add_back, put_back, given((2, 2, 2), INDEX, size=(2, 3)),
         given((2, 4, 3), SHARED, size=(6,))),
    Case(ops.pool_sum, pool_sum, *[given(x, **how) for x, how in SUMS], dtypes="if", tolerance=4),
    Case(ops.pool_spread, pool_spread,
         *[given((*x[:2], *how["count"]), size=x[2:], **how) for x, how in SUMS], tolerance=4),
    Case(resample.resample, resampled,
         *[given((2, table.size, 3), axes=(1,), taps=(table,)) for table in TABLES],
         given((2, 8), axes=(1,), taps=(TABLES[0].transposed,)),
         given((0, 5), axes=(1,), taps=(TABLES[2],)),
         given((2, 5, 2, 5), axes=(1, 3), taps=(TABLES[1], TABLES[0])),
         given((2, 5, 5), axes=(1, 2), taps=(TABLES[0], TABLES[3])),
         tolerance=8),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_tables_are_transposed(table):
    np.testing.assert_allclose(table.transposed.matrix, table.matrix.T)
    np.testing.assert_allclose(table.transposed.transposed.matrix, table.matrix)
