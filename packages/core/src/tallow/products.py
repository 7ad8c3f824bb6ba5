"""Matrix and vector products of torch's namespace."""

from functools import cache
from math import prod

import tallow.ops.linalg as ops
from tallow.complex_parts import conj
from tallow.diagonals import diagonal
from tallow.dtypes import BOOL, FLOATING, INTEGER, int64
from tallow.errors import (
    ArgumentError,
    DtypeError,
    ShapeError,
    TypeMismatchError,
    describe,
    listing,
)
from tallow.joining import stack, unbind
from tallow.ops.reduce import sum as sum_op
from tallow.ops.shape import permute as permute_op
from tallow.promotion import axis_of, give, pair, to_dtype
from tallow.reductions import norm, sum
from tallow.shaping import broadcast_tensors, distinct_axes, expand, reshape, unsqueeze
from tallow.shortcuts import direct
from tallow.tensor import Tensor

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cdist", "chain_matmul", "cross", "dot",
    "einsum", "ger", "inner", "kron", "matmul", "mm", "mv", "outer", "tensordot", "trace", "vdot",
]  # fmt: skip


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


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
    """Raise unless x and y have these numbers of dims and agree in the batch and the inner dim."""
    a, b = x.array.shape, y.array.shape
    if (len(a), len(b)) != dims or a[-1] != b[-min(dims[1], 2)] or a[:-2] != b[:-2]:
        raise ShapeError(
            f"{name}: expected operands with {dims[0]} and {dims[1]} dims that agree in the one "
            f"that is summed over, got {describe(x)} and {describe(y)}"
        )


@direct(ops.matmul)
def matmul(input, other, *, out=None):
    """The matrix product (..., n, k) @ (..., k, m); a vector is a row on the left, else a column.

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


def _product(name, x, y, dims, out):
    _check(name, x, y)
    _fits(name, x, y, dims)
    return give(ops.matmul(x, y), out, name)


def mm(input, mat2, *, out=None):
    """The product of two matrices: (n, k) @ (k, m)."""
    return _product("mm", input, mat2, (2, 2), out)


def bmm(input, mat2, *, out=None):
    """The products of two batches of matrices: (B, n, k) @ (B, k, m)."""
    return _product("bmm", input, mat2, (3, 3), out)


def mv(input, vec, *, out=None):
    """The product of a matrix and a vector: (n, k) @ (k,)."""
    return _product("mv", input, vec, (2, 1), out)


def dot(input, tensor, *, out=None):
    """The sum of the products of two vectors' elements."""
    return _product("dot", input, tensor, (1, 1), out)


def vdot(input, other, *, out=None):
    """The sum of the products of two vectors' elements, those of the first conjugated."""
    return give(dot(conj(input) if input.dtype.is_complex else input, other), out, "vdot")


def outer(input, vec2, *, out=None):
    """All products of an element of one vector with one of another: (n,), (m,) -> (n, m)."""
    for x in (input, vec2):
        if x.array.ndim != 1:
            raise ShapeError(f"outer: expected vectors, got {describe(x)}")
    return give(reshape(input, -1, 1) * reshape(vec2, 1, -1), out, "outer")


ger = outer


def _sum(name, beta, x, alpha, product):
    """beta * x + alpha * product; with beta 0 a NaN in x does not count."""
    if x.dtype is not product.dtype:
        raise DtypeError(f"{name}: expected {product.dtype}, got {describe(x)}")
    x = expand(x, *product.array.shape)
    if x.dtype.category < FLOATING:
        kind = bool if x.dtype.category == BOOL else int
        alpha, beta = kind(alpha), kind(beta)
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else product + (x if beta == 1 else x * beta)


