"""The compiled kernels against the generic bodies of the operations, computed in float64.

Sizes are odd on purpose: they end within a vector, a strip or a tile. The kernels are called
directly, so that it is seen whether they accept what they should.
"""

import inspect
import multiprocessing
import threading

import numpy as np
import pytest

import tallow
from tallow.kernels.cpu import REASON, compiled
from tallow.ops import activation, conv, elementwise, loss, norm, pool, softmax

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def generic(op, *arrays, **params):
    """The generic body in float64."""
    wide = [x.astype(np.float64) if getattr(x, "dtype", None) == np.float32 else x for x in arrays]
    body = inspect.unwrap(op)
    return body(*([np] if op.op.takes_xp else []), *wide, **params)


def assert_near(got, expected, tolerance=2e-5):
    """Equal to a part of the largest element: sums of many terms round to that."""
    assert got is not NotImplemented
    assert got.dtype == np.float32 and got.shape == np.shape(expected)
    size = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * size)


# Matrix products

SIZES = [
    (1, 1, 1), (5, 7, 3), (32, 784, 128), (64, 300, 65), (130, 513, 1100), (7, 1000, 19),
    (20, 300, 810), (250, 260, 4200),
]  # fmt: skip


@pytest.mark.parametrize(("m", "k", "n"), SIZES)
def test_products(rng, m, k, n):
    x, y, bias = normal(rng, m, k), normal(rng, k, n), normal(rng, n)
    expected = x.astype(np.float64) @ y
    assert_near(compiled.matmul(x, y), expected)
    assert_near(compiled.matmul(x, np.asfortranarray(y)), expected)
    assert_near(compiled.matmul(np.asfortranarray(x), y), expected)
    weight = np.ascontiguousarray(y.T)
    assert_near(compiled.linear(x, weight, None), expected)
    assert_near(compiled.linear(x, weight, bias), expected + bias)


def test_batched_products(rng):
    x, y = normal(rng, 3, 4, 5, 6), normal(rng, 3, 4, 7, 6)
    assert_near(compiled.matmul(x, y.swapaxes(2, 3)), x @ y.swapaxes(2, 3))
    assert_near(
        compiled.matmul(x[:, ::2], y[:, ::2].swapaxes(2, 3)), x[:, ::2] @ y[:, ::2].swapaxes(2, 3)
    )
    right = normal(rng, 6, 2)
    assert_near(compiled.matmul(x, right), x @ right)
    assert_near(compiled.matmul(x[:, :, ::-1], right), x[:, :, ::-1] @ right)


LAYOUTS = {
    "turned": lambda x: np.ascontiguousarray(x.T).T,
    "swapped": lambda x: np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1),
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: np.ascontiguousarray(x[:, ::-1])[:, ::-1],
    "repeated": lambda x: np.broadcast_to(x[:1], x.shape),
}


