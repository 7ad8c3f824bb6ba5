"""Elementwise arithmetic, powers and exponentials, trigonometry, rounding and choice.

Operands broadcast; the engine sums gradients back. Results follow IEEE 754: 1 / 0 is inf, without a
warning.
"""

from math import log as log_of

from tallow.autograd.op import op
from tallow.ops.complex import conj, over, real
from tallow.ops.logic import isfinite, isnan

# Arithmetic

add = op(lambda x, y: x + y, name="add").vjp(lambda g: g, lambda g: g)
sub = op(lambda x, y: x - y, name="sub").vjp(lambda g: g, lambda g: neg(g))
mul = op(lambda x, y: x * y, name="mul").vjp(lambda g, y: mul(g, y), lambda g, x: mul(g, x))
div = op(lambda x, y: x / y, name="div").vjp(
    lambda g, y: div(g, y), lambda g, x, y: neg(g * (x / y / y))
)
neg = op(lambda x: -x, name="neg").vjp(lambda g: neg(g))
floor_divide = op(lambda xp, x, y: xp.floor_divide(x, y), name="floor_divide").vjp(
    lambda g: g * 0, lambda g: g * 0
)

# The remainder has the sign of the divisor, as Python's %, or of the dividend, as C's fmod.
remainder = op(lambda xp, x, y: xp.remainder(x, y), name="remainder").vjp(
    lambda g: g, lambda g, x, y: neg(g * floor_divide(x, y))
)
fmod = op(lambda xp, x, y: xp.fmod(x, y), name="fmod").vjp(
    lambda g: g, lambda g, x, y: neg(g * trunc_divide(x, y))
)


@op
def trunc_divide(xp, x, y):
    """x / y rounded towards zero, for integers without passing through floats."""
    if (x if hasattr(x, "dtype") else y).dtype.kind in "iu":
        quotient = xp.floor_divide(x, y)
        return quotient + ((quotient < 0) & (quotient * y != x))
    return xp.trunc(x / y)


@op
def lerp(xp, x, y, weight):
    """x + weight * (y - x), exact at both ends."""
    span = y - x
    return xp.where(abs(weight) < 0.5, x + weight * span, y - (1 - weight) * span)


@op
def addcmul(x, y, z, *, value):
    return x + y * z * x.dtype.type(value)


@op
def addcdiv(x, y, z, *, value):
    return x + y / z * x.dtype.type(value)


addcmul.vjp(lambda g: g, lambda g, z, value: g * z * value, lambda g, y, value: g * y * value)
addcdiv.vjp(
    lambda g: g, lambda g, z, value: g / z * value, lambda g, y, z, value: -g * y / (z * z) * value
)
trunc_divide.vjp(lambda g: g * 0, lambda g: g * 0)
lerp.vjp(
    lambda g, weight: g * (1 - weight), lambda g, weight: g * weight, lambda g, x, y: g * (y - x)
)

# Powers, exponentials, logarithms

LN2, LN10 = log_of(2), log_of(10)


@op
def integer_power(xp, x, y):
    """x**y of integers; negative powers, fractions rounded towards 0, are 0 unless |x| is 1."""
    negative = xp.where(y % 2 == 0, 1, x) * (x * x == 1)
    return xp.where(y < 0, negative, x ** xp.where(y < 0, 0, y)).astype(y.dtype)


@op
def power_slope(xp, x, y):
    """The derivative of x**y by x, which is 0 where y is 0, also at x = 0."""
    if not hasattr(y, "dtype"):
        return y * x ** (y - 1) if y else xp.zeros_like(x)
    return xp.where(y == 0, xp.zeros_like(x), y * x ** xp.where(y == 0, 1, y - 1))


@op
def log_of_base(xp, x):
    """log(x), and 0 at x = 0, where the derivative of x**y by y vanishes."""
    return xp.where(x == 0, xp.zeros_like(x), xp.log(xp.where(x == 0, 1, x)))


