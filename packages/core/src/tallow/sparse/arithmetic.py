"""Functions of elements and of dims, for sparse tensors.

They compute with the values. Where the values of equal indices add up to an element, a function
that is not linear takes the coalesced tensor.
"""

import builtins
from numbers import Number

from tallow import math as dense_math
from tallow.creation import zeros
from tallow.dtypes import FLOATING, bool_, int64
from tallow.errors import ArgumentError, ShapeError, describe
from tallow.indexing import getitem
from tallow.joining import cat as cat_dense
from tallow.joining import stack as stack_dense
from tallow.layout import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr
from tallow.ordering import isin, searchsorted
from tallow.promotion import axis_of, result_type
from tallow.sparse.indices import added, flat, sorted_groups
from tallow.sparse.making import (
    IN_BLOCKS,
    coalesce,
    sparse_dim,
    to_coo,
    to_dense,
    to_layout,
)
from tallow.sparse.tensor import SparseTensor, build, coo, like, refusal
from tallow.tensor import Tensor

concatenated, _total = cat_dense, builtins.sum


def _back(x, like_this):
    """A COO tensor in the layout of another."""
    layout = like_this.layout
    block = like_this.held.array.shape[1:3] if layout in IN_BLOCKS else None
    return x if layout is sparse_coo or sparse_dim(x) != 2 else to_layout(x, layout, block)


def _is_number(x):
    return isinstance(x, Number) or (not isinstance(x, SparseTensor) and not x.array.ndim)


# One tensor


def of_values(function, linear=False):
    """The form of a function that gives 0 for 0: the function of the values."""

    def form(input, *args, **kwargs):
        if kwargs.pop("inplace", False):
            return input.become(form(input, *args, **kwargs))
        x = input if linear or input.layout is not sparse_coo else coalesce(input)
        return like(x, function(x.held, *args, **kwargs))

    return form


def power(input, exponent):
    """Each element to the power of a number above 0."""
    if not _is_number(exponent) or not isinstance(input, SparseTensor):
        raise refusal("pow", (exponent if _is_number(input) else input).layout)
    if exponent == 0:
        raise ArgumentError("pow: expected another exponent than 0, which makes a tensor dense")
    x = coalesce(input) if input.layout is sparse_coo else input
    return like(x, x.held**exponent)


def zeros_like(input, *, dtype=None, device=None, requires_grad=False, **options):
    """A sparse tensor of the shape, without values."""
    x, dims = to_coo(input), sparse_dim(input)
    index = zeros(dims, 0, dtype=int64, device=device or input.device)
    values = x.held.detach().new_zeros(
        0, *x.array.shape[dims:], dtype=dtype, device=device, requires_grad=requires_grad
    )
    return _back(coo(index, values, x.array.shape, True), input)


