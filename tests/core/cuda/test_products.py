"""Products by cuBLASLt: what is asked of it, by a stand-in that computes on the host."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import numpy as np
import pytest

import tallow
from tallow.kernels.cuda import products
from tallow.ops.linalg import matmul
from tallow.testing import assert_close
from tallow.testing.devices import Array


@pytest.fixture
def calls(emulated):
    made = products.library().calls
    made.clear()
    yield made
    tallow.set_float32_matmul_precision("highest")


def drawn(*shape, dtype=np.float32):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(dtype)


@pytest.mark.parametrize(
    ("precision", "dtype", "compute"),
    [("highest", np.float32, 68), ("high", np.float32, 77), ("medium", np.float32, 75),
     ("high", np.float16, 68), ("high", np.float64, 70)],
)  # fmt: skip
def test_precision(precision, dtype, compute, calls):
    tallow.set_float32_matmul_precision(precision)
    x = Array(drawn(3, 4, dtype=dtype))
    products.multiply(x, x.T)
    assert calls[-1].compute == compute


def test_the_switch_of_tf32(calls):
    switches = tallow.backends.cuda.matmul
    assert not switches.allow_tf32
    switches.allow_tf32 = True
    assert tallow.get_float32_matmul_precision() == "high" and switches.allow_tf32
    switches.allow_tf32 = False
    assert tallow.get_float32_matmul_precision() == "highest"


X, Y = drawn(2, 3, 4, 5), drawn(2, 3, 5, 6)


@pytest.mark.parametrize(("x", "y"), [
    (X, Y), (X, Y[0]), (X[0, 0], Y), (X[:, :1], Y), (X[:1], Y), (X, Y[:, :1]),
    (X.swapaxes(0, 1), Y.swapaxes(0, 1)), (X[..., ::2], Y[..., ::2, :]), (X[:, ::-1], Y),
    (X.swapaxes(-1, -2), X), (X[..., :1], Y[..., :1, :]), (X[..., :1, :], Y[..., :1]),
    (np.broadcast_to(X[:, :1], X.shape), Y), (X[..., 1:], Y[..., 1:, 1:]),
    (X[0, 0], Y[0, 0, :, 0]), (X[0, 0, 0], Y), (X[0, 0, 0], Y[0, 0, :, 0]),
])  # fmt: skip
def test_memory_of_any_order(x, y, calls):
    before = len(calls)
    np.testing.assert_allclose(_product(x, y), x @ y, rtol=1e-5, atol=1e-6)
    assert len(calls) == before + 1


def _product(x, y):
    return matmul(Array(x), Array(y)).host


def test_transposes_are_not_copied(calls, monkeypatch):
    monkeypatch.setattr(products, "in_order", None)
    x = drawn(4, 5)
    for left, right in ((x, x.T), (x.T, x), (x[1:, 1:], x[:4, :4]), (x[:, 1:], x[:4, 2:])):
        np.testing.assert_allclose(_product(left, right), left @ right, rtol=1e-5, atol=1e-6)


def test_a_bias_is_added_by_it(calls):
    x, layer = tallow.rand(2, 3, 4), tallow.nn.Linear(4, 5)
    expected = layer(x)
    layer.to("standin")
    assert_close(layer(x.to("standin")).cpu(), expected)
    assert calls[-1].attributes[products.MATMUL_EPILOGUE] == products.EPILOGUE_BIAS


def test_threads_add_each_their_own_bias(calls, monkeypatch):
    """The description of a product, which they share, holds where its bias is."""
    x, multiply = Array(drawn(3, 4)), products.library.cublasLtMatmul

    def slowly(*args):
        sleep(1e-3)
        return multiply(*args)

    monkeypatch.setattr(products.library, "cublasLtMatmul", slowly)
    biases = [Array(np.full(3, i, np.float32)) for i in range(16)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda bias: products.multiply(x, x.T, bias).host, biases))
    for i, out in enumerate(made):
        np.testing.assert_allclose(out, x.host @ x.host.T + i, rtol=1e-5)


def test_without_the_library(emulated, monkeypatch):
    monkeypatch.setattr(products, "library", lambda: None)
    x = drawn(3, 4)
    np.testing.assert_allclose(_product(x, x.T), x @ x.T, rtol=1e-5)


def test_what_it_does_not_do_is_left_to_cupy(emulated, monkeypatch):
    monkeypatch.setattr(products, "plan", lambda *args: None)
    assert products.multiply(Array(X), Array(Y)) is NotImplemented
    assert products.multiply(Array(X), Array(Y.astype(np.float64))) is NotImplemented


def test_a_status_is_an_error(emulated, monkeypatch):
    library = products.library()
    library.cublasLtMatmul = lambda *args: 13
    monkeypatch.setattr(products, "library", lambda: library)
    with pytest.raises(RuntimeError, match="expected status 0 of cublasLtMatmul, got 13"):
        products.multiply(Array(X), Array(Y))