@pytest.mark.parametrize("shape", [(3, 5, 7), (40, 1, 70), (33, 200, 17), (1, 2, 300)], ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_other_layouts_are_copied(rng, layout, shape):
    x = LAYOUTS[layout](normal(rng, *shape))
    same, weight = np.ascontiguousarray(x), normal(rng, 6, shape[-1])
    how = {"stride": (1,), "padding": (1,), "dilation": (1,), "groups": 1}
    filters = normal(rng, 4, shape[1], 3)
    for call in (
        lambda x: compiled.linear(x, weight, None),
        lambda x: compiled.matmul(x, weight.T),
        lambda x: compiled.softmax(x, axis=2),
        lambda x: compiled.layer_norm(x, None, None, shape[-1], 1e-5, True)[0],
        lambda x: compiled.conv(x, filters, None, **how),
    ):
        assert_near(call(x), call(same))


def test_products_decline_what_they_do_not_do(rng):
    x = normal(rng, 3, 4)
    for y in (x.T.astype(np.float64), x, normal(rng, 4), normal(rng, 2, 4, 3)):
        assert compiled.matmul(x, y) is NotImplemented


# Convolution: images, channels, height, width, outputs, kernel, stride, padding, dilation, groups

CONVOLUTIONS = [
    (2, 3, 8, 9, 5, (3, 3), 1, 1, 1, 1),
    (2, 16, 8, 8, 12, (3, 3), 1, 1, 1, 1),
    (3, 9, 13, 17, 33, (3, 3), 1, 1, 1, 1),
    (2, 8, 7, 5, 10, (3, 3), 1, 0, 1, 1),
    (2, 8, 9, 9, 8, (3, 3), 1, 2, 1, 1),
    (1, 64, 16, 16, 64, (3, 3), 1, 1, 1, 1),
    (1, 9, 6, 421, 8, (3, 3), 1, 1, 1, 1),
    (1, 24, 47, 38, 70, (3, 3), 1, 1, 1, 1),
    (1, 392, 5, 8, 600, (3, 3), 1, 1, 1, 1),
    (29, 17, 4, 7, 48, (3, 3), 1, 1, 1, 1),
    (7, 16, 9, 10, 16, (3, 3), 1, 2, 1, 1),
    (7, 16, 9, 10, 16, (3, 3), 1, 3, 1, 1),
    (2, 4, 9, 9, 6, (3, 3), 2, 1, 1, 1),
    (2, 4, 9, 10, 6, (1, 1), 1, 0, 1, 1),
    (2, 4, 9, 10, 6, (1, 1), 2, 0, 1, 1),
    (2, 6, 9, 10, 6, (3, 3), 1, 1, 1, 6),
    (2, 6, 9, 10, 12, (5, 3), 2, 2, 1, 3),
    (1, 3, 12, 12, 4, (3, 3), 1, 2, 2, 1),
    (2, 3, 31, 33, 40, (7, 7), 2, 3, 1, 1),
    (2, 18, 19, 14, 37, (3, 3), 2, 1, 1, 1),
    (1, 20, 7, 7, 70, (3, 3), 1, 1, 1, 1),
    (3, 19, 7, 6, 70, (3, 3), 3, 2, 2, 1),
    (2, 70, 5, 6, 20, (1, 1), 1, 0, 1, 1),
    (5, 20, 1, 1, 40, (1, 1), 1, 0, 1, 1),
    (2, 5, 8, 6, 40, (1, 1), 3, 1, 1, 1),
    (2, 12, 11, 50, 2, (3, 5), 1, 1, 1, 1),
    (1, 34, 3, 700, 6, (2, 9), 1, 2, 3, 2),
    (1, 150, 40, 40, 4, (4, 4), 2, 1, 1, 1),
    (4, 4, 5, 5, 8, (5, 5), 1, 2, 1, 1),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolution(rng, case):
    images, channels, height, width, outputs, kernel, stride, padding, dilation, groups = case
    x = normal(rng, images, channels, height, width)
    weight, bias = normal(rng, outputs, channels // groups, *kernel), normal(rng, outputs)
    how = {
        "stride": (stride,) * 2, "padding": (padding,) * 2, "dilation": (dilation,) * 2,
        "groups": groups,
    }  # fmt: skip
    y = generic(conv.conv, x, weight, bias, **how)
    assert_near(compiled.conv(x, weight, bias, **how), y)
    g = normal(rng, *y.shape)
    by_input = generic(conv.conv_grad_input, g, weight, size=(height, width), **how)
    assert_near(compiled.conv_grad_input(g, weight, size=(height, width), **how), by_input)
    by_weight = generic(conv.conv_grad_weight, g, x, kernel=kernel, **how)
    assert_near(compiled.conv_grad_weight(g, x, kernel=kernel, **how), by_weight)


@pytest.fixture(params=["near-exact", "exact"])
def precision(request):
    tallow.backends.cpu.set_conv_precision(request.param)
    yield request.param
    tallow.backends.cpu.set_conv_precision("fast")


@pytest.mark.parametrize("case", [c for c in CONVOLUTIONS if c[5] == (3, 3)], ids=str)
def test_convolution_in_other_precisions(rng, case, precision):
    test_convolution(rng, case)


def test_precise_convolutions_are_nearer(rng, precision):
    x, weight = normal(rng, 2, 32, 16, 16), normal(rng, 32, 32, 3, 3)
    how = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    expected = generic(conv.conv, x, weight, None, **how)
    error = np.abs(compiled.conv(x, weight, None, **how) - expected).mean()
    tallow.backends.cpu.set_conv_precision("fast")
    assert error < 0.7 * np.abs(compiled.conv(x, weight, None, **how) - expected).mean()


def test_unknown_precision():
    with pytest.raises(ValueError, match="set_conv_precision: expected one of .*, got 'x'"):
        tallow.backends.cpu.set_conv_precision("x")


def test_convolution_of_sequences(rng):
    x, weight = normal(rng, 2, 4, 21), normal(rng, 6, 2, 5)
    how = {"stride": (2,), "padding": (3,), "dilation": (1,), "groups": 2}
    y = generic(conv.conv, x, weight, None, **how)
    assert_near(compiled.conv(x, weight, None, **how), y)
    g = normal(rng, *y.shape)
    by_input = generic(conv.conv_grad_input, g, weight, size=(21,), **how)
    assert_near(compiled.conv_grad_input(g, weight, size=(21,), **how), by_input)


@pytest.mark.parametrize("passed", ["conv", "conv_grad_input", "conv_grad_weight"])
def test_convolution_is_the_same_for_any_number_of_threads(rng, passed):
    x, weight, g = normal(rng, 5, 16, 12, 12), normal(rng, 24, 16, 3, 3), normal(rng, 5, 24, 12, 12)
    how = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    call = {
        "conv": lambda: compiled.conv(x, weight, None, **how),
        "conv_grad_input": lambda: compiled.conv_grad_input(g, weight, size=(12, 12), **how),
        "conv_grad_weight": lambda: compiled.conv_grad_weight(g, x, kernel=(3, 3), **how),
    }[passed]
    before = compiled.get_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            compiled.set_threads(threads)
            found.append(call())
    finally:
        compiled.set_threads(before)
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])


# Pooling


POOLS = [(2, 2, 0, 1), (3, 2, 1, 1), (3, 1, 1, 2), (3, 3, 0, 1), (2, 1, 0, 1), (2, 3, 0, 1)]


def check_max_pool(rng, x, kernel, stride, padding, dilation):
    count = tuple(
        (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 for n in x.shape[2:]
    )
    how = {
        "kernel": (kernel,) * 2, "stride": (stride,) * 2, "padding": (padding,) * 2,
        "dilation": (dilation,) * 2, "count": count,
    }  # fmt: skip
    y = generic(pool.max_pool, x, **how)
    assert np.array_equal(compiled.max_pool(x, **how), y, equal_nan=True)
    g = normal(rng, *y.shape)
    expected = generic(pool.max_pool_grad, g, x, y, **how)
    assert_near(compiled.max_pool_grad(g, x, y.astype(np.float32), **how), expected)


@pytest.mark.parametrize("size", [(8, 9), (9, 12), (35, 70), (14, 37), (7, 64)], ids=str)
@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), POOLS)
def test_max_pool(rng, size, kernel, stride, padding, dilation):
    x = np.round(normal(rng, 3, 4, *size), 1)  # with ties
    x[1], x[2, 1], x[2, 2] = -3e38, np.inf, -np.inf  # which padding is, too
    x[0, 0, 0, 0] = x[1, 1, 5, 6] = x[1, 1, 5, 7] = np.nan
    check_max_pool(rng, x, kernel, stride, padding, dilation)


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), [*POOLS[1:4], (6, 1, 3, 1)])
def test_max_pool_by_bands_of_rows(rng, kernel, stride, padding, dilation):
    x = np.round(normal(rng, 1, 17, 67, 311), 1)
    check_max_pool(rng, x, kernel, stride, padding, dilation)


