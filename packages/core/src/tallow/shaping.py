"""Functions of torch's namespace that give tensors another shape, order or layout."""

import math

import tallow.ops.shape as ops
import tallow.ops.strided as strided
from tallow import backend, dtypes
from tallow.autograd.builtin import expand as expand_op
from tallow.autograd.builtin import sum_to
from tallow.errors import ArgumentError, DtypeError, OutOfRangeError, ShapeError, describe
from tallow.layout import DIMS, contiguous_format
from tallow.ops.elementwise import copy
from tallow.ops.index import getitem, take
from tallow.promotion import axis_of, numpy_names, shape_of, sizes_of
from tallow.reductions import summable
from tallow.shortcuts import reshaped
from tallow.size import Size
from tallow.tensor import Tensor, wrap

__all__ = [
    "as_strided", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "flatten", "flip",
    "fliplr", "flipud", "is_same_size", "moveaxis", "movedim", "narrow", "narrow_copy", "permute",
    "ravel", "repeat_interleave", "reshape", "roll", "rot90", "select", "squeeze", "swapaxes",
    "swapdims", "t", "tile", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip
METHODS = [
    "contiguous", "dim_order", "expand", "is_contiguous", "repeat", "resize_", "resize_as_",
    "storage_offset", "sum_to_size", "unfold", "view",
]  # fmt: skip


def _resolve(name, sizes, input):
    """A requested shape with its -1 filled in, checked against the number of elements."""
    total = input.array.size
    if math.prod(sizes) == total and (not sizes or min(sizes) >= 0):
        return sizes
    if -1 in sizes:
        if sizes.count(-1) > 1:
            raise ArgumentError(f"{name}: expected at most one -1, got {list(sizes)}")
        rest = -math.prod(sizes)
        if rest == 0 or total % rest:
            raise ShapeError(f"{name}: expected a shape for {total} elements, got {list(sizes)}")
        sizes = tuple(total // rest if n == -1 else n for n in sizes)
    if math.prod(sizes) != total or min(sizes, default=0) < 0:
        raise ShapeError(
            f"{name}: expected a shape for the {total} elements of {describe(input)}, got "
            f"{list(sizes)}"
        )
    return sizes


@reshaped(ops.reshape, copies=True)
def reshape(input, *sizes, shape=None):
    """The elements in a new shape, -1 standing for what remains; a view where memory order allows.

    >>> tallow.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    sizes = sizes if shape is None else (shape,)
    for n in sizes:
        if type(n) is not int or n < 0:  # a tuple of sizes, or one that is to be found
            sizes = _resolve("reshape", sizes_of("reshape", sizes), input)
            break
    try:
        return ops.reshape(input, shape=sizes)
    except ValueError:
        _resolve("reshape", sizes, input)  # which has more to say of sizes that do not fit
        raise


@reshaped(ops.reshape, copies=False)
def view(input, *sizes, size=None, dtype=None):
    """Like `reshape`, but never a copy: ShapeError where memory order does not allow a view.

    With a dtype instead of sizes, the same memory read as another dtype.
    """
    dtype = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], dtypes.dtype) else dtype
    if dtype is not None:
        from tallow.conversion import view_dtype

        return view_dtype(input, dtype)
    sizes = _resolve("view", sizes_of("view", sizes, size), input)
    result = ops.reshape(input, shape=sizes)
    if result.alias is None and result.array.size and result.array is not input.array:
        raise ShapeError(
            f"view: expected a shape that fits the memory order of {describe(input)}, got "
            f"{list(sizes)}; use .reshape(...)"
        )
    return result


def flatten(input, start_dim=0, end_dim=-1):
    """The dims from `start_dim` to `end_dim` joined into one."""
    shape = input.array.shape
    if not shape:
        return ops.reshape(input, shape=(1,))
    start, end = (axis_of("flatten", d, len(shape)) for d in (start_dim, end_dim))
    if start > end:
        raise ArgumentError(
            f"flatten: expected start_dim <= end_dim, got {start_dim} and {end_dim}"
        )
    if start == end:
        return input
    joined = math.prod(shape[start : end + 1])
    return ops.reshape(input, shape=(*shape[:start], joined, *shape[end + 1 :]))


def unflatten(input, dim, sizes):
    """One dim split into several; one of `sizes` may be -1."""
    shape = input.array.shape
    axis = axis_of("unflatten", dim, len(shape))
    sizes = tuple(sizes)
    if not sizes:
        raise ShapeError("unflatten: expected at least one size, got none")
    if -1 in sizes:
        rest = -math.prod(sizes)
        sizes = tuple(shape[axis] // rest if n == -1 else n for n in sizes)
    if math.prod(sizes) != shape[axis]:
        raise ShapeError(f"unflatten: expected sizes with product {shape[axis]}, got {list(sizes)}")
    return ops.reshape(input, shape=(*shape[:axis], *sizes, *shape[axis + 1 :]))


def ravel(input):
    """All elements in one dim, next to one another in memory."""
    return ops.reshape(contiguous(input), shape=(input.array.size,))


def permute(input, *order, dims=None):
    """The dims in another order: `x.permute(1, 0)` is a transpose."""
    dims = sizes_of("permute", order, dims)
    axes = distinct_axes("permute", dims, input.array.ndim)
    if len(axes) != input.array.ndim:
        raise ShapeError(f"permute: expected {input.array.ndim} dims, got {dims}")
    return ops.permute(input, axes=axes)


def distinct_axes(name, dim, ndim):
    """Dims as a tuple of axes; ShapeError if one is there twice."""
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    axes = tuple(axis_of(name, d, ndim) for d in dims)
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: expected each dim once, got {dims}")
    return axes


def transpose(input, dim0, dim1):
    """Two dims exchanged."""
    ndim = input.array.ndim
    axis1, axis2 = axis_of("transpose", dim0, ndim), axis_of("transpose", dim1, ndim)
    return ops.swap(input, axis1=axis1, axis2=axis2) if ndim else ops.reshape(input, shape=())


def swapaxes(input, axis0, axis1):
    """`transpose`."""
    return transpose(input, axis0, axis1)


def t(input):
    """The transpose of a matrix; vectors and scalars as they are."""
    ndim = input.array.ndim
    if ndim > 2:
        raise ShapeError(
            f"t: expected at most 2 dimensions, got {describe(input)}; use .mT or .permute"
        )
    return ops.swap(input, axis1=0, axis2=1) if ndim == 2 else input


def movedim(input, source, destination):
    """Dims moved to other positions, the rest in their order."""
    ndim = input.array.ndim
    source, destination = (distinct_axes("movedim", d, ndim) for d in (source, destination))
    if len(source) != len(destination):
        raise ShapeError(
            f"movedim: expected as many sources as targets, got {source}, {destination}"
        )
    if not ndim:
        return ops.reshape(input, shape=())
    order = [axis for axis in range(ndim) if axis not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        order.insert(to, axis)
    return ops.permute(input, axes=tuple(order))


@numpy_names
def squeeze(input, dim=None):
    """Without the dims of size 1: all of them, or those given."""
    shape = input.array.shape
    axes = range(len(shape)) if dim is None else distinct_axes("squeeze", dim, len(shape))
    return ops.reshape(
        input, shape=tuple(n for i, n in enumerate(shape) if n != 1 or i not in axes)
    )


@numpy_names
def unsqueeze(input, dim):
    """With a dim of size 1 inserted at `dim`."""
    shape = input.array.shape
    axis = axis_of("unsqueeze", dim, len(shape) + 1)
    return ops.reshape(input, shape=(*shape[:axis], 1, *shape[axis:]))


def expand(input, *sizes, size=None, implicit=False):
    """Dims of size 1 repeated to `size` without copying; -1 keeps a size.

    >>> tallow.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    sizes = sizes_of("expand", sizes, size)
    shape = input.array.shape
    extra = len(sizes) - len(shape)
    if extra < 0:
        raise ShapeError(f"expand: expected at least {len(shape)} sizes, got {list(sizes)}")
    target = tuple(shape[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(sizes))
    fits = all(m in (1, n) for n, m in zip(target[extra:], shape, strict=True))
    if not fits or any(n < 0 for n in target):
        raise ShapeError(
            f"expand: expected sizes that fit {describe(input)}, got {list(sizes)}; only dims of "
            "size 1 grow"
        )
    return expand_op(input, shape=target)


def broadcast_to(input, size):
    """`expand` with the sizes as one tuple."""
    return expand(input, *size)


def broadcast_tensors(*tensors):
    """The tensors expanded to their common shape."""
    shape = broadcast_shapes(*(x.array.shape for x in tensors))
    return tuple(expand_op(x, shape=shape) for x in tensors)


def broadcast_shapes(*shapes):
    """The shape that tensors of these shapes broadcast to."""
    shapes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    if any(n < 0 for shape in shapes for n in shape):
        raise ArgumentError(f"broadcast_shapes: expected sizes of 0 or more, got {shapes}")
    result = []
    for sizes in zip(*(_aligned(s, max(map(len, shapes), default=0)) for s in shapes), strict=True):
        larger = {n for n in sizes if n != 1}
        if len(larger) > 1:
            raise ShapeError(
                f"broadcast_shapes: expected shapes that broadcast together, got {shapes}"
            )
        result.append(larger.pop() if larger else 1)
    return Size(result)


def _aligned(shape, ndim):
    return (1,) * (ndim - len(shape)) + shape


def sum_to_size(input, *sizes, size=None):
    """The sum over what broadcasting from `size` repeats: the inverse of `expand`."""
    sizes = sizes_of("sum_to_size", sizes, size)
    shape = input.array.shape
    if len(sizes) > len(shape) or any(
        n not in (1, m) for n, m in zip(_aligned(sizes, len(shape)), shape, strict=True)
    ):
        raise ShapeError(f"sum_to_size: expected a size that expands to {shape}, got {list(sizes)}")
    if sizes == shape != ():
        return input
    return sum_to(summable("sum_to_size", input, None), shape=sizes)


# Repeating, turning and moving


def repeat(input, *times, repeats=None):
    """The tensor tiled `repeats[i]` times along dim i; further numbers add dims in front."""
    sizes = sizes_of("repeat", times, repeats)
    if len(sizes) < input.array.ndim or any(n < 0 for n in sizes):
        raise ShapeError(
            f"repeat: expected at least {input.array.ndim} numbers of repeats, got {list(sizes)}"
        )
    shape = _aligned(input.array.shape, len(sizes))
    return ops.repeat(ops.reshape(input, shape=shape), repeats=sizes)


def tile(input, *times, dims=None):
    """Like `repeat`, with missing numbers taken as 1 in front."""
    return repeat(input, *_aligned(sizes_of("tile", times, dims), input.array.ndim))


@backend.there
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element repeated `repeats` times, along `dim` or of the flattened tensor.

    With a tensor of counts alone: each position as many times as its count says.
    """
    if repeats is None:
        xp = backend.for_array(input.array).xp
        positions, repeats, dim = wrap(xp.arange(input.array.size)), input, 0
        return repeat_interleave(positions, repeats, dim, output_size=output_size)
    if dim is None:
        input, dim = ravel(input), 0
    axis = axis_of("repeat_interleave", dim, input.array.ndim)
    length = input.array.shape[axis] if input.array.ndim else 1
    counts = _counts(repeats, length)
    if isinstance(counts, int) and output_size is None and input.array.ndim:
        return ops.repeat_each(input, axis=axis, count=counts)
    xp = backend.for_array(input.array).xp
    positions = xp.repeat(xp.arange(length), counts)
    if output_size is not None and output_size != len(positions):
        raise ShapeError(
            f"repeat_interleave: expected an output_size of {len(positions)}, got {output_size}"
        )
    input = input if input.array.ndim else ops.reshape(input, shape=(1,))
    return take(input, key=(slice(None),) * axis + (positions,))


def _counts(repeats, length):
    """How often each of `length` elements is repeated: an int, or an array of them."""
    counts = repeats.array if isinstance(repeats, Tensor) else repeats
    if isinstance(repeats, Tensor) and repeats.dtype not in (dtypes.int64, dtypes.int32):
        raise DtypeError(f"repeat_interleave: expected int64 or int32, got {describe(repeats)}")
    if getattr(counts, "shape", ()) not in ((), (1,), (length,)):
        raise ShapeError(
            f"repeat_interleave: expected a number of repeats or {length}, got {describe(repeats)}"
        )
    if getattr(counts, "size", 1) and counts.min() < 0 if hasattr(counts, "min") else counts < 0:
        raise ShapeError("repeat_interleave: expected no negative repeats, got one")
    return counts


def flip(input, *axes, dims=None):
    """The order of elements reversed along the dims."""
    axes = distinct_axes("flip", sizes_of("flip", axes, dims), input.array.ndim)
    return ops.flip(input, axis=axes)


def fliplr(input):
    """The order of elements reversed along dim 1."""
    if input.array.ndim < 2:
        raise ShapeError(f"fliplr: expected at least two dims, got {describe(input)}")
    return ops.flip(input, axis=(1,))


def flipud(input):
    """The order of elements reversed along dim 0."""
    if not input.array.ndim:
        raise ShapeError(f"flipud: expected at least one dim, got {describe(input)}")
    return ops.flip(input, axis=(0,))


def roll(input, shifts, dims=None):
    """Elements moved by `shifts` along `dims`, those pushed out coming in at the other end."""
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    dims = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    axes = tuple(axis_of("roll", dim, input.array.ndim) for dim in dims) or (0,)
    if dims and not input.array.ndim:
        raise OutOfRangeError(f"roll: expected no dims for a 0-d tensor, got {dims}")
    if len(shifts) != len(axes):
        raise ShapeError(f"roll: expected a shift for each dim, got {shifts} and {dims}")
    if dims:
        return ops.roll(input, shifts=shifts, axis=axes)
    return ops.reshape(ops.roll(ravel(input), shifts=shifts, axis=axes), shape=input.array.shape)


def rot90(input, k=1, dims=(0, 1)):
    """Turned k times by 90 degrees in the plane of two dims, from the first towards the second."""
    if len(dims) != 2 or input.array.ndim < 2:
        raise ShapeError(f"rot90: expected two dims of {describe(input)}, got {dims}")
    axes = distinct_axes("rot90", dims, input.array.ndim)
    if k % 4 == 0:
        return copy(input, order="C")
    if k % 4 == 2:
        return ops.flip(input, axis=axes)
    turned = ops.flip(input, axis=axes[1:] if k % 4 == 1 else axes[:1])
    return ops.swap(turned, axis1=axes[0], axis2=axes[1])


# Parts and layouts


def narrow(input, dim, start, length):
    """The elements from `start` on, `length` of them, along `dim`; a view."""
    axis = axis_of("narrow", dim, input.array.ndim)
    size = input.array.shape[axis] if input.array.ndim else 0
    if isinstance(start, Tensor) and start.dtype.category != dtypes.INTEGER:
        raise DtypeError(f"narrow: expected an int to start from, got {describe(start)}")
    start = int(start)
    if not -size <= start <= size:
        raise OutOfRangeError(f"narrow: expected a start within {size} elements, got {start}")
    start = start + size if start < 0 else start
    if length < 0 or start + length > size:
        raise ShapeError(
            f"narrow: expected a length within {size} elements, got {length} from {start}"
        )
    return ops.cut(input, axis=axis, start=start, stop=start + length)


def narrow_copy(input, dim, start, length):
    """`narrow` as a copy."""
    return copy(narrow(input, dim, start, length), order="C")


def select(input, dim, index):
    """One slice along `dim`, without it; a view."""
    axis = axis_of("select", dim, input.array.ndim)
    if not input.array.ndim:
        raise OutOfRangeError("select: expected at least one dimension, got a 0-d tensor")
    size, index = input.array.shape[axis], int(index)
    if not -size <= index < size:
        raise OutOfRangeError(f"select: expected an index within {size} elements, got {index}")
    return getitem(input, key=(slice(None),) * axis + (index, ...))


def unfold(input, dimension, size, step):
    """Windows of `size` elements every `step` along a dim, as a new last dim; a view.

    >>> tallow.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    axis = axis_of("unfold", dimension, input.array.ndim)
    x = input if input.array.ndim else ops.reshape(input, shape=(1,))
    if not 0 <= size <= x.array.shape[axis]:
        raise ShapeError(
            f"unfold: expected windows within dim {axis} of {describe(input)}, got size {size}"
        )
    if step <= 0:
        raise ShapeError(f"unfold: expected a positive step, got {step}")
    windows = strided.frames(x, axis=axis, size=size, step=step)
    return windows if input.array.ndim else ops.reshape(windows, shape=(size,))


def storage_offset(input):
    """How many elements into its memory the tensor starts."""
    memory = array = input.array
    while _interface(getattr(memory, "base", None)) is not None:
        memory = memory.base
    if memory is array:
        return 0
    return (_interface(array)["data"][0] - _interface(memory)["data"][0]) // array.itemsize


def _interface(array):
    """How an array is in memory; None for what is no array."""
    cuda = getattr(array, "__cuda_array_interface__", None)
    return cuda or getattr(array, "__array_interface__", None)


def strided_arguments(name, input, size, stride, storage_offset):
    """The parameters of the op `as_strided`, checked."""
    size, stride = tuple(size), tuple(stride)
    start = 0 if storage_offset is None else storage_offset - input.storage_offset()
    if len(size) != len(stride) or any(n < 0 for n in (*size, *stride)):
        raise ShapeError(f"{name}: expected a stride for each size, got {size} and {stride}")
    last = start + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    array = input.array
    if not array.flags.c_contiguous or (math.prod(size) and not 0 <= start <= last < array.size):
        raise ShapeError(
            f"{name}: expected a layout within the memory of a contiguous tensor, got sizes {size} "
            f"and strides {stride} from {start} for {describe(input)}"
        )
    return {"shape": size, "strides": stride, "start": start}


def as_strided(input, size, stride, storage_offset=None):
    """The elements of a contiguous tensor in any layout: `stride[i]` elements apart along dim i."""
    arguments = strided_arguments("as_strided", input, size, stride, storage_offset)
    return strided.as_strided(input, **arguments)


def is_same_size(input, other):
    """True if both have the same shape."""
    return input.array.shape == other.array.shape


def dim_order(input):
    """The dims from the one with the largest stride to that with the smallest."""
    strides = input.array.strides
    return tuple(sorted(range(len(strides)), key=lambda axis: -strides[axis]))


@backend.there
def resize_(input, *sizes, size=None, memory_format=None):
    """Give the tensor another shape in place: elements are kept in order, new ones arbitrary.

    It shares memory with what it shared it with, unless it grows or is not contiguous.
    """
    shape = shape_of("resize_", sizes if size is None else (size,))
    if input.requires_grad:
        raise ShapeError("resize_: expected a tensor without gradients, got one that requires them")
    array, count = input.array, math.prod(shape)
    if array.flags.c_contiguous and count <= array.size:
        input.array = array.reshape(-1)[:count].reshape(shape)
    else:
        input.array = backend.for_array(array).xp.resize(array, shape)
    return input


def resize_as_(input, the_template, *, memory_format=None):
    """`resize_` to the shape of another tensor."""
    return resize_(input, *the_template.array.shape)


def contiguous(input, memory_format=contiguous_format):
    """The tensor itself if its memory is in that order (row-major unless told), else a copy."""
    if is_contiguous(input, memory_format):
        return input
    if memory_format not in DIMS:
        return copy(input, order="C")
    ndim = DIMS[memory_format]
    if input.array.ndim != ndim:
        raise ShapeError(
            f"contiguous: expected {ndim} dims for {memory_format}, got {describe(input)}"
        )
    last = permute(input, 0, *range(2, ndim), 1)
    return permute(contiguous(last), 0, ndim - 1, *range(1, ndim - 1))


def is_contiguous(input, memory_format=contiguous_format):
    """True if memory is in that order (row-major unless told)."""
    array = input.array
    if memory_format in DIMS:
        ndim = DIMS[memory_format]
        return array.ndim == ndim and array.transpose(0, *range(2, ndim), 1).flags.c_contiguous
    return array.flags.c_contiguous


swapdims = transpose
moveaxis = movedim
