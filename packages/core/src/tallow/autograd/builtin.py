"""The operations that autograd itself uses: to fit a gradient to its operand, and to write into a view."""

from tallow.autograd.op import op
from tallow.errors import ShapeError, describe


@op(view=True)
def expand(xp, x, *, shape):
    """Repeat along new and 1-sized axes, without copying."""
    return xp.broadcast_to(x, shape)


@op
def sum_to(x, *, shape):
    """Sum out what broadcasting to `x.shape` repeated: the adjoint of `expand`."""
    extra = x.ndim - len(shape)
    stretched = tuple(i for i, n in enumerate(shape, extra) if n == 1 and x.shape[i] != 1)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[extra:], strict=True)):
        raise ShapeError(f"backward: expected a gradient that broadcasts from {shape}, got {describe(x)}")
    if extra:
        x = x.sum(axis=(*range(extra), *stretched), keepdims=False)
        return x.reshape(shape)
    return x.sum(axis=stretched, keepdims=True) if stretched else x


@op(holomorphic=False)
def cast(x, *, dtype):
    """To another floating or complex dtype; complex to real takes the real part."""
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = x.real
    return x.astype(dtype)


expand.vjp(lambda g, shapes: sum_to(g, shape=shapes[0]))
sum_to.vjp(lambda g, shapes: expand(g, shape=shapes[0]))
cast.vjp(lambda g: g)


@op
def patch(x, part, *, cut, arguments):
    """x with the region that the view op `cut(x, **arguments)` shows replaced by `part`."""
    out = x.copy()
    cut(out, **arguments)[...] = part
    return out


@patch.joint_vjp
def _(g, cut, arguments):
    part = cut(g, **arguments)
    return patch(g, part * 0, cut=cut, arguments=arguments), part
