"""Functions of torch's namespace that join tensors, cut them into parts, and make grids of them."""

import math
from itertools import accumulate, combinations_with_replacement
from itertools import combinations as combinations_of

import numpy as np

import tallow.ops.shape as ops
from tallow.autograd.builtin import expand as expand_op
from tallow.autograd.builtin import stack as stack_op
from tallow.elementwise import named
from tallow.errors import (
    ArgumentError,
    DtypeError,
    OutOfRangeError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.promotion import axis_of, give, numpy_names, promoted, sizes_of
from tallow.scattering import index_select
from tallow.shaping import reshape, select
from tallow.shortcuts import joined
from tallow.tensor import Tensor, wrap

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "cat", "chunk",
    "column_stack", "combinations", "concat", "concatenate", "dsplit", "dstack", "hsplit", "hstack",
    "meshgrid", "row_stack", "split", "split_with_sizes", "stack", "tensor_split", "unbind",
    "unsafe_chunk", "unsafe_split", "vsplit", "vstack",
]  # fmt: skip
METHODS = ["split"]


# Joining


def _without(shape, axis):
    return shape[:axis] + shape[axis + 1 :]


def _sequence(name, tensors):
    if not isinstance(tensors, (tuple, list)):
        raise TypeMismatchError(
            f"{name}: expected a tuple or list of tensors, got {type(tensors).__name__}"
        )
    dtype = None
    for x in tensors:
        if type(x) is not Tensor or x.array.dtype is not (dtype := dtype or x.array.dtype):
            return promoted(_all_tensors(name, tensors))
    return tensors


def _all_tensors(name, tensors):
    for x in tensors:
        if not isinstance(x, Tensor):
            raise TypeMismatchError(f"{name}: expected tensors, got {type(x).__name__}")
    return tensors


def _some(name, tensors, error=ShapeError):
    tensors = _sequence(name, tensors)
    if not tensors:
        raise error(f"{name}: expected at least one tensor, got none")
    return tensors


@numpy_names
@joined(ops.cat)
def cat(tensors, dim=0, *, out=None):
    """The tensors joined along an existing dim; the other sizes must agree.

    >>> tallow.cat([tallow.zeros(1, 2), tallow.ones(2, 2)]).shape
    tallow.Size([3, 2])
    """
    tensors = _some("cat", tensors, ArgumentError)
    try:
        axis = dim if type(dim) is int and dim >= 0 else axis_of("cat", dim, tensors[0].array.ndim)
        result = ops.cat(*tensors, axis=axis)
    except (ValueError, IndexError):
        tensors, axis = _fitting(tensors, dim)
        result = ops.cat(*tensors, axis=axis)
    return result if out is None else give(result, out, "cat")


def _fitting(tensors, dim):
    """The tensors among those given that `cat` joins, and the axis, if they can be joined."""
    filled = [x for x in tensors if x.array.shape != (0,)]
    if any(x.array.ndim != 1 for x in filled):  # an empty vector fits anything, as in PyTorch
        tensors = filled
    first = tensors[0].array.shape
    axis = axis_of("cat", dim, len(first))
    for i, x in enumerate(tensors):
        shape = x.array.shape
        if not shape or len(shape) != len(first) or _without(shape, axis) != _without(first, axis):
            raise ShapeError(
                f"cat: expected tensors with dimensions that agree except in dim {axis}, got "
                f"{describe(tensors[0])} and, at position {i}, {describe(x)}"
            )
    return tensors, axis


concat = concatenate = cat


@numpy_names
@joined(stack_op)
def stack(tensors, dim=0, *, out=None):
    """Tensors of one shape joined along a new dim."""
    tensors = _some("stack", tensors)
    first = tensors[0].array.shape
    for i, x in enumerate(tensors):
        if x.array.shape != first:
            raise ShapeError(
                f"stack: expected tensors of equal shapes, got {first} and, at position {i}, "
                f"{x.array.shape}"
            )
    return give(stack_op(*tensors, axis=axis_of("stack", dim, len(first) + 1)), out, "stack")


def hstack(tensors, *, out=None):
    """The tensors joined side by side: along dim 1, or dim 0 for vectors."""
    tensors = atleast_1d(*_some("hstack", tensors))
    return cat(tensors, 0 if tensors[0].array.ndim == 1 else 1, out=out)


def vstack(tensors, *, out=None):
    """The tensors joined on top of each other: vectors become rows."""
    return cat(atleast_2d(*_some("vstack", tensors)), 0, out=out)


row_stack = vstack


def dstack(tensors, *, out=None):
    """The tensors joined along dim 2, which vectors and matrices get."""
    return cat(atleast_3d(*_some("dstack", tensors)), 2, out=out)


