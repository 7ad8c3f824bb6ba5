"""What the compiled kernels do along lines, beside the generic bodies."""

import numpy as np
import pytest

from tallow import generator
from tallow.kernels.cpu import REASON, compiled
from tallow.ops import factor, fft, index, linalg, loss, reduce, running, shape

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

RNG = np.random.default_rng(0)
SHAPES = [(7,), (3, 5), (19, 300), (2, 70, 5), (3, 4, 130), (1, 1), (33, 1000)]
LINES = [(shape, axis) for shape in SHAPES for axis in range(len(shape))]


@pytest.fixture(params=[1, 2], autouse=True)
def threads(request):
    before = compiled.get_threads()
    compiled.set_threads(request.param)
    yield
    compiled.set_threads(before)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def special(*shape):
    """Numbers with NaN, infinities, both zeros and equal ones among them."""
    x = normal(*shape).round(1)
    for i, value in enumerate((np.nan, np.inf, -np.inf, 0.0, -0.0, -np.nan)):
        x.reshape(-1)[i::37] = value
    return x


def generic(op, *arrays, **params):
    body = op.op.body
    return body(np, *arrays, **params) if op.op.takes_xp else body(*arrays, **params)


def same(op, *arrays, rtol=None, kernel=None, **params):
    got = (kernel or getattr(compiled, op.op.name))(*arrays, **params)
    expected = generic(op, *arrays, **params)
    assert got.dtype == expected.dtype and got.shape == expected.shape
    assert got.flags.c_contiguous
    close = {} if rtol is None else {"rtol": rtol, "atol": rtol * largest(expected)}
    compare = np.testing.assert_allclose if close else np.testing.assert_array_equal
    compare(got, expected, **close)


def largest(x):
    return np.abs(x[np.isfinite(x)]).max(initial=0)


@pytest.mark.parametrize(("shape", "axis"), LINES, ids=str)
def test_running(shape, axis):
    x, g = normal(*shape), normal(*shape)
    same(reduce.cumsum, x, axis=axis, rtol=1e-4)
    same(reduce.cumsum, x, axis=axis, reverse=True, rtol=1e-4)
    same(reduce.cumprod, x, axis=axis, rtol=1e-4)
    x.reshape(-1)[::3] = 0
    same(reduce.cumprod_grad, g, x, axis=axis, rtol=1e-4)
    for smallest in (False, True):
        same(running.cumargmax, special(*shape), axis=axis, smallest=smallest)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
@pytest.mark.parametrize(("shape", "axis"), LINES, ids=str)
def test_order(shape, axis, dtype):
    x = special(*shape).astype(dtype) if dtype[0] == "f" else RNG.integers(-9, 9, shape, dtype)
    if dtype == "i8":
        x.reshape(-1)[::5] <<= 40
    for descending in (False, True):
        for stop in (None, 1, shape[axis] // 9 or 1, shape[axis]):
            same(reduce.argsort, x, axis=axis, descending=descending, stop=stop)


def test_order_of_many_that_are_worse():
    x = np.concatenate([np.arange(5000), np.full(3000, 1e9)]).astype(np.float32)
    same(reduce.argsort, x, axis=0, descending=True, stop=500)
    same(reduce.argsort, np.zeros(9999, np.float32), axis=0, descending=True, stop=100)


@pytest.mark.parametrize(("shape", "axis"), LINES, ids=str)
def test_places(shape, axis):
    count = (*shape[:axis], 2 * shape[axis], *shape[axis + 1 :])
    at = RNG.integers(0, shape[axis], count)
    for dtype in ("f4", "f8", "i2", "u1", "c8"):
        same(index.gather, normal(*shape).astype(dtype), axis=axis, index=at)
    values = normal(*count)
    same(index.gathered_back, values, axis=axis, index=at, shape=shape, rtol=1e-5)
    same(index.scatter_add, normal(*shape), values, axis=axis, index=at, rtol=1e-5)
    same(index.scatter, normal(*shape), values, axis=axis, index=at)


def test_places_that_are_declined():
    x, at = normal(3, 4), np.array([[0], [1], [2]])
    for wrong in (at + 2, at - 1, at.astype("i4"), at[:2], at[0]):
        assert compiled.gather(x, axis=1, index=wrong) is NotImplemented or wrong is at[:2]
    assert compiled.gather(x.T, axis=1, index=at) is NotImplemented
    assert compiled.scatter_add(x, normal(3, 1), axis=1, index=at + 2) is NotImplemented
    assert compiled.gathered_back(normal(2, 1), axis=1, index=at, shape=(3, 4)) is NotImplemented


@pytest.mark.parametrize("k", [-9, -1, 0, 2, 99])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 5), (70, 300), (0, 3)], ids=str)
def test_triangles(shape, k):
    for dtype in ("f4", "i2", "c16"):
        same(shape_op("tril"), normal(*shape).astype(dtype), k=k)
        same(shape_op("triu"), normal(*shape).astype(dtype), k=k)


