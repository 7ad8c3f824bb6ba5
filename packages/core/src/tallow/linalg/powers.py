"""Powers and exponentials of matrices, and products of several."""

import tallow.ops.factor as ops
from tallow import backend, dtypes
from tallow.errors import ShapeError, TypeMismatchError, describe
from tallow.linalg.common import HALVES, square
from tallow.linalg.inverses import inv
from tallow.ops.complex import conj
from tallow.ops.elementwise import copy, fill
from tallow.ops.linalg import matmul
from tallow.ops.reduce import cumprod
from tallow.ops.shape import reshape
from tallow.products import cross as torch_cross
from tallow.promotion import axis_of, give, to_dtype
from tallow.reductions import sum, summable
from tallow.tensor import Tensor, wrap


@backend.there
def matrix_power(A, n, *, out=None):
    """Square matrices multiplied n times by themselves; inverted first where n is negative."""
    power = square("matrix_power", A)
    if not isinstance(n, int):
        raise TypeMismatchError(f"linalg.matrix_power: expected an int, got {type(n).__name__}")
    if n < 0:
        power, n = inv(A), -n
    result = None
    while n:
        if n % 2:
            result = power if result is None else matmul(result, power)
        n //= 2
        power = matmul(power, power) if n else power
    if result is None:
        eye = backend.for_array(A.array).xp.eye(A.array.shape[-1], dtype=A.array.dtype)
        result = fill(A, wrap(eye))
    return give(copy(result) if result is A else result, out, "matrix_power")


def matrix_exp(A):
    """The exponential of square matrices, sum(A**k / k!)."""
    if A.dtype in HALVES:
        return to_dtype(matrix_exp(to_dtype(A, dtypes.float32)), A.dtype)
    return ops.matrix_exp(square("matrix_exp", A))


def multi_dot(tensors, *, out=None):
    """The product of two or more matrices, in the order of the fewest multiplications.

    The first may be a vector that stands for a row, the last one that stands for a column.
    T. Cormen et al., "Introduction to Algorithms", chapter 15.2.
    """
    if len(tensors) < 2:
        raise ShapeError(f"linalg.multi_dot: expected at least two tensors, got {len(tensors)}")
    first, last = tensors[0].array.ndim == 1, tensors[-1].array.ndim == 1
    xs = list(tensors)
    xs[0] = reshape(xs[0], shape=(1, -1)) if first else xs[0]
    xs[-1] = reshape(xs[-1], shape=(-1, 1)) if last else xs[-1]
    for i, (x, y) in enumerate(zip(xs, xs[1:], strict=False)):
        if x.array.ndim != 2 or y.array.ndim != 2 or x.array.shape[1] != y.array.shape[0]:
            raise ShapeError(
                f"linalg.multi_dot: expected matrices that fit, got {describe(x)} and "
                f"{describe(y)} at positions {i} and {i + 1}"
            )
    result = _ordered_product(xs)
    shape = result.array.shape
    return give(reshape(result, shape=shape[first : 2 - last]), out, "multi_dot")


def _ordered_product(xs):
    sizes = [x.array.shape[0] for x in xs] + [xs[-1].array.shape[1]]
    best = {(i, i): (0, xs[i]) for i in range(len(xs))}  # cost, and where to part
    for length in range(1, len(xs)):
        for i in range(len(xs) - length):
            j = i + length
            best[i, j] = min(
                (best[i, k][0] + best[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )

    def product(i, j):
        if i == j:
            return xs[i]
        part = best[i, j][1]
        return matmul(product(i, part), product(part + 1, j))

    return product(0, len(xs) - 1)


@backend.there
def vander(x, N=None):
    """The powers 0 to N - 1 of numbers, in rows: (..., n) -> (..., n, N)."""
    x = x if x.array.ndim else reshape(x, shape=(1,))
    count = x.array.shape[-1] if N is None else N
    if count < 1:
        raise ShapeError(f"linalg.vander: expected at least one power, got {count}")
    xp = backend.for_array(x.array).xp
    column = reshape(x, shape=(*x.array.shape, 1))
    start = wrap(xp.ones((*x.array.shape, 1), x.array.dtype))
    columns = ops.cat(start, *[column] * (count - 1), axis=x.array.ndim)
    return cumprod(summable("linalg.vander", columns, None), axis=x.array.ndim)


def vecdot(x, y, *, dim=-1, out=None):
    """The sums of products conj(x) * y along `dim`."""
    if not isinstance(x, Tensor) or not isinstance(y, Tensor):
        raise TypeMismatchError("linalg.vecdot: expected two tensors")
    return give(sum((conj(x) if x.dtype.is_complex else x) * y, dim), out, "vecdot")


def cross(input, other, *, dim=-1, out=None):
    """The cross product of 3-vectors along `dim`."""
    if {x.array.shape[axis_of("cross", dim, x.array.ndim)] for x in (input, other)} != {3}:
        raise ShapeError(
            f"linalg.cross: expected 3 elements in dim {dim}, got {describe(input)} and "
            f"{describe(other)}"
        )
    return torch_cross(input, other, dim, out=out)
