"""Comparisons, tests, logic and bits: ops without gradients."""

from tallow.autograd.op import op

# Comparisons

equal = op(lambda x, y: x == y, name="equal")
not_equal = op(lambda x, y: x != y, name="not_equal")
less = op(lambda x, y: x < y, name="less")
less_equal = op(lambda x, y: x <= y, name="less_equal")
greater = op(lambda x, y: x > y, name="greater")
greater_equal = op(lambda x, y: x >= y, name="greater_equal")


@op
def isclose(xp, x, y, *, rtol, atol, equal_nan):
    return xp.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


# Tests

isnan = op(lambda xp, x: xp.isnan(x), name="isnan")
isinf = op(lambda xp, x: xp.isinf(x), name="isinf")
isfinite = op(lambda xp, x: xp.isfinite(x), name="isfinite")
isposinf = op(lambda xp, x: xp.isposinf(x), name="isposinf")
isneginf = op(lambda xp, x: xp.isneginf(x), name="isneginf")
isreal = op(lambda xp, x: xp.isreal(x), name="isreal")  # where the imaginary part is 0
signbit = op(lambda xp, x: xp.signbit(x), name="signbit")  # of -0.0 too

# Logic and bits

logical_and = op(lambda xp, x, y: xp.logical_and(x, y), name="logical_and")
logical_or = op(lambda xp, x, y: xp.logical_or(x, y), name="logical_or")
logical_xor = op(lambda xp, x, y: xp.logical_xor(x, y), name="logical_xor")
logical_not = op(lambda xp, x: xp.logical_not(x), name="logical_not")
bitwise_and = op(lambda x, y: x & y, name="bitwise_and")
bitwise_or = op(lambda x, y: x | y, name="bitwise_or")
bitwise_xor = op(lambda x, y: x ^ y, name="bitwise_xor")
bitwise_not = op(lambda x: ~x, name="bitwise_not")

# Where y is negative or no fewer than there are bits, 0 and the sign alone.
left_shift = op(lambda x, y: x << y, name="left_shift")
right_shift = op(lambda x, y: x >> y, name="right_shift")

# Whole numbers

gcd = op(lambda xp, x, y: xp.gcd(x, y), name="gcd")
lcm = op(lambda xp, x, y: xp.lcm(x, y), name="lcm")
