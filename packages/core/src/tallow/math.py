"""Elementwise functions of torch's namespace: arithmetic, powers, trigonometry, rounding, choice.

Each normalises its operands (`promotion`), calls one op, and gives the result.
"""

from math import inf, pi
from math import log as log_of

import tallow.ops.bessel as bessel
import tallow.ops.elementwise as ops
import tallow.ops.gamma as gamma
import tallow.ops.special as special
from tallow import backend, dtypes, return_types
from tallow.complex_parts import complex
from tallow.dtypes import BOOL, FLOATING, INTEGER
from tallow.elementwise import (
    FLOATS,
    INEXACT,
    INTEGERS,
    NUMBERS,
    ORDERED,
    REAL,
    binary,
    check_kinds,
    named,
    of_floats,
    of_reals,
    one_tensor,
    real,
    tensor_pair,
    unary,
)
from tallow.errors import ArgumentError, DivisionByZeroError, DtypeError, describe, listing
from tallow.info import finfo
from tallow.promotion import (
    as_operand,
    common,
    element,
    floating,
    floating_pair,
    give,
    number,
    pair,
    result_type,
    to_dtype,
)
from tallow.shortcuts import direct
from tallow.tensor import Tensor, wrap

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "arccos", "arccosh", "arcsin",
    "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "ceil",
    "clamp", "clamp_max", "clamp_min", "clip", "copysign", "cos", "cosh", "deg2rad", "digamma",
    "div", "divide", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fix", "float_power", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "frac", "frexp", "heaviside", "hypot", "i0", "igamma",
    "igammac", "ldexp", "lerp", "lgamma", "log", "log10", "log1p", "log2", "logaddexp",
    "logaddexp2", "logit", "maximum", "minimum", "mul", "multiply", "mvlgamma", "nan_to_num", "neg",
    "negative", "nextafter", "polygamma", "positive", "pow", "rad2deg", "reciprocal", "remainder",
    "round", "rsqrt", "rsub", "sgn", "sigmoid", "sign", "sin", "sinc", "sinh", "sqrt", "square",
    "sub", "subtract", "tan", "tanh", "true_divide", "trunc", "where", "xlogy",
]  # fmt: skip

# Arithmetic


