"""Running extremes and logarithms of sums along an axis, and the middle of all elements."""

from tallow.autograd.builtin import in_rows
from tallow.autograd.op import op
from tallow.ops.elementwise import exp, log, where
from tallow.ops.reduce import ties, widened
from tallow.ops.shape import flip

LOWEST = -1e30  # as good as -inf under exp, but differences of it are no NaN


@op
def cumargmax(xp, x, *, axis, smallest):
    """Where the largest (or smallest) element up to here is: the last such, or the last NaN."""
    accumulate = (xp.minimum if smallest else xp.maximum).accumulate
    extreme = x == accumulate(x, axis=axis)
    if x.dtype.kind in "fV":
        extreme |= xp.isnan(x)
    shape = [1] * x.ndim
    shape[axis] = -1
    places = xp.arange(x.shape[axis]).reshape(shape)
    return in_rows(xp.maximum.accumulate(xp.where(extreme, places, 0), axis=axis))


@op
def logcumsumexp(xp, x, *, axis):
    """log(cumsum(exp(x))), without overflow."""
    out = in_rows(xp.logaddexp.accumulate(widened(xp, x), axis=axis))
    return out.astype(x.dtype, copy=False)


def reversed_logcumsumexp(x, axis):
    return flip(logcumsumexp(flip(x, axis=(axis,)), axis=axis), axis=(axis,))


def _signed(xp, function, g, x, y):
    """`function(log |g|, x, y)` of the positive part of g, less that of the negative one."""
    wide = [widened(xp, part) for part in (g, x, y)]

    def part(g):
        return function(where(g > 0, log(where(g > 0, g, 1)), LOWEST), *wide[1:])

    return (part(wide[0]) - part(-wide[0])).astype(g.dtype, copy=False)


@op
def shares_before(xp, g, x, y, *, axis):
    """At i the sum over j from i of g_j exp(x_i - y_j), without overflow where y is running."""

    def function(size, x, y):
        return exp(reversed_logcumsumexp(size - y, axis) + x)

    return _signed(xp, function, g, x, y)


@op
def shares_after(xp, g, x, y, *, axis):
    """At j the sum over i up to j of g_i exp(x_i - y_j): `shares_before`, transposed."""
    return _signed(xp, lambda size, x, y: exp(logcumsumexp(size + x, axis=axis) - y), g, x, y)


logcumsumexp.vjp(lambda g, x, out, axis: shares_before(g, x, out, axis=axis))
shares_before.vjp(
    lambda h, x, y, axis: shares_after(h, x, y, axis=axis),
    lambda h, out: h * out,
    lambda h, g, x, y, axis: -g * shares_after(h, x, y, axis=axis),
)
shares_after.vjp(
    lambda h, x, y, axis: shares_before(h, x, y, axis=axis),
    lambda h, g, x, y, axis: g * shares_before(h, x, y, axis=axis),
    lambda h, out: -h * out,
)


@op
def median(xp, x, *, skip_nan):
    """The middle of all elements, the lower of two; NaN if there is one and it is not skipped."""
    flat = widened(xp, x).reshape(-1)
    valid = int(xp.sum(flat == flat))
    if not valid or (valid < flat.size and not skip_nan):
        return xp.asarray(float("nan"), x.dtype)
    middle = (valid - 1) // 2
    return xp.asarray(xp.partition(flat, middle)[middle], x.dtype)


median.vjp(lambda g, x, out: g * ties(x, out, axis=None))
