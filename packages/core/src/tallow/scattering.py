"""Reading and writing along one dim at places that an index tensor names: gather, scatter, index_*.

`index` of gather and scatter has an entry for every element of the result or of `src`; that of the
`index_*` functions is a vector and names whole slices.
"""

import numpy as np

import tallow.ops.index as ops
import tallow.ops.scatter as scatter_ops
from tallow import backend, dtypes
from tallow.errors import (
    DtypeError,
    IndexValueError,
    OutOfRangeError,
    ShapeError,
    TypeMismatchError,
    describe,
)
from tallow.ops.elementwise import div, fill, floor_divide, maximum
from tallow.ops.shape import reshape
from tallow.promotion import axis_of, element, give, numpy_names, to_dtype
from tallow.shaping import broadcast_shapes, expand, ravel
from tallow.tensor import Tensor, wrap

__all__ = [
    "gather", "index_add", "index_copy", "index_fill", "index_reduce", "index_select", "scatter",
    "scatter_add", "scatter_reduce", "take_along_dim",
]  # fmt: skip


def index_array(name, index):
    """The array of an index tensor."""
    if not isinstance(index, Tensor):
        raise TypeMismatchError(f"{name}: expected a tensor as index, got {type(index).__name__}")
    if index.array.size and index.dtype not in (dtypes.int64, dtypes.int32):
        raise DtypeError(f"{name}: expected an index of dtype int64, got {describe(index)}")
    return index.array


def _check_places(name, input, axis, index, error, negative=False):
    """Raise unless every index names an element of input's axis, counted from its start."""
    size = input.array.shape[axis] if input.array.ndim else 1
    low = -size if negative else 0
    in_range = backend.for_array(index).in_range
    with backend.at(index):
        if in_range is not None:
            in_range(name, index, low, size)
        elif index.size and not _inside(index, low, size):
            wrong = index[(index < low) | (index >= size)].reshape(-1)[0]
            raise error(
                f"{name}: expected indices from {low} to {size - 1} in dim {axis}, got {int(wrong)}"
            )


def _inside(index, low, size):
    if low == 0:  # as a number without a sign one below 0 is large
        return index.view(f"u{index.itemsize}").max() < size
    return index.min() >= low and index.max() < size


def _with_dims(x):
    """A 0-d tensor or array as a vector; others, and numbers, as they are."""
    if isinstance(x, Tensor):
        return x if x.array.ndim else reshape(x, shape=(1,))
    if x.shape != () or isinstance(x, np.generic):
        return x
    with backend.at(x):
        return x.reshape(1)


# One index per element


def _places(name, input, dim, index, src=None):
    """The axis and the index array, checked against the input and what is scattered."""
    axis = axis_of(name, dim, input.array.ndim)
    index = index_array(name, index)
    if not index.size:
        return axis, index
    shape = input.array.shape or (1,)
    given = index.shape or (1,)
    if len(given) != len(shape):
        raise ShapeError(
            f"{name}: expected an index with {len(shape)} dims like the input, got {index.shape}"
        )
    along = given[axis]  # may be more than the input has
    limits = [(*shape[:axis], along, *shape[axis + 1 :])]
    limits += [] if src is None else [src.array.shape or (1,)]
    for limit in limits:
        if len(limit) != len(given) or any(n > m for n, m in zip(given, limit, strict=True)):
            raise ShapeError(f"{name}: expected an index within {limit}, got {index.shape}")
    _check_places(name, input, axis, index, IndexValueError)
    return axis, _with_dims(index)


@numpy_names
def gather(input, dim, index, *, sparse_grad=False, out=None):
    """Elements picked along `dim`: out[i][j] = input[index[i][j]][j] for dim 0.

    >>> x = tallow.tensor([[1, 2], [3, 4]])
    >>> tallow.gather(x, 1, tallow.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    axis, places = _places("gather", input, dim, index)
    if not places.size:
        shape = (0,) * max(input.array.ndim, 1)
        with backend.at(places):
            places = backend.for_array(places).xp.zeros(shape, places.dtype)
    picked = ops.gather(_with_dims(input), axis=axis, index=places)
    if places is not index.array:
        picked = reshape(picked, shape=index.array.shape)
    return give(picked, out, "gather")


def _source(name, input, src):
    """What is scattered: a tensor of the input's dtype, or a number in it."""
    if not isinstance(src, Tensor):
        return element(name, src, input.dtype)
    if src.dtype is not input.dtype:
        raise DtypeError(f"{name}: expected src of {input.dtype}, got {describe(src)}")
    return src


