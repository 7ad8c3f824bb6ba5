"""Scattering that keeps the product or an extreme of what meets in one place.

`src` is written where `gather(x, axis=axis, index=index)` reads; it has the shape of `index`.
"""

from tallow.autograd.op import op
from tallow.ops.elementwise import fill, where
from tallow.ops.index import combine, gather, grid, scatter_add


@op
def scatter_prod(xp, x, src, *, axis, index):
    """A copy of x multiplied by src."""
    out = xp.array(x)
    combine(xp, out, grid(xp, index, axis), src, "multiply")
    return out


@op
def scatter_extreme(xp, x, src, *, axis, index, largest):
    """A copy of x with the largest (or smallest) of what is there and what src holds."""
    out = xp.array(x)
    combine(xp, out, grid(xp, index, axis), src, "maximum" if largest else "minimum")
    return out


@op
def scatter_ties(xp, x, src, out, *, axis, index):
    """The shares of x and src in the gradient of `scatter_extreme`: even among equal ones."""
    key = grid(xp, index, axis)
    mine, theirs = x == out, src == out[key]
    count = mine.astype(x.dtype)
    combine(xp, count, key, theirs.astype(x.dtype))
    return mine / count, theirs / count[key]


@scatter_prod.joint_vjp
def _(g, x, src, axis, index):
    """For each operand g times the product of the others, which is not 0 for a single zero."""
    here = {"axis": axis, "index": index}
    safe, naught = where(src == 0, 1, src), where(src == 0, src, 0)
    zeros = gather(scatter_add(fill(x, 0), where(src == 0, fill(src, 1), 0), **here), **here)
    zero = gather(scatter_add(fill(x, 0), naught, **here), **here)  # has a derivative, if no value
    product = gather(g * scatter_prod(x, safe, **here), **here)
    others = where(zeros == 0, product, where(zeros == 1, product * zero, 0)) / safe
    of_zero = where(zeros == 1, product, where(zeros == 2, product * (zero - naught), 0))
    by_src = where(src == 0, of_zero, others)
    return g * scatter_prod(fill(x, 1), src, **here), by_src


@scatter_extreme.joint_vjp
def _(g, x, src, out, axis, index):
    by_x, by_src = scatter_ties(x, src, out, axis=axis, index=index)
    return g * by_x, gather(g, axis=axis, index=index) * by_src
