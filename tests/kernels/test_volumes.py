"""Convolution and pooling over three axes against the generic bodies, computed in float64."""

import inspect

import numpy as np
import pytest

from tallow.kernels.cpu import compiled
from tallow.ops import conv, pool

pytestmark = pytest.mark.skipif(compiled is None, reason="no compiled kernels")


def generic(op, *arrays, **params):
    wide = [x if x is None else x.astype(np.float64) for x in arrays]
    return inspect.unwrap(op)(np, *wide, **params)


def kernel(op):
    """The kernels alone: those that the operation asks before its body."""
    return op.op.special["cpu"]


def normal(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def assert_near(got, expected):
    assert got is not NotImplemented
    assert got.dtype == np.float32 and got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=2e-5 * np.abs(expected).max())


# channels, outputs, size, kernel, stride, padding, dilation, groups
CONVOLUTIONS = [
    (3, 5, (4, 6, 7), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1),
    (16, 16, (5, 9, 8), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1),
    (4, 6, (7, 8, 5), (2, 3, 1), (2, 1, 3), (0, 2, 1), (2, 1, 1), 2),
    (1, 1, (1, 1, 1), (1, 1, 1), (1, 1, 1), (0, 0, 0), (1, 1, 1), 1),
    (4, 4, (6, 6, 6), (3, 3, 3), (2, 2, 2), (1, 1, 1), (1, 1, 1), 4),
    (2, 3, (5, 5, 5), (4, 2, 2), (3, 1, 1), (1, 0, 0), (1, 1, 1), 1),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("layout", ["rows", "turned"])
def test_convolution(case, layout):
    channels, outputs, size, window, stride, padding, dilation, groups = case
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x, weight = normal(2, channels, *size), normal(outputs, channels // groups, *window)
    if layout == "turned":
        x, weight = (np.ascontiguousarray(a.T).T for a in (x, weight))
    bias = normal(outputs)
    y = generic(conv.conv, x, weight, bias, **how)
    assert_near(kernel(conv.conv)(x, weight, bias, **how), y)
    assert_near(kernel(conv.conv)(x, weight, None, **how), y - bias.reshape(-1, 1, 1, 1))
    g = normal(*y.shape)
    by_x = generic(conv.conv_grad_input, g, weight, size=size, **how)
    assert_near(kernel(conv.conv_grad_input)(g, weight, size=size, **how), by_x)
    by_weight = generic(conv.conv_grad_weight, g, x, kernel=window, **how)
    assert_near(kernel(conv.conv_grad_weight)(g, x, kernel=window, **how), by_weight)


def test_what_is_left_to_the_body():
    how = {"stride": (1,) * 3, "padding": (0,) * 3, "dilation": (1,) * 3, "groups": 1}
    weight = normal(2, 2, 1, 1, 1)
    for x in (normal(0, 2, 3, 3, 3), normal(1, 2, 3, 3, 3).astype(np.float64)):
        assert kernel(conv.conv)(x, weight, None, **how) is NotImplemented


# size, kernel, stride, padding, dilation, how many windows more stick out
POOLS = [
    ((4, 6, 8), (2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1), 0),
    ((5, 7, 6), (3, 2, 3), (2, 1, 3), (1, 0, 1), (1, 2, 1), 0),
    ((5, 5, 5), (2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1), 1),
    ((1, 1, 1), (1, 1, 1), (1, 1, 1), (0, 0, 0), (1, 1, 1), 0),
]


@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pools(case):
    size, window, stride, padding, dilation, more = case
    count = conv.out_size(size, window, stride, padding, dilation)
    how = {"kernel": window, "stride": stride, "padding": padding}
    how["count"] = tuple(n + more for n in count)
    x = np.round(normal(2, 3, *size) * 2) / 2  # with elements that are equal
    x[0, 0, -1] = np.nan
    x[1, 0, 0] = -np.inf
    largest = how | {"dilation": dilation}
    y = generic(pool.max_pool, x, **largest)
    assert np.array_equal(kernel(pool.max_pool)(x, **largest), y, equal_nan=True)
    g = normal(*y.shape)
    by_x = generic(pool.max_pool_grad, g, x, y, **largest)
    assert_near(kernel(pool.max_pool_grad)(g, x, y.astype(np.float32), **largest), by_x)
    x = normal(2, 3, *size)
    assert_near(kernel(pool.pool_sum)(x, **how), generic(pool.pool_sum, x, **how))
    spread = generic(pool.pool_spread, g, size=size, **how)
    assert_near(kernel(pool.pool_spread)(g, size=size, **how), spread)