@direct(ops.add, numbers=True)
def add(input, other, *, alpha=1, out=None):
    """input + alpha * other, elementwise with broadcasting.

    >>> tallow.add(tallow.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    x, y = pair("add", input, other)
    result = ops.add(x, y if alpha == 1 else _scaled("add", y, alpha, x))
    return result if out is None else give(result, out, "add")


@direct(ops.sub, numbers=True)
def sub(input, other, *, alpha=1, out=None):
    """input - alpha * other, elementwise with broadcasting."""
    x, y = pair("sub", input, other)
    if _is_bool(input) or _is_bool(other):
        raise DtypeError(
            f"sub: expected numbers, got {listing([input, other])}; use ^ or logical_xor for bool"
        )
    result = ops.sub(x, y if alpha == 1 else _scaled("sub", y, alpha, x))
    return result if out is None else give(result, out, "sub")


def _is_bool(x):
    return x is True or x is False or (isinstance(x, Tensor) and x.array.dtype.kind == "b")


def _scaled(name, y, alpha, x):
    """alpha * y, in the dtype that x and y have."""
    dtype = (x if isinstance(x, Tensor) else y).dtype
    if dtypes.of_number(number(alpha)).category > dtype.category > BOOL:
        raise DtypeError(f"{name}: expected an alpha that {dtype} holds, got {alpha}")
    return y & bool(alpha) if dtype.category == BOOL else y * alpha


def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    return sub(other, input, alpha=alpha)


mul = binary(ops.mul, "input * other, elementwise with broadcasting.")


@direct(ops.div, numbers=True)
def div(input, other, *, rounding_mode=None, out=None):
    """input / other, elementwise; integers give the default floating dtype.

    `rounding_mode` "trunc" rounds towards zero, "floor" down; both keep integer dtypes.

    >>> tallow.div(tallow.tensor([-7]), 2, rounding_mode="floor")
    tensor([-4])
    """
    if rounding_mode is None:
        result = ops.div(*floating_pair("div", input, other))
    elif rounding_mode == "floor":
        result = floor_divide(input, other)
    elif rounding_mode == "trunc":
        result = _trunc_divide(input, other)
    else:
        raise ArgumentError(
            f"div: expected rounding_mode None, 'trunc' or 'floor', got {rounding_mode!r}"
        )
    return result if out is None else give(result, out, "div")


def _all_true(array):
    with backend.at(array):
        return bool(array.all())


def _quotient(name, op, doc):
    """A function of real numbers that divides; integers divided by 0 raise."""

    def function(input, other, *, out=None):
        check_kinds(name, ORDERED, input, other)
        x, y = pair(name, input, other)
        integral = (x if isinstance(x, Tensor) else y).dtype.category == INTEGER
        if integral and not (_all_true(y.array) if isinstance(y, Tensor) else y):
            raise DivisionByZeroError(
                f"{name}: expected integers other than 0 to divide by, got a 0; "
                "floating-point numbers would give inf"
            )
        return give(op(x, y), out, name)

    return named(function, name, doc)


floor_divide = _quotient("floor_divide", ops.floor_divide, "input / other rounded down.")
_trunc_divide = _quotient("div", ops.trunc_divide, "input / other rounded towards zero.")
remainder = _quotient(
    "remainder", ops.remainder, "The remainder with the sign of `other`, as Python's %."
)
fmod = _quotient("fmod", ops.fmod, "The remainder with the sign of `input`, as C's fmod.")
maximum = binary(ops.maximum, "The larger of two; NaN if either is.", kinds=REAL)
minimum = binary(ops.minimum, "The smaller of two; NaN if either is.", kinds=REAL)
fmax = binary(ops.fmax, "The larger of two; of NaN and a number the number.", kinds=REAL)
fmin = binary(ops.fmin, "The smaller of two; of NaN and a number the number.", kinds=REAL)
neg = unary(ops.neg, "-input.", kinds=NUMBERS, prepare=one_tensor)


def positive(input):
    """input, unchanged; not for bool."""
    check_kinds("positive", NUMBERS, input)
    return input


def true_divide(input, other, *, out=None):
    """input / other: `div` without rounding."""
    return div(input, other, out=out)


def lerp(input, end, weight, *, out=None):
    """input + weight * (end - input), all of one floating or complex dtype.

    >>> tallow.lerp(tallow.tensor([0.0, 10.0]), tallow.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    check_kinds("lerp", INEXACT, input)
    for x in (end, weight):
        if isinstance(x, Tensor) and x.dtype is not input.dtype:
            raise DtypeError(f"lerp: expected one dtype, got {listing([input, end, weight])}")
    return give(to_dtype(ops.lerp(input, end, weight), input.dtype), out, "lerp")


def addcmul(input, tensor1, tensor2, *, value=1, out=None):
    """input + value * tensor1 * tensor2."""
    x, y, z = common("addcmul", [input, tensor1, tensor2])
    value = int(value) if x.dtype.category < FLOATING else value
    return give(ops.addcmul(x, y, z, value=value), out, "addcmul")


def addcdiv(input, tensor1, tensor2, *, value=1, out=None):
    """input + value * tensor1 / tensor2; not for a quotient of integers."""
    check_kinds("addcdiv", INEXACT, tensor1, tensor2)
    x, y, z = common("addcdiv", [input, tensor1, tensor2])
    return give(ops.addcdiv(x, y, z, value=value), out, "addcdiv")


# Powers


def pow(input, exponent, *, out=None):
    """input ** exponent, elementwise with broadcasting.

    >>> tallow.pow(tallow.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    x, y = pair("pow", input, exponent)
    if not isinstance(y, Tensor):
        if y == 2:
            return ops.square(x) if out is None else give(ops.square(x), out, "pow")
        if y == 0.5:
            return give(ops.sqrt(x), out, "pow")
    integral = (x if isinstance(x, Tensor) else y).dtype.category < FLOATING
    if not integral:
        return give(ops.power(x, y), out, "pow")
    check_kinds("pow", INTEGERS, x, y)
    if isinstance(y, Tensor):
        return give(ops.integer_power(x, y), out, "pow")
    if exponent < 0:
        raise ArgumentError(
            f"pow: expected a power of 0 or more for integers, got {exponent}; "
            "use a floating-point tensor"
        )
    return give(ops.power(x, y), out, "pow")


def float_power(input, exponent, *, out=None):
    """input ** exponent in float64 (complex128 where either is complex)."""
    operands = [as_operand("float_power", x) for x in (input, exponent)]
    wide = dtypes.promote_types(result_type(*operands), dtypes.float64)
    x, y = (to_dtype(x, wide) if isinstance(x, Tensor) else x for x in operands)
    return pow(x, y, out=out)


def square(input, *, out=None):
    """input * input."""
    return pow(one_tensor("square", input), 2, out=out)


sqrt = unary(ops.sqrt, "The square root; NaN below 0.")
rsqrt = unary(ops.rsqrt, "1 / sqrt(input).")
reciprocal = unary(ops.reciprocal, "1 / input.")

# Exponentials and logarithms

exp = unary(ops.exp, "e ** input.")
exp2 = unary(ops.exp2, "2 ** input.")
expm1 = unary(ops.expm1, "exp(input) - 1, accurate near 0.")
log = unary(ops.log, "The natural logarithm; -inf at 0, NaN below.")
log2 = unary(ops.log2, "The logarithm to base 2.")
log10 = unary(ops.log10, "The logarithm to base 10.")
log1p = unary(ops.log1p, "log(1 + input), accurate near 0.")
logaddexp = binary(
    ops.logaddexp, "log(exp(input) + exp(other)), without overflow.",
    kinds=INEXACT, prepare=tensor_pair,
)  # fmt: skip
logaddexp2 = of_floats(ops.logaddexp2, "log2(2**input + 2**other), without overflow.")
sigmoid = unary(ops.sigmoid, "1 / (1 + exp(-input)).")


def ldexp(input, other, *, out=None):
    """input * 2**other, elementwise."""
    return mul(input, pow(2.0, other), out=out)


def frexp(input, *, out=None):
    """(mantissa, exponent) with input = mantissa * 2**exponent and |mantissa| in [0.5, 1).

    >>> tallow.frexp(tallow.tensor([10.0]))
    tallow.return_types.frexp(
    mantissa=tensor([0.6250]),
    exponent=tensor([4], dtype=tallow.int32))
    """
    check_kinds("frexp", FLOATS, input)
    outs = out or (None, None)
    parts = [give(x, y, "frexp") for x, y in zip(ops.frexp(input), outs, strict=True)]
    return return_types.frexp(*parts)


# Trigonometric and hyperbolic functions

sin = unary(ops.sin, "The sine (radians).")
cos = unary(ops.cos, "The cosine (radians).")
tan = unary(ops.tan, "The tangent (radians).")
asin = unary(ops.asin, "The inverse sine (radians).")
acos = unary(ops.acos, "The inverse cosine (radians).")
atan = unary(ops.atan, "The inverse tangent (radians).")
atan2 = binary(
    ops.atan2, "The angle of the point (other, input), in radians.",
    kinds=REAL, prepare=floating_pair,
)  # fmt: skip
sinh = unary(ops.sinh, "The hyperbolic sine.")
cosh = unary(ops.cosh, "The hyperbolic cosine.")
tanh = unary(ops.tanh, "The hyperbolic tangent.")
asinh = unary(ops.asinh, "The inverse hyperbolic sine.")
acosh = unary(ops.acosh, "The inverse hyperbolic cosine; NaN below 1.")
atanh = unary(ops.atanh, "The inverse hyperbolic tangent; NaN outside [-1, 1].")
hypot = of_floats(ops.hypot, "sqrt(input**2 + other**2), without overflow.")
deg2rad = real(lambda x: mul(x, pi / 180), "Degrees to radians.", name="deg2rad")
rad2deg = real(lambda x: mul(x, 180 / pi), "Radians to degrees.", name="rad2deg")

# Special functions


sinc = unary(special.sinc, "sin(pi * input) / (pi * input), and 1 at 0.")
erf = real(special.erf, "2/sqrt(pi) times the integral of exp(-t*t) from 0 to input.")
erfc = real(special.erfc, "1 - erf(input), accurate where that is tiny.")
erfinv = real(special.erfinv, "The inverse of erf; NaN outside [-1, 1].")
lgamma = real(gamma.lgamma, "log |Gamma(input)|; inf at 0, -1, -2 and so on.")
digamma = real(gamma.digamma, "The derivative of lgamma.")
i0 = real(bessel.i0, "The modified Bessel function of the first kind, of order 0.")
xlogy = of_reals(special.xlogy, "input * log(other), and 0 where input is 0.")
igamma = of_floats(
    gamma.gammainc,
    "The integral of t**(input - 1) * exp(-t) from 0 to other, divided by Gamma(input).",
    name="igamma",
)
igammac = of_floats(
    gamma.gammaincc, "1 - igamma(input, other), the integral from other to infinity.",
    name="igammac",
)  # fmt: skip


def polygamma(n, input, *, out=None):
    """The derivative of order n, 0 or more, of digamma.

    >>> tallow.polygamma(1, tallow.tensor([1.0]))
    tensor([1.6449])
    """
    if n < 0:
        raise ArgumentError(f"polygamma: expected an order n of 0 or more, got {n}")
    check_kinds("polygamma", REAL, input)
    return give(gamma.polygamma(floating("polygamma", input), n=n), out, "polygamma")


def mvlgamma(input, p, *, out=None):
    """log of the multivariate gamma function of p dimensions; the input is above (p - 1) / 2."""
    if p < 1:
        raise ArgumentError(f"mvlgamma: expected 1 or more dimensions p, got {p}")
    check_kinds("mvlgamma", ORDERED, input)
    x = floating("mvlgamma", input)
    total = sum(gamma.lgamma(x - j / 2) for j in range(p))
    return give(total + p * (p - 1) / 4 * log_of(pi), out, "mvlgamma")


def logit(input, eps=None, *, out=None):
    """log(x / (1 - x)) of x = input, or of input moved into [eps, 1 - eps]."""
    check_kinds("logit", REAL, input)
    x = floating("logit", input)
    result = special.logit(x if eps is None else ops.clip(x, low=eps, high=1 - eps))
    return give(result, out, "logit")


# Sign and rounding


def abs(input, *, out=None):
    """The absolute value; of complex numbers the modulus, which is real."""
    check_kinds("abs", NUMBERS, input)
    return give(ops.absolute(input), out, "abs")


sign = unary(ops.sign, "-1, 0 or 1 by the sign of each element.", kinds=REAL, prepare=one_tensor)
sgn = unary(
    ops.sign, "input / |input|, and 0 at 0; complex numbers too.", prepare=one_tensor, name="sgn"
)
copysign = binary(
    ops.copysign, "|input| with the sign of `other`.", kinds=REAL, prepare=floating_pair
)
nextafter = of_floats(ops.nextafter, "The number next to `input` in the direction of `other`.")


def heaviside(input, values, *, out=None):
    """0 where input < 0, 1 where input > 0, `values` where it is 0; both of one real dtype."""
    check_kinds("heaviside", REAL, input, values)
    if one_tensor("heaviside", input).dtype is not one_tensor("heaviside", values).dtype:
        raise DtypeError(f"heaviside: expected one dtype, got {listing([input, values])}")
    return give(ops.heaviside(input, values), out, "heaviside")


def _rounding(name, op, doc):
    """A function of real numbers that leaves integers as they are."""

    def rounded(x):
        return x if x.dtype.category < FLOATING else op(x)

    return unary(rounded, doc, kinds=ORDERED, prepare=one_tensor, name=name)


floor = _rounding("floor", ops.floor, "The largest integer not above.")
ceil = _rounding("ceil", ops.ceil, "The smallest integer not below.")
trunc = _rounding("trunc", ops.trunc, "The integer part, towards zero.")


def round(input, *, decimals=0, out=None):
    """The nearest integer (or multiple of 10 ** -decimals), halves to the even one.

    >>> tallow.round(tallow.tensor([0.5, 1.5, 2.51]))
    tensor([0., 2., 3.])
    """
    check_kinds("round", FLOATS if decimals else ORDERED, input)
    integral = input.dtype.category == INTEGER
    result = input if integral else ops.round_half_even(input, decimals=decimals)
    return give(result, out, "round")


def frac(input, *, out=None):
    """input - trunc(input)."""
    check_kinds("frac", FLOATS, input)
    return give(input - trunc(input), out, "frac")


# Limits and choice


def clamp(input, min=None, max=None, *, out=None):
    """Each element, moved into [min, max]; the limits are numbers, tensors or None.

    >>> tallow.clamp(tallow.tensor([-2.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    limits = [x for x in (min, max) if x is not None]
    if not limits:
        raise ArgumentError("clamp: expected min, max or both, got neither")
    check_kinds("clamp", REAL, input, *limits)
    if not any(isinstance(x, Tensor) for x in limits):
        for limit in limits:
            input, _ = pair("clamp", input, limit)
        return give(ops.clip(input, low=number(min), high=number(max)), out, "clamp")
    input, *limits = common("clamp", [input, *limits])
    if input.dtype.category < FLOATING and len(limits) == 1:
        result = (ops.maximum if max is None else ops.minimum)(input, *limits)
    else:
        low = element("clamp", -inf, input.dtype) if min is None else limits[0]
        high = element("clamp", inf, input.dtype) if max is None else limits[-1]
        result = ops.clip_to(input, low, high)
    return give(result, out, "clamp")


def clamp_min(input, min, *, out=None):
    """Each element, but no less than `min`, a number or a tensor."""
    return clamp(input, min=min, out=out)


def clamp_max(input, max, *, out=None):
    """Each element, but no more than `max`, a number or a tensor."""
    return clamp(input, max=max, out=out)


def nan_to_num(input, nan=None, posinf=None, neginf=None, *, out=None):
    """NaN replaced by `nan` (0), infinities by `posinf` and `neginf` (the dtype's extremes).

    >>> tallow.nan_to_num(tallow.tensor([float("nan"), float("inf")]), posinf=9.0)
    tensor([0., 9.])
    """
    if one_tensor("nan_to_num", input).dtype.category < FLOATING:
        return give(ops.copy(input), out, "nan_to_num")
    if input.dtype.is_complex:
        parts = (nan_to_num(part, nan, posinf, neginf) for part in (input.real, input.imag))
        return give(complex(*parts), out, "nan_to_num")
    limits = finfo(input.dtype)
    result = ops.replace_nonfinite(
        input,
        nan=0.0 if nan is None else nan,
        high=limits.max if posinf is None else posinf,
        low=limits.min if neginf is None else neginf,
    )
    return give(result, out, "nan_to_num")


def where(condition, input=None, other=None, *, out=None):
    """Elements of `input` where `condition` holds, else of `other`. Alone: the indices of True.

    >>> x = tallow.tensor([1.0, -2.0])
    >>> tallow.where(x > 0, x, 0.0)
    tensor([1., 0.])
    """
    if input is None and other is None:
        xp = backend.for_array(condition.array).xp
        with backend.at(condition.array):
            return tuple(wrap(index) for index in xp.nonzero(condition.array))
    if condition.array.dtype.kind != "b":
        if condition.dtype is not dtypes.uint8:
            raise DtypeError(f"where: expected a bool condition, got {describe(condition)}")
        condition = condition != 0
    x, y = pair("where", input, other)
    result = ops.where(condition, x, y)
    return result if out is None else give(result, out, "where")


absolute, negative, fix = abs, neg, trunc
multiply, divide, subtract = mul, div, sub
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
clip = clamp