def column_stack(tensors, *, out=None):
    """The tensors joined side by side: vectors become columns."""
    tensors = _some("column_stack", tensors)
    columns = [x if x.array.ndim > 1 else reshape(x, x.array.size, 1) for x in tensors]
    return cat(columns, 1, out=out)


def _at_least(name, tensors, shape_of):
    """The tensors reshaped by `shape_of`: one as itself, several or a sequence as a tuple."""
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return reshape(tensors[0], shape_of(tensors[0].array.shape))
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    return tuple(reshape(x, shape_of(x.array.shape)) for x in _all_tensors(name, tensors))


def atleast_1d(*tensors):
    """A tensor, or several, as vectors where they have no dims."""
    return _at_least("atleast_1d", tensors, lambda shape: shape or (1,))


def atleast_2d(*tensors):
    """A tensor, or several, as rows where they have fewer than two dims."""
    return _at_least("atleast_2d", tensors, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*tensors):
    """A tensor, or several, with three dims: a vector (n,) as (1, n, 1), a matrix as (n, m, 1)."""

    def shape_of(shape):
        if len(shape) < 2:
            return (1, *(shape or (1,)), 1)
        return (*shape, 1) if len(shape) == 2 else shape

    return _at_least("atleast_3d", tensors, shape_of)


def block_diag(*tensors):
    """The matrices (or vectors, as rows) along the diagonal of a larger one, zeros elsewhere."""
    for x in tensors:
        if x.array.ndim > 2:
            raise ShapeError(f"block_diag: expected at most two dims, got {describe(x)}")
    blocks = atleast_2d(*_sequence("block_diag", tensors)) if tensors else ()
    blocks = (blocks,) if isinstance(blocks, Tensor) else blocks
    if not blocks:
        return wrap(np.zeros((1, 0), np.float32))
    width = sum(x.array.shape[1] for x in blocks)
    rows, start = [], 0
    for x in blocks:
        stop = start + x.array.shape[1]
        rows.append(ops.pad(x, widths=((0, 0), (start, width - stop)), value=0))
        start = stop
    return ops.cat(*rows, axis=0)


# Cutting


def _sized(name, input):
    if not input.array.ndim:
        raise ShapeError(f"{name}: expected at least one dimension, got a 0-d tensor")


@numpy_names
def split(tensor, split_size_or_sections=None, dim=0, *, split_size=None):
    """Parts along `dim`, views: of one size (the last may be smaller), or of sizes in a list."""
    _sized("split", tensor)
    axis = axis_of("split", dim, tensor.array.ndim)
    length = tensor.array.shape[axis]
    sizes = split_size if split_size_or_sections is None else split_size_or_sections
    if isinstance(sizes, int):
        if sizes < 0 or (sizes == 0 and length):
            raise ShapeError(f"split: expected a positive size, got {sizes}")
        sizes = [min(sizes, length - start) for start in range(0, length, sizes or 1)] or [0]
    if sum(sizes) != length or any(n < 0 for n in sizes):
        raise ShapeError(
            f"split: expected sizes with sum {length} in dim {axis}, got {list(sizes)}"
        )
    return _cut_at(tensor, axis, list(accumulate(sizes))[:-1])


def _cut_at(x, axis, places):
    """The parts of x between places along an axis, which need not be within it."""
    length = x.array.shape[axis]
    bounds = [0, *(min(n if n >= 0 else max(n + length, 0), length) for n in places), length]
    return tuple(
        ops.cut(x, axis=axis, start=start, stop=max(start, stop))
        for start, stop in zip(bounds, bounds[1:], strict=False)
    )


def split_with_sizes(input, split_sizes, dim=0):
    """Parts of the given sizes along `dim`; views."""
    return split(input, list(split_sizes), dim)


def unsafe_split(input, split_size, dim=0):
    """`split`. (PyTorch's does not watch the parts for in-place changes.)"""
    return split(input, split_size, dim)


@numpy_names
def chunk(input, chunks, dim=0):
    """At most `chunks` equal parts along `dim` (the last may be smaller); views."""
    _sized("chunk", input)
    if chunks < 1:
        raise ShapeError(f"chunk: expected at least 1 chunk, got {chunks}")
    axis = axis_of("chunk", dim, input.array.ndim)
    length = input.array.shape[axis]
    if not length:
        return _cut_at(input, axis, [0] * (chunks - 1))
    return split(input, math.ceil(length / chunks), dim)


unsafe_chunk = chunk