def test_large_gradients_of_max_pool(rng):
    """They are stored past the caches."""
    x, g = normal(rng, 9, 16, 128, 128), normal(rng, 9, 16, 64, 64)
    how = {
        "kernel": (3, 3), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1),
        "count": (64, 64),
    }  # fmt: skip
    y = compiled.max_pool(x, **how)
    whole = compiled.max_pool_grad(g, x, y, **how)
    for i in range(9):
        one = slice(i, i + 1)
        part = compiled.max_pool_grad(g[one], x[one], y[one], **how)
        assert np.array_equal(whole[one], part)


@pytest.mark.parametrize("size", [(8, 9), (35, 70), (70,)], ids=str)
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 3, 0), (5, 2, 2)]
)
def test_sums_of_windows(rng, size, kernel, stride, padding):
    x = normal(rng, 3, 4, *size)
    x[0, 0, ..., 1] = np.inf
    count = tuple((n + 2 * padding - kernel + stride - 1) // stride + 1 for n in size)
    axes = len(size)
    how = {
        "kernel": (kernel,) * axes, "stride": (stride,) * axes, "padding": (padding,) * axes,
        "count": count,
    }  # fmt: skip
    expected = generic(pool.pool_sum, x, **how)
    np.testing.assert_allclose(compiled.pool_sum(x, **how), expected, rtol=1e-5, atol=1e-5)
    g = normal(rng, 3, 4, *count)
    expected = generic(pool.pool_spread, g, size=size, **how)
    assert_near(compiled.pool_spread(g, size=size, **how), expected)


# Rows added by an index


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("width", [0, 1, 3, 16, 33, 200])
def test_rows_are_added(rng, width, threads):
    index, values = rng.integers(-7, 7, (40, 10)), normal(rng, 40, 10, width)
    expected = np.zeros((7, width), np.float32)
    np.add.at(expected, index, values)
    before = compiled.get_threads()
    compiled.set_threads(threads)
    assert np.array_equal(compiled.add_rows(index, values, 7, width), expected)
    compiled.set_threads(before)


def test_rows_that_are_not_there(rng):
    values = normal(rng, 2, 3)
    for index in ([0, 7], [-8, 0], [0, 1, 2], [0.0, 1.0]):
        assert compiled.add_rows(np.array(index), values, 7, 3) is NotImplemented
    assert not compiled.add_rows(np.array([], np.int64), values[:0], 7, 3).any()


# Activations

ACTIVATIONS = {
    "relu": activation.relu, "gelu": activation.gelu, "silu": activation.silu,
    "exp": elementwise.exp, "tanh": elementwise.tanh, "sigmoid": elementwise.sigmoid,
    "hardsigmoid": activation.hardsigmoid, "hardswish": activation.hardswish,
}  # fmt: skip


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100_003])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(rng, name, size):
    x = normal(rng, size) * 5
    got, expected = getattr(compiled, name)(x), generic(ACTIVATIONS[name], x)
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_the_edges(name):
    x = np.float32([np.nan, np.inf, -np.inf, 0, 1e-40, -1e-40, 88.7, 89, -103, -104, 0.62, 0.63])
    with np.errstate(all="ignore"):
        expected = generic(ACTIVATIONS[name], x).astype(np.float32)
    if name in ("gelu", "silu"):
        expected[2] = np.nan if name == "silu" else expected[2]
    got = getattr(compiled, name)(x)
    ordinary = ~np.isinf(x)
    np.testing.assert_allclose(got[ordinary], expected[ordinary], rtol=2e-6, atol=1e-42)


