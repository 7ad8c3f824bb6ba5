"""Making tensors from data, from sizes, and from other tensors."""

import functools
import math
from collections.abc import Sequence

import numpy as np

from tallow import backend, dtypes
from tallow.conversion import arranged, to
from tallow.device import device, get_default_device
from tallow.elementwise import one_tensor
from tallow.errors import ArgumentError, DtypeError, TypeMismatchError
from tallow.layout import dense
from tallow.ops.elementwise import copy
from tallow.promotion import give, number, shape_of, sizes_of
from tallow.tensor import Tensor, wrap

__all__ = [
    "arange", "as_tensor", "asarray", "clone", "empty", "empty_like", "empty_permuted",
    "empty_strided", "eye", "from_dlpack", "from_file", "from_numpy", "frombuffer", "full",
    "full_like", "linspace", "logspace", "ones", "ones_like", "scalar_tensor", "tensor",
    "to_dlpack", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


def place(array, where=None, requires_grad=False):
    """A leaf with a NumPy array's values on a device, the default one unless told."""
    if type(where) is not device:
        where = get_default_device() if where is None else device(where)
    if where.type != "cpu":
        array = backend.for_device(where).from_host(array, where.index)
    tensor = wrap(array)
    if requires_grad:
        tensor.requires_grad = True
    return tensor


# From data

NUMBERS = {bool: False, int: 0, float: 0.0, complex: 0j}


def _host_array(data, dtype):
    """`data` as a NumPy array (shared where it is one), with torch's dtype for Python numbers."""
    if isinstance(data, Tensor):
        array = backend.for_array(data.array).to_host(data.array)
    elif isinstance(data, np.ndarray | np.generic):
        array = np.asarray(data)
    elif hasattr(data, "__array__") or hasattr(data, "__array_interface__"):
        array = np.asarray(data)
    else:
        return _from_python(data, dtype)
    array_dtype = dtypes.from_numpy_dtype(array.dtype).numpy if dtype is None else dtype.numpy
    return array.astype(array_dtype, copy=False)


def _from_python(data, dtype):
    if isinstance(data, Sequence) and not isinstance(data, list | tuple | range | str | bytes):
        data = list(data)  # a deque, for one
    if dtype is None:
        dtype = _dtype_of_numbers(data)
    if _holds_tensors(data):
        data = _plain(data)
    try:
        return np.array(data, dtype.numpy)
    except OverflowError:
        return _wrapped(data, dtype)
    except (ValueError, TypeError) as error:
        if "inhomogeneous" in str(error) or "sequence" in str(error):
            raise ArgumentError(
                "tensor: expected nested sequences of equal lengths, got ragged ones"
            ) from None
        if "nan" in str(error).lower():
            raise ArgumentError(f"tensor: expected numbers that {dtype} holds, got nan") from None
        raise TypeMismatchError(f"tensor: expected numbers or sequences of them; {error}") from None


def _wrapped(data, dtype):
    """Integers out of the range of an unsigned dtype: negative ones wrap around."""
    largest = 0 if dtype.is_signed else np.iinfo(dtype.numpy).max
    numbers = np.array(data, object)
    if not all(-largest <= n <= largest for n in numbers.ravel().tolist()):
        raise ArgumentError(f"tensor: expected numbers in the range of {dtype}")
    return numbers.astype(np.int64).astype(dtype.numpy)


def _dtype_of_numbers(data):
    """The dtype of nested sequences of Python numbers: the widest kind of number among them."""
    if isinstance(data, Tensor | np.ndarray | np.generic):
        return dtypes.from_numpy_dtype(data.array.dtype if isinstance(data, Tensor) else data.dtype)
    if not isinstance(data, list | tuple | range):
        try:
            return dtypes.of_number(data)
        except TypeError:
            raise TypeMismatchError(
                f"tensor: expected numbers, sequences of them or an array, got "
                f"{type(data).__name__}"
            ) from None
    types = set(map(type, data))
    if types <= NUMBERS.keys():
        kinds = [dtypes.of_number(NUMBERS[kind]) for kind in types]
    else:
        kinds = [_dtype_of_numbers(item) for item in data]
    return functools.reduce(dtypes.promote_types, kinds) if kinds else dtypes.get_default_dtype()


def _holds_tensors(data):
    return isinstance(data, list | tuple) and any(
        isinstance(x, Tensor) or (isinstance(x, list | tuple) and _holds_tensors(x)) for x in data
    )


def _plain(data):
    if isinstance(data, Tensor):
        return backend.for_array(data.array).to_host(data.array)
    return [_plain(x) for x in data] if isinstance(data, list | tuple) else data


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor with a copy of `data`: a number, sequences of numbers, a NumPy array or a tensor.

    Python ints give int64, floats the default floating dtype (float32), bools bool.

    >>> tallow.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if _is_on_cuda(data):
        made = to(as_tensor(data), dtype=dtype, device=device, copy=True)
        return made.requires_grad_(requires_grad)
    array = _host_array(data, dtypes.given("tensor", dtype))
    if isinstance(data, Tensor | np.ndarray) or hasattr(data, "__array__"):
        array = np.array(array)
    return place(array, _device_for(data, device), requires_grad)


CUDA_KINDS = (2, 13)  # of DLPack's devices: CUDA's memory, and memory that it manages


def _is_on_cuda(data):
    """True for an array of another library that is on a CUDA device."""
    return not isinstance(data, Tensor) and hasattr(data, "__cuda_array_interface__")


def _device_for(data, where):
    return data.device if where is None and isinstance(data, Tensor) else where


@dense
def scalar_tensor(s, *, dtype=None, layout=None, device=None, requires_grad=False):
    """A 0-d tensor of a number, in the default floating dtype unless told."""
    dtype = dtypes.given("scalar_tensor", dtype, dtypes.get_default_dtype())
    return tensor(s, dtype=dtype, device=device, requires_grad=requires_grad)


def as_tensor(data, dtype=None, device=None):
    """A tensor of `data`, sharing its memory where it can; a tensor keeps its history.

    >>> import numpy, tallow
    >>> a = numpy.zeros(2)
    >>> tallow.as_tensor(a)[0] = 5
    >>> a
    array([5., 0.])
    """
    if isinstance(data, Tensor):
        return to(data, dtype=dtype, device=device)
    if _is_on_cuda(data):
        made = wrap(backend.for_device("cuda").xp.asarray(data))
        return to(made, dtype=dtype, device=device)
    return place(_writable(_host_array(data, dtypes.given("as_tensor", dtype))), device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """Like `as_tensor`; `copy` True copies always, False raises where a copy would be needed."""
    if copy:
        return tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)
    result = as_tensor(obj, dtype, device)
    if copy is False and isinstance(obj, np.ndarray) and not np.shares_memory(obj, result.array):
        raise ArgumentError(
            "asarray: expected to share memory (copy=False), but a conversion is needed"
        )
    if requires_grad:
        result.requires_grad = True
    return result


def from_numpy(ndarray):
    """A tensor that shares memory with a NumPy array: a change to either is seen in both.

    >>> import numpy, tallow
    >>> a = numpy.zeros(2, numpy.float32)
    >>> _ = tallow.from_numpy(a).fill_(7)
    >>> a
    array([7., 7.], dtype=float32)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeMismatchError(
            f"from_numpy: expected a numpy.ndarray, got {type(ndarray).__name__}"
        )
    native = dtypes.from_numpy_dtype(ndarray.dtype).numpy
    if native != ndarray.dtype:
        raise ArgumentError(
            f"from_numpy: expected native byte order, got {ndarray.dtype.str}; "
            f"convert with .astype({native.name!r})"
        )
    return wrap(np.asarray(ndarray))  # of a matrix or a memmap, the plain array


def _writable(array):
    return array if array.flags.writeable else array.copy()


def from_dlpack(ext_tensor):
    """A tensor that shares memory with an object of another library, by the DLPack protocol.

    What is on a CUDA device stays there.
    """
    if hasattr(ext_tensor, "__dlpack_device__") and ext_tensor.__dlpack_device__()[0] in CUDA_KINDS:
        return wrap(backend.for_device("cuda").xp.from_dlpack(ext_tensor))
    return wrap(_writable(np.from_dlpack(ext_tensor)))


def to_dlpack(tensor):
    """A DLPack capsule over the tensor's memory, which another library may take once."""
    return tensor.__dlpack__()


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor over a Python buffer's memory; `offset` in bytes, `count` in elements (-1: all).

    >>> tallow.frombuffer(bytearray([1, 0, 2, 0]), dtype=tallow.int16)
    tensor([1, 2], dtype=tallow.int16)
    """
    dtype = dtypes.given("frombuffer", dtype)
    size = memoryview(buffer).nbytes
    rest = size - offset
    if not 0 <= offset < size or (count < 0 and rest % dtype.itemsize):
        raise ArgumentError(
            f"frombuffer: expected a whole number of {dtype} elements after offset {offset}, got "
            f"a buffer of {size} bytes"
        )
    if count == 0 or count * dtype.itemsize > rest:
        raise ArgumentError(
            f"frombuffer: expected a count from 1 to {rest // dtype.itemsize}, got {count}"
        )
    return wrap(np.frombuffer(buffer, dtype.numpy, count, offset)).requires_grad_(requires_grad)


# From sizes


def _made(name, sizes, size, out, dtype, where, requires_grad, *value):
    """NumPy's function `name` called for a shape, placed on a device."""
    shape = shape_of(name, sizes if size is None else (size,))
    dtype = dtypes.given(name, dtype, dtypes.get_default_dtype() if out is None else out.dtype)
    where = get_default_device() if where is None else device(where)
    if where.type == "meta":  # which takes the shape only
        array = np.broadcast_to(np.empty((), dtype.numpy), shape)
    else:
        array = getattr(np, name)(shape, *value, dtype=dtype.numpy)
    return give(place(array, where, requires_grad), out, name)


@dense
def zeros(
    *sizes, size=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """A tensor of zeros of the given size.

    >>> tallow.zeros(2, 3).shape
    tallow.Size([2, 3])
    """
    return _made("zeros", sizes, size, out, dtype, device, requires_grad)


@dense
def ones(
    *sizes, size=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """A tensor of ones of the given size."""
    return _made("ones", sizes, size, out, dtype, device, requires_grad)


@dense
def empty(
    *sizes, size=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False, memory_format=None,
):  # fmt: skip
    """A tensor of the given size whose values are whatever was in memory."""
    made = _made("empty", sizes, size, out, dtype, device, False)
    return arranged(made, memory_format).requires_grad_(requires_grad)


@dense
def full(
    size, fill_value, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """A tensor of the given size filled with one value; its dtype follows the value.

    >>> tallow.full((2,), 7)
    tensor([7, 7])
    """
    (fill_value,) = _numbers(fill_value)
    if dtype is None and out is None:
        dtype = dtypes.of_number(fill_value)
    try:
        return _made("full", (size,), None, out, dtype, device, requires_grad, fill_value)
    except OverflowError:
        value = _wrapped(fill_value, dtype)
        return _made("full", (size,), None, out, dtype, device, requires_grad, value)


@dense
def empty_strided(
    size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """Uninitialised memory of the given size, neighbours in each dim `stride` elements apart."""
    if len(size) != len(stride):
        raise ArgumentError(f"empty_strided: expected {len(size)} strides, got {len(stride)}")
    last = sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    memory = np.empty(last + 1 if 0 not in size else 0, dtypes.given("", dtype, _float()).numpy)
    steps = [step * memory.itemsize for step in stride]
    array = np.lib.stride_tricks.as_strided(memory, size, steps)
    return place(array, device, requires_grad)


@dense
def empty_permuted(
    size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """Uninitialised memory, `physical_layout` naming the dims from the slowest to the fastest."""
    if sorted(physical_layout) != list(range(len(size))):
        raise ArgumentError(
            f"empty_permuted: expected each of {len(size)} dims once, got {physical_layout}"
        )
    array = np.empty([size[i] for i in physical_layout], dtypes.given("", dtype, _float()).numpy)
    return place(array.transpose(np.argsort(physical_layout)), device, requires_grad)


def _float():
    return dtypes.get_default_dtype()


# From other tensors


def _like(name, input, dtype, where, requires_grad, memory_format, *value):
    """The backend's function `name` for a tensor: its shape, dtype, device and order of dims."""
    dtype = dtypes.given(name, dtype, one_tensor(name, input).dtype)
    where = input.device if where is None else device(where)
    source = backend.for_array(input.array)
    if where.type == input.device.type:
        with backend.at(input.array):
            made = wrap(getattr(source.xp, name)(input.array, *value, dtype=dtype.numpy))
        made = made if where.index is None else to(made, where)
    else:
        array, single = input.array, np.empty((), dtype.numpy)
        alike = np.lib.stride_tricks.as_strided(single, array.shape, array.strides)  # never read
        made = place(getattr(np, name)(alike, *value), where)
    return arranged(made, memory_format).requires_grad_(requires_grad)


@dense
def zeros_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    """Zeros in the shape, dtype and device of `input`."""
    return _like("zeros_like", input, dtype, device, requires_grad, memory_format)


@dense
def ones_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    """Ones in the shape, dtype and device of `input`."""
    return _like("ones_like", input, dtype, device, requires_grad, memory_format)


@dense
def empty_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    """Uninitialised memory in the shape, dtype and device of `input`."""
    return _like("empty_like", input, dtype, device, requires_grad, memory_format)


@dense
def full_like(
    input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False,
    memory_format=None,
):  # fmt: skip
    """`fill_value` in the shape, dtype and device of `input`."""
    (value,) = _numbers(fill_value)
    how = (device, requires_grad, memory_format)
    try:
        return _like("full_like", input, dtype, *how, value)
    except OverflowError:
        return _like("full_like", input, dtype, *how, _wrapped(value, dtype or input.dtype))


def clone(input, *, memory_format=None):
    """A copy with memory of its own that passes gradients to `input`."""
    return arranged(copy(input), memory_format)


# Ranges and matrices


def _numbers(*values):
    return [v.item() if isinstance(v, Tensor) else number(v) for v in values]


@dense
def arange(
    start=0, end=None, step=1, *, out=None, dtype=None, layout=None, device=None,
    requires_grad=False, pin_memory=False,
):  # fmt: skip
    """The numbers from `start` (0) to `end`, which is left out, by `step`; int64 if all are ints.

    >>> tallow.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    start, end, step = _numbers(*((0, start, step) if end is None else (start, end, step)))
    whole = all(isinstance(v, int) for v in (start, end, step))
    dtype = dtypes.int64 if whole and dtype is None and out is None else dtype
    dtype = dtypes.given("arange", dtype, _float() if out is None else out.dtype)
    if dtype.category == dtypes.BOOL:
        raise DtypeError(f"arange: expected a dtype of numbers, got {dtype}")
    if not -math.inf < end - start < math.inf or (end - start) * step < 0:
        raise ArgumentError(
            f"arange: expected a finite end on the side of start that step goes to, got start "
            f"{start}, end {end} and step {step}"
        )
    if dtype is dtypes.int64:
        start, end, step, whole = int(start), int(end), int(step), True
    if step == 0:
        raise ArgumentError("arange: expected a step other than 0, got 0")
    if dtype.category == dtypes.INTEGER:  # those but int64 count first, then cut start and step
        count = -((start - end) // step) if whole else math.ceil((end - start) / step)
        array = (int(start) + int(step) * np.arange(count)).astype(dtype.numpy)
    else:
        count = math.ceil((end - start) / step)
        array = (start + step * np.arange(count, dtype=np.float64)).astype(dtype.numpy)
    return give(place(array, device, requires_grad), out, "arange")


def from_file(filename, shared=None, size=0, *, dtype=None):
    """A tensor of the first `size` elements of a file, read where they are used.

    Changes are written to the file if `shared`, else they are the program's own.
    """
    dtype = dtypes.given("from_file", dtype, _float())
    with open(filename, "a+b" if shared else "rb") as file:
        if shared and file.tell() < size * dtype.itemsize:
            file.truncate(size * dtype.itemsize)
    array = np.memmap(filename, dtype.numpy, "r+" if shared else "c", shape=(size,))
    return wrap(array.view(np.ndarray))


def _spaced(name, start, end, steps, dtype):
    """`steps` numbers from `start` to `end`, counted from the nearer of them, and their dtype."""
    start, end = _numbers(start, end)
    (steps,) = sizes_of(name, (steps,))
    if steps < 0:
        raise ArgumentError(f"{name}: expected 0 or more steps, got {steps}")
    dtype = dtypes.given(name, dtype, dtypes.combine(_float(), dtypes.of_number(start + end)))
    working = dtype.numpy.type
    if dtype.category < dtypes.FLOATING:
        start, end, working = int(start), int(end), np.float64
    start, end = working(start), working(end)
    step = (end - start) / working(max(steps - 1, 1))
    index = np.arange(steps).astype(working)
    near_end = end - step * (working(steps - 1) - index)
    return np.where(np.arange(steps) < max(steps // 2, 1), start + step * index, near_end), dtype


@dense
def linspace(
    start, end, steps, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """`steps` numbers evenly spaced from `start` to `end`, both included.

    >>> tallow.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    values, dtype = _spaced("linspace", start, end, steps, dtype)
    return give(place(values.astype(dtype.numpy), device, requires_grad), out, "linspace")


@dense
def logspace(
    start, end, steps, base=10.0, *, out=None, dtype=None, layout=None, device=None,
    requires_grad=False, pin_memory=False,
):  # fmt: skip
    """`steps` numbers from base**start to base**end, evenly spaced in their logarithm."""
    exponents, dtype = _spaced("logspace", start, end, steps, dtype)
    values = np.power(exponents.dtype.type(base), exponents)
    return give(place(values.astype(dtype.numpy), device, requires_grad), out, "logspace")


@dense
def eye(
    n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """An (n, m) matrix with ones on the diagonal; square without m."""
    rows, columns = shape_of("eye", (n, n if m is None else m))
    array = np.eye(rows, columns, dtype=dtypes.given("eye", dtype, _float()).numpy)
    return give(place(array, device, requires_grad), out, "eye")


@dense
def tril_indices(row, col, offset=0, *, dtype=None, device=None, layout=None):
    """(2, N): rows and columns of what `tril(diagonal=offset)` keeps of a (row, col) matrix.

    >>> tallow.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _indices("tril_indices", np.tri(row, col, offset), dtype, device)


@dense
def triu_indices(row, col, offset=0, *, dtype=None, device=None, layout=None):
    """(2, N): rows and columns of what `triu(diagonal=offset)` keeps of a (row, col) matrix."""
    return _indices("triu_indices", 1 - np.tri(row, col, offset - 1), dtype, device)


def _indices(name, mask, dtype, where):
    places = np.stack(np.nonzero(mask))
    return place(places.astype(dtypes.given(name, dtype, dtypes.int64).numpy), where)