def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The norm of all elements."""
    if dim is not None and tuple(_axes(input, dim)) != tuple(range(input.array.ndim)):
        raise refusal("norm", input.layout)
    values = coalesce(to_coo(input)).held
    return values.reshape(-1).norm(2 if p == "fro" else p, dtype=dtype)


def dropout(input, p=0.5, training=True, inplace=False):
    """Values to 0 at random, the rest scaled up."""
    from tallow.nn import functional

    x = coalesce(input) if input.layout is sparse_coo else input
    return like(x, functional.dropout(x.held, p, training))


# Two tensors


def add(input, other, *, alpha=1):
    """input + alpha * other, of two sparse tensors or a dense and a sparse one."""
    if _is_number(other) or _is_number(input):
        raise refusal("add", (input if _is_number(other) else other).layout)
    other = other if alpha == 1 else mul(other, alpha)
    sparse = [isinstance(x, SparseTensor) for x in (input, other)]
    if not any(sparse):
        return input + other
    if not all(sparse):
        return _onto(other, input) if sparse[0] else _onto(input, other)
    x, y = to_coo(input), to_coo(other)
    if x.array.shape != y.array.shape or sparse_dim(x) != sparse_dim(y):
        raise ShapeError(
            f"add: expected sparse tensors of one shape with as many sparse dims, got {describe(x)}"
            f" with {sparse_dim(x)} and {describe(y)} with {sparse_dim(y)}"
        )
    if _same_index(x, y):
        return _back(like(x, x.held + y.held), input)
    dtype = result_type(x.held, y.held)
    values = cat_dense([x.held.to(dtype), y.held.to(dtype)])
    made = coo(cat_dense([x.index, y.index], 1), values, x.array.shape)
    both = x.array.coalesced and y.array.coalesced
    return _back(coalesce(made) if both else made, input)


def _same_index(x, y):
    a, b = x.array.indices[0], y.array.indices[0]
    return a is b or (a.shape == b.shape and bool((a == b).all()))


def _onto(dense, sparse):
    """A dense tensor with a sparse one added."""
    x = to_coo(sparse)
    shape, dims = x.array.shape, sparse_dim(x)
    if tuple(dense.array.shape) != shape or dense.dtype is not result_type(dense, x.held):
        return dense + to_dense(x)
    rows = dense.reshape(-1, *shape[dims:])
    place = flat(x.index, shape)
    return rows.index_add(0, place, x.held.to(dense.dtype)).reshape(dense.shape)


def sub(input, other, *, alpha=1):
    """input - alpha * other, of two sparse tensors or a dense and a sparse one."""
    if _is_number(other) or _is_number(input):
        raise refusal("sub", (input if _is_number(other) else other).layout)
    return add(input, other, alpha=-alpha)


def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    return sub(other, input, alpha=alpha)


def mul(input, other):
    """The product of elements: with a number, or with a tensor of the same shape."""
    if not isinstance(input, SparseTensor):
        if not isinstance(other, SparseTensor):
            return input * other
        return mul(other, input)
    if _is_number(other):
        return like(input, input.held * other)
    x = to_coo(input)
    if not isinstance(other, SparseTensor):
        return _back(like(x, x.held * _at(other, x)), input)
    x, y = coalesce(x), coalesce(to_coo(other))
    if x.array.shape != y.array.shape or sparse_dim(x) != sparse_dim(y):
        raise ShapeError(
            f"mul: expected sparse tensors of one shape, got {describe(x)} and {describe(y)}"
        )
    if not _same_index(x, y):
        x, y = _common(x, y), _common(y, x)
    return _back(like(x, x.held * y.held), input)


def _at(dense, x):
    """The elements of a dense tensor, which may broadcast, where a sparse one has values."""
    return getitem(dense.expand(x.array.shape), tuple(x.index.unbind(0)))


def _common(x, y):
    """Of a coalesced tensor the values at indices that another has, too."""
    place, others = flat(x.index, x.array.shape), flat(y.index, y.array.shape)
    kept = isin(place, others).nonzero().reshape(-1)
    return _chosen(x, kept)


def _chosen(x, kept):
    """Of a COO tensor the values of these numbers, in their order."""
    index = x.index.index_select(1, kept)
    return coo(index, x.held.index_select(0, kept), x.array.shape, x.array.coalesced)


def div(input, other, *, rounding_mode=None):
    """The elements divided by a number."""
    if not isinstance(input, SparseTensor) or not _is_number(other):
        raise refusal("div", (input if isinstance(input, SparseTensor) else other).layout)
    x = coalesce(input) if rounding_mode and input.layout is sparse_coo else input
    return like(x, dense_math.div(x.held, other, rounding_mode=rounding_mode))


def floor_divide(input, other):
    """The elements divided by a number and rounded down."""
    return div(input, other, rounding_mode="floor")


# Dims


def _axes(x, dim):
    dims = dim if isinstance(dim, tuple | list) else (dim,)
    return sorted({axis_of("sparse", d, x.array.ndim) for d in dims})


def transpose(input, dim0, dim1):
    """Two dims exchanged: both sparse, or both dense."""
    order = list(range(input.array.ndim))
    a, b = _axes(input, dim0)[0], _axes(input, dim1)[0]
    order[a], order[b] = order[b], order[a]
    return permute(input, order)


TURNED = {sparse_csr: sparse_csc, sparse_csc: sparse_csr, sparse_bsr: sparse_bsc,
          sparse_bsc: sparse_bsr}  # fmt: skip


def permute(input, *dims):
    """The dims in another order, in which the sparse ones stay first."""
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    order, count = [_axes(input, d)[0] for d in dims], sparse_dim(input)
    if sorted(order[:count]) != list(range(count)) or len(order) != input.array.ndim:
        raise ShapeError(
            f"permute: expected each dim once and {count} sparse ones first, got {dims}"
        )
    stored = input.array
    shape = [stored.shape[d] for d in order]
    moved = [d - count + 1 for d in order[count:]]
    if input.layout is sparse_coo:
        index = input.index[order[:count]]
        kept = stored.coalesced and order[:count] == list(range(count))
        return coo(index, input.held.permute(0, *moved), shape, kept)
    if order[:2] == [0, 1]:
        return input
    held = input.held.transpose(1, 2) if input.layout in IN_BLOCKS else input.held
    return build(TURNED[input.layout], stored.indices, held, shape)


def t(input):
    """The matrix transposed."""
    if input.array.ndim > 2:
        raise ShapeError(f"t: expected at most 2 dims, got {describe(input)}")
    return transpose(input, 0, 1) if input.array.ndim == 2 else input


def unsqueeze(input, dim):
    """A new dim of length 1, sparse where it comes among the sparse ones."""
    x, dims = to_coo(input), sparse_dim(input)
    dim = axis_of("unsqueeze", dim, x.array.ndim + 1)
    shape = [*x.array.shape[:dim], 1, *x.array.shape[dim:]]
    if dim > dims:
        return coo(x.index, x.held.unsqueeze(dim - dims + 1), shape, x.array.coalesced)
    index = cat_dense([x.index[:dim], x.index.new_zeros(1, x.index.array.shape[1]), x.index[dim:]])
    return coo(index, x.held, shape, x.array.coalesced)


def squeeze(input, dim=None):
    """Without the dims of length 1, or without those of `dim` that are."""
    shape = input.array.shape
    axes = range(len(shape)) if dim is None else _axes(input, dim)
    for axis in reversed([a for a in axes if shape[a] == 1]):
        input = select(input, axis, 0)
    return input


def select(input, dim, index):
    """One place of a dim, which the result has not; dense if that was the last sparse one."""
    x, dims = to_coo(input), sparse_dim(input)
    dim = _axes(x, dim)[0]
    shape = [*x.array.shape[:dim], *x.array.shape[dim + 1 :]]
    index = axis_of("select", index, x.array.shape[dim])
    if dim >= dims:
        held = x.held.select(dim - dims + 1, index)
        return coo(x.index, held, shape, x.array.coalesced)
    kept = (x.index[dim] == index).nonzero().reshape(-1)
    values = x.held.index_select(0, kept)
    if dims == 1:
        return values.sum(0).to(x.dtype)
    rest = cat_dense([x.index[:dim], x.index[dim + 1 :]]).index_select(1, kept)
    return coo(rest, values, shape, x.array.coalesced)


def narrow(input, dim, start, length):
    """`length` places of a dim from `start` on."""
    x, dims = to_coo(input), sparse_dim(input)
    dim = _axes(x, dim)[0]
    start = start + x.array.shape[dim] if start < 0 else start
    if not 0 <= start <= start + length <= x.array.shape[dim]:
        raise ArgumentError(
            f"narrow: expected a part of {x.array.shape[dim]} places, got {length} from {start}"
        )
    shape = [*x.array.shape[:dim], length, *x.array.shape[dim + 1 :]]
    if dim >= dims:
        held = x.held.narrow(dim - dims + 1, start, length)
        return coo(x.index, held, shape, x.array.coalesced)
    row = x.index[dim]
    kept = ((row >= start) & (row < start + length)).nonzero().reshape(-1)
    made = _chosen(x, kept)
    index = made.index.clone()
    index[dim] -= start
    return _back(coo(index, made.held, shape, x.array.coalesced), input)


def getitem_sparse(input, key):
    """Places and parts of dims: ints, slices without steps, `...` and None."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in [k for k in keys if not isinstance(k, Tensor)]:
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        used = len([k for k in keys if k is not None]) - 1
        keys[at : at + 1] = [slice(None)] * (input.array.ndim - used)
    dim = 0
    for key in keys:
        if isinstance(key, slice) and key.step in (None, 1):
            start, stop, _ = key.indices(input.array.shape[dim])
            if (start, stop) != (0, input.array.shape[dim]):
                input = narrow(input, dim, start, max(stop - start, 0))
        elif key is None:
            input = unsqueeze(input, dim)
        elif isinstance(key, Tensor) and key.array.ndim == 1 and key.dtype is not bool_:
            input = index_select(input, dim, key)
        elif isinstance(key, slice | bool) or (isinstance(key, Tensor) and key.array.ndim):
            raise refusal("indexing", input.layout)
        else:
            input, dim = input.select(dim, int(key)), dim - 1
        dim += 1
    return input


