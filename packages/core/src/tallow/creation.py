"""Making tensors from data, from sizes, and from other tensors."""

import functools
import operator

import numpy as np

from tallow import backend, dtypes
from tallow.device import device
from tallow.errors import ArgumentError, ShapeError, TypeMismatchError
from tallow.ops.elementwise import copy
from tallow.promotion import number, result_type, sizes_of, to_dtype
from tallow.tensor import Tensor, wrap

__all__ = [
    "arange", "as_tensor", "asarray", "clone", "complex", "empty", "empty_like", "eye",
    "from_dlpack", "from_numpy", "frombuffer", "full", "full_like", "linspace", "logspace", "ones",
    "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def place(array, where=None, requires_grad=False):
    """A leaf with a NumPy array's values on a device."""
    if where is not None:
        where = device(where)
        if where.type != "cpu":
            array = backend.for_device(where).from_host(array, where.index)
    tensor = wrap(array)
    if requires_grad:
        tensor.requires_grad = True
    return tensor


def _host_array(data, dtype):
    """`data` as a NumPy array (shared if it is one), with torch's dtype for Python numbers."""
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
    if dtype is None:
        dtype = _dtype_of_numbers(data)
    if _holds_tensors(data):
        data = _plain(data)
    try:
        return np.array(data, dtype.numpy)
    except OverflowError:
        raise ArgumentError(f"tensor: expected numbers in the range of {dtype}") from None
    except (ValueError, TypeError) as error:
        if "inhomogeneous" in str(error) or "sequence" in str(error):
            raise ShapeError(
                "tensor: expected nested sequences of equal lengths, got ragged ones"
            ) from None
        raise TypeMismatchError(f"tensor: expected numbers or sequences of them; {error}") from None


def _dtype_of_numbers(data):
    """The dtype of nested sequences of Python numbers: the widest kind of number among them."""
    if isinstance(data, Tensor | np.ndarray | np.generic):
        return dtypes.from_numpy_dtype(data.array.dtype if isinstance(data, Tensor) else data.dtype)
    if not isinstance(data, list | tuple | range):
        try:
            return dtypes.of_number(data)
        except TypeError:
            raise TypeMismatchError(
                "tensor: expected numbers, sequences of them or an array, got "
                f"{type(data).__name__}"
            ) from None
    types = set(map(type, data))
    if types <= _NUMBERS.keys():
        kinds = [dtypes.of_number(_NUMBERS[kind]) for kind in types]
    else:
        kinds = [_dtype_of_numbers(item) for item in data]
    return functools.reduce(dtypes.promote_types, kinds) if kinds else dtypes.get_default_dtype()


_NUMBERS = {bool: False, int: 0, float: 0.0, complex: 0j}


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

    >>> import tallow
    >>> tallow.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    array = _host_array(data, dtype)
    if isinstance(data, Tensor | np.ndarray) or hasattr(data, "__array__"):
        array = np.array(array, order="C")
    return place(array, _device_for(data, device), requires_grad)


def _device_for(data, where):
    return data.device if where is None and isinstance(data, Tensor) else where


def as_tensor(data, dtype=None, device=None):
    """A tensor of `data`, sharing memory if dtype and device allow; a tensor keeps its history."""
    if isinstance(data, Tensor):
        from tallow.conversion import to

        return to(data, dtype=dtype, device=device)
    return place(_writable(_host_array(data, dtype)), device)


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
        raise TypeMismatchError(
            f"from_numpy: expected native byte order, got {ndarray.dtype.str}; convert with "
            f".astype({native.name!r})"
        )
    return wrap(ndarray)


def _writable(array):
    return array if array.flags.writeable else array.copy()


def from_dlpack(ext_tensor):
    """A tensor that shares memory with an object of another library, by the DLPack protocol."""
    return wrap(_writable(np.from_dlpack(ext_tensor)))


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A vector over a Python buffer's memory; `offset` in bytes, `count` in elements (-1: all)."""
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    return place(array, requires_grad=requires_grad)


# From sizes


def _made(name, shape, dtype, where, requires_grad, *value):
    """NumPy's function `name` called for a shape, placed on a device."""
    dtype = dtype or dtypes.get_default_dtype()
    return place(getattr(np, name)(shape, *value, dtype=dtype.numpy), where, requires_grad)


def zeros(
    *size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """A tensor of zeros of the given size.

    >>> import tallow
    >>> tallow.zeros(2, 3).shape
    tallow.Size([2, 3])
    """
    return _made("zeros", sizes_of("zeros", size), dtype, device, requires_grad)


def ones(
    *size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """A tensor of ones of the given size."""
    return _made("ones", sizes_of("ones", size), dtype, device, requires_grad)


def empty(
    *size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
    memory_format=None,
):  # fmt: skip
    """A tensor of the given size whose values are whatever was in memory."""
    return _made("empty", sizes_of("empty", size), dtype, device, requires_grad)


def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """A tensor of the given size filled with one value; its dtype follows the value.

    >>> import tallow
    >>> tallow.full((2,), 7)
    tensor([7, 7])
    """
    fill_value = fill_value.item() if isinstance(fill_value, Tensor) else number(fill_value)
    dtype = dtype or dtypes.of_number(fill_value)
    shape = sizes_of("full", (size,))
    return _made("full", shape, dtype, device, requires_grad, fill_value)


def _like(name, input, dtype, where, requires_grad, *value):
    where = input.device if where is None else where
    return _made(name, input.array.shape, dtype or input.dtype, where, requires_grad, *value)


def zeros_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    """Zeros in the shape, dtype and device of `input`."""
    return _like("zeros", input, dtype, device, requires_grad)


def ones_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    """Ones in the shape, dtype and device of `input`."""
    return _like("ones", input, dtype, device, requires_grad)


def empty_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    """Uninitialised memory in the shape, dtype and device of `input`."""
    return _like("empty", input, dtype, device, requires_grad)


def full_like(
    input,
    fill_value,
    *,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    memory_format=None,
):
    """`fill_value` in the shape, dtype and device of `input`."""
    fill_value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _like("full", input, dtype, device, requires_grad, fill_value)


def _numbers(*values):
    return [v.item() if isinstance(v, Tensor) else number(v) for v in values]


def arange(
    start, end=None, step=1, *, out=None, dtype=None, layout=None, device=None, requires_grad=False
):
    """The numbers from `start` (0) up to, without, `end`, by `step`; int64 where all are ints.

    >>> import tallow
    >>> tallow.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    start, end, step = _numbers(*((0, start, step) if end is None else (start, end, step)))
    if step == 0:
        raise ArgumentError("arange: expected a step other than 0, got 0")
    if (end - start) * step < 0:
        raise ArgumentError(
            f"arange: expected end {end} on the side of start {start} that step {step} goes to"
        )
    if dtype is None:
        whole = all(isinstance(v, int) for v in (start, end, step))
        dtype = dtypes.int64 if whole else dtypes.get_default_dtype()
    if dtype.category == dtypes.INTEGER:
        array = np.arange(int(start), int(end), int(step)).astype(dtype.numpy)
    else:
        count = max(int(np.ceil((end - start) / step)), 0)
        array = (start + step * np.arange(count, dtype=np.float64)).astype(dtype.numpy)
    return place(array, device, requires_grad)


def linspace(
    start, end, steps, *, out=None, dtype=None, layout=None, device=None, requires_grad=False
):
    """`steps` numbers evenly spaced from `start` to `end`, both included."""
    start, end = _numbers(start, end)
    array = np.linspace(start, end, operator.index(steps))
    return place(array.astype((dtype or dtypes.get_default_dtype()).numpy), device, requires_grad)


def logspace(
    start,
    end,
    steps,
    base=10.0,
    *,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
):
    """`steps` numbers from base**start to base**end, evenly spaced in their logarithm."""
    start, end = _numbers(start, end)
    array = np.logspace(start, end, operator.index(steps), base=base)
    return place(array.astype((dtype or dtypes.get_default_dtype()).numpy), device, requires_grad)


def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """An (n, m) matrix with ones on the diagonal; square without m."""
    array = np.eye(n, m, dtype=(dtype or dtypes.get_default_dtype()).numpy)
    return place(array, device, requires_grad)


def clone(input, *, memory_format=None):
    """A copy with memory of its own that passes gradients to `input`."""
    return copy(input)


def complex(real, imag, *, out=None):
    """A complex tensor from its real and imaginary parts (float32 gives complex64)."""
    dtype = result_type(real, imag).to_complex()
    return to_dtype(real, dtype) + to_dtype(imag, dtype) * 1j