def addmm(input, mat1, mat2, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * (mat1 @ mat2)."""
    return give(_sum("addmm", beta, input, alpha, mm(mat1, mat2)), out, "addmm")


def addmv(input, mat, vec, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * (mat @ vec)."""
    return give(_sum("addmv", beta, input, alpha, mv(mat, vec)), out, "addmv")


def addr(input, vec1, vec2, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * outer(vec1, vec2)."""
    return give(_sum("addr", beta, input, alpha, outer(vec1, vec2)), out, "addr")


def baddbmm(input, batch1, batch2, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * (batch1 @ batch2), matrix by matrix."""
    return give(_sum("baddbmm", beta, input, alpha, bmm(batch1, batch2)), out, "baddbmm")


def addbmm(input, batch1, batch2, *, beta=1, alpha=1, out=None):
    """beta * input + alpha * the sum of the products of two batches of matrices."""
    product = sum_op(bmm(batch1, batch2), axis=(0,), keepdims=False)
    return give(_sum("addbmm", beta, input, alpha, product), out, "addbmm")


def chain_matmul(*matrices, out=None):
    """The product of matrices, in the order of the fewest multiplications."""
    from tallow.linalg import multi_dot

    for x in matrices:
        if x.array.ndim != 2:
            raise ShapeError(f"chain_matmul: expected matrices, got {describe(x)}")
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices, out=out)


def tensordot(a, b, dims=2, out=None):
    """The sum of products over the last `dims` of a and first of b, or over two lists of dims."""
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.array.ndim, b.array.ndim):
            raise ShapeError(f"tensordot: expected both to have {dims} dims, got {listing([a, b])}")
        over_a, over_b = range(a.array.ndim - dims, a.array.ndim), range(dims)
    else:
        over_a, over_b = dims.tolist() if isinstance(dims, Tensor) else dims
    over_a = distinct_axes("tensordot", over_a, a.array.ndim)
    over_b = distinct_axes("tensordot", over_b, b.array.ndim)
    a, b = _summed_alike(a, over_a, b, over_b), _summed_alike(b, over_b, a, over_a)
    summed = [a.array.shape[axis] for axis in over_a]
    if summed != [b.array.shape[axis] for axis in over_b]:
        raise ShapeError(
            f"tensordot: expected dims that agree, got {over_a} of {describe(a)} and {over_b} of "
            f"{describe(b)}"
        )
    _check("tensordot", a, b)
    kept_a = [axis for axis in range(a.array.ndim) if axis not in over_a]
    kept_b = [axis for axis in range(b.array.ndim) if axis not in over_b]
    shape = [a.array.shape[axis] for axis in kept_a] + [b.array.shape[axis] for axis in kept_b]
    left = permute_op(a, axes=(*kept_a, *over_a))
    right = permute_op(b, axes=(*over_b, *kept_b))
    inner = prod(summed)
    rows = prod(a.array.shape[axis] for axis in kept_a)
    columns = prod(b.array.shape[axis] for axis in kept_b)
    product = ops.matmul(reshape(left, rows, inner), reshape(right, inner, columns))
    return give(reshape(product, tuple(shape)), out, "tensordot")


def _summed_alike(x, axes, other, other_axes):
    """x, already summed over the axes where the other has size 1."""
    alone = [i for i, j in zip(axes, other_axes, strict=False) if other.array.shape[j] == 1]
    return sum_op(x, axis=tuple(alone), keepdims=True) if alone else x


def einsum(*args):
    """Sums of products by Einstein's convention: `einsum("ij,jk->ik", x, y)`.

    Without an arrow the labels that occur once, in alphabetical order, are kept; `...` stands for
    any dims. Labels may also be lists of ints after each operand: `einsum(x, [0, 1], y, [1, 2])`.

    >>> tallow.einsum("ij,j->i", tallow.ones(2, 3), tallow.ones(3))
    tensor([3., 3.])
    """
    if len(args) == 3 and isinstance(args[0], str) and args[1].dtype is args[2].dtype:
        plan = _plan(args[0], args[1].array.ndim, args[2].array.ndim)
        result = plan and _by_plan(*args[1:], *plan)
        if result is not None:
            return result
    inputs, output, operands = _arguments(args)
    inputs, output = _labels(inputs, output, operands)
    _agreeing(inputs, operands)
    result, labels = _diagonals(operands[0], inputs[0])
    for i, (operand, names) in enumerate(zip(operands[1:], inputs[1:], strict=True), 1):
        later = set(output).union(*inputs[i + 1 :])
        operand, names = _diagonals(operand, names)
        result, labels = _contract(result, labels, operand, names, later)
    result, labels = _sum_out(result, labels, set(output))
    return permute_op(result, axes=tuple(labels.index(c) for c in output))


@cache
def _plan(equation, *ndims):
    """For two operands of so many dims that one product contracts: the order of the dims of each
    for it, how many are of the batch, rows, and summed, and the order of the result's. Else None.
    """
    left, arrow, output = equation.replace(" ", "").partition("->")
    x, y, *others = [*left.split(","), ""]
    every, twice = set(x + y), set(x) & set(y)
    alone = every - twice
    if others != [""] or not arrow or not (alone <= set(output) <= every) or "." in equation:
        return None
    if any(len(set(names)) != len(names) for names in (x, y, output)):
        return None
    if (len(x), len(y)) != ndims or not every <= set(LETTERS):
        return None
    batch = [c for c in x if c in twice and c in output]
    summed = [c for c in x if c in twice and c not in output]
    rows, columns = ([c for c in names if c in alone] for names in (x, y))
    made = [*batch, *rows, *columns]
    left = tuple(x.index(c) for c in (*batch, *rows, *summed))
    right = tuple(y.index(c) for c in (*batch, *summed, *columns))
    counts = len(batch), len(rows), len(summed)
    return left, right, counts, tuple(made.index(c) for c in output)


