"""Creation, and what a dtype is."""

import numpy as np

import tallow
from tallow.elementwise import named
from tallow.errors import ArgumentError, TypeMismatchError

__all__ = [
    "arange", "asarray", "astype", "can_cast", "empty", "empty_like", "eye", "finfo", "from_dlpack",
    "full", "full_like", "iinfo", "isdtype", "linspace", "meshgrid", "ones", "ones_like",
    "result_type", "size", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip

KINDS = {
    "bool": [tallow.bool],
    "signed integer": [tallow.int8, tallow.int16, tallow.int32, tallow.int64],
    "unsigned integer": [tallow.uint8, tallow.uint16, tallow.uint32, tallow.uint64],
    "real floating": [tallow.float32, tallow.float64],
    "complex floating": [tallow.complex64, tallow.complex128],
}
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]


def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """A tensor of a tensor, an array, numbers, or what has `__dlpack__`."""
    if isinstance(obj, tallow.Tensor) or hasattr(obj, "__dlpack__"):
        x = obj if isinstance(obj, tallow.Tensor) else from_dlpack(obj)
        moved = x.to(device=device or x.device, dtype=dtype or x.dtype, copy=copy is True)
        if copy is False and moved is not x:
            raise ArgumentError("asarray: expected dtype and device of the array with copy=False")
        return moved
    if copy is False:
        raise ArgumentError("asarray: expected an array with copy=False, got other numbers")
    return tallow.tensor(obj, dtype=dtype, device=device)


def from_dlpack(x, /, *, device=None, copy=None):
    """A tensor that shares the memory of another library's array."""
    found = tallow.from_dlpack(x)
    return found if device is None and not copy else found.to(device or found.device, copy=copy)


def _shape(shape):
    return (shape,) if isinstance(shape, int) else tuple(shape)


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    """Numbers from `start` to below `stop`; up to `start` where that is alone."""
    start, stop = (0, start) if stop is None else (start, stop)
    if (stop - start) * step < 0:
        stop = start
    return tallow.arange(start, stop, step, dtype=dtype, device=device)


def _of_shape(name):
    def made(shape, *, dtype=None, device=None):
        return getattr(tallow, name)(_shape(shape), dtype=dtype, device=device)

    return named(made, name, f"`tallow.{name}`.")


def _alike(name):
    def made(x, /, *, dtype=None, device=None):
        return getattr(tallow, name)(x, dtype=dtype, device=device)

    return named(made, name, f"`tallow.{name}`.")


empty, zeros, ones = map(_of_shape, ["empty", "zeros", "ones"])
empty_like, zeros_like, ones_like = map(_alike, ["empty_like", "zeros_like", "ones_like"])


def full(shape, fill_value, *, dtype=None, device=None):
    return tallow.full(_shape(shape), fill_value, dtype=dtype, device=device)


def full_like(x, /, fill_value, *, dtype=None, device=None):
    return tallow.full_like(x, fill_value, dtype=dtype, device=device)


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None):
    """Ones on diagonal `k`."""
    columns = n_rows if n_cols is None else n_cols
    ones = np.eye(n_rows, columns, k, dtype=(dtype or tallow.get_default_dtype()).numpy)
    return tallow.from_numpy(ones).to(device or tallow.get_default_device())


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True):
    """`num` numbers evenly from `start` to `stop`, which is left out unless `endpoint`."""
    if endpoint:
        return tallow.linspace(start, stop, num, dtype=dtype, device=device)
    return tallow.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]


def meshgrid(*arrays, indexing="xy"):
    """The coordinates of a grid, a tensor for each vector."""
    return list(tallow.meshgrid(*arrays, indexing=indexing)) if arrays else []


def tril(x, /, *, k=0):
    return tallow.tril(x, k)


def triu(x, /, *, k=0):
    return tallow.triu(x, k)


def size(x):
    """The number of elements."""
    return x.numel()


# Dtypes


def astype(x, dtype, /, *, copy=True, device=None):
    """x in another dtype."""
    if x.dtype.is_complex and not dtype.is_complex:
        raise TypeMismatchError(f"astype: expected a complex dtype for {x.dtype}, got {dtype}")
    return x.to(device=device or x.device, dtype=dtype, copy=copy)


def _dtype(x):
    return x.dtype if isinstance(x, tallow.Tensor) else x


def can_cast(from_, to, /):
    """True if promotion leads from one dtype, or that of a tensor, to the other."""
    return tallow.promote_types(_dtype(from_), to) is to


def result_type(*arrays_and_dtypes):
    """The dtype that all promote to, by their dtypes alone; numbers count by their kind."""
    numbers = [x for x in arrays_and_dtypes if isinstance(x, int | float | complex)]
    found = [_dtype(x) for x in arrays_and_dtypes if not isinstance(x, int | float | complex)]
    if not found:
        raise ArgumentError("result_type: expected an array or a dtype, got none")
    dtype = found[0]
    for other in found[1:]:
        dtype = tallow.promote_types(dtype, other)
    for number in numbers:
        dtype = tallow.result_type(tallow.empty(1, dtype=dtype), number)
    return dtype


def isdtype(dtype, kind):
    """True if a dtype is another, or of a kind ("bool", "integral", ...), or of one of a tuple."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, part) for part in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ArgumentError(f"isdtype: expected one of {', '.join(KINDS)}, got {kind!r}")
        return any(dtype is known for known in KINDS[kind])
    return dtype is kind


def finfo(type, /):
    """The limits of a floating dtype, or that of a tensor."""
    return tallow.finfo(_dtype(type))


def iinfo(type, /):
    """The limits of an integer dtype, or that of a tensor."""
    return tallow.iinfo(_dtype(type))
