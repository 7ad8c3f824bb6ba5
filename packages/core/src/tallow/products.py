"""Matrix and vector products of torch's namespace."""

import tallow.ops.linalg as ops
from tallow.errors import DtypeError, ShapeError, TypeMismatchError, describe
from tallow.ops.reduce import sum as sum_op
from tallow.promotion import give
from tallow.reductions import norm
from tallow.joining import stack
from tallow.shaping import movedim, reshape
from tallow.tensor import Tensor

__all__ = [
    "addmm", "addmv", "baddbmm", "bmm", "cdist", "cross", "dot", "einsum", "inner", "kron",
    "matmul", "mm", "mv", "outer", "tensordot", "trace",
]  # fmt: skip


def _check(name, x, y):
    """Raise unless both are tensors of one dtype."""
    for operand in (x, y):
        if not isinstance(operand, Tensor):
            raise TypeMismatchError(f"{name}: expected tensors, got {type(operand).__name__}")
    if x.array.dtype is not y.array.dtype and x.array.dtype != y.array.dtype:
        raise DtypeError(
            f"{name}: expected operands of one dtype, got {describe(x)} and {describe(y)}; "
            "convert one with .to(dtype)"
        )


def _fits(name, x, y, dims):
    """Raise unless x and y have these numbers of dimensions and agree in the contracted one."""
    if (x.array.ndim, y.array.ndim) != dims or x.array.shape[-1] != y.array.shape[-min(dims[1], 2)]:
        raise ShapeError(
            f"{name}: expected operands with {dims[0]} and {dims[1]} dimensions that agree in the "
            f"one that is summed over, got {describe(x)} and {describe(y)}"
        )


def matmul(input, other, *, out=None):
    """The matrix product (..., n, k) @ (..., k, m); a vector is a row on the left, else a column.

    >>> import tallow
    >>> tallow.matmul(tallow.ones(2, 3), tallow.ones(3, 4)).shape
    tallow.Size([2, 4])
    """
    _check("matmul", input, other)
    try:
        result = ops.matmul(input, other)
    except ValueError:
        raise ShapeError(
            "matmul: expected the last size of the first operand to equal the second-last of the "
            f"second, got {describe(input)} and {describe(other)}"
        ) from None
    return result if out is None else give(result, out, "matmul")


