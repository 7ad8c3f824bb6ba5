"""Triangles, diagonals, and tensors with one part replaced."""

import tallow.ops.shape as ops
from tallow.autograd.builtin import patch
from tallow.errors import ShapeError, describe
from tallow.ops.elementwise import copy
from tallow.ops.index import getitem
from tallow.ops.strided import as_strided as as_strided_op
from tallow.promotion import axis_of, give, to_dtype
from tallow.shaping import strided_arguments

__all__ = [
    "as_strided_scatter", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter",
    "select_scatter", "slice_scatter", "tril", "triu",
]  # fmt: skip


def _matrices(name, input):
    if input.array.ndim < 2:
        raise ShapeError(f"{name}: expected a matrix or a batch of them, got {describe(input)}")
    return input


def tril(input, diagonal=0, *, out=None):
    """The elements on and below a diagonal, the rest 0."""
    return give(ops.tril(_matrices("tril", input), k=diagonal), out, "tril")


def triu(input, diagonal=0, *, out=None):
    """The elements on and above a diagonal, the rest 0."""
    return give(ops.triu(_matrices("triu", input), k=diagonal), out, "triu")


# Diagonals


def _two_axes(name, dim1, dim2, ndim):
    axis1, axis2 = axis_of(name, dim1, ndim), axis_of(name, dim2, ndim)
    if axis1 == axis2 or ndim < 2:
        raise ShapeError(f"{name}: expected two different dims, got {dim1} and {dim2}")
    return {"axis1": axis1, "axis2": axis2}


def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonal over two dims, as the last dim; a view."""
    axes = _two_axes("diagonal", dim1, dim2, input.array.ndim)
    return ops.diagonal(input, offset=offset, **axes)


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices over two new dims with the last dim of `input` on a diagonal, zeros elsewhere."""
    ndim = input.array.ndim + 1
    axes = _two_axes("diag_embed", dim1, dim2, ndim)
    *shape, n = input.array.shape
    for axis in sorted(axes.values()):
        shape.insert(axis, n + abs(offset))
    return ops.diagonal_scatter(input, shape=tuple(shape), offset=offset, **axes)


def diag(input, diagonal=0, *, out=None):
    """The diagonal of a matrix, or the square matrix with a vector on its diagonal."""
    if input.array.ndim == 1:
        return give(diag_embed(input, diagonal), out, "diag")
    if input.array.ndim != 2:
        raise ShapeError(f"diag: expected a vector or a matrix, got {describe(input)}")
    on_it = copy(ops.diagonal(input, offset=diagonal, axis1=0, axis2=1), order="C")
    return give(on_it, out, "diag")


def diagflat(input, offset=0):
    """The square matrix with all elements of `input` on a diagonal."""
    return diag_embed(ops.reshape(input, shape=(-1,)), offset)


# A copy with one part replaced: the out-of-place forms of writing into a view


def _replaced(name, input, src, cut, **arguments):
    shape = cut(input.array, **arguments).shape
    if src.array.shape != shape:
        raise ShapeError(f"{name}: expected src of shape {shape}, got {describe(src)}")
    return patch(input, to_dtype(src, input.dtype), cut=cut, arguments=arguments)


def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of `input` with its diagonal over two dims replaced by `src`."""
    axes = _two_axes("diagonal_scatter", dim1, dim2, input.array.ndim)
    return _replaced("diagonal_scatter", input, src, ops.diagonal, offset=offset, **axes)


def select_scatter(input, src, dim, index):
    """A copy of `input` with the slice `index` along `dim` replaced by `src`."""
    axis = axis_of("select_scatter", dim, input.array.ndim)
    key = (slice(None),) * axis + (index, ...)
    return _replaced("select_scatter", input, src, getitem, key=key)


def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy of `input` with `[start:end:step]` along `dim` replaced by `src`."""
    axis = axis_of("slice_scatter", dim, input.array.ndim)
    key = (slice(None),) * axis + (slice(start, end, step), ...)
    return _replaced("slice_scatter", input, src, getitem, key=key)


def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of `input` with what `as_strided` shows of it replaced by `src`."""
    arguments = strided_arguments("as_strided_scatter", input, size, stride, storage_offset)
    return _replaced("as_strided_scatter", input, src, as_strided_op, **arguments)
