"""Cases of tallow.ops.recursion, and recursive_filter."""

import numpy as np
import pytest

import tallow
from tallow.errors import TallowError
from tallow.ops import recursion as ops
from tallow.signal import recursive_filter
from tallow.testing import Case, checks, draw, given


def reference(x, b, a):
    """The recurrence, sample by sample."""
    y = np.zeros(x.shape)
    for t in range(x.shape[2]):
        for lag in range(min(b.shape[1], t + 1)):
            y[..., t] += b[:, lag] * x[..., t - lag]
        for lag in range(1, min(a.shape[1], t) + 1):
            y[..., t] -= a[:, lag - 1] * y[..., t - lag]
    return y


def stable(shape):
    """Coefficients of feedback that dies away."""
    return draw(shape, -0.4, 0.4)


CASES = [
    Case(
        ops.recursive_filter, reference,
        given((2, 1, 7), (1, 3), stable((1, 2))), given((1, 3, 5), (3, 2), stable((3, 1))),
        given((2, 2, 4), (2, 1), stable((2, 3))), given((0, 1, 6), (1, 2), stable((1, 1))),
        given((1, 1, 0), (1, 2), stable((1, 2))), given((1, 1, 2), (1, 4), stable((1, 3))),
        tolerance=4,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


@pytest.mark.parametrize("time", [255, 256, 257, 1500])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_many_blocks(time, order):
    """Over the limits of blocks, with feedback that lasts: in float64 to rounding."""
    rng = np.random.default_rng(order)
    poles = 0.999 * np.exp(1j * np.array([0.0, 0.3, -0.3, 1.1, -1.1])[:order])
    poles = poles.real if order == 2 else poles
    a = np.poly(poles).real[None, 1:].repeat(2, 0) * np.array([[1], [0.9]]) ** np.arange(
        1, order + 1
    )
    x, b = rng.normal(size=(3, 2, time)), rng.normal(size=(2, 3))
    found = ops.recursive_filter(x, b, a)
    expected = reference(x, b, a)
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


def test_feedback_over_more_than_a_block():
    """An echo that comes 300 samples later."""
    a = np.zeros((1, 300))
    a[0, -1] = -0.5
    x = np.zeros((1, 1, 1000))
    x[..., 0] = 1
    found = ops.recursive_filter(x, np.ones((1, 1)), a)
    assert np.flatnonzero(found).tolist() == [0, 300, 600, 900]
    np.testing.assert_allclose(found[0, 0, [0, 300, 600, 900]], [1, 0.5, 0.25, 0.125])


def test_float32_of_a_narrow_filter():
    """A high-pass at 20 Hz of 44.1 kHz, whose poles nearly are 1: its state is kept in float64."""
    w = 2 * np.pi * 20 / 44100
    alpha = np.sin(w) / 1.414
    a = np.array([[-2 * np.cos(w), 1 - alpha]]) / (1 + alpha)
    b = np.array([[1, -2, 1]]) * (1 + np.cos(w)) / 2 / (1 + alpha)
    x = np.random.default_rng(0).normal(size=(1, 1, 20000))
    rounded = [k.astype(np.float32) for k in (x, b, a)]
    exact = ops.recursive_filter(*(k.astype(np.float64) for k in rounded))
    assert np.abs(ops.recursive_filter(*rounded) - exact).max() < 2e-5


def test_shapes_and_scale():
    x = tallow.rand(2, 3, 50, dtype=tallow.float64)
    b, a = tallow.rand(3, 2).double(), tallow.tensor([[2.0, 0.3], [4, 1], [1, -0.5]]).double()
    found = recursive_filter(x, b, a)
    for n in range(3):
        np.testing.assert_allclose(found[:, n], recursive_filter(x[:, n], b[n], a[n]))
    np.testing.assert_allclose(found, recursive_filter(x, b / a[:, :1], a / a[:, :1]))
    np.testing.assert_allclose(
        recursive_filter(x, b, a[:, :1]), recursive_filter(x, b, a * tallow.tensor([1, 0]))
    )
    assert recursive_filter(x[0, 0], b[0], a[0]).shape == (50,)


ERRORS = [
    (lambda: recursive_filter(tallow.arange(5), tallow.ones(2), tallow.ones(2)), "int64"),
    (lambda: recursive_filter(tallow.rand(5), tallow.ones(2), tallow.ones(1, 2)), r"or \(C, K\)"),
    (lambda: recursive_filter(tallow.rand(3, 5), tallow.ones(2, 2), tallow.ones(2, 2)), "3, 5"),
    (lambda: recursive_filter(tallow.rand(5), tallow.ones(0), tallow.ones(0)), "got float32"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call, message):
    with pytest.raises(TallowError, match=message):
        call()
