"""Products that `set_float32_matmul_precision("medium")` allows to be of bfloat16."""

import numpy as np
import pytest

import tallow
from tallow.kernels.cpu import compiled

pytestmark = pytest.mark.skipif(
    compiled is None or not compiled.matmul_parts("medium"),
    reason="no instructions for bfloat16",
)


@pytest.fixture(autouse=True)
def medium():
    tallow.set_float32_matmul_precision("medium")
    yield
    tallow.set_float32_matmul_precision("highest")


def normal(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def as_bfloat16(x):
    return tallow.tensor(x).bfloat16().float().numpy()


SIZES = [
    (5, 1, 2), (5, 7, 3), (12, 2, 32), (13, 513, 33), (130, 300, 65), (25, 1025, 16), (6, 0, 3),
]  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True)])
def test_products_are_of_rounded_operands(sizes, turned):
    m, k, n = sizes
    x, y = normal(m, k), normal(k, n)
    x, y = (np.ascontiguousarray(a.T).T if t else a for a, t in zip((x, y), turned, strict=True))
    expected = as_bfloat16(x).astype(np.float64) @ as_bfloat16(y)
    got = compiled.matmul(x, y)
    if min(sizes) < 16:  # there would be nothing to gain
        expected = x.astype(np.float64) @ y
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5 * max(k, 1) ** 0.5)


def test_batches_and_bias():
    x, y = normal(3, 20, 31), normal(3, 31, 17)
    expected = as_bfloat16(x).astype(np.float64) @ as_bfloat16(y)
    np.testing.assert_allclose(compiled.matmul(x, y), expected, rtol=1e-4, atol=1e-4)
    weight, bias = normal(17, 31), normal(17)
    expected = as_bfloat16(x).astype(np.float64) @ as_bfloat16(weight).T + bias
    np.testing.assert_allclose(compiled.linear(x, weight, bias), expected, rtol=1e-4, atol=1e-4)


def test_infinities_and_nan():
    x, y = normal(20, 40), np.eye(40, dtype=np.float32) + 1
    x[3, 5], x[4, 6], x[5, 7] = np.inf, -np.inf, np.nan
    x[6, 0] = np.float32(3.4e38)  # which rounds to infinity
    with np.errstate(invalid="ignore"):
        got = compiled.matmul(x, y)
    assert np.all(got[3] == np.inf) and np.all(got[4] == -np.inf) and np.all(np.isnan(got[5]))
    assert np.isfinite(np.delete(got, [3, 4, 5, 6], 0)).all()


def test_others_stay_as_they_are():
    x, y = normal(20, 40), normal(40, 30)
    rounded = compiled.matmul(x, y)
    tallow.set_float32_matmul_precision("highest")
    exact = compiled.matmul(x, y)
    assert np.abs(rounded - exact).max() > 1e-3
    np.testing.assert_allclose(exact, x.astype(np.float64) @ y, rtol=1e-5, atol=1e-5)
    assert tallow.backends.cpu.info()["matmul_precision"]["medium"] == "bfloat16"


@pytest.mark.parametrize("turned", [(False, False), (True, True)])
def test_high_is_nearly_exact(turned):
    """Two parts of each operand, of three products: without AMX it is float32 itself."""
    tallow.set_float32_matmul_precision("high")
    x, y = normal(70, 300), normal(300, 65)
    x, y = (np.ascontiguousarray(a.T).T if t else a for a, t in zip((x, y), turned, strict=True))
    expected = x.astype(np.float64) @ y
    np.testing.assert_allclose(compiled.matmul(x, y), expected, rtol=1e-5, atol=3e-4)
    assert np.abs(compiled.matmul(x, y) - expected).max() > 0
    meaning = "bfloat16x3" if compiled.tile_unit() == "AMX" else "float32"
    assert tallow.backends.cpu.info()["matmul_precision"]["high"] == meaning


@pytest.mark.parametrize("sizes", [(5, 7, 3), (40, 300, 65), (2, 9, 4)], ids=str)
def test_short_floats(sizes):
    """Of bfloat16 they are so whatever is allowed: nothing is lost."""
    tallow.set_float32_matmul_precision("highest")
    m, k, n = sizes
    x, y, bias = (tallow.tensor(normal(*shape)).bfloat16() for shape in ((m, k), (k, n), (n,)))
    for out, expected in (
        (x @ y, x.double() @ y.double()),
        (tallow.nn.functional.linear(x, y.T, bias), x.double() @ y.double() + bias.double()),
    ):
        assert out.dtype is tallow.bfloat16
        tallow.testing.assert_close(out.double(), expected, rtol=2**-8, atol=2**-8)
