"""Indices as tensors (sparse dims, n): places in row-major order, sorting, and their checks."""

import math

from tallow.creation import arange, ones, zeros
from tallow.dtypes import bool_, int32, int64, uint8
from tallow.errors import ArgumentError, IndexValueError, ShapeError, TypeMismatchError, describe
from tallow.joining import cat, stack
from tallow.tensor import Tensor


def flat(index, shape):
    """The place of each index in an array of this shape, row by row: (d, n) -> (n,)."""
    place = zeros(index.array.shape[1], dtype=int64, device=index.device)
    for row, length in zip(index.unbind(0), shape, strict=False):
        place = place * length + row
    return place


def unflat(place, shape):
    """`flat`, undone: (n,) -> (d, n)."""
    rows = []
    for length in reversed(shape):
        rows.insert(0, place % max(length, 1))
        place = place // max(length, 1)
    return cat([row.unsqueeze(0) for row in rows]) if rows else place.new_zeros(0, len(place))


def distinct(index, shape):
    """How to sort indices: their order, which of them then come first of equal ones, their groups.

    `index[:, order[first]]` are the distinct ones, and `group` (n,) says of each in that order
    which of these it is.
    """
    order, first = sorted_groups(flat(index, shape))
    return order, first, first.long().cumsum(0) - 1


def sorted_groups(place):
    """The order that sorts places, and where in it a new one begins."""
    order = place.argsort(stable=True)
    place = place[order]
    return order, cat([ones(min(len(place), 1), dtype=bool_, device=place.device),
                       place[1:] != place[:-1]])  # fmt: skip


def added(count, group, values):
    """Rows of values added up by group: (n,), (n, ...) -> (count, ...); bools by `or`."""
    if values.dtype is bool_:
        return added(count, group, values.to(uint8).clamp(max=1)).bool()
    return values.new_zeros(count, *values.array.shape[1:]).index_add(0, group, values)


def filled(index, values, shape):
    """A dense tensor of this shape with the values at the indices, and 0 elsewhere."""
    sparse = shape[: index.array.shape[0]]
    return added(math.prod(sparse), flat(index, sparse), values).reshape(*shape)


def starts(lines, count):
    """Where the elements of each line begin, and at last where they end: (n,) -> (count + 1,)."""
    ends = lines.bincount(minlength=count).cumsum(0)
    return cat([ends.new_zeros(1), ends])


def lines(pointers):
    """`starts`, undone: the line of each element."""
    count = len(pointers) - 1
    return arange(count, device=pointers.device).repeat_interleave(pointers[1:] - pointers[:-1])


def _convert_indices_from_coo_to_csr(input, size, *, out_int32=False):
    """`starts` of sorted row numbers; PyTorch Geometric asks for it."""
    return starts(input, size).to(int32 if out_int32 else int64)


def _convert_indices_from_csr_to_coo(
    crow_indices, col_indices, *, out_int32=False, transpose=False
):
    """The indices (2, n) of a CSR matrix, or of that transposed."""
    index = stack([lines(crow_indices), col_indices.long()][:: -1 if transpose else 1])
    return index.to(int32 if out_int32 else int64)


def check_index(name, index, values, shape):
    """Raise unless indices (sparse dims, n) go with values (n, *dense dims) and a shape."""
    for x in (index, values):
        if not isinstance(x, Tensor):
            raise TypeMismatchError(f"{name}: expected tensors, got {type(x).__name__}")
    if index.array.ndim != 2 or index.dtype.is_floating_point or index.dtype is bool_:
        raise ShapeError(
            f"{name}: expected indices (sparse dims, n) of integers, got {describe(index)}"
        )
    dims, count = index.array.shape
    if tuple(values.array.shape) != (count, *shape[dims:]) or dims > len(shape):
        raise ShapeError(
            f"{name}: expected values ({count}, *dense dims) for {dims} sparse dims of size "
            f"{tuple(shape)}, got {describe(values)}"
        )
    for dim, row in enumerate(index.unbind(0)):
        if count and not (0 <= int(row.min()) and int(row.max()) < shape[dim]):
            raise IndexValueError(
                f"{name}: expected indices from 0 to {shape[dim] - 1} in dim {dim}, got "
                f"{int(row.min())} to {int(row.max())}"
            )


def check_compressed(name, layout, compressed, plain, values, shape):
    """Raise unless pointers and plain indices go with values and a shape."""
    by_column = layout.name.endswith("c")
    if compressed.array.ndim != 1 or plain.array.ndim != 1:
        raise ShapeError(
            f"{name}: expected indices without batch dims, got {describe(compressed)} and "
            f"{describe(plain)}; stack COO tensors"
        )
    block = tuple(values.array.shape[1:3]) if "bs" in layout.name else (1, 1)
    if len(shape) < 2 or shape[0] % block[0] or shape[1] % block[1]:
        raise ShapeError(f"{name}: expected a size of whole blocks {block}, got {tuple(shape)}")
    rows, columns = shape[0] // block[0], shape[1] // block[1]
    count, width = (columns, rows) if by_column else (rows, columns)
    steps = compressed[1:] - compressed[:-1]
    whole = len(plain) == len(values) and len(compressed) == count + 1
    if not whole or compressed[0] != 0 or compressed[-1] != len(plain) or (steps < 0).any():
        raise ArgumentError(
            f"{name}: expected {count + 1} compressed indices that rise from 0 to "
            f"{len(values)}, the number of values and of plain indices, got "
            f"{describe(compressed)} and {describe(plain)}"
        )
    if len(plain) and not (0 <= int(plain.min()) and int(plain.max()) < width):
        raise IndexValueError(
            f"{name}: expected plain indices from 0 to {width - 1}, got {int(plain.min())} to "
            f"{int(plain.max())}"
        )
    place = lines(compressed) * width + plain
    if (place[1:] <= place[:-1]).any():
        raise ArgumentError(
            f"{name}: expected plain indices that rise within each row (or column), got others"
        )
