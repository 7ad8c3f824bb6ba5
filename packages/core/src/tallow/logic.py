"""Comparisons, tests, logic and bits: elementwise functions without gradients."""

import tallow.ops.logic as ops
from tallow.dtypes import FLOATING, INTEGER
from tallow.elementwise import binary, one_tensor, unary
from tallow.errors import DtypeError, ShapeError, describe

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "eq", "equal", "gcd", "ge", "greater", "greater_equal",
    "gt", "is_nonzero", "isclose", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "lcm", "le", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "lt", "ne", "not_equal", "signbit",
]  # fmt: skip

# Comparisons

eq = binary("eq", ops.equal, "input == other, as bool.")
ne = binary("ne", ops.not_equal, "input != other, as bool.")
lt = binary("lt", ops.less, "input < other, as bool.", high=FLOATING)
le = binary("le", ops.less_equal, "input <= other, as bool.", high=FLOATING)
gt = binary("gt", ops.greater, "input > other, as bool.", high=FLOATING)
ge = binary("ge", ops.greater_equal, "input >= other, as bool.", high=FLOATING)
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """True where |input - other| <= atol + rtol * |other|.

    >>> tallow.isclose(tallow.tensor([1.0, 2.0]), tallow.tensor([1.0 + 1e-6, 2.1]))
    tensor([ True, False])
    """
    if one_tensor("isclose", input).dtype is not one_tensor("isclose", other).dtype:
        raise DtypeError(
            f"isclose: expected one dtype, got {describe(input)} and {describe(other)}"
        )
    if rtol < 0 or atol < 0:
        raise ShapeError(f"isclose: expected tolerances of 0 or more, got {rtol} and {atol}")
    return ops.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """True (a Python bool) if all elements are close: |input - other| <= atol + rtol * |other|."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


def equal(input, other):
    """True (a Python bool) if both have the same shape and the same elements."""
    same = input.array.shape == other.array.shape
    return same and bool(eq(input, other).array.all())


# Tests

isnan = unary("isnan", ops.isnan, "True where an element is NaN.", prepare=one_tensor)
isinf = unary("isinf", ops.isinf, "True where an element is infinite.", prepare=one_tensor)
isfinite = unary(
    "isfinite",
    ops.isfinite,
    "True where an element is not infinite or NaN.",
    prepare=one_tensor,
)
isposinf = unary(
    "isposinf", ops.isposinf, "True where an element is +inf.", high=FLOATING, prepare=one_tensor
)
isneginf = unary(
    "isneginf", ops.isneginf, "True where an element is -inf.", high=FLOATING, prepare=one_tensor
)
isreal = unary("isreal", ops.isreal, "True where the imaginary part is 0.", prepare=one_tensor)
signbit = unary(
    "signbit", ops.signbit, "True where the sign is minus, -0.0 included.",
    high=FLOATING, prepare=one_tensor,
)  # fmt: skip


def is_nonzero(input):
    """True (a Python bool) if the tensor's one element is not 0.

    >>> tallow.is_nonzero(tallow.tensor([0.0]))
    False
    """
    if one_tensor("is_nonzero", input).array.size != 1:
        raise ShapeError(
            f"is_nonzero: expected a tensor with one element, got {describe(input)}; "
            "use .any() or .all()"
        )
    return bool(input.array.item())


# Logic

logical_and = binary("logical_and", ops.logical_and, "True where both are nonzero.")
logical_or = binary("logical_or", ops.logical_or, "True where either is nonzero.")
logical_xor = binary(
    "logical_xor", ops.logical_xor, "True where one is nonzero and the other is not."
)
logical_not = unary(
    "logical_not", ops.logical_not, "True where an element is 0.", prepare=one_tensor
)

# Bits and whole numbers

bitwise_and = binary(
    "bitwise_and", ops.bitwise_and, "The bits set in both; logical for bool.", high=INTEGER
)
bitwise_or = binary(
    "bitwise_or", ops.bitwise_or, "The bits set in either; logical for bool.", high=INTEGER
)
bitwise_xor = binary(
    "bitwise_xor", ops.bitwise_xor, "The bits set in one of both; logical for bool.", high=INTEGER
)
bitwise_not = unary(
    "bitwise_not", ops.bitwise_not, "Each bit inverted; logical for bool.",
    high=INTEGER, prepare=one_tensor,
)  # fmt: skip
bitwise_left_shift = binary(
    "bitwise_left_shift", ops.left_shift, "input * 2**other, in the bits of the dtype.",
    low=INTEGER, high=INTEGER,
)  # fmt: skip
bitwise_right_shift = binary(
    "bitwise_right_shift", ops.right_shift, "input / 2**other, rounded down.",
    low=INTEGER, high=INTEGER,
)  # fmt: skip
gcd = binary("gcd", ops.gcd, "The greatest common divisor.", low=INTEGER, high=INTEGER)
lcm = binary("lcm", ops.lcm, "The least common multiple.", low=INTEGER, high=INTEGER)