def _scattered(name, op, input, dim, index, src):
    src = _source(name, input, src)
    axis, places = _places(name, input, dim, index, src if isinstance(src, Tensor) else None)
    if not places.size:
        return fill(input, input)
    result = op(_with_dims(input), _with_dims(src), axis=axis, index=places)
    return reshape(result, shape=input.array.shape)


@numpy_names
def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """A copy of `input` with `src` (a tensor or a number) written where `gather` would read.

    `reduce` "add" or "multiply" combines with what is there.
    """
    if reduce not in (None, "add", "multiply"):
        raise ShapeError(f"scatter: expected reduce 'add' or 'multiply', got {reduce!r}")
    src = value if src is None else src
    op = {None: ops.scatter, "add": ops.scatter_add, "multiply": _scatter_prod}[reduce]
    return _scattered("scatter", op, input, dim, index, src)


def _scatter_prod(x, src, *, axis, index):
    if isinstance(src, Tensor):
        src = ops.corner(src, shape=index.shape)
    else:
        src = wrap(backend.for_array(x.array).xp.full(index.shape, src, x.array.dtype))
    return scatter_ops.scatter_prod(x, src, axis=axis, index=index)


@numpy_names
def scatter_add(input, dim, index, src):
    """A copy of `input` with `src` added where `gather` would read, once per occurrence."""
    return _scattered("scatter_add", ops.scatter_add, input, dim, index, src)


