"""Elementwise arithmetic, powers and exponentials, trigonometry, rounding and choice.

Operands broadcast; the engine sums gradients back. Results follow IEEE 754: 1 / 0 is inf, without a
warning.
"""

from math import log as log_of

from tallow.autograd.op import op
from tallow.ops.complex import conj, over, real
from tallow.ops.logic import isfinite, isnan

# Arithmetic


@op
def add(x, y):
    return x + y


@op
def sub(x, y):
    return x - y


@op
def mul(x, y):
    return x * y


@op
def div(x, y):
    return x / y


@op
def neg(x):
    return -x


@op
def floor_divide(xp, x, y):
    return xp.floor_divide(x, y)


@op
def trunc_divide(xp, x, y):
    """x / y rounded towards zero, for integers without passing through floats."""
    if (x if hasattr(x, "dtype") else y).dtype.kind in "iu":
        quotient = xp.floor_divide(x, y)
        return quotient + ((quotient < 0) & (quotient * y != x))
    return xp.trunc(x / y)


@op
def remainder(xp, x, y):
    """The remainder with the sign of the divisor, as Python's %."""
    return xp.remainder(x, y)


@op
def fmod(xp, x, y):
    """The remainder with the sign of the dividend, as C's fmod."""
    return xp.fmod(x, y)


@op
def lerp(xp, x, y, weight):
    """x + weight * (y - x), exact at both ends."""
    span = y - x
    return xp.where(abs(weight) < 0.5, x + weight * span, y - (1 - weight) * span)


add.vjp(lambda g: g, lambda g: g)
sub.vjp(lambda g: g, lambda g: neg(g))
mul.vjp(lambda g, y: mul(g, y), lambda g, x: mul(g, x))
div.vjp(lambda g, y: div(g, y), lambda g, x, y: neg(g * x / (y * y)))
neg.vjp(lambda g: neg(g))
floor_divide.vjp(lambda g: g * 0, lambda g: g * 0)
trunc_divide.vjp(lambda g: g * 0, lambda g: g * 0)
remainder.vjp(lambda g: g, lambda g, x, y: neg(g * floor_divide(x, y)))
lerp.vjp(
    lambda g, weight: g * (1 - weight), lambda g, weight: g * weight, lambda g, x, y: g * (y - x)
)
fmod.vjp(lambda g: g, lambda g, x, y: neg(g * trunc_divide(x, y)))

# Powers, exponentials, logarithms


@op
def power(x, y):
    return x**y


@op
def integer_power(xp, x, y):
    """x**y of integers; negative powers, fractions rounded towards 0, are 0 unless |x| is 1."""
    negative = xp.where(y % 2 == 0, 1, x) * (x * x == 1)
    return xp.where(y < 0, negative, x ** xp.where(y < 0, 0, y)).astype(y.dtype)


@op
def power_slope(xp, x, y):
    """The derivative of x**y by x, which is 0 where y is 0, also at x = 0."""
    return xp.where(y == 0, xp.zeros_like(x), y * x ** xp.where(y == 0, 1, y - 1))


@op
def log_of_base(xp, x):
    """log(x), and 0 at x = 0, where the derivative of x**y by y vanishes."""
    return xp.where(x == 0, xp.zeros_like(x), xp.log(xp.where(x == 0, 1, x)))


@op
def square(x):
    return x * x


@op
def sqrt(xp, x):
    return xp.sqrt(x)


@op
def rsqrt(xp, x):
    return 1 / xp.sqrt(x)


@op
def reciprocal(x):
    return 1 / x


@op
def exp(xp, x):
    return xp.exp(x)


@op
def exp2(xp, x):
    return xp.exp2(x)


@op
def expm1(xp, x):
    return xp.expm1(x)


@op
def log(xp, x):
    return xp.log(x)


@op
def log2(xp, x):
    return xp.log2(x)


@op
def log10(xp, x):
    return xp.log10(x)


@op
def log1p(xp, x):
    return xp.log1p(x)


@op
def logaddexp(xp, x, y):
    if xp.iscomplexobj(x) or xp.iscomplexobj(y):
        swapped = x.real < y.real
        x, y = xp.where(swapped, y, x), xp.where(swapped, x, y)
        return xp.where(x == y, x + LN2, x + xp.log1p(xp.exp(y - x))).astype(x.dtype)
    return xp.logaddexp(x, y)


@op
def logaddexp2(xp, x, y):
    return xp.logaddexp2(x, y)


LN2, LN10 = log_of(2), log_of(10)