def _product(name, dims, doc):
    def function(input, mat2, *, out=None):
        _check(name, input, mat2)
        _fits(name, input, mat2, dims)
        return give(ops.matmul(input, mat2), out, name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


mm = _product("mm", (2, 2), "The product of two matrices: (n, k) @ (k, m).")
bmm = _product("bmm", (3, 3), "The products of two batches of matrices: (B, n, k) @ (B, k, m).")
mv = _product("mv", (2, 1), "The product of a matrix and a vector: (n, k) @ (k,).")
dot = _product("dot", (1, 1), "The sum of the products of two vectors' elements.")


def outer(input, vec2, *, out=None):
    """All products of an element of one vector with one of another: (n,), (m,) -> (n, m)."""
    return give(reshape(input, -1, 1) * reshape(vec2, 1, -1), out, "outer")


def _scaled(beta, x, alpha, product):
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else product + (x if beta == 1 else x * beta)


def addmm(input, mat1, mat2, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * (mat1 @ mat2)."""
    return give(_scaled(beta, input, alpha, mm(mat1, mat2)), out, "addmm")


def addmv(input, mat, vec, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * (mat @ vec)."""
    return give(_scaled(beta, input, alpha, mv(mat, vec)), out, "addmv")


def baddbmm(input, batch1, batch2, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * (batch1 @ batch2), matrix by matrix."""
    return give(_scaled(beta, input, alpha, bmm(batch1, batch2)), out, "baddbmm")


def tensordot(a, b, dims=2):
    """The sum of products over the last `dims` of a and first of b, or over two lists of dims."""
    if isinstance(dims, int):
        over_a = list(range(a.array.ndim - dims, a.array.ndim))
        over_b = list(range(dims))
    else:
        over_a, over_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    over_a = [d % a.array.ndim for d in over_a]
    over_b = [d % b.array.ndim for d in over_b]
    kept_a = [d for d in range(a.array.ndim) if d not in over_a]
    kept_b = [d for d in range(b.array.ndim) if d not in over_b]
    inner = 1
    for d in over_a:
        inner *= a.array.shape[d]
    left = reshape(a.permute(*kept_a, *over_a), -1, inner) if a.array.ndim else reshape(a, 1, 1)
    right = reshape(b.permute(*over_b, *kept_b), inner, -1) if b.array.ndim else reshape(b, 1, 1)
    shape = [a.array.shape[d] for d in kept_a] + [b.array.shape[d] for d in kept_b]
    return reshape(matmul(left, right), tuple(shape))


def einsum(equation, *operands):
    """Sums of products by Einstein's convention, as NumPy's einsum.

    >>> import tallow
    >>> tallow.einsum("ij,j->i", tallow.ones(2, 3), tallow.ones(3))
    tensor([3., 3.])
    """
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    inputs, output = _parse(equation, operands)
    result, labels = _diagonals(operands[0], inputs[0])
    for i, (operand, names) in enumerate(zip(operands[1:], inputs[1:], strict=True), 1):
        later = set(output).union(*inputs[i + 1 :])
        operand, names = _diagonals(operand, names)
        result, labels = _contract(result, labels, operand, names, later)
    result, labels = _sum_out(result, labels, set(output))
    return result.permute(*[labels.index(c) for c in output]) if output else result


def _parse(equation, operands):
    """Labels of operands and output; `...` becomes capital Greek letters, else not allowed."""
    left, arrow, output = equation.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise ShapeError(
            f"einsum: expected {len(inputs)} operands for {equation!r}, got {len(operands)}"
        )
    dots = [
        x.array.ndim - len(s.replace("...", ""))
        for s, x in zip(inputs, operands, strict=True)
        if "..." in s
    ]
    widest = "".join(chr(0x391 + i) for i in range(max(dots, default=0)))
    dots = iter(dots)
    inputs = [
        s.replace("...", widest[len(widest) - next(dots) :]) if "..." in s else s for s in inputs
    ]
    for names, x in zip(inputs, operands, strict=True):
        if len(names) != x.array.ndim:
            raise ShapeError(
                f"einsum: expected {len(names)} dimensions for {names!r}, got {describe(x)}"
            )
    if not arrow:
        every = "".join(inputs)
        output = widest + "".join(
            sorted(c for c in set(every) if every.count(c) == 1 and c not in widest)
        )
    return inputs, output.replace("...", widest)


def _diagonals(x, names):
    """A label that occurs twice in one operand takes its diagonal."""
    for c in names:
        while names.count(c) > 1:
            first = names.index(c)
            second = names.index(c, first + 1)
            x = x.diagonal(0, first, second)
            names = names[:first] + names[first + 1 : second] + names[second + 1 :] + c
    return x, names


def _sum_out(x, names, keep):
    axes = tuple(i for i, c in enumerate(names) if c not in keep)
    if axes:
        x = sum_op(x, axis=axes, keepdims=False)
    return x, "".join(c for c in names if c in keep)


def _contract(x, x_names, y, y_names, later):
    """The product of two operands, summed over labels not needed later: one batched matmul."""
    x, x_names = _sum_out(x, x_names, later | set(y_names))
    y, y_names = _sum_out(y, y_names, later | set(x_names))
    batch = [c for c in x_names if c in y_names and c in later]
    inner = [c for c in x_names if c in y_names and c not in later]
    rows = [c for c in x_names if c not in y_names]
    columns = [c for c in y_names if c not in x_names]
    sizes = dict(zip(y_names, y.array.shape, strict=True))
    for c, n in zip(x_names, x.array.shape, strict=True):
        sizes[c] = max(n, sizes.get(c, 1))
    left = _arranged(x, x_names, batch, rows, inner, sizes)
    right = _arranged(y, y_names, batch, inner, columns, sizes)
    product = matmul(left, right)
    shape = [sizes[c] for c in (*batch, *rows, *columns)]
    return reshape(product, tuple(shape)), "".join((*batch, *rows, *columns))


def _arranged(x, names, batch, rows, columns, sizes):
    """x as (batch..., rows, columns), each group of labels joined."""
    order = [*batch, *rows, *columns]
    x = x.permute(*[names.index(c) for c in order]) if order else x
    x = x.expand(*[sizes[c] for c in order]) if order else x
    shape = [sizes[c] for c in batch]
    for group in (rows, columns):
        n = 1
        for c in group:
            n *= sizes[c]
        shape.append(n)
    return reshape(x, tuple(shape))


def cdist(x1, x2, p=2.0):
    """The p-norm distances between rows: (..., n, d), (..., m, d) -> (..., n, m)."""
    return norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, dim=-1)


def trace(input):
    """The sum of the diagonal of a matrix."""
    return input.diagonal().sum()


def kron(input, other):
    """The Kronecker product of two tensors of the same number of dimensions."""
    shape = [n * m for n, m in zip(input.array.shape, other.array.shape, strict=True)]
    left = reshape(input, tuple(v for n in input.array.shape for v in (n, 1)))
    right = reshape(other, tuple(v for n in other.array.shape for v in (1, n)))
    return reshape(left * right, tuple(shape))


def inner(input, other):
    """Sums of products over the last dim of both."""
    return (
        tensordot(input, other, dims=([-1], [-1]))
        if input.array.ndim and other.array.ndim
        else input * other
    )


def cross(input, other, dim=-1):
    """The cross product of 3-vectors along `dim`."""
    a, b = movedim(input, dim, -1), movedim(other, dim, -1)
    (a0, a1, a2), (b0, b1, b2) = a.unbind(-1), b.unbind(-1)
    return stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], dim)
