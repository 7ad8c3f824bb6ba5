"""Cases of tallow.ops.index."""

import numpy as np
import pytest

from tallow.ops import index as ops
from tallow.testing import Case, bools, checks, given, ints


def getitem(x, key):
    return x[key]


def put(value, key, shape):
    out = np.zeros(shape, value.dtype)
    out[key] = value
    return out


def add_at(value, key, shape):
    out = np.zeros(shape, value.dtype)
    flat = np.arange(out.size).reshape(shape)[key]
    for position, x in zip(
        flat.reshape(-1), np.broadcast_to(value, flat.shape).reshape(-1), strict=True
    ):
        out.reshape(-1)[position] += x
    return out


def setitem(x, value, key):
    out = x.copy()
    out[key] = value
    return out


def index_put(x, value, key, accumulate):
    shape = np.empty(x.shape)[key].shape
    added = np.broadcast_to(np.asarray(value, x.dtype), shape)
    return x + add_at(added, key, x.shape) if accumulate else setitem(x, value, key)


def places(index, axis):
    """(place in index, place in the array that it names) for every element of index."""
    for at in np.ndindex(*index.shape):
        yield at, at[:axis] + (index[at],) + at[axis + 1 :]


def gather(x, axis, index):
    out = np.empty(index.shape, x.dtype)
    for at, there in places(index, axis):
        out[at] = x[there]
    return out


def scatter(x, src, axis, index):
    out = x.copy()
    for at, there in places(index, axis):
        out[there] = src[at] if np.ndim(src) else src
    return out


def scatter_add(x, src, axis, index):
    out = x.copy()
    for at, there in places(index, axis):
        out[there] += src[at] if np.ndim(src) else src
    return out


def gathered_back(value, axis, index, shape):
    return scatter_add(np.zeros(shape, value.dtype), value, axis, index)


def place_in_corner(value, shape):
    out = np.zeros(shape, value.dtype)
    out[tuple(map(slice, value.shape))] = value
    return out


ALL = "bifc"
NO_REPEATS = np.array([[2, 0, 1], [1, 2, 0]])
BASIC = [
    ((3, 4), (1, ...), (4,)), ((3, 4), (slice(1, 3), slice(None, None, 2), ...), (2, 2)),
    ((3, 4), (slice(None), -1, ...), (3,)), ((3, 4), (None, 2, ...), (1, 4)),
    ((3,), (slice(0, 0), ...), (0,)), ((3, 4), (0, 1, ...), ()), ((), (...,), ()),
    ((), (None, ...), (1,)), ((0, 2), (slice(None), 1, ...), (0,)),
]  # fmt: skip
ARRAYS = [
    ((5,), (ints((3, 2), 5),), (3, 2)), ((4, 3), (slice(None), ints((2,), 3)), (4, 2)),
    ((4, 3), (ints((2,), 4), ints((2,), 3)), (2,)), ((4, 3), (np.array([0, 0, 1]),), (3, 3)),
    ((3,), (np.array([True, False, True]),), (2,)), ((3, 2), (np.zeros(3, bool),), (0, 2)),
    ((4, 3), (1, ints((2,), 3)), (2,)), ((4,), (np.array([-1, 2]),), (2,)),
]  # fmt: skip
ONCE = [
    ((5,), (np.array([3, 0]),), (2,)), ((4, 3), (slice(None), np.array([2, 0])), (4, 2)),
    ((3, 2), (np.array([True, False, True]),), (2, 2)),
]  # fmt: skip
GATHERED = [
    ((3, 4), 0, ints((2, 4), 3)), ((3, 4), 1, ints((3, 2), 4)), ((3, 4), 1, ints((2, 5), 4)),
    ((4,), 0, ints((6,), 4)), ((3, 4), 0, ints((0, 4), 3)), ((2, 3, 2), 1, ints((2, 2, 1), 3)),
]  # fmt: skip

CASES = [
    Case(ops.getitem, getitem, *[given(x, key=key) for x, key, _ in BASIC], dtypes=ALL),
    Case(ops.put, put, *[given(part, key=key, shape=x) for x, key, part in BASIC], dtypes=ALL),
    Case(ops.take, getitem, *[given(x, key=key) for x, key, _ in ARRAYS], dtypes=ALL),
    Case(
        ops.add_at, add_at, *[given(part, key=key, shape=x) for x, key, part in ARRAYS],
        dtypes="ifc", tolerance=2,
    ),
    Case(
        ops.index_put, index_put,
        *[given(x, part, key=key, accumulate=True) for x, key, part in ARRAYS],
        *[given(x, part, key=key, accumulate=False) for x, key, part in ONCE],
        given((4, 3), (3,), key=(ints((2,), 4),), accumulate=True),
        given((4,), 2, key=(ints((2,), 4),), accumulate=False),
        given((2, 3), (), key=(..., 0), accumulate=False), given((), (), key=(), accumulate=False),
        dtypes="ifc", tolerance=2,
    ),
    Case(ops.gather, gather, *[given(x, axis=a, index=i) for x, a, i in GATHERED], dtypes=ALL),
    Case(
        ops.gathered_back, gathered_back,
        *[given(i.shape, axis=a, index=i, shape=x) for x, a, i in GATHERED],
        dtypes="ifc", tolerance=2,
    ),
    Case(
        ops.scatter_add, scatter_add,
        *[given(x, i.shape, axis=a, index=i) for x, a, i in GATHERED],
        given((3, 4), (3, 4), axis=0, index=ints((2, 3), 3)),
        given((3, 4), 2, axis=0, index=ints((2, 3), 3)), dtypes="ifc", tolerance=2,
    ),
    Case(
        ops.scatter, scatter,
        given((2, 4), (2, 3), axis=1, index=NO_REPEATS),
        given((2, 3), (4, 3), axis=1, index=NO_REPEATS),
        given((3, 3), 2, axis=0, index=NO_REPEATS),
        given((3, 3), (0, 3), axis=0, index=ints((0, 3), 3)),
        dtypes=ALL,
    ),
    Case(
        ops.place_in_corner, place_in_corner,
        given((2, 3), shape=(4, 3)), given((), shape=()), given((0, 2), shape=(1, 2)), dtypes=ALL,
    ),
    Case(
        ops.corner, lambda x, shape: x[tuple(map(slice, shape))],
        given((4, 3), shape=(2, 3)), given((), shape=()), given((2, 2), shape=(0, 2)), dtypes=ALL,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


def test_masks_are_drawn():
    case = Case(ops.take, getitem, given((3, 4), key=(bools((3, 4)),)), dtypes="f")
    for check in checks([case]):
        check()
