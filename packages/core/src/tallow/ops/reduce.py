"""Reductions along axes, and running ones. `axis` is a tuple of non-negative ints, or None for all.

Most keep their axes (`keepdims`) so that rules broadcast; floor 6 drops them.
"""

from functools import wraps
from math import inf

from tallow.autograd.builtin import expand, in_rows
from tallow.autograd.op import op
from tallow.ops.complex import over
from tallow.ops.elementwise import absolute, exp, power, sign, where
from tallow.ops.shape import flip, pad, reshape


@op
def sum(xp, x, *, axis, keepdims):
    if x.dtype.itemsize == 2 and x.dtype.kind in "fV":  # 16-bit floats are summed in 32
        return in_rows(xp.add.reduce(x, axis, xp.float32, None, keepdims).astype(x.dtype))
    return in_rows(xp.add.reduce(x, axis, x.dtype, None, keepdims))


@op
def mean(xp, x, *, axis, keepdims):
    n = count(x.shape, axis)
    if x.dtype.itemsize == 2:
        return in_rows((xp.add.reduce(x, axis, xp.float32, None, keepdims) / n).astype(x.dtype))
    return in_rows(xp.add.reduce(x, axis, None, None, keepdims) / x.dtype.type(n))


def kept_shape(shape, axis):
    """`shape` with 1 for the reduced axes: a reduced array broadcasts against the operand."""
    return tuple(1 if axis is None or i in axis else n for i, n in enumerate(shape))


def spread(g, shape, axis):
    """A reduction's gradient, repeated along the axes that were reduced."""
    if axis is None and not g.shape:
        return expand(g, shape=shape)
    return expand(reshape(g, shape=kept_shape(shape, axis)), shape=shape)


def count(shape, axis):
    """How many elements each result of a reduction was made from."""
    number = 1
    for i, n in enumerate(shape):
        number *= n if axis is None or i in axis else 1
    return number


sum.vjp(lambda g, shapes, axis: spread(g, shapes[0], axis))
mean.vjp(lambda g, shapes, axis: spread(g / count(shapes[0], axis), shapes[0], axis))


def widened(xp, x):
    """Half precision as float32, in which sums and exponentials are accurate; others unchanged."""
    return x.astype(xp.float32) if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def in_float32(formula):
    """Decorator: half precision is computed in float32, and given back as it came."""

    @wraps(formula)
    def rounded(xp, x, *others, **fixed):
        dtype = x.dtype
        if dtype.itemsize == 2:
            x, *others = [widened(xp, y) if hasattr(y, "dtype") else y for y in (x, *others)]
        return formula(xp, x, *others, **fixed).astype(dtype, copy=False)

    return rounded


@op
def prod(xp, x, *, axis, keepdims):
    wide = widened(xp, x)
    out = in_rows(xp.prod(wide, axis=axis, keepdims=keepdims, dtype=wide.dtype))
    return out.astype(x.dtype, copy=False)


@prod.vjp
def _(g, x, axis):
    """That of the running product's last element."""
    if axis is None:
        flat = reshape(x, shape=(-1,))
        return reshape(prod_grad(reshape(g, shape=(1,)), flat, 0), shape=x.shape)
    return prod_grad(reshape(g, shape=kept_shape(x.shape, axis)), x, axis[0])


def prod_grad(g, x, axis):
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (max(x.shape[axis] - 1, 0), 0)
    if not x.shape[axis]:
        return x * 1
    return cumprod_grad(pad(g, widths=tuple(widths), value=0), x, axis=axis)


@op
def ties(xp, x, out, *, axis):
    """Weights that share a gradient evenly among the elements equal to the extreme `out`."""
    same = (x == out) | ((x != x) & (out != out))
    return same / xp.sum(same, axis=axis, keepdims=True).astype(x.dtype)


@op
def amax(xp, x, *, axis):
    return in_rows(xp.maximum.reduce(x, axis, None, None, True))


@op
def amin(xp, x, *, axis):
    return in_rows(xp.minimum.reduce(x, axis, None, None, True))


amax.vjp(lambda g, x, out, axis: g * ties(x, out, axis=axis))
amin.vjp(lambda g, x, out, axis: g * ties(x, out, axis=axis))


