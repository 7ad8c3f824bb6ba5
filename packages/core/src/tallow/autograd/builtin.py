"""The operations of autograd itself: to fit a gradient to its operand, and to write into a view."""

import numpy as np

from tallow.autograd.op import op
from tallow.errors import ShapeError, describe


@op(view=True)
def expand(xp, x, *, shape):
    """Repeat along new and 1-sized axes, without copying."""
    return xp.broadcast_to(x, shape)


@expand.on("cpu")
def _(x, *, shape):
    """The same by strides: a hundredth of NumPy's time on small arrays."""
    if not x.flags.c_contiguous or len(shape) < x.ndim:
        return NotImplemented
    extra = len(shape) - x.ndim
    for n, m in zip(shape[extra:], x.shape, strict=True):
        if m != n and m != 1:
            return NotImplemented
    strides = [0] * extra + [
        0 if m == 1 else step for m, step in zip(x.shape, x.strides, strict=True)
    ]
    out = np.ndarray(shape, x.dtype, x, 0, strides)
    if out.size > x.size:  # elements share memory
        out.flags.writeable = False
    return out


@op
def sum_to(xp, x, *, shape):
    """Sum out what broadcasting to `x.shape` repeated: the adjoint of `expand`."""
    if x.dtype.itemsize == 2 and x.dtype.kind in "fV":  # 16-bit floats are summed in 32
        return sum_to(x.astype(xp.float32), shape=shape).astype(x.dtype)
    if not shape:
        return xp.add.reduce(x, None, x.dtype)
    extra = x.ndim - len(shape)
    stretched = tuple(i for i, n in enumerate(shape, extra) if n == 1 and x.shape[i] != 1)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[extra:], strict=True)):
        raise ShapeError(
            f"backward: expected a gradient that broadcasts from {shape}, got {describe(x)}"
        )
    if extra:
        return xp.add.reduce(x, (*range(extra), *stretched), x.dtype).reshape(shape)
    return xp.add.reduce(x, stretched, x.dtype, None, True) if stretched else x


@op(holomorphic=False)
def cast(x, *, dtype):
    """To another floating or complex dtype; complex to real takes the real part."""
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = x.real
    return x.astype(dtype)


expand.vjp(lambda g, shapes: sum_to(g, shape=shapes[0]))
sum_to.vjp(lambda g, shapes: expand(g, shape=shapes[0]))
cast.vjp(lambda g: g)


def in_rows(x):
    """x in row-major order, as PyTorch gives it, where NumPy keeps the operands'; or channels last.

    It is in that order that a result can be seen in another shape without copying.
    """
    if x.flags.c_contiguous:
        return x
    last = x.ndim in (4, 5) and x.transpose(0, *range(2, x.ndim), 1).flags.c_contiguous
    return x if last else x.copy()


@op
def stack(xp, *xs, axis):
    """Arrays of one shape joined along a new axis."""
    return in_rows(xp.stack(xs, axis=axis))


@op
def unstack(xp, x, *, axis):
    """The slices along an axis, each in memory of its own: the adjoint of `stack`."""
    x = xp.moveaxis(x, axis, 0)
    return tuple([x[i, ...].copy() for i in range(len(x))])


stack.joint_vjp(lambda g, axis: unstack(g, axis=axis))
unstack.joint_vjp(lambda g, axis: (stack(*g, axis=axis),))


@op(holomorphic=False)
def patch(xp, x, part, *, cut, arguments):
    """x with the region that the view op `cut(x, **arguments)` shows replaced by `part`."""
    out = xp.array(x)
    cut(out, **arguments)[...] = part
    return out


@patch.joint_vjp
def _(g, cut, arguments):
    part = cut(g, **arguments)
    return patch(g, part * 0, cut=cut, arguments=arguments), part