def _by_plan(x, y, left, right, counts, order):
    """The product of two operands by a plan; None where sizes differ, as to be repeated."""
    x, y = permute_op(x, axes=left), permute_op(y, axes=right)
    (batch, rows, summed), x_shape, y_shape = counts, x.array.shape, y.array.shape
    shared, high = x_shape[:batch], x_shape[batch : batch + rows]
    depth, wide = x_shape[batch + rows :], y_shape[batch + summed :]
    if y_shape[: batch + summed] != shared + depth:
        return None
    x = reshape(x, (*shared, prod(high), prod(depth)))
    y = reshape(y, (*shared, prod(depth), prod(wide)))
    return permute_op(reshape(matmul(x, y), (*shared, *high, *wide)), axes=order)


def _arguments(args):
    """(labels of each operand, labels of the output or None, operands) of both forms of call."""
    if isinstance(args[0], str):
        equation, *operands = args
        if len(operands) == 1 and isinstance(operands[0], tuple | list):
            operands = list(operands[0])
        left, arrow, output = equation.replace(" ", "").partition("->")
        return left.split(","), output if arrow else None, operands
    output = _letters(args[-1]) if len(args) % 2 else None
    pairs = args[: len(args) // 2 * 2]
    return [_letters(names) for names in pairs[1::2]], output, list(pairs[::2])


def _letters(numbers):
    return "".join("..." if n is ... else LETTERS[n] for n in numbers)


def _labels(inputs, output, operands):
    """Labels with one for each dim of `...` (Greek capitals), checked; the output's made up."""
    if len(inputs) != len(operands):
        raise ShapeError(f"einsum: expected {len(inputs)} operands, got {len(operands)}")
    for names in (*inputs, output or ""):
        plain = names.replace("...", "", 1)
        if not set(plain) <= set(LETTERS):
            raise ShapeError(
                f"einsum: expected letters and one `...` for an operand, got {names!r}"
            )
    dots = [x.array.ndim - len(names) + 3 for names, x in zip(inputs, operands, strict=True)]
    dots = [n if "..." in names else 0 for n, names in zip(dots, inputs, strict=True)]
    widest = "".join(chr(0x391 + i) for i in range(max(dots)))
    parts = zip(inputs, dots, strict=True)
    inputs = [names.replace("...", widest[len(widest) - max(n, 0) :]) for names, n in parts]
    for names, x in zip(inputs, operands, strict=True):
        if len(names) != x.array.ndim:
            raise ShapeError(f"einsum: expected {len(names)} dims for {names!r}, got {describe(x)}")
    every = "".join(inputs)
    if output is None:
        once = sorted(c for c in set(every) if every.count(c) == 1 and c not in widest)
        return inputs, widest + "".join(once)
    output = output.replace("...", widest)
    if len(set(output)) != len(output) or not set(output) <= set(every):
        raise ShapeError(f"einsum: expected labels of the operands in {output!r}, each once")
    return inputs, output


def _agreeing(inputs, operands):
    """Raise unless a label always names dims of one size, or of size 1."""
    sizes = {}
    for names, x in zip(inputs, operands, strict=True):
        for c, n in zip(names, x.array.shape, strict=True):
            if 1 not in (n, sizes.setdefault(c, n)) and n != sizes[c]:
                raise ShapeError(f"einsum: expected one size for {c!r}, got {sizes[c]} and {n}")
            sizes[c] = n if sizes[c] == 1 else sizes[c]


def _diagonals(x, names):
    """A label that occurs twice in one operand takes its diagonal."""
    for c in names:
        while names.count(c) > 1:
            first = names.index(c)
            second = names.index(c, first + 1)
            x = diagonal(x, 0, first, second)
            names = names[:first] + names[first + 1 : second] + names[second + 1 :] + c
    return x, names


def _sum_out(x, names, keep):
    axes = tuple(i for i, c in enumerate(names) if c not in keep)
    if axes:
        x = sum(x, axes)
    return x, "".join(c for c in names if c in keep)


def _contract(x, x_names, y, y_names, later):
    """The product of two operands, summed over labels not needed later: one batched matmul."""
    x, x_names = _sum_out(x, x_names, later | set(y_names))
    y, y_names = _sum_out(y, y_names, later | set(x_names))
    if {x.dtype.category, y.dtype.category} == {INTEGER} and int64 in (x.dtype, y.dtype):
        x, y = to_dtype(x, int64), to_dtype(y, int64)  # a sum was one
    batch = [c for c in x_names if c in y_names and c in later]
    inner = [c for c in x_names if c in y_names and c not in later]
    rows = [c for c in x_names if c not in y_names]
    columns = [c for c in y_names if c not in x_names]
    sizes = dict(zip(x_names, x.array.shape, strict=True))
    for c, n in zip(y_names, y.array.shape, strict=True):
        sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    left = _arranged(x, x_names, batch, rows, inner, sizes)
    right = _arranged(y, y_names, batch, inner, columns, sizes)
    product = matmul(left, right)
    shape = [sizes[c] for c in (*batch, *rows, *columns)]
    return reshape(product, tuple(shape)), "".join((*batch, *rows, *columns))


def _arranged(x, names, batch, rows, columns, sizes):
    """x as (batch..., rows, columns), each group of labels joined."""
    order = [*batch, *rows, *columns]
    x = permute_op(x, axes=tuple(names.index(c) for c in order))
    x = expand(x, *[sizes[c] for c in order])
    shape = [sizes[c] for c in batch]
    shape += [prod(sizes[c] for c in group) for group in (rows, columns)]
    return reshape(x, tuple(shape))


CDIST_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)  # fmt: skip


