"""bfloat16 and float16: products by tiles, convolutions, casts, and float32's kernels on strips."""

import ml_dtypes
import numpy as np
import pytest

import tallow
from tallow.kernels.cpu import compiled

if compiled is None:
    pytest.skip("no compiled kernels", allow_module_level=True)

BF16 = np.dtype(ml_dtypes.bfloat16)
UNITS = ["float32", "AVX512-BF16", "AMX"]


@pytest.fixture(params=range(3), ids=UNITS)
def unit(request):
    """Each way of multiplying tiles that this processor has; plain vectors everywhere."""
    there = compiled.limit_tiles(request.param)
    if there:
        yield UNITS[request.param]
    compiled.limit_tiles(2)
    if not there:
        pytest.skip("not on this processor")


def normal(*shape, dtype=BF16):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32).astype(dtype)


def wide(x):
    return x.astype(np.float64)


def close(got, expected, depth=1):
    assert got.dtype == BF16
    scale = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(wide(got), expected, rtol=2**-8, atol=2**-14 * scale)


SIZES = [
    (1, 1, 1), (5, 1, 2), (5, 7, 3), (33, 31, 40), (16, 64, 16), (70, 300, 65), (3, 40, 9),
    (2, 769, 50), (40, 1100, 300), (6, 0, 3),
]  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_products(unit, sizes, turned):
    m, k, n = sizes
    x, y = normal(m, k), normal(k, n)
    x, y = (np.ascontiguousarray(a.T).T if t else a for a, t in zip((x, y), turned, strict=True))
    close(compiled.matmul(x, y), wide(x) @ wide(y))


def test_batches_bias_and_layouts(unit):
    x, y = normal(2, 3, 20, 31), normal(2, 3, 31, 17)
    close(compiled.matmul(x, y), wide(x) @ wide(y))
    close(compiled.matmul(x.swapaxes(0, 1), y.swapaxes(0, 1)), (wide(x) @ wide(y)).swapaxes(0, 1))
    close(compiled.matmul(x, y[0, 0]), wide(x) @ wide(y[0, 0]))
    spaced = normal(40, 62)[::2, ::2]
    close(compiled.matmul(spaced, y[0, 0]), wide(spaced) @ wide(y[0, 0]))
    weight, bias = normal(17, 31), normal(17)
    for operand in (x, x[0, 0], x[0, 0, 0], x.swapaxes(0, 2)):
        expected = wide(operand) @ wide(weight).T
        close(compiled.linear(operand, weight, bias), expected + wide(bias))
        close(compiled.linear(operand, weight, None), expected)
    assert compiled.linear(x, weight, bias.astype(np.float32)) is NotImplemented
    assert compiled.matmul(x, y.astype(np.float32)) is NotImplemented


def test_infinities_and_nan(unit):
    x, y = normal(20, 40).astype(np.float32), np.eye(40, dtype=np.float32) + 1
    x[3, 5], x[4, 6], x[5, 7] = np.inf, -np.inf, np.nan
    got = compiled.matmul(x.astype(BF16), y.astype(BF16)).astype(np.float32)
    assert np.all(got[3] == np.inf) and np.all(got[4] == -np.inf) and np.all(np.isnan(got[5]))
    assert np.isfinite(got[6:]).all()