@numpy_names
def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """A copy of `input` where `src` is combined with what is there, where `gather` would read.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; without `include_self` what is there does
    not count.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ShapeError(
            f"scatter_reduce: expected 'sum', 'prod', 'mean', 'amax' or 'amin', got {reduce!r}"
        )
    return _reduced("scatter_reduce", input, dim, index, src, reduce, include_self)


def _reduced(name, input, dim, index, src, reduce, include_self):
    src = _source(name, input, src)
    axis, places = _places(name, input, dim, index, src)
    if not places.size:
        return fill(input, input)
    x, here = _with_dims(input), {"axis": axis, "index": places}
    src = ops.corner(_with_dims(src), shape=places.shape)
    if not include_self:
        x = ops.scatter(x, _neutral(reduce, input.array.dtype), **here)
    if reduce in ("sum", "mean"):
        result = ops.scatter_add(x, src, **here)
    elif reduce == "prod":
        result = scatter_ops.scatter_prod(x, src, **here)
    else:
        result = scatter_ops.scatter_extreme(x, src, **here, largest=reduce == "amax")
    if reduce == "mean":
        ones = fill(wrap(x.array), 1)
        ones = ones if include_self else ops.scatter(ones, 0, **here)
        count = maximum(ops.scatter_add(ones, fill(wrap(src.array), 1), **here), 1)
        result = (div if input.dtype.category >= dtypes.FLOATING else floor_divide)(result, count)
    return reshape(result, shape=input.array.shape)


def _neutral(reduce, dtype):
    """The number that changes no result of a reduction."""
    if dtype.kind == "b":
        return reduce in ("prod", "amin")
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return limits.min if reduce == "amax" else limits.max
    return float("-inf" if reduce == "amax" else "inf")


# One index per slice


def _slices(name, input, dim, index, error=OutOfRangeError, negative=False):
    """The key of the slices that a vector names along `dim`."""
    axis = axis_of(name, dim, input.array.ndim)
    index = _with_dims(index_array(name, index))
    if index.ndim != 1:
        raise OutOfRangeError(f"{name}: expected a vector as index, got {index.shape}")
    _check_places(name, input, axis, index, error, negative)
    return (slice(None),) * axis + (index,)


def _whole_slices(name, input, key, source, error):
    """The source, checked to hold a slice of the input for each index."""
    source = _source(name, input, source)
    x = _with_dims(input)
    axis = len(key) - 1
    shape = x.array.shape[:axis] + key[-1].shape + x.array.shape[axis + 1 :]
    if (source.array.shape or (1,)) != shape:
        raise error(f"{name}: expected a source of shape {shape}, got {describe(source)}")
    return _with_dims(source)


@numpy_names
def index_select(input, dim, index, *, out=None):
    """The slices along `dim` that a vector names."""
    key = _slices("index_select", input, dim, index)
    picked = ops.take(_with_dims(input), key=key)
    return give(picked if input.array.ndim else reshape(picked, shape=()), out, "index_select")


def _put(input, source, key, accumulate):
    result = ops.index_put(_with_dims(input), source, key=key, accumulate=accumulate)
    return reshape(result, shape=input.array.shape)


@numpy_names
def index_add(input, dim, index, source, *, alpha=1):
    """A copy of `input` with alpha * source added to the slices that a vector names."""
    key = _slices("index_add", input, dim, index, IndexValueError)
    source = _whole_slices("index_add", input, key, source, ShapeError)
    return _put(input, source if alpha == 1 else source * alpha, key, True)


@numpy_names
def index_copy(input, dim, index, source):
    """A copy of `input` with the slices that a vector names replaced by those of `source`."""
    key = _slices("index_copy", input, dim, index)
    source = _whole_slices("index_copy", input, key, source, OutOfRangeError)
    return _put(input, source, key, False)


@numpy_names
@backend.there
def index_fill(input, dim, index, value):
    """A copy of `input` with the slices that a vector names filled with a number or 0-d tensor."""
    *before, places = _slices("index_fill", input, dim, index, negative=True)
    xp = backend.for_array(places).xp
    key = (*before, xp.unique(places % max(_with_dims(input).array.shape[len(before)], 1)))
    if isinstance(value, Tensor):
        if value.array.ndim:
            raise ShapeError(
                f"index_fill: expected a number or a 0-d tensor, got {describe(value)}"
            )
        value = to_dtype(value, input.dtype)
    else:
        value = element("index_fill", value, input.dtype)
    return _put(input, value, key, False)


@numpy_names
@backend.there
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """A copy of `input` where slices of `source` are combined with those that a vector names.

    `reduce` is "prod", "mean", "amax" or "amin"; without `include_self` what is there does not
    count.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ShapeError(f"index_reduce: expected 'prod', 'mean', 'amax' or 'amin', got {reduce!r}")
    key = _slices("index_reduce", input, dim, index, IndexValueError)
    source = _whole_slices("index_reduce", input, key, source, ShapeError)
    axis, shape = len(key) - 1, source.array.shape
    places = key[-1].reshape(-1, *[1] * (len(shape) - axis - 1))
    places = wrap(backend.for_array(places).xp.broadcast_to(places, shape))
    result = _reduced("index_reduce", _with_dims(input), axis, places, source, reduce, include_self)
    return reshape(result, shape=input.array.shape)


@numpy_names
def take_along_dim(input, indices, dim=None, *, out=None):
    """Elements picked along `dim` as by `gather`; index and input broadcast in the other dims."""
    if dim is None:
        return give(gather(ravel(input), 0, ravel(indices)), out, "take_along_dim")
    if indices.array.ndim != input.array.ndim:
        raise ShapeError(
            f"take_along_dim: expected as many dims in both, got {describe(input)} and "
            f"{describe(indices)}"
        )
    axis = axis_of("take_along_dim", dim, input.array.ndim)
    _check_places(
        "take_along_dim", input, axis, index_array("take_along_dim", indices), IndexValueError, True
    )
    indices = indices % max(input.array.shape[axis], 1)
    shapes = [x.array.shape for x in (input, indices)]
    rest = broadcast_shapes(*(s[:axis] + (1,) + s[axis + 1 :] for s in shapes))
    x, places = (
        expand(v, *rest[:axis], v.array.shape[axis], *rest[axis + 1 :]) for v in (input, indices)
    )
    return give(gather(x, axis, places), out, "take_along_dim")