def cdist(x1, x2, p=2.0, compute_mode=None):
    """The p-norm distances between rows: (..., n, d), (..., m, d) -> (..., n, m).

    With p = 2 and more than 25 rows they are made of a product, which loses digits where rows are
    close; `compute_mode` "donot_use_mm_for_euclid_dist" forbids it, "use_mm_for_euclid_dist" asks
    for it always.
    """
    if min(x1.array.ndim, x2.array.ndim) < 2 or x1.array.shape[-1] != x2.array.shape[-1]:
        raise ShapeError(f"cdist: expected rows of one length, got {listing([x1, x2])}")
    if p < 0:
        raise ShapeError(f"cdist: expected a p of 0 or more, got {p}")
    if compute_mode not in (None, *CDIST_MODES):
        raise ArgumentError(f"cdist: expected compute_mode in {CDIST_MODES}, got {compute_mode!r}")
    many = max(x1.array.shape[-2], x2.array.shape[-2]) > 25
    wanted = {CDIST_MODES[1]: True, CDIST_MODES[2]: False}.get(compute_mode, many)
    x1, x2 = pair("cdist", x1, x2)
    if p == 2 and wanted and x1.dtype.category == FLOATING and x1.array.size and x2.array.size:
        return ops.euclidean(x1, x2)
    axis = max(x1.array.ndim, x2.array.ndim)
    difference = unsqueeze(x1, -2) - unsqueeze(x2, -3)
    if not difference.array.size:
        return sum_op(difference, axis=(axis,), keepdims=False)
    return norm(difference, p, axis)


def trace(input):
    """The sum of the diagonal of a matrix; int64 for integers."""
    if input.array.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, got {describe(input)}")
    return sum(diagonal(input))


def kron(input, other, *, out=None):
    """The Kronecker product: all products of an element of one with all of the other, in blocks."""
    ndim = max(input.array.ndim, other.array.ndim)
    a, b = ((1,) * (ndim - x.array.ndim) + x.array.shape for x in (input, other))
    left = reshape(input, tuple(v for n in a for v in (n, 1)))
    right = reshape(other, tuple(v for n in b for v in (1, n)))
    shape = tuple(n * m for n, m in zip(a, b, strict=True))
    return give(reshape(left * right, shape), out, "kron")


def inner(input, other, *, out=None):
    """Sums of products over the last dim of both; a product where one is a number."""
    if not input.array.ndim or not other.array.ndim:
        return give(input * other, out, "inner")
    return tensordot(input, other, dims=([-1], [-1]), out=out)


def cross(input, other, dim=None, *, out=None):
    """The cross product of 3-vectors along `dim`, the first dim of size 3 unless told."""
    if input.array.ndim != other.array.ndim:
        raise ShapeError(f"cross: expected as many dims in both, got {listing([input, other])}")
    x, y = broadcast_tensors(input, other)
    shape = x.array.shape
    if dim is None:
        dim = next((axis for axis, n in enumerate(shape) if n == 3), 0)
    axis = axis_of("cross", dim, len(shape))
    if shape[axis] != 3:
        raise ShapeError(f"cross: expected 3 elements in a dim, got {listing([input, other])}")
    (a0, a1, a2), (b0, b1, b2) = unbind(x, axis), unbind(y, axis)
    result = stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis)
    return give(result, out, "cross")
