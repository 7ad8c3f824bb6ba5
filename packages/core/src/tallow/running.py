"""Functions along a dim: running sums, products and extremes, differences, integrals."""

import tallow.ops.elementwise as elementwise
import tallow.ops.reduce as ops
from tallow import dtypes, return_types
from tallow.elementwise import named
from tallow.errors import DtypeError, NotSupportedError, OutOfRangeError, ShapeError, describe
from tallow.joining import cat
from tallow.ops.index import gather
from tallow.ops.running import cumargmax
from tallow.ops.running import logcumsumexp as logcumsumexp_op
from tallow.promotion import axis_of, give, numpy_names, to_dtype
from tallow.reductions import give_all, sum, summable
from tallow.shaping import contiguous, movedim, narrow
from tallow.tensor import Tensor

__all__ = [
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "gradient",
    "logcumsumexp", "trapezoid", "trapz",
]  # fmt: skip


def _along(op, x, axis):
    """A running operation; of a 0-d tensor, a copy."""
    return op(x, axis=axis) if x.array.ndim else elementwise.copy(x)


@numpy_names
def cumsum(input, dim, *, dtype=None, out=None):
    """The running sum along `dim`."""
    x = summable("cumsum", input, out.dtype if dtype is None and out is not None else dtype)
    return give(_along(ops.cumsum, x, axis_of("cumsum", dim, x.array.ndim)), out, "cumsum")


@numpy_names
def cumprod(input, dim, *, dtype=None, out=None):
    """The running product along `dim`."""
    x = summable("cumprod", input, out.dtype if dtype is None and out is not None else dtype)
    return give(_along(ops.cumprod, x, axis_of("cumprod", dim, x.array.ndim)), out, "cumprod")


@numpy_names
def logcumsumexp(input, dim, *, out=None):
    """log(cumsum(exp(input))) along `dim`, without overflow."""
    if input.dtype.category != dtypes.FLOATING:
        raise NotSupportedError(
            f"logcumsumexp: expected a real floating tensor, got {describe(input)}"
        )
    axis = axis_of("logcumsumexp", dim, input.array.ndim)
    return give(_along(logcumsumexp_op, input, axis), out, "logcumsumexp")


def _running_extreme(name, smallest):
    kind = getattr(return_types, name)

    def function(input, dim, *, out=None):
        axis = axis_of(name, dim, input.array.ndim)
        if not input.array.ndim:
            first = ops.argmax(input, axis=None, keepdims=False)
            return give_all(kind, (elementwise.copy(input), first), out, name)
        indices = cumargmax(input, axis=axis, smallest=smallest)
        values = gather(input, axis=axis, index=indices.array)
        return give_all(kind, (values, indices), out, name)

    doc = f"(values, indices) of the {name[3:]}imum of the elements up to each."
    return numpy_names(named(function, name, doc))


cummax = _running_extreme("cummax", False)
cummin = _running_extreme("cummin", True)


# Differences


def diff(input, n=1, dim=-1, prepend=None, append=None, *, out=None):
    """The n-th differences of neighbours along `dim`, of bool by exclusive or.

    `prepend` and `append` are put before and after it first, unless n is 0.
    """
    if n < 0:
        raise ShapeError(f"diff: expected an order of 0 or more, got {n}")
    if not input.array.ndim:
        raise ShapeError("diff: expected at least one dim, got a 0-d tensor")
    axis = axis_of("diff", dim, input.array.ndim)
    parts = [x for x in (prepend, input, append) if x is not None] if n else [input]
    x = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, x.array.shape[axis])):
        length = max(x.array.shape[axis] - 1, 0)
        after, before = narrow(x, axis, 1, length), narrow(x, axis, 0, length)
        x = after ^ before if x.dtype is dtypes.bool_ else after - before
    return give(elementwise.copy(x) if x is input else x, out, "diff")


