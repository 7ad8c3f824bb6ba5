"""Elementwise functions of torch's namespace: arithmetic, powers, comparisons, logic, rounding.

Each normalises its operands (`promotion`), calls one op, and gives the result.
"""

from numbers import Number

import tallow.ops.elementwise as ops
from tallow import backend, dtypes
from tallow.errors import ArgumentError, DtypeError, describe
from tallow.info import finfo
from tallow.ops.special import erf as erf_op
from tallow.promotion import as_tensor_operand, floating, give, number, pair, to_dtype
from tallow.tensor import Tensor, wrap

__all__ = [
    "abs", "absolute", "acos", "add", "addcdiv", "addcmul", "allclose", "arccos", "arcsin",
    "arctan", "arctan2", "asin", "atan", "atan2", "bitwise_and", "bitwise_not", "bitwise_or",
    "bitwise_xor", "ceil", "clamp", "clip", "cos", "cosh", "div", "divide", "eq", "equal", "erf",
    "exp", "exp2", "expm1", "floor", "floor_divide", "fmod", "frac", "ge", "greater",
    "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan", "le", "lerp", "less",
    "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "lt", "maximum", "minimum", "mul", "multiply", "nan_to_num", "ne",
    "neg", "negative", "not_equal", "positive", "pow", "reciprocal", "remainder", "round", "rsqrt",
    "rsub", "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "sub", "subtract", "tan", "tanh",
    "true_divide", "trunc", "where",
]  # fmt: skip


def _unary(name, op, doc, convert=floating):
    """A function of one tensor; `convert` prepares it (integers become floating by default)."""

    def function(input, *, out=None):
        return give(op(convert(name, input)), out, name)

    return _named(function, name, doc)


def _binary(name, op, doc):
    """A function of two tensors or numbers that broadcast."""

    def function(input, other, *, out=None):
        result = op(*pair(name, input, other))
        return result if out is None else give(result, out, name)

    return _named(function, name, doc)


def _named(function, name, doc):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _unchanged(name, x):
    return as_tensor_operand(name, x)


# Arithmetic