@op
def variance(xp, x, *, axis, correction):
    """The variance with `count - correction` in the denominator; keeps the axes."""
    wide = widened(xp, x)
    centred = wide - xp.mean(wide, axis=axis, keepdims=True)
    squares = (centred * centred.conj()).real if x.dtype.kind == "c" else centred * centred
    total = in_rows(xp.sum(squares, axis=axis, keepdims=True))
    out = total / total.dtype.type(max(count(x.shape, axis) - correction, 0))
    return out if x.dtype.kind == "c" else out.astype(x.dtype, copy=False)


@op
def deviation(xp, x, *, axis, correction):
    """The square root of `variance`, the standard deviation. Its gradient at 0 is 0."""
    return xp.sqrt(variance(x, axis=axis, correction=correction))


def variance_slope(x, axis, correction):
    """The gradient of `variance`."""
    free = count(x.shape, axis) - correction
    return (x - mean(x, axis=axis, keepdims=True)) * (2 / free if free else float("inf"))


@variance.joint_vjp
def _(g, x, axis, correction):
    return (g * variance_slope(x, axis, correction),)


@deviation.joint_vjp
def _(g, x, out, axis, correction):
    return (over(g * 0.5, out) * variance_slope(x, axis, correction),)


@op
def logsumexp(xp, x, *, axis):
    """log(sum(exp(x))), without overflow; keeps the axes. -inf for the sum of nothing."""
    wide = widened(xp, x)
    top = xp.zeros(kept_shape(x.shape, axis), wide.real.dtype)
    if count(x.shape, axis):
        top = xp.max(wide.real, axis=axis, keepdims=True)
        top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    total = xp.sum(xp.exp(wide - top), axis=axis, keepdims=True)
    return in_rows(xp.log(total) + top).astype(x.dtype, copy=False)


logsumexp.vjp(lambda g, x, out: g * exp(x - out))


@op
def vector_norm(xp, x, *, p, axis):
    """sum(|x|**p)**(1 / p), for p = inf and -inf the limits, for 0 the count; keeps the axes."""
    size = xp.abs(widened(xp, x))
    if abs(p) == inf:
        out = (xp.max if p > 0 else xp.min)(size, axis=axis, keepdims=True)
    elif p == 0:
        out = xp.sum(size != 0, axis=axis, keepdims=True)
    elif p == 2:
        out = xp.sqrt(xp.sum(size * size, axis=axis, keepdims=True))
    else:
        out = xp.sum(size**p, axis=axis, keepdims=True) ** (1 / p)
    return in_rows(out).astype(x.real.dtype, copy=False)


@vector_norm.joint_vjp
def _(g, x, out, p, axis):
    """g sign(x) (|x| / out)**(p - 1), and 0 where x is 0."""
    if p == 2:
        return (g * over(x, out),)
    if abs(p) == inf:
        return (g * sign(x) * ties(absolute(x), out, axis=axis),)
    ratio = over(absolute(x), out)
    ratio = where(ratio == 0, 1, ratio)
    return (g * sign(x) * (power(ratio, p - 1) if p else 0),)


# Running totals


@op
def cumsum(xp, x, *, axis, reverse=False):
    """The running sum along `axis`, from its end with `reverse`."""
    wide = xp.flip(widened(xp, x), axis) if reverse else widened(xp, x)
    out = xp.cumsum(wide, axis=axis, dtype=wide.dtype)
    return in_rows(xp.flip(out, axis) if reverse else out).astype(x.dtype, copy=False)


@op
def cumprod(xp, x, *, axis):
    wide = widened(xp, x)
    return in_rows(xp.cumprod(wide, axis=axis, dtype=wide.dtype)).astype(x.dtype, copy=False)


@op
def delay(xp, x, *, axis, first):
    """x moved by one place along `axis`, with the number `first` at the start."""
    out = xp.empty_like(x)
    before, after = xp.moveaxis(x, axis, 0), xp.moveaxis(out, axis, 0)
    after[:1] = first
    after[1:] = before[:-1]
    return out