@pytest.mark.parametrize("name", ["relu", "silu", "gelu", "hardsigmoid", "hardswish"])
def test_gradients_of_activations(rng, name):
    op, x = getattr(activation, f"{name}_grad"), normal(rng, 1003) * 4
    x[:3] = -3, 3, np.nan
    g = normal(rng, 1003)
    expected = generic(op, g, x)
    got = getattr(compiled, f"{name}_grad")(g, x)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


# Along the last axis


@pytest.mark.parametrize("length", [1, 5, 8, 16, 100, 1000])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(rng, name, length):
    x, g = normal(rng, 3, 11, length) * 4, normal(rng, 3, 11, length)
    op, grad = getattr(softmax, name), getattr(softmax, f"{name}_grad")
    y = generic(op, x, axis=2)
    np.testing.assert_allclose(getattr(compiled, name)(x, axis=2), y, rtol=1e-5, atol=1e-6)
    got = getattr(compiled, f"{name}_grad")(g, y.astype(np.float32), axis=2)
    assert_near(got, generic(grad, g, y, axis=2), 1e-4)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_cross_entropy(rng, classes):
    x, label, g = normal(rng, 33, classes) * 4, rng.integers(0, classes, 33), normal(rng, 33)
    how = {"ignore_index": -100, "reduction": "none"}
    expected = generic(loss.cross_entropy, x, label, None, **how)
    assert_near(compiled.cross_entropy(x, label), expected)
    expected = generic(loss.cross_entropy_grad, g.astype(np.float64), x, label, None, **how)
    assert_near(compiled.cross_entropy_grad(g, x, label, 1), expected)
    one = np.asarray(g[0])
    expected = generic(loss.cross_entropy_grad, g[0] + 0 * g, x, label, None, **how)
    assert_near(compiled.cross_entropy_grad(one, x, label, 0.25), expected / 4)


