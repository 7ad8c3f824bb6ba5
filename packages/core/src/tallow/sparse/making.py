"""Sparse tensors made: from indices and values, from dense ones, and from one layout to another."""

import math

from tallow.creation import arange, as_tensor, zeros
from tallow.dtypes import get_default_dtype, int64
from tallow.dtypes import given as given_dtype
from tallow.elementwise import named
from tallow.errors import ArgumentError, NotSupportedError, ShapeError, TypeMismatchError, describe
from tallow.joining import stack
from tallow.layout import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from tallow.ordering import searchsorted
from tallow.sparse.indices import (
    added,
    check_compressed,
    check_index,
    distinct,
    filled,
    flat,
    lines,
    sorted_groups,
    starts,
    unflat,
)
from tallow.sparse.tensor import SparseTensor, build, coo, expect_layout, like
from tallow.tensor import wrap

BY_COLUMN = (sparse_csc, sparse_bsc)
IN_BLOCKS = (sparse_bsr, sparse_bsc)
OPTIONS = ("dtype", "device", "requires_grad", "pin_memory", "check_invariants")

# From indices and values


def _values(values, dtype, device, requires_grad):
    """The values given as a tensor with the history that they have, or as a new leaf."""
    values = as_tensor(values, dtype=dtype, device=device)
    if values.requires_grad and not requires_grad:
        return values.view(values.shape)
    return values.detach().requires_grad_(requires_grad)


def _index(index, device):
    return as_tensor(index, dtype=int64, device=device).detach()


def sparse_coo_tensor(
    indices=None, values=None, size=None, *, dtype=None, device=None, pin_memory=False,
    requires_grad=False, check_invariants=None, is_coalesced=None,
):  # fmt: skip
    """A sparse tensor of values (n, *dense dims) at indices (sparse dims, n).

    Values at the same index add up. `size` is as small as the indices allow unless told; alone it
    gives a tensor of zeros. Values that require gradients get theirs.

    >>> x = tallow.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
    >>> x.to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 0.]])
    """
    name = "sparse_coo_tensor"
    if values is None:
        size = indices if size is None else size
        return _zeros(size, given_dtype(name, dtype, get_default_dtype()), device, requires_grad)
    values = _values(values, dtype, device, requires_grad)
    index = _index(indices, values.device)
    if index.array.ndim == 2 and not index.numel() and values.array.ndim == 0:
        values = values.reshape(0)
    if not values.array.ndim:
        values = values.expand(index.array.shape[-1])
    if size is None:
        if not index.numel():
            raise ArgumentError(f"{name}: expected a size for indices without elements, got none")
        size = (*(index.amax(1) + 1).tolist(), *values.array.shape[1:])
    check_index(name, index, values, size)
    return coo(index, values, size, bool(is_coalesced))


def _zeros(size, dtype, device=None, requires_grad=False, layout=sparse_coo, sparse_dim=None):
    """A sparse tensor without values."""
    size = tuple(map(int, size))
    if layout is not sparse_coo:
        return to_layout(_zeros(size, dtype, device), layout).requires_grad_(requires_grad)
    dims = len(size) if sparse_dim is None else sparse_dim
    index = zeros(dims, 0, dtype=int64, device=device)
    values = zeros(0, *size[dims:], dtype=dtype, device=device, requires_grad=requires_grad)
    return coo(index, values, size, True)


def compressed_tensor(name, layout, compressed, plain, values, size, options):
    """A tensor of a compressed layout of its parts."""
    unknown = [option for option in options if option not in OPTIONS]
    if unknown:
        raise TypeMismatchError(f"{name}: expected no {unknown[0]}; known are {', '.join(OPTIONS)}")
    dtype, device = options.get("dtype"), options.get("device")
    values = _values(values, dtype, device, options.get("requires_grad", False))
    compressed, plain = _index(compressed, values.device), _index(plain, values.device)
    if size is None:
        block = values.array.shape[1:3] if layout in IN_BLOCKS else (1, 1)
        dense = values.array.shape[3 if layout in IN_BLOCKS else 1 :]
        extent = len(compressed) - 1, int(plain.max()) + 1 if len(plain) else 0
        rows, columns = reversed(extent) if layout in BY_COLUMN else extent
        size = (rows * block[0], columns * block[1], *dense)
    check_compressed(name, layout, compressed, plain, values, size)
    return build(layout, [compressed.array, plain.array], values, size)


