"""Products with a sparse matrix, given by its values and the row and the column of each."""

from tallow.autograd.op import op
from tallow.ops.embedding import embedding_grad


@op
def spmm(xp, values, dense, *, rows, columns, count):
    """values[i] * dense[columns[i]] summed where rows[i] is equal: (n,), (m, k) -> (count, k)."""
    taken = xp.take(dense, columns, axis=0)
    taken *= values[:, None]
    return embedding_grad(taken, rows, rows=count, padding_idx=None)


@op
def sampled(xp, x, y, *, rows, columns):
    """The elements (rows[i], columns[i]) of x @ y.T: (m, k), (l, k) -> (n,)."""
    products = xp.take(x, rows, axis=0) * xp.take(y, columns, axis=0)
    return products.sum(-1, dtype=x.dtype)


spmm.vjp(
    lambda g, dense, rows, columns: sampled(g, dense, rows=rows, columns=columns),
    lambda g, values, shapes, rows, columns: spmm(
        values, g, rows=columns, columns=rows, count=shapes[1][0]
    ),
)
sampled.vjp(
    lambda g, y, shapes, rows, columns: spmm(g, y, rows=rows, columns=columns, count=shapes[0][0]),
    lambda g, x, shapes, rows, columns: spmm(g, x, rows=columns, columns=rows, count=shapes[1][0]),
)
