"""Functions of torch's namespace that give tensors another shape, order or layout."""

import math

import tallow.ops.shape as ops
from tallow import backend
from tallow.autograd.builtin import expand as expand_op
from tallow.errors import ArgumentError, OutOfRangeError, ShapeError, describe
from tallow.layout import DIMS, contiguous_format
from tallow.ops.elementwise import copy
from tallow.ops.index import take
from tallow.promotion import axes_of, axis_of, sizes_of
from tallow.size import Size
from tallow.tensor import Tensor

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
    if -1 in sizes:
        if sizes.count(-1) > 1:
            raise ArgumentError(f"{name}: expected at most one -1, got {list(sizes)}")
        rest = -math.prod(sizes)
        if rest == 0 or total % rest:
            raise ShapeError(f"{name}: expected a shape for {total} elements, got {list(sizes)}")
        sizes = tuple(total // rest if n == -1 else n for n in sizes)
    if math.prod(sizes) != total or any(n < 0 for n in sizes):
        raise ShapeError(
            f"{name}: expected a shape for the {total} elements of {describe(input)}, got "
            f"{list(sizes)}"
        )
    return sizes


def reshape(input, *shape):
    """The elements in a new shape, -1 standing for what remains; a view where memory order allows.

    >>> import tallow
    >>> tallow.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return ops.reshape(input, shape=_resolve("reshape", sizes_of("reshape", shape), input))


def view(input, *shape):
    """Like `reshape`, but never a copy: ShapeError where memory order does not allow a view.

    With a dtype instead of sizes, the same memory read as another dtype of the same size.
    """
    from tallow.conversion import view_dtype
    from tallow.dtypes import dtype

    if len(shape) == 1 and isinstance(shape[0], dtype):
        return view_dtype(input, shape[0])
    sizes = _resolve("view", sizes_of("view", shape), input)
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
    """All elements in one dim."""
    return ops.reshape(input, shape=(input.array.size,))


def permute(input, *dims):
    """The dims in another order: `x.permute(1, 0)` is a transpose."""
    axes = axes_of("permute", sizes_of("permute", dims), input.array.ndim) or ()
    if len(axes) != input.array.ndim:
        raise ArgumentError(f"permute: expected {input.array.ndim} dims, got {dims}")
    return ops.permute(input, axes=axes)


def transpose(input, dim0, dim1):
    """Two dims exchanged."""
    ndim = input.array.ndim
    axis1, axis2 = axis_of("transpose", dim0, ndim), axis_of("transpose", dim1, ndim)
    return ops.swap(input, axis1=axis1, axis2=axis2) if ndim else ops.reshape(input, shape=())


def t(input):
    """The transpose of a matrix; vectors and scalars as they are."""
    if input.array.ndim > 2:
        raise ShapeError(
            f"t: expected at most 2 dimensions, got {describe(input)}; use .mT or .permute"
        )
    return ops.swap(input, axis1=0, axis2=1) if input.array.ndim == 2 else input


def movedim(input, source, destination):
    """Dims moved to other positions, the rest in their order."""
    ndim = input.array.ndim
    source, destination = axes_of("movedim", source, ndim), axes_of("movedim", destination, ndim)
    order = [axis for axis in range(ndim) if axis not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        order.insert(to, axis)
    return ops.permute(input, axes=tuple(order))


def squeeze(input, dim=None):
    """Without the dims of size 1: all of them, or those given."""
    shape = input.array.shape
    axes = axes_of("squeeze", dim, len(shape))
    keep = [n for i, n in enumerate(shape) if n != 1 or (axes is not None and i not in axes)]
    return ops.reshape(input, shape=tuple(keep))


def unsqueeze(input, dim):
    """With a dim of size 1 inserted at `dim`."""
    shape = input.array.shape
    axis = axis_of("unsqueeze", dim, len(shape) + 1)
    return ops.reshape(input, shape=(*shape[:axis], 1, *shape[axis:]))


def expand(input, *sizes):
    """Dims of size 1 repeated to `sizes` without copying; -1 keeps a size.

    >>> import tallow
    >>> tallow.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    sizes = sizes_of("expand", sizes)
    shape = input.array.shape
    extra = len(sizes) - len(shape)
    if extra < 0:
        raise ShapeError(f"expand: expected at least {len(shape)} sizes, got {list(sizes)}")
    target = tuple(shape[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(sizes))
    for n, m in zip(target[extra:], shape, strict=True):
        if m not in (1, n):
            raise ShapeError(
                f"expand: expected sizes that fit {describe(input)}, got {list(sizes)}; only dims "
                "of size 1 grow"
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


def repeat(input, *sizes):
    """The tensor tiled `sizes[i]` times along dim i; further sizes add dims in front."""
    sizes = sizes_of("repeat", sizes)
    if len(sizes) < input.array.ndim:
        raise ShapeError(f"repeat: expected at least {input.array.ndim} sizes, got {list(sizes)}")
    shape = _aligned(input.array.shape, len(sizes))
    return ops.repeat(ops.reshape(input, shape=shape), repeats=sizes)


def tile(input, dims):
    """Like `repeat`, with missing sizes taken as 1 in front."""
    return repeat(input, *_aligned(tuple(dims), input.array.ndim))


def repeat_interleave(input, repeats, dim=None):
    """Each element repeated `repeats` times, along `dim` or of the flattened tensor."""
    if dim is None:
        input, dim = ravel(input), 0
    axis = axis_of("repeat_interleave", dim, input.array.ndim)
    xp = backend.for_array(input.array).xp
    counts = repeats.array if isinstance(repeats, Tensor) else repeats
    positions = xp.repeat(xp.arange(input.array.shape[axis]), counts)
    return take(input, key=(slice(None),) * axis + (positions,))


def flip(input, *dims):
    """The order of elements reversed along the dims."""
    axes = axes_of("flip", sizes_of("flip", dims), input.array.ndim) or ()
    return ops.flip(input, axis=axes)


def roll(input, shifts, dims=None):
    """Elements moved by `shifts` along `dims`, those pushed out coming in at the other end."""
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None:
        return ops.reshape(
            ops.roll(ravel(input), shifts=shifts, axis=(0,)), shape=input.array.shape
        )
    return ops.roll(input, shifts=shifts, axis=axes_of("roll", dims, input.array.ndim))


def narrow(input, dim, start, length):
    """The elements from `start` on, `length` of them, along `dim`; a view."""
    axis = axis_of("narrow", dim, input.array.ndim)
    size = input.array.shape[axis]
    start = start + size if start < 0 else start
    if not (0 <= start and start + length <= size and length >= 0):
        raise OutOfRangeError(
            f"narrow: expected a range within {size}, got start {start}, length {length}"
        )
    return ops.cut(input, axis=axis, start=start, stop=start + length)


def select(input, dim, index):
    """One slice along `dim`, without it; a view."""
    axis = axis_of("select", dim, input.array.ndim)
    return input[(slice(None),) * axis + (index,)]


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


swapaxes = swapdims = transpose
moveaxis = movedim
