"""Cases of tallow.ops.elementwise."""

import numpy as np
import pytest

from tallow.ops import elementwise as ops
from tallow.testing import Case, at_kink, bools, checks, draw, given

ONE = [given((2, 3)), given(()), given((0, 2))]
TWO = [
    given((2, 3), (2, 3)), given((2, 3), (3,)), given((2, 1), (1, 3)), given((), ()),
    given((2, 3), ()), given((), (2,)), given((0, 3), (3,)), given((2, 2), 2), given(2, (2, 2)),
]  # fmt: skip
ARRAYS = [example for example in TWO if all(isinstance(x, tuple) for x in example.inputs)]
WHOLE = np.array([2.0, -2.0, 0.0])
NAN = np.array([np.nan, 1.0, np.nan, 2.0])
INFINITE = np.array([np.inf, -np.inf, np.nan, 1.0])


def unary(op, reference, *more, **traits):
    return Case(op, reference, *ONE, *more, **traits)


def binary(op, reference, *more, examples=TWO, **traits):
    return Case(op, reference, *examples, *more, **traits)


def trunc_divide(x, y):
    return np.trunc(np.divide(x, y)).astype(np.result_type(x, y))


def lerp(x, y, weight):
    return x + weight * (y - x)


def power_slope(x, y):
    return np.where(y == 0, 0, y * np.power(x, y - 1))


def log_of_base(x):
    return np.log(np.where(x == 0, 1, x))


def integer_power(x, y):
    whole = np.trunc(np.power(np.where(x == 0, 2.0, x), y))
    return np.where(x == 0, y == 0, whole).astype(np.int64)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sign(x):
    size = np.abs(x)
    return np.where(size == 0, 0, x / np.where(size == 0, 1, size)).astype(x.dtype)


def over(x, y):
    return np.where(y == 0, 0, x / np.where(y == 0, 1, y))


def heaviside(x, y):
    return np.where(x < 0, 0, np.where(x > 0, 1, y))


def clip_to(x, low, high):
    return np.minimum(np.maximum(x, low), high)


def fill(x, value):
    return np.broadcast_to(np.asarray(value, x.dtype), x.shape)


def replace_nonfinite(x, nan, high, low):
    return np.nan_to_num(x, nan=nan, posinf=high, neginf=low)


def larger(x, y):
    return np.where(x > y, 1.0, np.where(x == y, 0.5, 0))


def inside(x, low, high):
    return (x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))