def _by_rows(layout):
    def make(crow_indices, col_indices, values, size=None, **options):
        return compressed_tensor(
            make.__name__, layout, crow_indices, col_indices, values, size, options
        )

    doc = "where each row begins among the values, and the column of each."
    return _named(make, layout, f"A sparse matrix by rows{_blocks(layout)}: {doc}")


def _by_columns(layout):
    def make(ccol_indices, row_indices, values, size=None, **options):
        return compressed_tensor(
            make.__name__, layout, ccol_indices, row_indices, values, size, options
        )

    doc = "where each column begins among the values, and the row of each."
    return _named(make, layout, f"A sparse matrix by columns{_blocks(layout)}: {doc}")


def _blocks(layout):
    return " of blocks" if layout in IN_BLOCKS else ""


def _named(make, layout, doc):
    options = "Options: `dtype`, `device`, `requires_grad`; indices are always checked."
    return named(make, f"{layout.name}_tensor", f"{doc}\n\n    {options}\n    ")


sparse_csr_tensor, sparse_bsr_tensor = _by_rows(sparse_csr), _by_rows(sparse_bsr)
sparse_csc_tensor, sparse_bsc_tensor = _by_columns(sparse_csc), _by_columns(sparse_bsc)


def sparse_compressed_tensor(
    compressed_indices, plain_indices, values, size=None, *, layout, **options
):
    """A sparse matrix of one of the compressed layouts, with the options of the others."""
    return compressed_tensor(
        "sparse_compressed_tensor", layout, compressed_indices, plain_indices, values, size, options
    )


def spdiags(diagonals, offsets, shape, layout=None):
    """A matrix with the rows of `diagonals` (k, n) on its diagonals `offsets` (k,).

    Element j of a row is in column j.
    """
    diagonals = diagonals.reshape(-1, diagonals.array.shape[-1])
    columns = arange(diagonals.array.shape[1], device=diagonals.device)
    row = columns - offsets.reshape(-1, 1)
    inside = (row >= 0) & (row < shape[0]) & (columns < shape[1])
    made = coo(stack([row[inside], columns.expand_as(row)[inside]]), diagonals[inside], shape)
    return made if layout is None else to_layout(made, layout)


# Of COO tensors


def is_coalesced(input):
    """True if the indices of a COO tensor are sorted and occur once."""
    expect_layout("is_coalesced", input, sparse_coo)
    return input.array.coalesced


def coalesce(input):
    """The same COO tensor with its indices sorted, and the values of equal ones added up.

    >>> x = tallow.sparse_coo_tensor([[1, 0, 1]], [1.0, 2.0, 3.0])
    >>> x.coalesce().values()
    tensor([2., 4.])
    """
    expect_layout("coalesce", input, sparse_coo)
    stored = input.array
    if stored.coalesced:
        return input
    order, first, group = distinct(input.index, stored.shape)
    values, index = input.held.index_select(0, order), input.index.index_select(1, order)
    if not first.all():
        values, index = added(int(group[-1]) + 1, group, values), index[:, first]
    return coo(index, values, stored.shape, True)


def indices(input):
    """The indices (sparse dims, n) of a coalesced COO tensor."""
    _expect_coalesced("indices", input)
    return input.index


def values(input):
    """The values of a coalesced COO tensor (n, *dense dims), or of a compressed one."""
    if input.layout is sparse_coo:
        _expect_coalesced("values", input)
    if input.layout is strided:
        expect_layout("values", input, sparse_coo, sparse_csr)
    held = input.held
    return held.view(held.shape) if held.requires_grad else held.detach()


def _expect_coalesced(name, x):
    expect_layout(name, x, sparse_coo)
    if not x.array.coalesced:
        raise ArgumentError(
            f"{name}: expected a coalesced tensor, got one that is not; call coalesce()"
        )


def _indices(input):
    """The indices of a COO tensor as they are."""
    expect_layout("_indices", input, sparse_coo)
    return input.index


