"""Complex numbers and their parts. As in PyTorch the gradient of z is dL/dRe(z) + i dL/dIm(z)."""

from math import pi

from tallow.autograd.op import op

conj = op(lambda x: x.conj(), name="conj", holomorphic=False).vjp(lambda g: conj(g))
real = op(lambda x: x.real, name="real", view=True, holomorphic=False).vjp(lambda g: g)
imag = op(lambda x: x.imag, name="imag", view=True, holomorphic=False).vjp(lambda g: g * 1j)


@op(view=True, holomorphic=False)
def view_as_real(x):
    """(...) complex -> (..., 2): the real and the imaginary part."""
    return x[..., None].view(x.real.dtype)


@op(view=True, holomorphic=False)
def view_as_complex(xp, x):
    """(..., 2) -> (...) complex; a view where the pairs lie together in memory."""
    if x.strides[-1] != x.itemsize:
        x = xp.ascontiguousarray(x)
    return x.view(xp.result_type(x, xp.complex64))[..., 0]


view_as_real.vjp(lambda g: view_as_complex(g))
view_as_complex.vjp(lambda g: view_as_real(g))


@op
def over(xp, x, y):
    """x / y, and 0 where y is 0."""
    return xp.where(y == 0, 0, x / y)


@op(holomorphic=False)
def join(xp, x, y):
    """x + iy of real x and y."""
    out = xp.empty((*xp.broadcast_shapes(x.shape, y.shape), 2), x.dtype)
    out[..., 0], out[..., 1] = x, y
    return out.view(xp.result_type(x, xp.complex64))[..., 0]


@op(holomorphic=False)
def angle(xp, x):
    if x.dtype.kind == "c":
        return xp.angle(x)
    return xp.where(x < 0, x.dtype.type(pi), xp.where(x == x, 0, x))


over.vjp(lambda g, y: over(g, y), lambda g, x, y: over(-g * x, y * y))
angle.vjp(lambda g, x: over(g * 1j, conj(x)))
join.vjp(lambda g: real(g), lambda g: imag(g))