def index_select(input, dim, index):
    """The places of a dim that `index` (n,) names, in its order."""
    x, dims = to_coo(input), sparse_dim(input)
    dim = _axes(x, dim)[0]
    shape = [*x.array.shape[:dim], len(index), *x.array.shape[dim + 1 :]]
    if dim >= dims:
        held = x.held.index_select(dim - dims + 1, index)
        return coo(x.index, held, shape, x.array.coalesced)
    index = index.where(index >= 0, index + x.array.shape[dim])
    order, row = index.argsort(stable=True), x.index[dim]
    wanted = index[order]
    begin = searchsorted(wanted, row)
    many = searchsorted(wanted, row, right=True) - begin  # how often each value is taken
    which = _numbers(many)
    offset = _within(many)
    rows = list(x.index.index_select(1, which).unbind(0))
    rows[dim] = order[begin[which] + offset]
    return _back(coo(stack_dense(rows), x.held.index_select(0, which), shape), input)


def _numbers(many):
    """0 as often as many[0] says, 1 as often as many[1] does, ..."""
    return many.new_tensor(range(len(many)), dtype=int64).repeat_interleave(many)


def _within(many):
    """Of what `_numbers` gives, the how-manieth of equal ones each is."""
    which = _numbers(many)
    return which.new_tensor(range(len(which)), dtype=int64) - (many.cumsum(0) - many)[which]


