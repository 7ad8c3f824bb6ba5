"""Chains against their bodies on NumPy, in float64."""

import numpy as np
import pytest

from tallow.kernels.cpu import REASON, compiled

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

if compiled is not None:
    from tallow.kernels.chain import ARRAY, Chain, Number, choose

TILE = 512


class Reference:
    """NumPy, and the functions of chains that it lacks."""

    def __getattr__(self, name):
        return getattr(np, name)

    def sigmoid(self, x):
        return 1 / (1 + np.exp(-x))


FORMULAS = {
    "sums": lambda xp, x, y, z, *, a, b: (x + y) * a - (z - b) + (a - x) / (y * y + 1.0),
    "products and sums": lambda xp, x, y, z, *, a, b: (
        (x * y + z) + (z - x * y) * (a * x + b) + (b - a * x) + (x * y + b) + (y - x * a)
    ),
    "functions": lambda xp, x, y, z, *, a, b: (
        xp.sqrt(abs(x)) + xp.exp(-y) + xp.tanh(z) + xp.sigmoid(x * a) + xp.sign(y) - -z
    ),
    "more functions": lambda xp, x, y, z, *, a, b: (
        xp.expm1(x) + xp.log(abs(y)) * xp.log1p(abs(z)) + xp.sin(x) * xp.cos(y * a) + xp.floor(y)
        - xp.trunc(z * 3) + xp.copysign(x, y) + xp.hypot(x, z) + xp.logaddexp(y, z) + x**3 + y**2
    ),
    "choices": lambda xp, x, y, z, *, a, b: (
        xp.where(x < y, z, a) + xp.where(x >= b, b, y) + xp.where(y <= z, a, b)
        + xp.maximum(x, a) * xp.minimum(y, z) + xp.clip(z, -a, a) + (x > 0.5) * y
    ),
    "numbers": lambda xp, x, y, z, *, a, b: (
        x * (a**2 - 1 / b + 2**a) + y * choose(a > b, a, b) + z * choose(-a >= b, a, -b - 0.5)
    ),
    "choices by numbers": lambda xp, x, y, z, *, a, b: (
        choose(a < b, x, y) + choose(a > b, x * z, 0.5) + 0.0 * z
    ),
}  # fmt: skip


def operands(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-2, 2, shape).astype(np.float32) for shape in shapes]


def compare(body, arrays, **numbers):
    made = Chain.of(body).run(*arrays, **numbers)
    wide = [np.float64(x) if x.dtype == np.float32 else x for x in arrays]
    expected = body(Reference(), *wide, **numbers)
    if not isinstance(made, tuple):
        made, expected = (made,), (expected,)
    for out, reference in zip(made, expected, strict=True):
        assert out.dtype == np.float32
        np.testing.assert_allclose(out, reference, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", [1, 15, TILE - 1, TILE, TILE + 1, 70_003])
@pytest.mark.parametrize("name", FORMULAS)
def test_formulas(name, size, threads):
    before = compiled.get_threads()
    try:
        compiled.set_threads(threads)
        compare(FORMULAS[name], operands([size] * 3), a=0.75, b=1.5)
    finally:
        compiled.set_threads(before)


@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 5, 700), (5, 1), (3, 5, 700)), ((40, 33), (33,), ()), ((2, 3, 4), (2, 1, 1), (4,)),
        ((1, 1), (1,), ()), ((600,), (600,), (1,)), ((2, 3, 600), (3, 1), (2, 3, 1)),
    ],
)  # fmt: skip
def test_operands_are_repeated(shapes):
    compare(FORMULAS["sums"], operands(shapes), a=0.75, b=1.5)


def test_operands_of_bytes():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (2, 3, 700), np.uint8)
    keep = rng.random((2, 3, 1)) < 0.5
    y = operands([(3, 1)])[0]

    def body(xp, x, y, keep, *, a):
        return xp.where(keep, x * a, y)

    compare(body, [x, y, keep], a=1 / 255)


def test_several_results_and_what_is_used_twice():
    def body(xp, x, y, *, a):
        total = x + y
        product = x * y
        return total, total * product, product + a, y - product, x

    compare(body, operands([1000] * 2), a=0.5)