def _values_of(input):
    """The values as they are, without their history."""
    return input.held.detach()


def _nnz(input):
    """How many values a sparse tensor keeps; in blocks, how many of these."""
    return int(input.array.values.shape[0])


def sparse_dim(input):
    """How many of the dims have indices."""
    if input.layout is strided:
        return 0
    return int(input.array.indices[0].shape[0]) if input.layout is sparse_coo else 2


def dense_dim(input):
    """How many of the dims the values have."""
    return input.array.ndim - sparse_dim(input)


def _pointers(name, layouts, which):
    def function(input):
        expect_layout(name, input, *layouts)
        return wrap(input.array.indices[which])

    function.__name__ = function.__qualname__ = name
    what = "Where the values of each line begin" if which == 0 else "The place of each in its line"
    function.__doc__ = f"{what}: of a tensor of layout " + " or ".join(x.name for x in layouts)
    return function


crow_indices = _pointers("crow_indices", (sparse_csr, sparse_bsr), 0)
col_indices = _pointers("col_indices", (sparse_csr, sparse_bsr), 1)
ccol_indices = _pointers("ccol_indices", BY_COLUMN, 0)
row_indices = _pointers("row_indices", BY_COLUMN, 1)


def sparse_mask(input, mask):
    """The elements of a tensor where a sparse one has indices, as one like that.

    >>> mask = tallow.tensor([[0, 1], [1, 0]]).to_sparse()
    >>> tallow.tensor([[1.0, 2.0], [3.0, 4.0]]).sparse_mask(mask).values()
    tensor([2., 3.])
    """
    if not isinstance(mask, SparseTensor):
        raise TypeMismatchError(f"sparse_mask: expected a sparse mask, got {describe(mask)}")
    if tuple(input.array.shape) != mask.array.shape:
        raise ShapeError(
            f"sparse_mask: expected a mask of shape {tuple(input.array.shape)}, got "
            f"{mask.array.shape}"
        )
    index, shape = locations(mask), mask.array.shape
    if isinstance(input, SparseTensor):
        taken = _taken(coalesce(to_coo(input)), index)
    else:
        dims = index.array.shape[0]
        rows = input.reshape(math.prod(shape[:dims]), *shape[dims:])
        taken = rows.index_select(0, flat(index, shape))
    return like(mask, taken.reshape(mask.held.shape))


def _taken(x, index):
    """The values of a coalesced tensor at indices, 0 where it has none."""
    place, wanted = flat(x.index, x.array.shape), flat(index, x.array.shape)
    if not len(place):
        return x.held.new_zeros(len(wanted), *x.held.array.shape[1:])
    at = searchsorted(place, wanted).clamp(max=len(place) - 1)
    there = (place[at] == wanted).reshape(-1, *[1] * (x.held.array.ndim - 1))
    return x.held.index_select(0, at) * there.to(x.dtype)


# From layout to layout


def to_dense(input, dtype=None, *, masked_grad=None):
    """The dense tensor, 0 where a sparse one has no value."""
    x = to_coo(input)
    dense = filled(x.index, x.held, x.array.shape)
    return dense if dtype is None else dense.to(dtype)


def locations(x):
    """The indices (sparse dims, n) of all elements, or rows of them, that a tensor keeps."""
    if x.layout is sparse_coo:
        return x.index
    pointers, plain = map(wrap, x.array.indices)
    line = lines(pointers)
    row, column = (plain, line) if x.layout in BY_COLUMN else (line, plain)
    if x.layout in IN_BLOCKS:
        height, width = x.array.values.shape[1:3]
        down, along = arange(height, device=row.device), arange(width, device=row.device)
        row = (row[:, None] * height + down).repeat_interleave(width, 1).reshape(-1)
        column = (column[:, None] * width + along).repeat(1, height).reshape(-1)
    return stack([row, column])


def to_coo(x):
    """A sparse tensor in the layout COO."""
    if x.layout is sparse_coo:
        return x
    index, values = locations(x), x.held
    if x.layout in IN_BLOCKS:
        values = values.reshape(index.array.shape[1], *values.array.shape[3:])
    return coo(index, values, x.array.shape, x.layout is sparse_csr)