def cat(tensors, dim=0):
    """Sparse tensors one after another along a dim."""
    tensors = [to_coo(x) for x in tensors]
    first = tensors[0]
    dims, dim = sparse_dim(first), _axes(first, dim)[0]
    shape = list(first.array.shape)
    shape[dim] = _total([x.array.shape[dim] for x in tensors])
    others = [[*x.array.shape[:dim], *x.array.shape[dim + 1 :], sparse_dim(x)] for x in tensors]
    if any(other != others[0] for other in others):
        raise ShapeError(
            f"cat: expected sparse tensors alike but for dim {dim}, got "
            + ", ".join(map(describe, tensors))
        )
    dtype = result_type(*[x.held for x in tensors])
    rows, values, before = [], [], 0
    for x in tensors:
        index, held = x.index, x.held.to(dtype)
        if dim < dims:
            index = index.clone()
            index[dim] += before
        else:
            widths = (before, shape[dim] - before - x.array.shape[dim])
            parts = [held.new_zeros(_with(held.shape, dim - dims + 1, n)) for n in widths]
            held = cat_dense([parts[0], held, parts[1]], dim - dims + 1)
        rows.append(index)
        values.append(held)
        before += x.array.shape[dim]
    return coo(cat_dense(rows, 1), cat_dense(values), shape)