def test_arrays_are_changed_in_place():
    def body(xp, x, y, z, *, a):
        x *= a
        x += y
        x -= 0.25
        y /= x
        z[...] = xp.maximum(y, z)

    for size in (1, TILE + 5, 70_003):
        mine = operands([size] * 3)
        wide = list(map(np.float64, mine))
        chain = Chain.of(body)
        assert chain.update([[x] for x in mine], [chain.row(a=0.5)])
        body(np, *wide, a=0.5)
        for x, expected in zip(mine, wide, strict=True):
            np.testing.assert_allclose(x, expected, rtol=1e-4, atol=1e-5)


def test_arrays_may_be_exchanged():
    @Chain.of
    def turn(xp, x, y, z):
        before = x + 0.0
        x[...], y[...], z[...] = y, z, before

    x, y, z = arrays = operands([1000] * 3)
    expected = [a.copy() for a in (y, z, x)]
    assert turn.update([[a] for a in arrays], [turn.row()])
    for a, b in zip(arrays, expected, strict=True):
        assert (a == b).all()


def test_numbers_of_every_parameter():
    @Chain.of
    def scale(xp, x, *, a):
        x *= a

    xs = operands([5, 0, 70_000, 600])
    before = [x.copy() for x in xs]
    assert scale.update([xs], [scale.row(a=a) for a in (1.0, 2.0, 3.0, 4.0)])
    for x, old, a in zip(xs, before, (1, 2, 3, 4), strict=True):
        assert (x == old * a).all()


def test_special_values():
    x = np.float32([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 3e38])
    y = x[::-1].copy()

    def body(xp, x, y):
        return (
            x + y, x * y, x / y, xp.maximum(x, y), xp.minimum(x, y), xp.where(x, y, 1.0),
            xp.where(x < y, 1.0, 0.0), abs(x), -x, xp.sqrt(x), xp.tanh(x), xp.clip(x, -1.0, 1.0),
        )  # fmt: skip

    with np.errstate(all="ignore"):
        expected = body(np, x, y)
    for out, reference in zip(Chain.of(body)(x, y), expected, strict=True):
        np.testing.assert_allclose(out, reference, rtol=1e-6)


def test_what_is_declined():
    chain = Chain.of(lambda xp, x, y: x + y)
    x = np.ones((4, 6), np.float32)
    for y in (x.astype(np.float64), x.T, x[:, ::2], np.ones(4, np.float32), 1.0, x.astype(int)):
        assert chain.run(x, y) is NotImplemented
    assert chain.run(x[:0], x[:0]) is NotImplemented
    np.testing.assert_array_equal(chain(x, x.T[:, :1].T.astype(np.float64)), x + x.T[:, :1].T)


def test_what_is_declined_in_place():
    @Chain.of
    def follow(xp, x, y):
        x += y

    x = np.ones(8, np.float32)
    fixed = x.copy()
    fixed.flags.writeable = False
    for a, b in ((fixed, x), (x[:4], x[2:6]), (x, x[:4]), (x[::2], x[:4]), (x, x.astype(bool))):
        assert not follow.update([[a], [b]], [()])
    assert (x == 1).all()


@pytest.mark.parametrize(
    "body, error",
    [
        (lambda xp, x: xp.erfc(x), "unknown instruction"),
        (lambda xp, x: xp.maximum(x), "operands"),
        (lambda xp, x, *, a: x if a else x * 2.0, "branch on what is known"),
        (lambda xp, x: x.__setitem__(0, x), r"x\[...\]"),
        (lambda xp, x: x.__iadd__(1.0), "changed or made"),
    ],
)
def test_errors(body, error):
    with pytest.raises((ValueError, TypeError), match=error):
        Chain.of(body)


def test_numbers_that_are_known_to_be_0():
    def body(xp, x, *, a):
        return x * a if a else x + 1.0

    for truth, expected in ((False, "add"), (True, "mul")):
        chain = Chain(body, [ARRAY], {"a": Number("a", truth)}, ["a"])
        assert [step[0] for step in chain.steps] == [expected]


def test_without_kernels(monkeypatch):
    monkeypatch.setattr("tallow.kernels.chain.compiled", None)
    chain = Chain.of(lambda xp, x, *, a: xp.sqrt(x) * a)
    assert chain(np.float32([4, 9]), a=2).tolist() == [4, 6]
    assert not chain.update([[np.ones(1, np.float32)]], [(2,)])