def add(input, other, *, alpha=1, out=None):
    """input + alpha * other, elementwise with broadcasting.

    >>> import tallow
    >>> tallow.add(tallow.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    x, y = pair("add", input, other)
    result = ops.add(x, y if alpha == 1 else y * alpha)
    return result if out is None else give(result, out, "add")


def sub(input, other, *, alpha=1, out=None):
    """input - alpha * other, elementwise with broadcasting."""
    x, y = pair("sub", input, other)
    if x.dtype is dtypes.bool_ if isinstance(x, Tensor) else y.dtype is dtypes.bool_:
        raise DtypeError("sub: expected numbers, got bool tensors; use ^ or logical_xor")
    result = ops.sub(x, y if alpha == 1 else y * alpha)
    return result if out is None else give(result, out, "sub")


def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    return sub(other, input, alpha=alpha)


mul = _binary("mul", ops.mul, "input * other, elementwise with broadcasting.")


def div(input, other, *, rounding_mode=None, out=None):
    """input / other, elementwise; integers give the default floating dtype.

    `rounding_mode` "trunc" rounds towards zero, "floor" down; both keep integer dtypes.

    >>> import tallow
    >>> tallow.div(tallow.tensor([-7]), 2, rounding_mode="floor")
    tensor([-4])
    """
    x, y = pair("div", input, other)
    if rounding_mode is None:
        result = ops.div(_floating_operand(x), _floating_operand(y))
    elif rounding_mode == "floor":
        result = ops.floor_divide(x, y)
    elif rounding_mode == "trunc":
        result = ops.trunc_divide(as_tensor_operand("div", x), y)
    else:
        raise ArgumentError(
            f"div: expected rounding_mode None, 'trunc' or 'floor', got {rounding_mode!r}"
        )
    return result if out is None else give(result, out, "div")


def _floating_operand(x):
    return floating("div", x) if isinstance(x, Tensor) else x


floor_divide = _binary("floor_divide", ops.floor_divide, "input / other rounded down.")
remainder = _binary(
    "remainder", ops.remainder, "The remainder with the sign of `other`, as Python's %."
)
fmod = _binary("fmod", ops.fmod, "The remainder with the sign of `input`, as C's fmod.")
maximum = _binary("maximum", ops.maximum, "The larger of two elements; NaN if either is.")
minimum = _binary("minimum", ops.minimum, "The smaller of two elements; NaN if either is.")
neg = _unary("neg", ops.neg, "-input.", _unchanged)


def positive(input):
    """input, unchanged."""
    return input


def true_divide(input, other, *, out=None):
    """input / other: `div` without rounding."""
    return div(input, other, out=out)


def square(input, *, out=None):
    """input * input."""
    return give(ops.square(input), out, "square")


def pow(input, exponent, *, out=None):
    """input ** exponent, elementwise with broadcasting.

    >>> import tallow
    >>> tallow.pow(tallow.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    x, y = pair("pow", input, exponent)
    if isinstance(y, Number):
        if y == 2:
            return give(ops.square(x), out, "pow")
        if y == 0.5:
            return give(ops.sqrt(x), out, "pow")
        if isinstance(y, int) and y < 0 and x.dtype.category == dtypes.INTEGER:
            raise ArgumentError("pow: expected a non-negative power of integers, got one below 0")
    return give(ops.power(x, y), out, "pow")


def lerp(input, end, weight, *, out=None):
    """input + weight * (end - input)."""
    return give(input + weight * (end - input), out, "lerp")


def addcmul(input, tensor1, tensor2, *, value=1, out=None):
    """input + value * tensor1 * tensor2."""
    return give(input + tensor1 * tensor2 * value, out, "addcmul")


def addcdiv(input, tensor1, tensor2, *, value=1, out=None):
    """input + value * tensor1 / tensor2."""
    return give(input + tensor1 * value / tensor2, out, "addcdiv")


# Powers, exponentials, logarithms, trigonometry

sqrt = _unary("sqrt", ops.sqrt, "The square root; NaN below 0.")
rsqrt = _unary("rsqrt", ops.rsqrt, "1 / sqrt(input).")
reciprocal = _unary("reciprocal", ops.reciprocal, "1 / input.")
exp = _unary("exp", ops.exp, "e ** input.")
exp2 = _unary("exp2", ops.exp2, "2 ** input.")
expm1 = _unary("expm1", ops.expm1, "exp(input) - 1, accurate near 0.")
log = _unary("log", ops.log, "The natural logarithm; -inf at 0, NaN below.")
log2 = _unary("log2", ops.log2, "The logarithm to base 2.")
log10 = _unary("log10", ops.log10, "The logarithm to base 10.")
log1p = _unary("log1p", ops.log1p, "log(1 + input), accurate near 0.")
logaddexp = _binary("logaddexp", ops.logaddexp, "log(exp(input) + exp(other)), without overflow.")
sin = _unary("sin", ops.sin, "The sine (radians).")
cos = _unary("cos", ops.cos, "The cosine (radians).")
tan = _unary("tan", ops.tan, "The tangent (radians).")
asin = _unary("asin", ops.asin, "The inverse sine (radians).")
acos = _unary("acos", ops.acos, "The inverse cosine (radians).")
atan = _unary("atan", ops.atan, "The inverse tangent (radians).")
atan2 = _binary("atan2", ops.atan2, "The angle of the point (other, input), in radians.")
sinh = _unary("sinh", ops.sinh, "The hyperbolic sine.")
cosh = _unary("cosh", ops.cosh, "The hyperbolic cosine.")
tanh = _unary("tanh", ops.tanh, "The hyperbolic tangent.")
sigmoid = _unary("sigmoid", ops.sigmoid, "1 / (1 + exp(-input)).")
erf = _unary(
    "erf", erf_op, "The error function, 2/sqrt(pi) times the integral of exp(-t*t) from 0."
)


# Sign, rounding, limits


def abs(input, *, out=None):
    """The absolute value; of complex numbers the modulus, which is real."""
    return give(ops.absolute(_unchanged("abs", input)), out, "abs")


sign = _unary("sign", ops.sign, "-1, 0 or 1 by the sign of each element.", _unchanged)


def _keep_integers(op):
    """Rounding leaves integers as they are."""
    return lambda x: x if x.dtype.category < dtypes.FLOATING else op(x)


floor = _unary("floor", _keep_integers(ops.floor), "The largest integer not above.", _unchanged)
ceil = _unary("ceil", _keep_integers(ops.ceil), "The smallest integer not below.", _unchanged)
trunc = _unary("trunc", _keep_integers(ops.trunc), "The integer part, towards zero.", _unchanged)


def round(input, *, decimals=0, out=None):
    """The nearest integer (or multiple of 10 ** -decimals), halves to the even one."""
    result = _keep_integers(lambda x: ops.round_half_even(x, decimals=decimals))(input)
    return give(result, out, "round")


def frac(input, *, out=None):
    """input - trunc(input)."""
    return give(input - trunc(input), out, "frac")


def clamp(input, min=None, max=None, *, out=None):
    """Each element, moved into [min, max]; the limits are numbers, tensors or None.

    >>> import tallow
    >>> tallow.clamp(tallow.tensor([-2.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise ArgumentError("clamp: expected min, max or both, got neither")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        result = input if min is None else maximum(*pair("clamp", input, min))
        return give(result if max is None else minimum(*pair("clamp", result, max)), out, "clamp")
    for limit in (min, max):
        if limit is not None:
            input, _ = pair("clamp", input, limit)
    return give(ops.clip(input, low=number(min), high=number(max)), out, "clamp")


def nan_to_num(input, nan=0.0, posinf=None, neginf=None, *, out=None):
    """NaN replaced by `nan`, infinities by `posinf` and `neginf`, or the dtype's extremes."""
    limits = finfo(input.dtype)
    result = where(isnan(input), nan, input)
    result = where(input == float("inf"), limits.max if posinf is None else posinf, result)
    result = where(input == float("-inf"), limits.min if neginf is None else neginf, result)
    return give(to_dtype(result, input.dtype), out, "nan_to_num")


def where(condition, input=None, other=None, *, out=None):
    """Elements of `input` where `condition` holds, else of `other`; alone, where it holds.

    >>> import tallow
    >>> x = tallow.tensor([1.0, -2.0])
    >>> tallow.where(x > 0, x, 0.0)
    tensor([1., 0.])
    """
    if input is None and other is None:
        xp = backend.for_array(condition.array).xp
        return tuple(wrap(index) for index in xp.nonzero(condition.array))
    if condition.dtype is not dtypes.bool_:
        raise DtypeError(f"where: expected a bool condition, got {describe(condition)}")
    x, y = pair("where", as_tensor_operand("where", input), other)
    return give(ops.where(condition, x, y), out, "where")


# Comparisons and tests

eq = _binary("eq", ops.equal, "input == other, as bool.")
ne = _binary("ne", ops.not_equal, "input != other, as bool.")
lt = _binary("lt", ops.less, "input < other, as bool.")
le = _binary("le", ops.less_equal, "input <= other, as bool.")
gt = _binary("gt", ops.greater, "input > other, as bool.")
ge = _binary("ge", ops.greater_equal, "input >= other, as bool.")
isnan = _unary("isnan", ops.isnan, "True where an element is NaN.", _unchanged)
isinf = _unary("isinf", ops.isinf, "True where an element is infinite.", _unchanged)
isfinite = _unary(
    "isfinite", ops.isfinite, "True where an element is neither infinite nor NaN.", _unchanged
)


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """True where |input - other| <= atol + rtol * |other|."""
    x, y = pair("isclose", input, other)
    return ops.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """True (a Python bool) if all elements are close: |input - other| <= atol + rtol * |other|."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def equal(input, other):
    """True (a Python bool) if both have the same shape and the same elements."""
    return input.array.shape == other.array.shape and bool((input.array == other.array).all())


# Logic

logical_and = _binary("logical_and", ops.logical_and, "True where both are nonzero.")
logical_or = _binary("logical_or", ops.logical_or, "True where either is nonzero.")
logical_xor = _binary(
    "logical_xor", ops.logical_xor, "True where one is nonzero and the other is not."
)
logical_not = _unary("logical_not", ops.logical_not, "True where an element is zero.", _unchanged)


def _integral(name, op, doc):
    plain = _binary(name, op, doc)

    def function(input, other, *, out=None):
        for x in (input, other):
            if isinstance(x, float) or (
                isinstance(x, Tensor) and x.dtype.category >= dtypes.FLOATING
            ):
                raise DtypeError(f"{name}: expected integers or bool, got {describe(x)}")
        return plain(input, other, out=out)

    return _named(function, name, doc)


bitwise_and = _integral(
    "bitwise_and", ops.bitwise_and, "The bitwise and of integers; logical for bool."
)
bitwise_or = _integral(
    "bitwise_or", ops.bitwise_or, "The bitwise or of integers; logical for bool."
)
bitwise_xor = _integral("bitwise_xor", ops.bitwise_xor, "The bitwise exclusive or of integers.")
bitwise_not = _unary(
    "bitwise_not", ops.bitwise_not, "Each bit inverted; logical for bool.", _unchanged
)

absolute, negative = abs, neg
multiply, divide, subtract = mul, div, sub
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
clip = clamp
less, less_equal, greater, greater_equal, not_equal = lt, le, gt, ge, ne