def _with(shape, dim, length):
    return [*shape[:dim], length, *shape[dim + 1 :]]


def stack(tensors, dim=0):
    """Sparse tensors side by side along a new dim."""
    return cat([unsqueeze(x, dim) for x in tensors], dim)


def unbind(input, dim=0):
    """The tensors at each place of a dim."""
    return tuple(select(input, dim, i) for i in range(input.array.shape[_axes(input, dim)[0]]))


# Sums and softmax


def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum of all elements, or over dims; sparse while a sparse dim is left.

    >>> x = tallow.sparse_coo_tensor([[0, 0, 1], [0, 2, 2]], [1.0, 2.0, 3.0])
    >>> tallow.sparse.sum(x, dim=0).to_dense()
    tensor([1., 0., 5.])
    """
    x, dims = to_coo(input), sparse_dim(input)
    axes = range(x.array.ndim) if dim is None or dim in ((), []) else _axes(x, dim)
    whole = x.dtype.category < FLOATING
    held = x.held.to(dtype or (int64 if whole else x.dtype))
    if len(axes) == x.array.ndim and not (keepdim and input.layout is not sparse_coo):
        return held.sum().reshape([1] * len(axes) if keepdim else [])
    dense = [a - dims + 1 for a in axes if a >= dims]
    held = held.sum(dense, keepdim=keepdim) if dense else held
    left = [d for d in range(dims) if d not in axes]
    shape = [1 if a in axes else n for a, n in enumerate(x.array.shape) if keepdim or a not in axes]
    if not left and not keepdim:
        return held.sum(0)
    if len(left) == dims:
        return _back(coo(x.index, held, shape, x.array.coalesced), input)
    extent = [x.array.shape[d] for d in left]
    order, first = sorted_groups(flat(x.index[left], extent))
    group, count = first.long().cumsum(0) - 1, int(first.sum())
    held = added(count, group, held.index_select(0, order))
    rows = list(x.index[:, order][:, first].unbind(0))
    if keepdim:
        index = stack_dense([row * (d in left) for d, row in enumerate(rows)])
    else:
        index = stack_dense([rows[d] for d in left])
    return _back(coo(index, held, shape, True), input)


def _softmax(name):
    def function(input, dim, *, dtype=None):
        from tallow.nn import functional

        if input.layout in IN_BLOCKS:  # of whose elements some are there by chance
            raise refusal(name, input.layout)
        x = coalesce(to_coo(input))
        x = x if dtype is None else x.to(dtype)
        dims, dim = sparse_dim(x), _axes(x, dim)[0]
        if dim >= dims:
            return like(x, getattr(functional, name)(x.held, dim - dims + 1))
        rest = [d for d in range(dims) if d != dim]
        place = flat(x.index[rest], [x.array.shape[d] for d in rest])
        order, first = sorted_groups(place)
        group = place.new_zeros(len(place)).scatter(0, order, first.long().cumsum(0) - 1)
        count, values = int(first.sum()), x.held
        at = group.reshape(-1, *[1] * (values.array.ndim - 1)).expand_as(values)
        low = values.detach().new_zeros(count, *values.array.shape[1:])
        largest = low.scatter_reduce(0, at, values.detach(), "amax", include_self=False)
        shifted = values - largest.index_select(0, group)
        weights = shifted.exp()
        total = added(count, group, weights).index_select(0, group)
        return like(x, weights / total if name == "softmax" else shifted - total.log())

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{name}` over the values along a dim: elements without one count as -inf."
    return function


softmax, log_softmax = _softmax("softmax"), _softmax("log_softmax")
