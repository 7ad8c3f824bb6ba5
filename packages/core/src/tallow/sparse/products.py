"""Products with sparse tensors; those with a dense one are dense."""

from tallow.creation import arange
from tallow.errors import DtypeError, NotSupportedError, ShapeError, describe
from tallow.layout import sparse_coo, sparse_csr
from tallow.ops.sparse import sampled
from tallow.ops.sparse import spmm as spmm_op
from tallow.products import mm as dense_mm
from tallow.sparse.arithmetic import add, concatenated, mul, transpose
from tallow.sparse.indices import starts
from tallow.sparse.making import (
    IN_BLOCKS,
    coalesce,
    dense_dim,
    locations,
    to_coo,
    to_layout,
    to_sparse,
)
from tallow.sparse.tensor import SparseTensor, coo, expect_layout, like, refusal


def matmul(input, other):
    """A product of matrices, or of a matrix and a vector, of which one at least is sparse."""
    if max(input.array.ndim, other.array.ndim) == 3:
        return bmm(input, other)
    if not isinstance(input, SparseTensor):
        if input.array.ndim == 1:
            return matmul(transpose(to_coo(other), 0, 1), input)
        return matmul(transpose(to_coo(other), 0, 1), input.t()).t()
    if isinstance(other, SparseTensor):
        return _sparse_product(input, other)
    if other.array.ndim == 1:
        return matmul(input, other.unsqueeze(1)).squeeze(1)
    x = _matrix("mm", input, other)
    rows, columns = (row.array for row in x.index.unbind(0))
    return spmm_op(x.held, other, rows=rows, columns=columns, count=x.array.shape[0])


def _matrix(name, x, other):
    """A sparse matrix in the layout COO; raises unless it can be multiplied by the other."""
    if dense_dim(x) or x.array.ndim != 2 or other.array.ndim != 2:
        raise ShapeError(
            f"{name}: expected matrices without dense dims, got {describe(x)} with "
            f"{dense_dim(x)} and {describe(other)}"
        )
    if x.array.shape[1] != other.array.shape[0]:
        raise ShapeError(
            f"{name}: expected matrices (n, k) and (k, m), got {describe(x)} and {describe(other)}"
        )
    if x.dtype is not other.dtype:
        raise DtypeError(
            f"{name}: expected matrices of one dtype, got {describe(x)} and {describe(other)}"
        )
    return to_coo(x)


def _sparse_product(input, other):
    """The product of two sparse matrices, in the layout of the first."""
    x = coalesce(_matrix("mm", input, other))
    y = coalesce(to_coo(other))
    begin = starts(y.index[0], y.array.shape[0])
    row, middle = x.index.unbind(0)
    many = begin[middle + 1] - begin[middle]  # values of y's row that each value of x meets
    which = arange(len(many), device=row.device).repeat_interleave(many)
    before = many.cumsum(0) - many
    partner = begin[middle][which] + arange(len(which), device=row.device) - before[which]
    values = x.held.index_select(0, which) * y.held.index_select(0, partner)
    index = concatenated([row[which].unsqueeze(0), y.index[1][partner].unsqueeze(0)], 0)
    made = coalesce(coo(index, values, (x.array.shape[0], y.array.shape[1])))
    return made if input.layout in IN_BLOCKS else to_layout(made, input.layout)


def mm(input, mat2, reduce=None):
    """The product of two matrices, one at least sparse; of two sparse ones it is sparse.

    With `reduce` "mean", "amax" or "amin" the products of a row are joined by that, not added.

    >>> x = tallow.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0])
    >>> tallow.sparse.mm(x, tallow.tensor([[1.0], [10.0]]))
    tensor([[20.],
            [ 3.]])
    """
    if input.array.ndim != 2 or mat2.array.ndim != 2:
        raise ShapeError(f"mm: expected two matrices, got {describe(input)} and {describe(mat2)}")
    if reduce in (None, "sum"):
        return matmul(input, mat2)
    if input.layout in IN_BLOCKS:  # of whose elements some are there by chance
        raise refusal(f"mm with reduce={reduce!r}", input.layout)
    x = coalesce(_matrix("mm", input, mat2))
    row, column = x.index.unbind(0)
    products = x.held.unsqueeze(1) * mat2.index_select(0, column)
    out = products.new_zeros(x.array.shape[0], products.array.shape[1])
    place = row.unsqueeze(1).expand_as(products)
    return out.scatter_reduce(0, place, products, reduce, include_self=False)