def test_cross_entropy_declines_labels_out_of_range(rng):
    x = normal(rng, 2, 3)
    for label in ([0, 3], [-1, 0]):
        assert compiled.cross_entropy(x, np.array(label)) is NotImplemented


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 7), (8, 3, 9, 9), (2, 3, 100, 100)], ids=str)
def test_batch_norm(rng, shape, relu):
    x, g = normal(rng, *shape) + 2, normal(rng, *shape)
    factor = (1, shape[1], *(1,) * (len(shape) - 2))
    weight, bias = normal(rng, *factor), normal(rng, *factor)
    how = {"axes": (0, *range(2, len(shape))), "eps": 1e-5}
    forward, backward, offset = norm.normalize_relu, norm.normalize_relu_grad, (bias,)
    if not relu:
        forward, backward, offset = norm.normalize, norm.normalize_grad, ()
        how["centre"] = True
    y, average, variance = generic(forward, x, weight, bias, factor=weight.shape, **how)
    got = compiled.batch_norm(x, weight, bias, 1e-5, relu)
    for mine, expected in zip(got, (y, average.ravel(), variance.ravel()), strict=True):
        assert_near(mine, expected)
    expected = generic(backward, g, x, weight, *offset, average, variance, **how)
    got = compiled.batch_norm_grad(g, x, weight, bias, got[1], got[2], 1e-5, relu)
    for mine, wide in zip(got, expected, strict=True):
        assert_near(mine.reshape(wide.shape), wide, 1e-4)


def test_gradient_of_batch_norm_passes_where_relu_did(rng):
    """What was above 0 is computed again, and comes out the same to the last bit."""
    x, bias = normal(rng, 16, 3, 101, 99), np.zeros(3, np.float32)
    weight = normal(rng, 3)
    y, *statistics = compiled.batch_norm(x, weight, bias, 1e-5, True)
    ones = np.ones_like(x)
    by_bias = compiled.batch_norm_grad(ones, x, weight, bias, *statistics, 1e-5, True)[2]
    assert (by_bias == (y > 0).sum(axis=(0, 2, 3))).all()


def test_batch_norm_of_large_means(rng):
    x = normal(rng, 6, 3, 50, 50) + np.float32(1000)
    _, average, variance = compiled.batch_norm(x, None, None, 1e-5, False)
    wide = x.astype(np.float64)
    assert_near(average, wide.mean(axis=(0, 2, 3)), 1e-6)
    assert_near(variance, wide.var(axis=(0, 2, 3)), 1e-5)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 7), (8, 3, 9, 9), (2, 3, 100, 100)], ids=str)
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_in_evaluation(rng, shape, affine):
    channels = shape[1]
    x, average, variance = normal(rng, *shape), normal(rng, channels), normal(rng, channels) ** 2
    weight, bias = (normal(rng, channels), normal(rng, channels)) if affine else (None, None)
    how = {"factor": (1, channels, *(1,) * (len(shape) - 2)), "eps": 1e-3}
    expected = generic(norm.normalize_by, x, average, variance, weight, bias, **how)
    assert_near(compiled.normalize_by(x, average, variance, weight, bias, **how), expected)


@pytest.mark.parametrize(
    ("shape", "channels"),
    [((3, 2, 5, 7, 9), 5), ((2, 4, 3, 1), 3), ((5, 6, 40, 41), 1), ((1, 3, 8, 70, 70), 8)],
    ids=str,
)
def test_group_norm(rng, shape, channels):
    x, g = normal(rng, *shape) + 2, normal(rng, *shape)
    factor = (1, shape[1], channels, *(1,) * (len(shape) - 3))
    weight, bias = normal(rng, *factor), normal(rng, *factor)
    how = {"axes": tuple(range(2, len(shape))), "eps": 1e-5, "centre": True}
    y, average, variance = generic(norm.normalize, x, weight, bias, factor=factor, **how)
    got = compiled.group_norm(x, weight, bias, channels, 1e-5)
    for mine, wide in zip(got, (y, average, variance), strict=True):
        assert_near(mine.reshape(wide.shape), wide)
    expected = generic(norm.normalize_grad, g, x, weight, average, variance, **how)
    got = compiled.group_norm_grad(g, x, weight, got[1], got[2], channels, 1e-5)
    for mine, wide in zip(got, expected, strict=True):
        assert_near(mine.reshape(wide.shape), wide, 1e-4)