ARITHMETIC = [
    binary(ops.add, np.add, dtypes="ifc"),
    binary(ops.sub, np.subtract, dtypes="ifc"),
    binary(ops.mul, np.multiply, dtypes="ifc", tolerance=2),
    binary(ops.div, np.divide, dtypes="fc", domain=(0.3, 2), tolerance=2),
    unary(ops.neg, np.negative, dtypes="ifc"),
    binary(ops.floor_divide, np.floor_divide, dtypes="if", domain=(1, 9)),
    binary(ops.trunc_divide, trunc_divide, given(draw((4, 3), -9, 9), draw((3,), -3, -1)),
           dtypes="if", domain=(1, 9)),
    binary(ops.remainder, np.remainder, given(draw((4, 3), -9, 9), draw((3,), -3, -1)),
           domain=(1, 9), dtypes="if", orders=2, tolerance=16),
    binary(ops.fmod, np.fmod, given(draw((4, 3), -9, 9), draw((3,), -3, -1)),
           domain=(1, 9), dtypes="if", tolerance=16),
    Case(ops.addcmul, lambda x, y, z, value: x + value * y * z,
         given((2, 3), (3,), (2, 1), value=0.5), given((), (), (), value=2),
         given((0, 2), (2,), (), value=-1.0), given((2, 3), (2, 3), (2, 3), value=-1.5),
         dtypes="fc", tolerance=4),
    Case(ops.addcdiv, lambda x, y, z, value: x + value * y / z,
         given((2, 3), (3,), draw((2, 1), 0.3, 2), value=0.5),
         given((2, 3), (2, 3), draw((2, 3), 0.3, 2), value=-1.5),
         given((0, 2), (2,), draw((2,), 0.3, 2), value=-1.0), dtypes="fc", tolerance=8),
    Case(ops.lerp, lerp, given((2, 3), (2, 3), (3,)), given((), (), ()), given((0, 2), (0, 2), ()),
         given((2, 3), (3,), draw((3,), 0, 0.4)), dtypes="fc", tolerance=4),
]  # fmt: skip
POWERS = [
    binary(ops.power, np.power, given((2, 3), 3), given((2, 3), -1), given((2, 3), -2),
           domain=(0.2, 2), dtypes="fc", tolerance=8),
    binary(ops.power, np.power, at_kink(WHOLE, 3), at_kink(WHOLE, np.array([3.0, 2.0, 2.0])),
           at_kink(WHOLE, np.array([0.0, 0.0, 1.0])), examples=[], dtypes="f", tolerance=8),
    binary(ops.integer_power, integer_power, given(draw((9,), -2, 2), draw((9,), -3, 3)),
           domain=(0, 3), dtypes="i", examples=ARRAYS),
    binary(ops.power_slope, power_slope, given((2, 3), 3), examples=ARRAYS, domain=(0.2, 2),
           tolerance=8),
    unary(ops.log_of_base, log_of_base, at_kink(WHOLE**2), domain=(0.2, 2)),
    unary(ops.square, np.square, dtypes="ifc", tolerance=2),
    unary(ops.sqrt, np.sqrt, at_kink(WHOLE**2), domain=(0.1, 2), dtypes="fc"),
    unary(ops.rsqrt, lambda x: x**-0.5, domain=(0.1, 2), dtypes="fc", tolerance=4),
    unary(ops.reciprocal, lambda x: 1 / x, domain=(0.1, 2), dtypes="fc", tolerance=4),
    unary(ops.exp, np.exp, dtypes="fc", tolerance=4),
    unary(ops.exp2, np.exp2, tolerance=4),
    unary(ops.expm1, np.expm1, given(np.array([1e-7, -1e-7])), dtypes="fc", tolerance=4),
    unary(ops.log, np.log, domain=(0.1, 2), dtypes="fc", tolerance=4),
    unary(ops.log2, np.log2, domain=(0.1, 2), dtypes="fc", tolerance=4),
    unary(ops.log10, np.log10, domain=(0.1, 2), dtypes="fc", tolerance=4),
    unary(ops.log1p, np.log1p, given(np.array([1e-7, -1e-7])), domain=(-0.9, 2), dtypes="fc",
          tolerance=4),
    binary(ops.logaddexp, np.logaddexp, tolerance=4),
    binary(ops.logaddexp2, np.logaddexp2, tolerance=4),
]  # fmt: skip
WAVES = [
    unary(ops.sin, np.sin, dtypes="fc", tolerance=4),
    unary(ops.cos, np.cos, dtypes="fc", tolerance=4),
    unary(ops.tan, np.tan, domain=(-1.2, 1.2), dtypes="fc", tolerance=8),
    unary(ops.asin, np.arcsin, domain=(-0.9, 0.9), dtypes="fc", tolerance=8),
    unary(ops.acos, np.arccos, domain=(-0.9, 0.9), dtypes="fc", tolerance=8),
    unary(ops.atan, np.arctan, domain=(-0.9, 0.9), dtypes="fc", tolerance=8),
    binary(ops.atan2, np.arctan2, given(draw((3,), -2, -1), draw((3,), -2, -1)), domain=(0.2, 2),
           tolerance=8),
    unary(ops.sinh, np.sinh, dtypes="fc", tolerance=8),
    unary(ops.cosh, np.cosh, dtypes="fc", tolerance=8),
    unary(ops.tanh, np.tanh, dtypes="fc", domain=(-1, 1), tolerance=8),
    unary(ops.asinh, np.arcsinh, domain=(-0.9, 0.9), dtypes="fc", tolerance=8),
    unary(ops.acosh, np.arccosh, domain=(1.1, 3), dtypes="fc", tolerance=8),
    binary(ops.tanh_grad, lambda g, out: g * (1 - out**2), examples=ARRAYS, dtypes="fc"),
    binary(ops.sigmoid_grad, lambda g, out: g * out * (1 - out), examples=ARRAYS, dtypes="fc"),
    unary(ops.atanh, np.arctanh, domain=(-0.9, 0.9), dtypes="fc", tolerance=8),
    binary(ops.hypot, np.hypot, domain=(0.2, 2), examples=ARRAYS, tolerance=4),
    unary(ops.sigmoid, sigmoid, given(np.array([30.0, -5.0])), dtypes="fc", domain=(-1, 1),
          tolerance=4),
]  # fmt: skip
SIGNS = [
    unary(ops.absolute, np.abs, kinks=(0,), dtypes="ifc", tolerance=2),
    unary(ops.sign, sign, at_kink(WHOLE), kinks=(0,), dtypes="ifc", tolerance=2),
    binary(ops.over, over, at_kink(WHOLE, np.zeros(3)), domain=(0.2, 2), dtypes="fc", tolerance=4),
    binary(ops.copysign, np.copysign, given(WHOLE[:2], draw((2,), -2, -1)), kinks=(0,)),
    binary(ops.heaviside, heaviside, given(WHOLE, (3,)), dtypes="if", examples=ARRAYS),
    Case(ops.frexp, np.frexp, *ONE, given(np.array([9.0, 0.75, -3.0])), at_kink(WHOLE),
         domain=(0.6, 0.9), outputs=(0,)),
    unary(ops.floor, np.floor, at_kink(WHOLE), kinks=(-2, -1, 0, 1, 2)),
    unary(ops.ceil, np.ceil, at_kink(WHOLE), kinks=(-2, -1, 0, 1, 2)),
    unary(ops.trunc, np.trunc, at_kink(WHOLE), kinks=(-2, -1, 0, 1, 2)),
    Case(ops.round_half_even, lambda x, decimals: np.round(x, decimals),
         given((2, 3), decimals=0), given((), decimals=0), given((0,), decimals=0),
         at_kink(np.array([0.5, 1.5, -2.5]), decimals=0), given((2, 3), decimals=-1),
         kinks=(-1.5, -0.5, 0.5, 1.5)),
    Case(ops.round_half_even, lambda x, decimals: np.round(x, decimals),
         at_kink(np.array([0.25, 1.75, -2.0]), decimals=1),
         at_kink(np.array([0.5, -1.5, 3.0]), decimals=0)),
]  # fmt: skip
CHOICES = [
    binary(ops.maximum, np.maximum, at_kink(WHOLE, WHOLE), at_kink(NAN, WHOLE[[0, 1, 2, 0]]),
           dtypes="if", examples=ARRAYS),
    binary(ops.minimum, np.minimum, at_kink(WHOLE, WHOLE), at_kink(NAN, WHOLE[[0, 1, 2, 0]]),
           dtypes="if", examples=ARRAYS),
    binary(ops.fmax, np.fmax, at_kink(WHOLE, WHOLE), examples=ARRAYS),
    binary(ops.fmin, np.fmin, at_kink(WHOLE, WHOLE), examples=ARRAYS),
    Case(ops.clip, lambda x, low, high: np.clip(x, low, high),
         given((2, 3), low=-1, high=1), given((), low=None, high=1),
         given((0, 2), low=-1, high=None),
         at_kink(WHOLE, low=0, high=2), kinks=(-1, 1), dtypes="f"),
    Case(ops.clip_to, clip_to,
         given((2, 3), draw((3,), -1, -0.5), draw((3,), 0.5, 1)),
         given((4,), draw((), 0.4, 0.6), draw((), -0.6, -0.4)),
         given((), (), ()), given((0, 2), (2,), (2,)), kinks=(-0.5, 0.5)),
    Case(ops.replace_nonfinite, replace_nonfinite,
         given((2, 3), nan=0.0, high=5.0, low=-5.0), given((), nan=0.0, high=5.0, low=-5.0),
         at_kink(INFINITE, nan=0.5, high=5.0, low=-5.0)),
    Case(ops.where, np.where,
         given(bools((2, 3)), (2, 3), (3,)), given(bools(()), (), ()),
         given(bools((3,)), (2, 3), 0),
         given(bools((2, 1)), 1, (3,)), given(bools((0, 2)), (0, 2), (2,)), dtypes="ifc"),
    unary(ops.copy, lambda x, order="K": x, given((2, 3), order="C"), dtypes="bifc"),
    Case(ops.fill, fill,
         given((2, 3), ()), given((2, 3), (3,)), given((2, 3), 2), given((), ()), given((0, 2), ()),
         dtypes="ifc"),
    binary(ops.larger, larger, given(WHOLE, WHOLE), examples=ARRAYS),
    Case(ops.inside, inside, given((2, 3), low=-1, high=1), given((), low=None, high=0),
         given((0, 2), low=0, high=None), given(WHOLE, low=0, high=2), gives=bool),
    binary(ops.nextafter, np.nextafter, examples=[], dtypes="f"),
]  # fmt: skip
CONVERSIONS = [
    Case(ops.convert, lambda x, dtype: np.trunc(x.real), given((2, 3), dtype=np.dtype("i4")),
         given((), dtype=np.dtype("i4")), dtypes="bifc", gives="i4"),
    Case(ops.convert, lambda x, dtype: x, given((2, 3), dtype=np.dtype("c8")), dtypes="bi",
         gives="c8"),
]  # fmt: skip
CASES = ARITHMETIC + POWERS + WAVES + SIGNS + CHOICES + CONVERSIONS


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_next_after(kind):
    x = np.array([1.0, -1.0, 0.0], kind)
    y = np.array([2.0, -1.0, -1.0], kind)
    np.testing.assert_array_equal(ops.nextafter(x, y), np.nextafter(x, y))