def tensor_split(input, indices_or_sections=None, dim=0, *, indices=None, sections=None):
    """Parts along `dim`, views: so many of sizes that differ by 1 at most, or cut at a list.

    >>> [x.tolist() for x in tallow.tensor_split(tallow.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    where = next((v for v in (indices_or_sections, indices, sections) if v is not None), None)
    _sized("tensor_split", input)
    axis = axis_of("tensor_split", dim, input.array.ndim)
    if isinstance(where, Tensor):
        if where.array.dtype != np.int64 or where.array.ndim > 1:
            raise DtypeError(
                f"tensor_split: expected a 0-d or 1-d int64 tensor, got {describe(where)}"
            )
        where = where.tolist()
    if isinstance(where, int):
        if where < 1:
            raise ShapeError(f"tensor_split: expected at least 1 section, got {where}")
        size, longer = divmod(input.array.shape[axis], where)
        where = [i * size + min(i, longer) for i in range(1, where)]
    return _cut_at(input, axis, list(sizes_of("tensor_split", (tuple(where),))))


def _numbered_split(name, fewest, axis_for, where_cut):
    def function(input, indices_or_sections=None, *, indices=None, sections=None):
        where = next((v for v in (indices_or_sections, indices, sections) if v is not None), None)
        if input.array.ndim < fewest:
            raise ShapeError(f"{name}: expected at least {fewest} dims, got {describe(input)}")
        axis = axis_for(input.array.ndim)
        if isinstance(where, int) and (where < 1 or input.array.shape[axis] % where):
            raise ShapeError(
                f"{name}: expected a number of sections that divides dim {axis} of "
                f"{describe(input)}, got {where}"
            )
        return tensor_split(input, where, axis)

    return named(function, name, f"So many equal parts along {where_cut}, or cut at a list; views.")


hsplit = _numbered_split("hsplit", 1, lambda ndim: int(ndim > 1), "dim 1 (dim 0 of a vector)")
vsplit = _numbered_split("vsplit", 2, lambda ndim: 0, "dim 0")
dsplit = _numbered_split("dsplit", 3, lambda ndim: 2, "dim 2")


@numpy_names
def unbind(input, dim=0):
    """All slices along `dim`, without it; views."""
    axis = axis_of("unbind", dim, input.array.ndim)
    if not input.array.ndim:
        raise OutOfRangeError("unbind: expected at least one dimension, got a 0-d tensor")
    return tuple(select(input, axis, i) for i in range(input.array.shape[axis]))


# Grids


def meshgrid(*tensors, indexing=None):
    """Grids of the coordinates in vectors: "ij" (the default) keeps their order, "xy" exchanges
    the first two dims.
    """
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    if not tensors:
        raise ShapeError("meshgrid: expected at least one tensor, got none")
    if indexing not in (None, "ij", "xy"):
        raise ShapeError(f"meshgrid: expected indexing 'ij' or 'xy', got {indexing!r}")
    for x in tensors:
        if x.array.ndim > 1:
            raise ShapeError(f"meshgrid: expected vectors or numbers, got {describe(x)}")
        if x.dtype is not tensors[0].dtype:
            raise DtypeError(
                f"meshgrid: expected one dtype, got {describe(tensors[0])} and {describe(x)}"
            )
    if indexing == "xy" and len(tensors) > 1:
        second, first, *rest = meshgrid(tensors[1], tensors[0], *tensors[2:])
        return (first, second, *rest)
    shape = tuple(x.array.size for x in tensors)
    places = [(1,) * i + (-1,) + (1,) * (len(shape) - 1 - i) for i in range(len(shape))]
    columns = [ops.reshape(x, shape=place) for x, place in zip(tensors, places, strict=True)]
    return tuple(expand_op(x, shape=shape) for x in columns)


def cartesian_prod(*tensors):
    """All tuples with an element of each vector: (n1,), (n2,), ... -> (n1 n2 ..., count)."""
    for x in tensors:
        if x.array.ndim != 1:
            raise ShapeError(f"cartesian_prod: expected vectors, got {describe(x)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(grid, -1) for grid in meshgrid(*tensors)], 1)


def combinations(input, r=2, with_replacement=False):
    """All combinations of r elements of a vector, in order: (n,) -> (count, r)."""
    if input.array.ndim != 1:
        raise ShapeError(f"combinations: expected a vector, got {describe(input)}")
    if r < 0:
        raise ShapeError(f"combinations: expected a non-negative number, got {r}")
    if r == 0:
        return wrap(input.array[:0].copy())
    chosen = combinations_with_replacement if with_replacement else combinations_of
    index = np.array(list(chosen(range(input.array.size), r)), np.int64).reshape(-1, r)
    picked = index_select(input, 0, wrap(index.reshape(-1)).to(input.device))
    return reshape(picked, index.shape)