CONVOLUTIONS = [  # x, weight, stride, padding, dilation, groups
    ((2, 16, 9, 11), (20, 16, 3, 3), 1, 1, 1, 1),
    ((1, 35, 8, 8), (33, 35, 1, 1), 1, 0, 1, 1),
    ((3, 32, 13, 10), (16, 32, 3, 3), 2, 1, 1, 1),
    ((2, 16, 9, 9), (17, 16, 1, 1), 2, 0, 1, 1),
    ((2, 32, 12, 12), (32, 16, 3, 2), (1, 3), (2, 0), (2, 1), 2),
    ((1, 17, 7, 7), (16, 17, 5, 5), 1, 4, 1, 1),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolutions(unit, case):
    size, kernel, *how, groups = case
    how = [(value, value) if isinstance(value, int) else value for value in how]
    how = dict(zip(("stride", "padding", "dilation"), how, strict=True)) | {"groups": groups}
    x, weight, bias = normal(*size), normal(*kernel), normal(kernel[0])
    exact = tallow.ops.conv
    y = compiled.shorts.conv(x, weight, bias, **how)
    close(y, exact.conv(wide(x), wide(weight), wide(bias), **how))
    g = normal(*y.shape)
    by_weight = compiled.shorts.conv_grad_weight(g, x, kernel=kernel[2:], **how)
    expected = exact.conv_grad_weight(wide(g), wide(x), kernel=kernel[2:], **how)
    close(by_weight, expected)
    by_input = compiled.shorts.conv_grad_input(g, weight, size=size[2:], **how)
    if how["stride"] != (1, 1):
        assert by_input is NotImplemented
    else:
        close(by_input, exact.conv_grad_input(wide(g), wide(weight), size=size[2:], **how))


@pytest.mark.parametrize("dtype", [BF16, np.dtype(np.float16)], ids=str)
def test_casts_are_exact(dtype):
    every = np.arange(2**16, dtype=np.uint16).view(dtype)
    finite = np.isfinite(every.astype(np.float32))
    expected = every.astype(np.float32)
    np.testing.assert_array_equal(compiled.widen(every), expected)
    back = compiled.narrow(compiled.widen(every), dtype)
    np.testing.assert_array_equal(back[finite].view(np.uint16), every[finite].view(np.uint16))
    bits = np.random.default_rng(0).integers(0, 2**32, 100_003, np.uint32)
    halfway = expected[finite].view(np.uint32)[:, None] + np.uint32(
        [0x7FFF, 0x8000, 0x8001, 0x1000]
    )
    for x in (bits.view(np.float32), halfway.reshape(-1).view(np.float32)):
        with np.errstate(over="ignore", invalid="ignore"):
            wanted = x.astype(dtype)
        np.testing.assert_array_equal(
            compiled.narrow(x, dtype).astype(np.float32), wanted.astype(np.float32)
        )
    assert compiled.widen(np.float32([1])) is NotImplemented
    assert compiled.narrow(np.float32([1]), np.dtype(np.int16)) is NotImplemented


@pytest.mark.parametrize("dtype", [BF16, np.dtype(np.float16)], ids=str)
@pytest.mark.parametrize("count", [1, 17, 4096, 20_001])
def test_strips_round_once(dtype, count):
    x, y = normal(count, dtype=dtype), normal(count, dtype=dtype) + dtype.type(3)
    a, b = x.astype(np.float32), y.astype(np.float32)
    for name in ("gelu", "exp", "relu", "add", "div", "gelu_grad", "maximum"):
        function = getattr(compiled, name)
        operands = (x, y) if name in ("add", "div", "gelu_grad", "maximum") else (x,)
        got = getattr(compiled.shorts, name)(*operands)
        np.testing.assert_array_equal(got, function(*(a, b)[: len(operands)]).astype(dtype))
    assert compiled.shorts.add(x, a) is NotImplemented
    assert compiled.shorts.add(x, x[:0]) is NotImplemented


def test_operations_in_short_floats_are_float32s_rounded_once():
    tallow.manual_seed(0)
    x = tallow.randn(6, 40).bfloat16()
    for function in (
        lambda x: x.softmax(-1), lambda x: tallow.nn.functional.layer_norm(x, (40,)),
        lambda x: x.mean(-1), lambda x: x.amax(0), lambda x: x.abs().sqrt(), lambda x: x * x[0],
    ):  # fmt: skip
        assert tallow.equal(function(x), function(x.float()).bfloat16())


@pytest.mark.parametrize("name", ["SGD", "AdamW", "RMSprop", "Adagrad", "Adadelta"])
def test_steps_in_short_floats_are_float32s_rounded_once(name):
    tallow.manual_seed(0)
    start, grad = tallow.randn(50).bfloat16(), tallow.randn(50).bfloat16()
    results = []
    for dtype in (tallow.bfloat16, tallow.float32):
        p = tallow.nn.Parameter(start.clone().to(dtype))
        p.grad = grad.to(dtype)
        getattr(tallow.optim, name)([p], lr=0.1).step()
        results.append(p.detach().bfloat16())
        assert p.dtype is dtype and tallow.equal(p.grad, grad.to(dtype))
    assert tallow.equal(*results)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent_layers(kind):
    tallow.manual_seed(0)
    layer = getattr(tallow.nn, kind)(12, 8).bfloat16()
    x = tallow.randn(5, 3, 12).bfloat16().requires_grad_()
    layer(x)[0].sum().backward()
    grads = [x.grad, *(p.grad for p in layer.parameters())]
    exact, y = layer.float(), x.detach().float().requires_grad_()
    layer.zero_grad()
    exact(y)[0].sum().backward()
    for got, wanted in zip(grads, [y.grad, *(p.grad for p in exact.parameters())], strict=True):
        assert got.dtype is tallow.bfloat16
        tallow.testing.assert_close(got.float(), wanted, rtol=0.03, atol=0.03)