def to_layout(x, layout, blocksize=None):
    """A sparse tensor in another layout; `blocksize` (height, width) for those in blocks."""
    if layout is x.layout and (blocksize is None or tuple(blocksize) == x.held.array.shape[1:3]):
        return x
    x = coalesce(to_coo(x))
    if layout is sparse_coo:
        return x
    shape = x.array.shape
    if sparse_dim(x) != 2:
        raise ShapeError(
            f"to_sparse: expected two sparse dims for {layout.name}, got {sparse_dim(x)}"
        )
    row, column = x.index.unbind(0)
    height, width = (1, 1) if blocksize is None else blocksize
    if layout in IN_BLOCKS and (blocksize is None or shape[0] % height or shape[1] % width):
        raise ArgumentError(
            f"to_sparse: expected a blocksize that divides {shape} for {layout.name}, got "
            f"{blocksize}"
        )
    extent = (shape[0] // height, shape[1] // width)
    line, plain = row // height, column // width
    if layout in BY_COLUMN:
        line, plain, extent = plain, line, extent[::-1]
    place = line * extent[1] + plain
    order, first = sorted_groups(place)
    if layout in IN_BLOCKS:
        group = (first.long().cumsum(0) - 1) * (height * width)
        inner = row % height * width + column % width
        count = int(first.sum())
        values = added(count * height * width, group + inner[order], x.held.index_select(0, order))
        values = values.reshape(count, height, width, *x.held.array.shape[1:])
    else:
        values = x.held if layout is sparse_csr else x.held.index_select(0, order)
    line, plain = unflat(place[order][first], extent)
    return build(layout, [starts(line, extent[0]).array, plain.array], values, shape)


def to_sparse(input, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
    """The tensor in a sparse layout, COO unless told: the elements that are not 0.

    With `sparse_dim` the dims after these stay dense: rows with an element that is not 0 are kept.

    >>> tallow.tensor([[0, 2], [3, 0]]).to_sparse()
    tensor(indices=tensor([[0, 1],
                           [1, 0]]),
           values=tensor([2, 3]),
           size=(2, 2), nnz=2, layout=tallow.sparse_coo)
    """
    layout = sparse_coo if layout is None else layout
    if isinstance(input, SparseTensor):
        return to_layout(input, layout, blocksize)
    if layout is strided:
        return input
    shape = input.array.shape
    if layout is not sparse_coo and len(shape) - (dense_dim or 0) != 2:
        raise NotSupportedError(
            f"to_sparse: expected a matrix for {layout.name}, got {describe(input)}; there are no "
            "batch dims: name dense_dim, or make COO tensors"
        )
    if sparse_dim is None:
        sparse_dim = 2 if layout is not sparse_coo else len(shape)
        sparse_dim = len(shape) - dense_dim if dense_dim is not None else sparse_dim
    rows = input.reshape(math.prod(shape[:sparse_dim]), *shape[sparse_dim:])
    there = rows.detach() != 0
    place = (there if there.array.ndim == 1 else there.flatten(1).any(1)).nonzero().reshape(-1)
    made = coo(unflat(place, shape[:sparse_dim]), rows.index_select(0, place), shape, True)
    return to_layout(made, layout, blocksize)


def to_sparse_coo(input):
    """The tensor in the layout COO."""
    return to_sparse(input)


def to_sparse_csr(input, dense_dim=None):
    """The matrix by rows."""
    return to_sparse(input, layout=sparse_csr, dense_dim=dense_dim)


def to_sparse_csc(input, dense_dim=None):
    """The matrix by columns."""
    return to_sparse(input, layout=sparse_csc, dense_dim=dense_dim)


def to_sparse_bsr(input, blocksize, dense_dim=None):
    """The matrix by rows of blocks (height, width)."""
    return to_sparse(input, layout=sparse_bsr, blocksize=blocksize, dense_dim=dense_dim)


def to_sparse_bsc(input, blocksize, dense_dim=None):
    """The matrix by columns of blocks (height, width)."""
    return to_sparse(input, layout=sparse_bsc, blocksize=blocksize, dense_dim=dense_dim)