@op
def logaddexp(xp, x, y):
    if xp.iscomplexobj(x) or xp.iscomplexobj(y):
        swapped = x.real < y.real
        x, y = xp.where(swapped, y, x), xp.where(swapped, x, y)
        return xp.where(x == y, x + LN2, x + xp.log1p(xp.exp(y - x))).astype(x.dtype)
    return xp.logaddexp(x, y)


power = op(lambda x, y: x**y, name="power").vjp(
    lambda g, x, y: g * power_slope(x, y),
    lambda g, x, out: g * out * log_of_base(fill(out, x)),  # x may be a number
)
power_slope.vjp(
    lambda g, x, y: g * (y * power_slope(x, y - 1)),
    lambda g, x, y: g * (power(x, y - 1) * (y * log_of_base(x) + 1)),
)
log_of_base.vjp(lambda g, x: g / x)
square = op(lambda x: x * x, name="square").vjp(lambda g, x: g * (2 * x))
sqrt = op(lambda xp, x: xp.sqrt(x), name="sqrt").vjp(lambda g, out: g / (2 * out))
rsqrt = op(lambda xp, x: 1 / xp.sqrt(x), name="rsqrt").vjp(
    lambda g, out: g * (-0.5 * out * out * out)
)
reciprocal = op(lambda x: 1 / x, name="reciprocal").vjp(lambda g, out: neg(g * out * out))
exp = op(lambda xp, x: xp.exp(x), name="exp").vjp(lambda g, out: g * out)
exp2 = op(lambda xp, x: xp.exp2(x), name="exp2").vjp(lambda g, out: g * (out * LN2))
expm1 = op(lambda xp, x: xp.expm1(x), name="expm1").vjp(lambda g, out: g * (out + 1))
log = op(lambda xp, x: xp.log(x), name="log").vjp(lambda g, x: g / x)
log2 = op(lambda xp, x: xp.log2(x), name="log2").vjp(lambda g, x: g / (x * LN2))
log10 = op(lambda xp, x: xp.log10(x), name="log10").vjp(lambda g, x: g / (x * LN10))
log1p = op(lambda xp, x: xp.log1p(x), name="log1p").vjp(lambda g, x: g / (x + 1))
logaddexp.vjp(lambda g, x, y: g * sigmoid(x - y), lambda g, x, y: g * sigmoid(y - x))
logaddexp2 = op(lambda xp, x, y: xp.logaddexp2(x, y), name="logaddexp2").vjp(
    lambda g, x, y: g * sigmoid((x - y) * LN2), lambda g, x, y: g * sigmoid((y - x) * LN2)
)

# Trigonometric and hyperbolic functions

sin = op(lambda xp, x: xp.sin(x), name="sin").vjp(lambda g, x: g * cos(x))
cos = op(lambda xp, x: xp.cos(x), name="cos").vjp(lambda g, x: neg(g * sin(x)))
tan = op(lambda xp, x: xp.tan(x), name="tan").vjp(lambda g, out: g * (out * out + 1))
asin = op(lambda xp, x: xp.arcsin(x), name="asin").vjp(lambda g, x: g * rsqrt(1 - x * x))
acos = op(lambda xp, x: xp.arccos(x), name="acos").vjp(lambda g, x: neg(g * rsqrt(1 - x * x)))
atan = op(lambda xp, x: xp.arctan(x), name="atan").vjp(lambda g, x: g / (x * x + 1))
atan2 = op(lambda xp, x, y: xp.arctan2(x, y), name="atan2").vjp(
    lambda g, x, y: g * over(y, x * x + y * y), lambda g, x, y: g * over(-x, x * x + y * y)
)
sinh = op(lambda xp, x: xp.sinh(x), name="sinh").vjp(lambda g, x: g * cosh(x))
cosh = op(lambda xp, x: xp.cosh(x), name="cosh").vjp(lambda g, x: g * sinh(x))
tanh = op(lambda xp, x: xp.tanh(x), name="tanh").vjp(lambda g, out: tanh_grad(g, out))
tanh_grad = op(lambda g, out: g * (1 - out * out), name="tanh_grad").vjp(
    lambda v, out: tanh_grad(v, out), lambda v, g, out: v * g * (-2 * out)
)
asinh = op(lambda xp, x: xp.arcsinh(x), name="asinh").vjp(lambda g, x: g * rsqrt(x * x + 1))
acosh = op(lambda xp, x: xp.arccosh(x), name="acosh").vjp(
    lambda g, x: g * (rsqrt(x - 1) * rsqrt(x + 1))
)
atanh = op(lambda xp, x: xp.arctanh(x), name="atanh").vjp(lambda g, x: g / (1 - x * x))
hypot = op(lambda xp, x, y: xp.hypot(x, y), name="hypot").vjp(
    lambda g, x, out: g * (x / out), lambda g, y, out: g * (y / out)
)