def shape_op(name):
    return getattr(shape, name)


@pytest.mark.parametrize("x", [
    normal(40, 50)[:, ::-1], normal(40, 50)[::-1], normal(40, 50).T, normal(9, 4, 30)[::2, :, ::3],
    np.lib.stride_tricks.sliding_window_view(normal(3, 100), 4, 1),
    np.lib.stride_tricks.sliding_window_view(normal(90), 40), normal(5)[::-1],
    np.broadcast_to(normal(3, 1), (3, 700)),
], ids=lambda x: str(x.strides))  # fmt: skip
def test_copies(x):
    got = compiled.in_row_order(x)
    assert got.flags.c_contiguous and got.flags.writeable
    np.testing.assert_array_equal(got, x)


@pytest.mark.parametrize("axis", [None, (0,), (1,), (2,), (0, 1), (1, 2), (0, 2)], ids=str)
def test_more_reductions(axis):
    x = normal(5, 70, 9)
    same(reduce.prod, np.exp(x / 99), axis=axis, keepdims=False, rtol=1e-4)
    for p in (1, 2, np.inf, -np.inf):
        same(reduce.vector_norm, x, p=p, axis=axis, rtol=1e-5)
    if axis != (0, 2):
        same(reduce.logsumexp, x, axis=axis, rtol=1e-5)
        x[0, 0] = x[:, 0, 0] = x[0, :, 1] = -np.inf
        x[1, 1, 1] = np.inf
        with np.errstate(divide="ignore"):
            same(reduce.logsumexp, x, axis=axis, rtol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 30, 81, 100, 400, 512, 2000])
