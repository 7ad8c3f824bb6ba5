"""Comparisons, tests, logic and bits: elementwise functions without gradients."""

from functools import partial

import tallow.ops.logic as ops
from tallow import backend
from tallow.elementwise import BITS, INTEGERS, REAL, binary, one_tensor, unary
from tallow.errors import DtypeError, ShapeError, describe

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "eq", "equal", "gcd", "ge", "greater", "greater_equal",
    "gt", "is_nonzero", "isclose", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "lcm", "le", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "lt", "ne", "not_equal", "signbit",
]  # fmt: skip

# Comparisons

eq = binary(ops.equal, "input == other, as bool.", name="eq")
ne = binary(ops.not_equal, "input != other, as bool.", name="ne")
lt = binary(ops.less, "input < other, as bool.", kinds=REAL, name="lt")
le = binary(ops.less_equal, "input <= other, as bool.", kinds=REAL, name="le")
gt = binary(ops.greater, "input > other, as bool.", kinds=REAL, name="gt")
ge = binary(ops.greater_equal, "input >= other, as bool.", kinds=REAL, name="ge")
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


@backend.there
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """True (a Python bool) if all elements are close: |input - other| <= atol + rtol * |other|."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


@backend.there
def equal(input, other):
    """True (a Python bool) if both have the same shape and the same elements."""
    same = input.array.shape == other.array.shape
    return same and bool(eq(input, other).array.all())


# Tests

test = partial(unary, prepare=one_tensor)
isnan = test(ops.isnan, "True where an element is NaN.")
isinf = test(ops.isinf, "True where an element is infinite.")
isfinite = test(ops.isfinite, "True where an element is not infinite or NaN.")
isposinf = test(ops.isposinf, "True where an element is +inf.", kinds=REAL)
isneginf = test(ops.isneginf, "True where an element is -inf.", kinds=REAL)
isreal = test(ops.isreal, "True where the imaginary part is 0.")
signbit = test(ops.signbit, "True where the sign is minus, -0.0 included.", kinds=REAL)


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

logical_and = binary(ops.logical_and, "True where both are nonzero.")
logical_or = binary(ops.logical_or, "True where either is nonzero.")
logical_xor = binary(ops.logical_xor, "True where one is nonzero and the other is not.")
logical_not = test(ops.logical_not, "True where an element is 0.")

# Bits and whole numbers

bitwise_and = binary(ops.bitwise_and, "The bits set in both; logical for bool.", kinds=BITS)
bitwise_or = binary(ops.bitwise_or, "The bits set in either; logical for bool.", kinds=BITS)
bitwise_xor = binary(ops.bitwise_xor, "The bits set in one of both; logical for bool.", kinds=BITS)
bitwise_not = test(ops.bitwise_not, "Each bit inverted; logical for bool.", kinds=BITS)
bitwise_left_shift = binary(
    ops.left_shift, "input * 2**other, in the bits of the dtype.",
    kinds=INTEGERS, name="bitwise_left_shift",
)  # fmt: skip
bitwise_right_shift = binary(
    ops.right_shift, "input / 2**other, rounded down.", kinds=INTEGERS, name="bitwise_right_shift"
)
gcd = binary(ops.gcd, "The greatest common divisor.", kinds=INTEGERS)
lcm = binary(ops.lcm, "The least common multiple.", kinds=INTEGERS)
