"""Matrix products."""

from tallow.autograd.builtin import sum_to
from tallow.autograd.op import op
from tallow.ops.complex import over
from tallow.ops.reduce import in_float32, sum
from tallow.ops.shape import reshape, swap

precision = "highest"  # of products of float32 on CUDA, as `set_float32_matmul_precision` has it


def wide_on_cpu(product):
    """Let the CPU do a product of 16-bit floats in float32, and round the result.

    NumPy's own takes a hundred times as long.
    """

    @product.on("cpu")
    def kernel(x, *operands, **params):
        if not _is_short(x):
            return NotImplemented
        wide = [y.astype("float32") if _is_short(y) else y for y in (x, *operands)]
        return product(*wide, **params).astype(x.dtype)


def _is_short(x):
    return x is not None and x.dtype.itemsize == 2 and x.dtype.kind in "fV"


@op
def matmul(x, y):
    """(..., n, k) @ (..., k, m) -> (..., n, m), and the vector forms of NumPy's matmul."""
    out = x @ y
    return out if out.dtype is x.dtype else out.astype(x.dtype)  # NumPy gives float32 for bfloat16


def _transpose(x):
    return swap(x, axis1=-2, axis2=-1)


def _as_matrices(g, shapes):
    """The gradient and the shapes of the operands with the axes that a vector operand lacks."""
    (*_, rows), (*_, columns) = shapes[0], shapes[1]
    left = shapes[0] if len(shapes[0]) > 1 else (1, rows)
    right = shapes[1] if len(shapes[1]) > 1 else (columns, 1)
    batch = g.shape[: len(g.shape) - (len(shapes[0]) > 1) - (len(shapes[1]) > 1)]
    return reshape(g, shape=(*batch, left[-2], right[-1])), left, right


def _left_gradient(g, y, shapes):
    if len(shapes[0]) == len(shapes[1]) == 2:
        return matmul(g, _transpose(y))
    g, left, right = _as_matrices(g, shapes)
    full = matmul(g, _transpose(reshape(y, shape=right)))
    return reshape(sum_to(full, shape=_batch(left, full)), shape=shapes[0])


def _right_gradient(g, x, shapes):
    if len(shapes[0]) == len(shapes[1]) == 2:
        return matmul(_transpose(x), g)
    g, left, right = _as_matrices(g, shapes)
    full = matmul(_transpose(reshape(x, shape=left)), g)
    return reshape(sum_to(full, shape=_batch(right, full)), shape=shapes[1])


def _batch(shape, full):
    """`shape` with the matrix axes of `full`, whose batch axes may be more."""
    return (*shape[:-2], *full.shape[-2:])


matmul.vjp(_left_gradient, _right_gradient)
wide_on_cpu(matmul)


@op
def linear(x, weight, bias):
    """x @ weight.T + bias: (..., in), (out, in), (out,) or None -> (..., out)."""
    out = x @ weight.T
    if bias is not None:
        out += bias
    return out if out.dtype is x.dtype else out.astype(x.dtype)


def rows(x):
    """(..., n) -> (rows, n)."""
    return reshape(x, shape=(-1, x.shape[-1])) if len(x.shape) != 2 else x


linear.vjp(
    lambda g, weight: matmul(g, weight),
    lambda g, x: matmul(swap(rows(g), axis1=0, axis2=1), rows(x)),
    lambda g: sum_to(g, shape=g.shape[-1:]),
)
wide_on_cpu(linear)


@op
@in_float32
def euclidean(xp, x, y):
    """The distances between rows, by a product: (..., n, d), (..., m, d) -> (..., n, m)."""
    out = matmul(x, _transpose(y))
    out *= -2
    out += sum(x * x, axis=(x.ndim - 1,), keepdims=True)
    out += _transpose(sum(y * y, axis=(y.ndim - 1,), keepdims=True))
    return xp.sqrt(xp.maximum(out, 0, out=out), out=out)


@euclidean.joint_vjp
def _(g, x, y, out):
    share, last = over(g, out), len(out.shape) - 1
    by_rows = sum(share, axis=(last,), keepdims=True)
    by_columns = _transpose(sum(share, axis=(last - 1,), keepdims=True))
    return x * by_rows - matmul(share, y), y * by_columns - matmul(_transpose(share), x)
