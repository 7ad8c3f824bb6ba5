"""`assert_close`: are two things equal within a tolerance, and if not, where and by how much."""

from collections.abc import Mapping, Sequence
from numbers import Number

import numpy as np

from tallow import backend, dtypes
from tallow.creation import as_tensor
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.promotion import number
from tallow.tensor import Tensor

# (rtol, atol) by dtype, the same numbers as torch's; other types compare exactly.
TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
    dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}


def assert_close(
    actual, expected, *, allow_subclasses=True, rtol=None, atol=None, equal_nan=False,
    check_device=True, check_dtype=True, check_layout=True, check_stride=False, msg=None,
):  # fmt: skip
    """Raise AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere.

    Both are tensors, arrays, numbers, None, or sequences and mappings of them. The tolerances
    follow the dtype unless both are given. `msg` replaces the message, or is called with it.

    >>> tallow.testing.assert_close(tallow.ones(2) / 3, tallow.full((2,), 0.3333333))
    """
    if (rtol is None) != (atol is None):
        raise ArgumentError(
            f"assert_close: expected rtol and atol both or neither, got {rtol} and {atol}"
        )
    how = {
        "tolerance": None if rtol is None else (rtol, atol),
        "subclasses": allow_subclasses,
        "nan": equal_nan,
        "device": check_device,
        "dtype": check_dtype,
        "stride": check_stride,
    }
    message = _difference(actual, expected, "", how)
    if message:
        raise AssertionError(message if msg is None else msg(message) if callable(msg) else msg)


def _difference(actual, expected, place, how):
    """What is different, or None. `place` is where in the structure we are, such as `[0]['x']`."""
    if _both(actual, expected, Sequence) and not _both(actual, expected, str):
        if len(actual) != len(expected):
            return _found(place, f"{len(expected)} items", len(actual))
        pairs = enumerate(zip(actual, expected, strict=True))
        return _first(_difference(a, e, f"{place}[{i}]", how) for i, (a, e) in pairs)
    if _both(actual, expected, Mapping):
        if set(actual) != set(expected):
            return _found(place, f"the keys {list(expected)}", list(actual))
        return _first(_difference(actual[k], expected[k], f"{place}[{k!r}]", how) for k in expected)
    if actual is None or expected is None:
        return None if actual is expected else _found(place, repr(expected), repr(actual))
    if _both(actual, expected, Number | np.bool_):
        return _number_difference(number(actual), number(expected), place, how)
    return _tensor_difference(actual, expected, place, how)


def _both(actual, expected, kind):
    return isinstance(actual, kind) and isinstance(expected, kind)


def _first(messages):
    return next((message for message in messages if message), None)


def _found(place, expected, got):
    return f"assert_close: expected {expected}{_at(place)}, got {got}"


def _at(place):
    return f" at {place}" if place else ""


def _number_difference(actual, expected, place, how):
    if how["dtype"] and type(actual) is not type(expected):
        return _found(place, f"a {type(expected).__name__}", f"a {type(actual).__name__}")
    arrays = np.asarray(actual), np.asarray(expected)
    kinds = [dtypes.from_numpy_dtype(x.dtype) for x in arrays]
    return elements_differ(*arrays, _tolerance(kinds, how), how["nan"], place)


def _tensor_difference(actual, expected, place, how):
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if not related or (not how["subclasses"] and type(actual) is not type(expected)):
        raise TypeMismatchError(
            f"assert_close: expected two tensors, arrays or numbers of one kind{_at(place)}, got "
            f"{type(actual).__name__} and {type(expected).__name__}"
        )
    actual, expected = (x if isinstance(x, Tensor) else as_tensor(x) for x in (actual, expected))
    for name, checked in (("shape", True), ("device", how["device"]), ("dtype", how["dtype"])):
        a, e = getattr(actual, name), getattr(expected, name)
        if checked and a != e:
            return _found(place, f"the {name} {e}", a)
    if how["stride"] and actual.stride() != expected.stride():
        return _found(place, f"the stride {expected.stride()}", actual.stride())
    arrays = [backend.for_array(x.array).to_host(x.array) for x in (actual, expected)]
    tolerance = _tolerance((actual.dtype, expected.dtype), how)
    return elements_differ(*arrays, tolerance, how["nan"], place)


def _tolerance(kinds, how):
    """The tolerances given, or the larger of the two dtypes' own."""
    own = [TOLERANCES.get(kind, (0.0, 0.0)) for kind in kinds]
    return how["tolerance"] or tuple(map(max, *own))


def elements_differ(actual, expected, tolerance, equal_nan=False, place=""):
    """How many elements of two NumPy arrays are not close, and the worst of them; None if none."""
    rtol, atol = tolerance
    with np.errstate(all="ignore"):
        wrong = np.asarray(actual != expected)
        if equal_nan:
            wrong &= ~((actual != actual) & (expected != expected))
        if not wrong.any():
            return None
        actual, expected = _wide(actual), _wide(expected)
        absolute = np.abs(actual - expected)
        relative = absolute / np.abs(expected)
        finite = np.isfinite(expected) & np.isfinite(actual)
        wrong &= ~(finite & (absolute <= atol + rtol * np.abs(expected)))
    if not wrong.any():
        return None
    share = f"{wrong.sum()} of {wrong.size} elements off ({wrong.mean():.1%})"
    lines = [_found(place, "close values" if rtol or atol else "equal values", share)]
    for name, sizes, allowed in (("absolute", absolute, atol), ("relative", relative, rtol)):
        worst = np.unravel_index(np.argmax(np.where(wrong, sizes, -1)), wrong.shape)
        index = tuple(map(int, worst))
        lines.append(
            f"  greatest {name} difference {sizes[worst]} at index {index}: {actual[index]} for "
            f"{expected[index]}; {allowed} allowed"
        )
    return "\n".join(lines)


def _wide(array):
    """In a type that subtracts without rounding or overflow; int64 nearly so."""
    if array.dtype.kind == "c":
        return array.astype(np.complex128)
    return array.astype(np.longdouble if array.dtype.itemsize == 8 else np.float64)