@op
def recur(xp, x, factor, *, axis):
    """y[i] = x[i] + factor[i] * y[i - 1] along `axis`, from y[-1] = 0."""
    out = x.copy()
    y, factor = xp.moveaxis(out, axis, 0), xp.moveaxis(factor, axis, 0)
    for i in range(1, len(y)):
        y[i] += factor[i] * y[i - 1]
    return out


def recur_back(x, factor, axis):
    """The adjoint of `recur`: y[i] = x[i] + factor[i + 1] * y[i + 1]."""
    backwards = delay(flip(factor, axis=(axis,)), axis=axis, first=0)
    return flip(recur(flip(x, axis=(axis,)), backwards, axis=axis), axis=(axis,))


def advance(g, axis):
    """The adjoint of `delay`."""
    return flip(delay(flip(g, axis=(axis,)), axis=axis, first=0), axis=(axis,))


@op
def cumprod_grad(g, x, *, axis):
    """The gradient of `cumprod`: the product of the elements before each, times `recur_back`."""
    return cumprod(delay(x, axis=axis, first=1), axis=axis) * recur_back(g, x, axis)


@cumprod_grad.joint_vjp
def _(v, g, x, axis):
    late = delay(x, axis=axis, first=1)
    behind, ahead = cumprod(late, axis=axis), recur_back(g, x, axis)
    by_g = recur(v * behind, x, axis=axis)
    by_behind = advance(cumprod_grad(v * ahead, late, axis=axis), axis)
    return by_g, by_behind + ahead * delay(by_g, axis=axis, first=0)


cumsum.vjp(lambda g, axis, reverse: cumsum(g, axis=axis, reverse=not reverse))
cumprod.vjp(lambda g, x, axis: cumprod_grad(g, x, axis=axis))
delay.vjp(lambda g, axis: advance(g, axis))
recur.vjp(
    lambda g, factor, axis: recur_back(g, factor, axis),
    lambda g, factor, out, axis: recur_back(g, factor, axis) * delay(out, axis=axis, first=0),
)

# Positions, truth and order: no gradients


@op
def argmax(xp, x, *, axis, keepdims):
    return in_rows(x.argmax(axis) if not keepdims else xp.argmax(x, axis=axis, keepdims=True))


@op
def argmin(xp, x, *, axis, keepdims):
    return in_rows(x.argmin(axis) if not keepdims else xp.argmin(x, axis=axis, keepdims=True))


@op
def argsort(xp, x, *, axis, descending, stop=None):
    """Indices that sort x, the first `stop` of them; equal elements keep their order."""
    x = widened(xp, x)  # in which NaN is largest
    order = xp.argsort(xp.flip(x, axis) if descending else x, axis=axis, kind="stable")
    order = xp.flip(x.shape[axis] - 1 - order, axis) if descending else order
    return in_rows(order[(slice(None),) * axis + (slice(stop),)])


any = op(
    lambda xp, x, *, axis, keepdims: in_rows(xp.any(x, axis=axis, keepdims=keepdims)), name="any"
)
all = op(
    lambda xp, x, *, axis, keepdims: in_rows(xp.all(x, axis=axis, keepdims=keepdims)), name="all"
)
count_nonzero = op(
    lambda xp, x, *, axis: in_rows(xp.asarray(xp.count_nonzero(x, axis=axis))),
    name="count_nonzero",
)


@op
def xor_bits(xp, x, *, axis, keepdims):
    """The exclusive or of the elements along axes, as bits of int64 or float64: uint64."""
    kind = xp.int64 if x.dtype.kind in "biu" else xp.float64
    whole = x if x.dtype.kind == "u" and x.itemsize == 8 else x.astype(kind)
    bits = xp.moveaxis(whole.view(xp.uint64), axis, tuple(range(-len(axis), 0)))
    kept = bits.shape[: bits.ndim - len(axis)]
    bits = bits.reshape(*kept, -1)
    while bits.shape[-1] > 1:
        half = bits.shape[-1] // 2
        bits = xp.concatenate(
            [bits[..., :half] ^ bits[..., half : 2 * half], bits[..., 2 * half :]], -1
        )
    out = bits[..., 0] if bits.shape[-1] else xp.zeros(kept, xp.uint64)
    return xp.expand_dims(out, axis) if keepdims else out