@op
def sigmoid(xp, x):
    out = 1 / (1 + xp.exp(-x))
    return out if out.dtype is x.dtype else out.astype(x.dtype)


sigmoid.vjp(lambda g, out: sigmoid_grad(g, out))
sigmoid_grad = op(lambda g, out: g * (out * (1 - out)), name="sigmoid_grad").vjp(
    lambda v, out: sigmoid_grad(v, out), lambda v, g, out: v * g * (1 - 2 * out)
)

# Absolute value, sign, rounding


@op(holomorphic=False)
def sign(xp, x):
    """x / |x|, and 0 at 0 and at NaN."""
    if x.dtype.kind == "c":
        return over(x, xp.abs(x))
    positive = (x > 0).astype(x.dtype)
    return positive if x.dtype.kind in "bu" else positive - (x < 0).astype(x.dtype)


@op
def heaviside(xp, x, y):
    """0 where x < 0, 1 where x > 0, y where x is 0."""
    return xp.where(x == 0, y, x > 0).astype(x.dtype)


@op
def frexp(xp, x):
    """A mantissa of magnitude from 0.5 to 1, and an int32 exponent: x is mantissa * 2**exponent."""
    return tuple(xp.asarray(part) for part in xp.frexp(x))


absolute = op(lambda xp, x: xp.abs(x), name="absolute", holomorphic=False).vjp(
    lambda g, x: g * sign(x)
)
sign.vjp(lambda g, x, out: over(g - out * real(g * conj(out)), absolute(x)))
copysign = op(lambda xp, x, y: xp.copysign(x, y), name="copysign").vjp(
    lambda g, x, out: g * (sign(x) * sign(out)), lambda g: g * 0
)
nextafter = op(lambda xp, x, y: xp.nextafter(x, y), name="nextafter")
frexp.vjp(lambda g, out: g[0] * exp2(-out[1]))
floor = op(lambda xp, x: xp.floor(x), name="floor").vjp(lambda g: g * 0)
ceil = op(lambda xp, x: xp.ceil(x), name="ceil").vjp(lambda g: g * 0)
trunc = op(lambda xp, x: xp.trunc(x), name="trunc").vjp(lambda g: g * 0)
round_half_even = op(lambda xp, x, *, decimals: xp.round(x, decimals), name="round_half_even").vjp(
    lambda g: g * 0
)

# Choice


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


maximum = op(lambda xp, x, y: xp.maximum(x, y), name="maximum").vjp(
    lambda g, x, y: g * larger(x, y), lambda g, x, y: g * larger(y, x)
)
minimum = op(lambda xp, x, y: xp.minimum(x, y), name="minimum").vjp(
    lambda g, x, y: g * larger(y, x), lambda g, x, y: g * larger(x, y)
)
fmax = op(lambda xp, x, y: xp.fmax(x, y), name="fmax").vjp(  # of NaN and a number the number
    lambda g, x, y: where((x >= y) | isnan(y), g, 0),
    lambda g, x, y: where((x >= y) | isnan(y), 0, g),
)
fmin = op(lambda xp, x, y: xp.fmin(x, y), name="fmin").vjp(
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
where = op(lambda xp, condition, x, y: xp.where(condition, x, y), name="where").vjp(
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
