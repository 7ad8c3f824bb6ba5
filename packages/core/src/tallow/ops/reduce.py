"""Reductions along axes, and running ones. `axis` is a tuple of non-negative ints, or None for all.

Most keep their axes (`keepdims`) so that rules broadcast; floor 6 drops them.
"""

from tallow.autograd.builtin import expand
from tallow.autograd.op import op
from tallow.ops.elementwise import exp
from tallow.ops.shape import flip, reshape


@op
def sum(xp, x, *, axis, keepdims):
    if x.dtype.itemsize == 2 and x.dtype.kind in "fV":  # 16-bit floats are summed in 32
        return xp.add.reduce(x, axis, xp.float32, None, keepdims).astype(x.dtype)
    return xp.add.reduce(x, axis, x.dtype, None, keepdims)


@op
def mean(xp, x, *, axis, keepdims):
    n = count(x.shape, axis)
    if x.dtype.itemsize == 2:
        return (xp.add.reduce(x, axis, xp.float32, None, keepdims) / n).astype(x.dtype)
    return xp.add.reduce(x, axis, None, None, keepdims) / x.dtype.type(n)


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
mean.vjp(lambda g, shapes, axis: spread(g * (1 / count(shapes[0], axis)), shapes[0], axis))


@op
def prod(xp, x, *, axis, keepdims):
    return xp.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


@op
def prod_of_others(xp, x, *, axis):
    """For each element the product of the others along `axis`, zeros included."""
    if axis is None:
        return prod_of_others(x.reshape(-1), axis=0).reshape(x.shape)
    x = xp.moveaxis(x, axis, 0)
    ones = xp.ones_like(x[:1])
    before = xp.cumprod(xp.concatenate([ones, x[:-1]]), axis=0)
    after = xp.cumprod(xp.concatenate([ones, x[:0:-1]]), axis=0)[::-1]
    return xp.moveaxis(before * after, 0, axis)


prod.vjp(
    lambda g, x, shapes, axis: spread(g, shapes[0], axis) * prod_of_others(x, axis=axis and axis[0])
)


@op
def amax(xp, x, *, axis):
    return xp.max(x, axis=axis, keepdims=True)


@op
def amin(xp, x, *, axis):
    return xp.min(x, axis=axis, keepdims=True)


@op
def ties(xp, x, out, *, axis):
    """Weights that share a gradient evenly among the elements equal to the extreme `out`."""
    same = (x == out) | (x != x)
    return same / xp.sum(same, axis=axis, keepdims=True).astype(x.dtype)


amax.vjp(lambda g, x, out, axis: g * ties(x, out, axis=axis))
amin.vjp(lambda g, x, out, axis: g * ties(x, out, axis=axis))


@op
def variance(xp, x, *, axis, correction):
    """The variance with `count - correction` in the denominator; keeps the axes."""
    n = count(x.shape, axis)
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    squares = (centred * centred.conj()).real if x.dtype.kind == "c" else centred * centred
    total = xp.sum(squares, axis=axis, keepdims=True)
    return total / total.dtype.type(max(n - correction, 0))


variance.vjp(
    lambda g, x, shapes, axis, correction: (
        g
        * (x - mean(x, axis=axis, keepdims=True))
        * (
            2 / max(count(shapes[0], axis) - correction, 0)
            if count(shapes[0], axis) > correction
            else float("nan")
        )
    )
)


@op
def logsumexp(xp, x, *, axis):
    """log(sum(exp(x))), without overflow; keeps the axes."""
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    return xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top


logsumexp.vjp(lambda g, x, out: g * exp(x - out))


@op
def norm(xp, x, *, axis):
    """The Euclidean norm; keeps the axes. Its gradient at 0 is 0."""
    return xp.sqrt(xp.sum(x * x, axis=axis, keepdims=True))


@op
def over_norm(xp, x, out):
    """x / |x|, and 0 where the norm `out` is 0."""
    return xp.where(out == 0, xp.zeros_like(x), x / xp.where(out == 0, xp.ones_like(out), out))


norm.vjp(lambda g, x, out: g * over_norm(x, out))
over_norm.vjp(
    lambda g, out: over_norm(g, out), lambda g, x, out: g * over_norm(over_norm(x, out), out) * -1
)

# Running totals


@op
def cumsum(xp, x, *, axis):
    return xp.cumsum(x, axis=axis, dtype=x.dtype)


@op
def cumprod(xp, x, *, axis):
    return xp.cumprod(x, axis=axis, dtype=x.dtype)


def reversed_cumsum(x, axis):
    return flip(cumsum(flip(x, axis=(axis,)), axis=axis), axis=(axis,))


cumsum.vjp(lambda g, axis: reversed_cumsum(g, axis))
cumprod.vjp(lambda g, x, out, axis: reversed_cumsum(g * out, axis) / x)

# Positions, truth and order: no gradients


@op
def argmax(xp, x, *, axis, keepdims):
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@op
def argmin(xp, x, *, axis, keepdims):
    return xp.argmin(x, axis=axis, keepdims=keepdims)


@op
def argsort(xp, x, *, axis, descending):
    """Indices that sort x; equal elements keep their order."""
    if descending:
        order = xp.argsort(xp.flip(x, axis), axis=axis, stable=True)
        return xp.flip(x.shape[axis] - 1 - order, axis)
    return xp.argsort(x, axis=axis, stable=True)


@op
def any(xp, x, *, axis, keepdims):
    return xp.any(x, axis=axis, keepdims=keepdims)


@op
def all(xp, x, *, axis, keepdims):
    return xp.all(x, axis=axis, keepdims=keepdims)


@op
def count_nonzero(xp, x, *, axis):
    return xp.asarray(xp.count_nonzero(x, axis=axis))
