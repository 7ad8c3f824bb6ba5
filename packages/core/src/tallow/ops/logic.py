"""Comparisons, tests, logic and bits: ops without gradients."""

from tallow.autograd.op import op

# Comparisons


@op
def equal(x, y):
    return x == y


@op
def not_equal(x, y):
    return x != y


@op
def less(x, y):
    return x < y


@op
def less_equal(x, y):
    return x <= y


@op
def greater(x, y):
    return x > y


@op
def greater_equal(x, y):
    return x >= y


# Tests


@op
def isnan(xp, x):
    return xp.isnan(x)


@op
def isinf(xp, x):
    return xp.isinf(x)


@op
def isfinite(xp, x):
    return xp.isfinite(x)


@op
def isposinf(xp, x):
    return xp.isposinf(x)


@op
def isneginf(xp, x):
    return xp.isneginf(x)


@op
def isreal(xp, x):
    """True where the imaginary part is 0."""
    return xp.isreal(x)


@op
def signbit(xp, x):
    """True where the sign is minus, -0.0 included."""
    return xp.signbit(x)


@op
def isclose(xp, x, y, *, rtol, atol, equal_nan):
    return xp.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


# Logic and bits


@op
def logical_and(xp, x, y):
    return xp.logical_and(x, y)


@op
def logical_or(xp, x, y):
    return xp.logical_or(x, y)


@op
def logical_xor(xp, x, y):
    return xp.logical_xor(x, y)


@op
def logical_not(xp, x):
    return xp.logical_not(x)


@op
def bitwise_and(x, y):
    return x & y


@op
def bitwise_or(x, y):
    return x | y


@op
def bitwise_xor(x, y):
    return x ^ y


@op
def bitwise_not(x):
    return ~x


@op
def left_shift(x, y):
    """x * 2**y in the bits of x; 0 where y is negative or no fewer than there are bits."""
    return x << y


@op
def right_shift(x, y):
    """x / 2**y rounded down; the sign alone where y is negative or no fewer than there are bits."""
    return x >> y


# Whole numbers


@op
def gcd(xp, x, y):
    return xp.gcd(x, y)


@op
def lcm(xp, x, y):
    return xp.lcm(x, y)