def test_group_norm_finds_its_kernel(rng):
    x, weight = tallow.tensor(normal(rng, 2, 6, 4, 5)), tallow.tensor(normal(rng, 6))
    grouped = tallow.nn.functional.group_norm(x, 3, weight, weight).numpy()
    by_instance = tallow.nn.functional.instance_norm(x, weight=weight, bias=weight).numpy()
    for got, groups in ((grouped, 3), (by_instance, 6)):
        parts = x.numpy().astype(np.float64).reshape(2, groups, -1)
        parts = (parts - parts.mean(2, keepdims=True)) / np.sqrt(parts.var(2, keepdims=True) + 1e-5)
        expected = parts.reshape(2, 6, 4, 5) * weight.numpy().reshape(6, 1, 1)
        assert_near(got, expected + weight.numpy().reshape(6, 1, 1))


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("length", [1, 7, 16, 300])
def test_layer_norm(rng, length, centre):
    x, g = normal(rng, 50, length) + 2, normal(rng, 50, length)
    weight, bias = normal(rng, 1, length), normal(rng, 1, length)
    how = {"axes": (1,), "eps": 1e-3, "centre": centre}
    y, average, variance = generic(norm.normalize, x, weight, bias, factor=weight.shape, **how)
    got = compiled.layer_norm(x, weight, bias, length, 1e-3, centre)
    assert_near(got[0], y)
    expected = generic(norm.normalize_grad, g, x, weight, average, variance, **how)
    got = compiled.layer_norm_grad(g, x, weight, got[1], got[2], length, 1e-3, centre)
    for mine, wide in zip(got, expected, strict=True):
        assert_near(mine.reshape(wide.shape), wide, 1e-4)


def test_large_results_along_rows(rng):
    """Those that are stored past the caches; the rows begin at all places within a cache line."""
    x, g, label = normal(rng, 2100, 1003), normal(rng, 2100, 1003), rng.integers(0, 1003, 2100)
    how = {"ignore_index": -100, "reduction": "none"}
    y = generic(softmax.softmax, x, axis=1)
    logarithm = generic(softmax.log_softmax, x, axis=1)
    assert_near(compiled.softmax(x, axis=1), y)
    assert_near(compiled.log_softmax(x, axis=1), logarithm)
    narrow = y.astype(np.float32)
    expected = generic(softmax.softmax_grad, g, narrow, axis=1)
    assert_near(compiled.softmax_grad(g, narrow, axis=1), expected)
    expected = generic(loss.cross_entropy_grad, g[:, 0], x, label, None, **how)
    assert_near(compiled.cross_entropy_grad(np.ascontiguousarray(g[:, 0]), x, label, 1), expected)
    norm_of = {"axes": (1,), "eps": 1e-5, "centre": True}
    made = generic(norm.normalize, x, None, None, factor=None, **norm_of)
    got = compiled.layer_norm(x, None, None, 1003, 1e-5, True)
    assert_near(got[0], made[0])
    expected, *_ = generic(norm.normalize_grad, g, x, None, *made[1:], **norm_of)
    assert_near(compiled.layer_norm_grad(g, x, None, *got[1:], 1003, 1e-5, True)[0], expected, 1e-4)


# Threads


def test_calls_from_many_threads_at_once(rng):
    pairs = [(normal(rng, 150, 170), normal(rng, 170, 130)) for _ in range(8)]
    wrong = []

    def work(x, y):
        expected = x.astype(np.float64) @ y
        for _ in range(20):
            if np.abs(compiled.matmul(x, y) - expected).max() > 1e-3:
                wrong.append(x)

    threads = [threading.Thread(target=work, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def _in_child(queue):
    x = np.ones((300, 300), np.float32)
    queue.put(float(compiled.matmul(x, x)[0, 0]))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
def test_a_forked_child_has_threads_of_its_own():
    x = np.ones((300, 300), np.float32)
    compiled.matmul(x, x)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == 300
    child.join()


@pytest.mark.parametrize("op, others, params", [
    (conv.conv_grad_input, [(5, 3, 3, 3)], {"size": (7, 6), "groups": 1}),
    (conv.conv_grad_weight, [(2, 3, 7, 6)], {"kernel": (3, 3), "groups": 1}),
])  # fmt: skip
def test_the_gradient_of_a_sum_is_copied(op, others, params, rng):
    """It is one number, shown as an image: the generic body would take many times as long."""
    how = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1)}
    g = np.broadcast_to(np.float32(0.5), (2, 5, 7, 6))
    arrays = [normal(rng, *shape) for shape in others]
    kernel = getattr(compiled, op.op.name)
    found = kernel(g, *arrays, **params, **how)
    assert np.array_equal(found, kernel(g.copy(), *arrays, **params, **how))