power.vjp(
    lambda g, x, y: g * power_slope(x, y),
    lambda g, x, out: g * out * log_of_base(fill(out, x)),  # x may be a number
)
power_slope.vjp(
    lambda g, x, y: g * (y * power_slope(x, y - 1)),
    lambda g, x, y: g * (power(x, y - 1) * (y * log_of_base(x) + 1)),
)
log_of_base.vjp(lambda g, x: g / x)
square.vjp(lambda g, x: g * (2 * x))
sqrt.vjp(lambda g, out: g / (2 * out))
rsqrt.vjp(lambda g, out: g * (-0.5 * out * out * out))
reciprocal.vjp(lambda g, out: neg(g * out * out))
exp.vjp(lambda g, out: g * out)
exp2.vjp(lambda g, out: g * (out * LN2))
expm1.vjp(lambda g, out: g * (out + 1))
log.vjp(lambda g, x: g / x)
log2.vjp(lambda g, x: g / (x * LN2))
log10.vjp(lambda g, x: g / (x * LN10))
log1p.vjp(lambda g, x: g / (x + 1))
logaddexp2.vjp(
    lambda g, x, y: g * sigmoid((x - y) * LN2), lambda g, x, y: g * sigmoid((y - x) * LN2)
)
logaddexp.vjp(lambda g, x, y: g * sigmoid(x - y), lambda g, x, y: g * sigmoid(y - x))

# Trigonometric and hyperbolic functions


@op
def sin(xp, x):
    return xp.sin(x)


@op
def cos(xp, x):
    return xp.cos(x)


@op
def tan(xp, x):
    return xp.tan(x)


@op
def asin(xp, x):
    return xp.arcsin(x)


@op
def acos(xp, x):
    return xp.arccos(x)


@op
def atan(xp, x):
    return xp.arctan(x)


@op
def atan2(xp, x, y):
    return xp.arctan2(x, y)


@op
def sinh(xp, x):
    return xp.sinh(x)


@op
def cosh(xp, x):
    return xp.cosh(x)


@op
def tanh(xp, x):
    return xp.tanh(x)


@op
def tanh_grad(g, out):
    return g * (1 - out * out)


@op
def asinh(xp, x):
    return xp.arcsinh(x)


@op
def acosh(xp, x):
    return xp.arccosh(x)


@op
def atanh(xp, x):
    return xp.arctanh(x)


@op
def hypot(xp, x, y):
    """sqrt(x*x + y*y), without overflow."""
    return xp.hypot(x, y)


@op
def sigmoid(xp, x):
    out = 1 / (1 + xp.exp(-x))
    return out if out.dtype is x.dtype else out.astype(x.dtype)


@op
def sigmoid_grad(g, out):
    return g * (out * (1 - out))


sin.vjp(lambda g, x: g * cos(x))
cos.vjp(lambda g, x: neg(g * sin(x)))
tan.vjp(lambda g, out: g * (out * out + 1))
asin.vjp(lambda g, x: g * rsqrt(1 - x * x))
acos.vjp(lambda g, x: neg(g * rsqrt(1 - x * x)))
atan.vjp(lambda g, x: g / (x * x + 1))
atan2.vjp(lambda g, x, y: g * over(y, x * x + y * y), lambda g, x, y: g * over(-x, x * x + y * y))
sinh.vjp(lambda g, x: g * cosh(x))
cosh.vjp(lambda g, x: g * sinh(x))
asinh.vjp(lambda g, x: g * rsqrt(x * x + 1))
acosh.vjp(lambda g, x: g * (rsqrt(x - 1) * rsqrt(x + 1)))
atanh.vjp(lambda g, x: g / (1 - x * x))
hypot.vjp(lambda g, x, out: g * (x / out), lambda g, y, out: g * (y / out))
tanh.vjp(lambda g, out: tanh_grad(g, out))
tanh_grad.vjp(lambda v, out: tanh_grad(v, out), lambda v, g, out: v * g * (-2 * out))
sigmoid.vjp(lambda g, out: sigmoid_grad(g, out))
sigmoid_grad.vjp(lambda v, out: sigmoid_grad(v, out), lambda v, g, out: v * g * (1 - 2 * out))

# Absolute value, sign, rounding, choice


@op(holomorphic=False)
def absolute(xp, x):
    return xp.abs(x)


@op(holomorphic=False)
def sign(xp, x):
    """x / |x|, and 0 at 0 and at NaN."""
    if x.dtype.kind == "c":
        return over(x, xp.abs(x))
    positive = (x > 0).astype(x.dtype)
    return positive if x.dtype.kind in "bu" else positive - (x < 0).astype(x.dtype)


@op
def copysign(xp, x, y):
    """|x| with the sign of y."""
    return xp.copysign(x, y)