@pytest.mark.parametrize("lines", [(9,), (3, 16), (70,)], ids=str)
def test_transforms(lines, n):
    x = normal(*lines, n)
    z = (normal(n, *lines) + 1j * normal(n, *lines)).astype(np.complex64)
    last, factor = len(lines), 0.5
    halves = z.reshape(-1, n)[:, : n // 2 + 1].copy()
    for got, expected in [
        (compiled.rfft(x, n, last, factor), np.fft.rfft(x)),
        (compiled.irfft(halves, n, 1, factor), np.fft.irfft(halves, n, norm="forward")),
        (compiled.fft(z, (0,), False, factor), np.fft.fft(z, axis=0)),
        (compiled.fft(z, (0,), True, factor), np.fft.ifft(z, axis=0, norm="forward")),
        (compiled.fft(z.reshape(-1, n), (1,), True, factor),
         np.fft.ifft(z.reshape(-1, n), norm="forward")),
    ]:  # fmt: skip
        assert got.dtype == expected.dtype and got.shape == expected.shape
        close = 1e-6 * np.abs(expected).max()
        np.testing.assert_allclose(got, factor * expected, rtol=0, atol=close)


def test_transforms_of_several_axes_and_those_that_are_declined():
    z = (normal(20, 6, 32) + 1j * normal(20, 6, 32)).astype(np.complex64)
    for axes in ((0, 2), (2, 0), (1,), (0, 1, 2)):
        expected = np.fft.fftn(z, axes=axes, norm="ortho")
        np.testing.assert_allclose(fft.fft(z, axes=axes, norm="ortho"), expected, atol=2e-5)
    assert compiled.fft(z[:, :, :14].copy(), (2,), False, 1) is NotImplemented
    assert compiled.fft(z[0, :1].copy(), (1,), False, 1) is NotImplemented
    assert compiled.rfft(normal(20, 14), 14, 1, 1) is NotImplemented


@pytest.mark.parametrize("batch", [(3,), (2, 4)], ids=str)
@pytest.mark.parametrize(("m", "n", "k"), [(16, 16, 300), (7, 33, 5), (1, 1, 1), (11, 64, 40)])
def test_narrow_products(batch, m, n, k):
    for a in (normal(*batch, m, k), normal(*batch, k, m).swapaxes(-1, -2)):
        for b in (normal(*batch, k, n), normal(*batch, n, k).swapaxes(-1, -2)):
            same(linalg.matmul, a, b, rtol=1e-5)


def test_log_likelihoods():
    x, label = normal(30, 40), RNG.integers(0, 40, 30)
    for reduction in ("none", "sum", "mean"):
        how = {"ignore_index": -100, "reduction": reduction}
        arrays = (x, label, None)
        np.testing.assert_allclose(loss.nll(*arrays, **how), generic(loss.nll, *arrays, **how),
                                   rtol=1e-6)  # fmt: skip
        g = normal(30) if reduction == "none" else np.asarray(np.float32(0.5))
        arrays = (g, label, None)
        got = loss.nll_grad(*arrays, shape=x.shape, **how)
        expected = generic(loss.nll_grad, *arrays, shape=x.shape, **how)
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert compiled.nll(x, label - 1) is NotImplemented or label.min() > 0


@pytest.mark.parametrize("n", [1, 3, 32, 33, 100])
@pytest.mark.parametrize("batch", [(), (5,), (2, 3)], ids=str)
def test_solutions(batch, n):
    mirrored = 2 * np.eye(n, dtype=np.float32)[::-1]  # so that rows have to be exchanged
    x, y = normal(*batch, n, n) / np.float32(n**0.5) + mirrored, normal(*batch, n, 7)
    wide, identity = x.astype(np.float64), np.eye(n)
    for got, expected in [
        (x @ compiled.inv(x), np.broadcast_to(identity, x.shape)),
        (x @ compiled.solve(x, y), y),
        (compiled.det(x) / np.linalg.det(wide), np.ones(batch)),
        (compiled.slogdet(x)[0], np.linalg.slogdet(wide)[0]),
        (compiled.slogdet(x)[1], np.linalg.slogdet(wide)[1]),
    ]:
        assert got.shape == expected.shape and got.dtype != np.float16
        np.testing.assert_allclose(got, expected, rtol=0.01, atol=0.01)


def test_solutions_that_are_declined():
    x = normal(3, 3)
    singular = np.ones((3, 3), np.float32)
    for declined in (singular, x.astype(np.float64), x[:2], x[0]):
        assert compiled.inv(declined) is NotImplemented
    assert compiled.solve(x, normal(2, 3, 1)) is NotImplemented
    assert factor.det(singular) == 0


def test_random_order():
    for count in (0, 1, 2, 5, 2000):
        mine, numpys = generator.Generator().manual_seed(3), generator.Generator().manual_seed(3)
        got = compiled.random_order(mine.bits, count)
        order = np.arange(count)
        for i in range(count - 1):
            j = i + int(numpys.bits.random_raw() % (count - i))
            order[[i, j]] = order[[j, i]]
        np.testing.assert_array_equal(got, order)
        assert mine.bits.random_raw() == numpys.bits.random_raw()


def test_random_slots():
    weights, points = RNG.random((5, 30)).astype(np.float32), RNG.random((5, 99))
    sums = np.cumsum(weights, axis=1)
    sums /= sums[:, -1:]
    expected = [np.searchsorted(row[:-1].astype(np.float64), at)
                for row, at in zip(sums, points, strict=True)]  # fmt: skip
    np.testing.assert_array_equal(compiled.random_slots(weights, points), expected)
    assert compiled.random_slots(weights, points[:4]) is NotImplemented
    assert compiled.random_slots(weights.astype(np.float64), points) is NotImplemented