def mv(input, vec):
    """The product of a sparse matrix and a vector."""
    return matmul(input, vec)


def bmm(input, mat2):
    """Products of matrices, of which one is sparse: (b, n, k), (b, k, m) -> (b, n, m)."""
    if not isinstance(input, SparseTensor):
        flipped = bmm(transpose(to_coo(mat2), 1, 2), input.transpose(1, 2))
        return flipped.transpose(1, 2)
    if isinstance(mat2, SparseTensor) or input.array.ndim != 3 or mat2.array.ndim != 3:
        raise NotSupportedError(
            f"bmm: expected a sparse and a dense batch of matrices, got {describe(input)} and "
            f"{describe(mat2)}; multiply them one by one"
        )
    batch, count, width = input.array.shape
    if tuple(mat2.array.shape[:2]) != (batch, width) or dense_dim(input):
        raise ShapeError(
            f"bmm: expected (b, n, k) without dense dims and (b, k, m), got {describe(input)} and "
            f"{describe(mat2)}"
        )
    which, row, column = input.index.unbind(0)
    flat = mat2.reshape(batch * width, mat2.array.shape[2])
    rows, columns = (which * count + row).array, (which * width + column).array
    out = spmm_op(input.held, flat, rows=rows, columns=columns, count=batch * count)
    return out.reshape(batch, count, mat2.array.shape[2])


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2), where matrices may be sparse."""
    product = matmul(mat1, mat2)
    product = product if alpha == 1 else mul(product, alpha)
    if beta == 0:
        return product
    return add(product, input if beta == 1 else mul(input, beta))


def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * bmm(batch1, batch2), where one of the batches may be sparse."""
    return addmm(input, batch1, batch2, beta=beta, alpha=alpha)


def sampled_addmm(input, mat1, mat2, *, beta=1.0, alpha=1.0):
    """alpha * (mat1 @ mat2) at the indices of a sparse input alone, plus beta * input."""
    expect_layout("sampled_addmm", input, sparse_csr, sparse_coo)
    input = coalesce(input) if input.is_sparse else input
    rows, columns = (row.array for row in locations(input).unbind(0))
    values = sampled(mat1, mat2.t(), rows=rows, columns=columns) * alpha
    return like(input, values + input.held * beta if beta else values)


def smm(input, mat2):
    """`mm`, with a sparse result of all elements."""
    expect_layout("smm", input, sparse_coo)
    return _whole(matmul(input, mat2), 2)


def hspmm(mat1, mat2):
    """`mm`, with a sparse result of the rows of mat1 that have elements, which are dense."""
    x = coalesce(mat1)
    rows = x.index[0].unique()
    return coo(rows.unsqueeze(0), matmul(x, mat2).index_select(0, rows),
               (x.array.shape[0], mat2.array.shape[1]), True)  # fmt: skip


def sspaddmm(input, mat1, mat2, *, beta=1, alpha=1):
    """`addmm` of a sparse input, with a sparse result."""
    expect_layout("sspaddmm", input, sparse_coo)
    return add(mul(input, beta), mul(smm(mat1, mat2), alpha))


def _whole(dense, dims):
    """A dense tensor as a sparse one with all of its elements."""
    return like(to_sparse(dense.detach().new_ones(dense.shape), dims), dense.reshape(-1))


def linear(input, weight, bias=None):
    """input @ weight.T + bias, where the input or the weight is sparse."""
    weight = transpose(to_coo(weight), 0, 1) if isinstance(weight, SparseTensor) else weight.t()
    out = matmul(input, weight)
    return out if bias is None else add(out, bias)


def spmm(input, mat2):
    """`mm`, under its old names `spmm` and `dsmm`."""
    return dense_mm(input, mat2)


dsmm = spmm