@op
def heaviside(xp, x, y):
    """0 where x < 0, 1 where x > 0, y where x is 0."""
    return xp.where(x == 0, y, x > 0).astype(x.dtype)


@op
def nextafter(xp, x, y):
    """The number next to x in the direction of y."""
    return xp.nextafter(x, y)


@op
def frexp(xp, x):
    """A mantissa of magnitude from 0.5 to 1, and an int32 exponent: x is mantissa * 2**exponent."""
    return tuple(xp.asarray(part) for part in xp.frexp(x))


@op
def floor(xp, x):
    return xp.floor(x)


@op
def ceil(xp, x):
    return xp.ceil(x)


@op
def trunc(xp, x):
    return xp.trunc(x)


@op
def round_half_even(xp, x, *, decimals):
    return xp.round(x, decimals)


@op
def maximum(xp, x, y):
    return xp.maximum(x, y)


@op
def minimum(xp, x, y):
    return xp.minimum(x, y)


@op
def fmax(xp, x, y):
    """The larger of x and y; the other where one is NaN."""
    return xp.fmax(x, y)


@op
def fmin(xp, x, y):
    """The smaller of x and y; the other where one is NaN."""
    return xp.fmin(x, y)


@op
def clip(xp, x, *, low, high):
    return xp.clip(x, low, high).astype(x.dtype, copy=False)


@op
def clip_to(xp, x, low, high):
    """x moved into [low, high], which may be tensors; `high` where low > high."""
    return xp.minimum(xp.maximum(x, low), high)


@op
def replace_nonfinite(xp, x, *, nan, high, low):
    """x with NaN as `nan`, inf as `high` and -inf as `low`."""
    x = xp.where(xp.isnan(x), x.dtype.type(nan), x)
    return xp.where(xp.isinf(x), xp.where(x > 0, x.dtype.type(high), x.dtype.type(low)), x)


@op
def where(xp, condition, x, y):
    return xp.where(condition, x, y)


@op
def copy(x, *, order="K"):
    """The same values in memory of their own; order "K" is that of x, "C" row-major."""
    return x.copy(order)


@op
def fill(xp, x, value):
    """`value` in the shape and dtype of x."""
    out = xp.empty_like(x)
    out[...] = value
    return out


@op
def larger(x, y):
    """1 where x > y or either is NaN, a half where they are equal, else 0, in their dtype."""
    return 1 - (x < y).astype(x.dtype) - (x == y) * x.dtype.type(0.5)


@op
def inside(x, *, low, high):
    """True where low <= x <= high (None: no limit)."""
    within = x == x
    if low is not None:
        within = within & (x >= low)
    if high is not None:
        within = within & (x <= high)
    return within


absolute.vjp(lambda g, x: g * sign(x))
sign.vjp(lambda g, x, out: over(g - out * real(g * conj(out)), absolute(x)))
copysign.vjp(lambda g, x, out: g * (sign(x) * sign(out)), lambda g: g * 0)
frexp.vjp(lambda g, out: g[0] * exp2(-out[1]))
floor.vjp(lambda g: g * 0)
ceil.vjp(lambda g: g * 0)
trunc.vjp(lambda g: g * 0)
round_half_even.vjp(lambda g: g * 0)
maximum.vjp(lambda g, x, y: g * larger(x, y), lambda g, x, y: g * larger(y, x))
minimum.vjp(lambda g, x, y: g * larger(y, x), lambda g, x, y: g * larger(x, y))
fmax.vjp(
    lambda g, x, y: where((x >= y) | isnan(y), g, 0),
    lambda g, x, y: where((x >= y) | isnan(y), 0, g),
)
fmin.vjp(
    lambda g, x, y: where((x <= y) | isnan(y), g, 0),
    lambda g, x, y: where((x <= y) | isnan(y), 0, g),
)
clip.vjp(lambda g, x, low, high: where(inside(x, low=low, high=high), g, 0))
clip_to.vjp(
    lambda g, x, low, high: where((x >= low) & (x <= high), g, 0),
    lambda g, x, low, high: where((x < low) & (low < high), g, 0),
    lambda g, x, low, high: where((x > high) | (high < low), g, 0),
)
replace_nonfinite.vjp(lambda g, x: where(isfinite(x), g, 0))
where.vjp(
    None, lambda g, condition: where(condition, g, 0), lambda g, condition: where(condition, 0, g)
)
copy.vjp(lambda g: g)
fill.vjp(lambda g: g * 0, lambda g: g)

# Conversion


@op
def convert(x, *, dtype):
    """To another dtype without a gradient: to or from integers and bool."""
    if x.dtype.kind == "c" and dtype.kind not in "bc":
        x = x.real
    return x.astype(dtype)