def gradient(input, *, spacing=1, dim=None, edge_order=1):
    """Central differences along each dim (or those given), one-sided at the ends; a tuple.

    `spacing` is the distance of neighbours or, per dim, a distance or a tensor of coordinates.

    >>> import tallow
    >>> tallow.gradient(tallow.tensor([0.0, 1.0, 4.0, 9.0]))
    (tensor([1., 2., 4., 5.]),)
    """
    ndim = input.array.ndim
    dims = range(ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    axes = [axis_of("gradient", d, ndim) for d in dims]
    if len(set(axes)) != len(axes):
        raise ShapeError(f"gradient: expected each dim once, got {dim}")
    spacing = 1 if spacing is None else spacing
    spacings = spacing if isinstance(spacing, tuple | list) else [spacing] * len(axes)
    if len(spacings) != len(axes):
        raise ShapeError(
            f"gradient: expected a spacing for each of {len(axes)} dims, got {spacing}"
        )
    if edge_order not in (1, 2):
        raise ShapeError(f"gradient: expected edge_order 1 or 2, got {edge_order}")
    for axis in axes:
        if input.array.shape[axis] <= edge_order:
            raise ShapeError(
                f"gradient: expected more than {edge_order} elements in dim {axis}, got "
                f"{describe(input)}"
            )
    x = input if input.dtype.category >= dtypes.FLOATING else to_dtype(input, dtypes.float32)
    pairs = zip(axes, spacings, strict=True)
    return tuple(contiguous(_gradient_along(x, axis, step, edge_order)) for axis, step in pairs)


def _gradient_along(x, axis, spacing, edge_order):
    """The derivative of the parabola through each point and its neighbours."""
    x = movedim(x, axis, -1)
    steps = diff(spacing) if isinstance(spacing, Tensor) and spacing.array.ndim else None
    slopes = diff(x) / (spacing if steps is None else steps)  # between neighbours
    if steps is None:
        inner = (slopes[..., 1:] + slopes[..., :-1]) / 2
        first, last = slopes[..., :1], slopes[..., -1:]
        if edge_order == 2:
            first = 1.5 * first - 0.5 * slopes[..., 1:2]
            last = 1.5 * last - 0.5 * slopes[..., -2:-1]
    else:
        left, right = steps[:-1], steps[1:]
        inner = (left * slopes[..., 1:] + right * slopes[..., :-1]) / (left + right)
        first, last = slopes[..., :1], slopes[..., -1:]
        if edge_order == 2:
            bend = diff(slopes) / (left + right)
            first = first - bend[..., :1] * steps[:1]
            last = last + bend[..., -1:] * steps[-1:]
    return movedim(cat([first, inner, last], -1), -1, axis)


# Integrals


def _trapezoids(name, y, x, dx, dim):
    """The area between neighbours along `dim`, and the axis."""
    if not y.array.ndim:
        raise OutOfRangeError(f"{name}: expected at least one dim, got a 0-d tensor")
    axis = axis_of(name, dim, y.array.ndim)
    if y.dtype is dtypes.bool_:
        raise DtypeError(f"{name}: expected numbers, got bool")
    length = max(y.array.shape[axis] - 1, 0)
    pairs = narrow(y, axis, 0, length) + narrow(y, axis, y.array.shape[axis] - length, length)
    if x is None:
        return pairs * (dx / 2), axis
    if x.array.ndim == 1:
        if x.array.shape[0] != y.array.shape[axis]:
            raise ShapeError(f"{name}: expected an x for each y, got {describe(x)}, {describe(y)}")
        steps = diff(x).reshape(-1, *[1] * (y.array.ndim - axis - 1))
    else:
        steps = diff(x, dim=axis - y.array.ndim)
    return pairs * steps / 2, axis


def trapezoid(y, x=None, *, dx=None, dim=-1):
    """The integral along `dim` by the trapezoidal rule, at places x or `dx` (1) apart."""
    areas, axis = _trapezoids("trapezoid", y, x, 1 if dx is None else dx, dim)
    return sum(areas, axis)


def cumulative_trapezoid(y, x=None, *, dx=None, dim=-1):
    """The running integral along `dim` by the trapezoidal rule."""
    areas, axis = _trapezoids("cumulative_trapezoid", y, x, 1 if dx is None else dx, dim)
    return cumsum(areas, axis)


trapz = trapezoid
