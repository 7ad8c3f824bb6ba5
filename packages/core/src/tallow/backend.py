"""Backends: an array library each, looked up by device or by the type of an array.

A backend is opened at the first use of its device, by importing its module (`MODULES`), which calls
`register`. NumPy's is opened by core itself; CuPy is not imported before a CUDA device is used.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from tallow.device import CPU, TYPES, device
from tallow.errors import DeviceError, describe

MODULES = {"cuda": "tallow.kernels.cuda.opening", "meta": "tallow.kernels.meta"}


class Backend(NamedTuple):
    """An array library and what differs between libraries.

    `xp` is the module with the array API's names; `scalar_types` are what its reductions may return
    in place of a 0-d array; `from_host(array, index, non_blocking=False)` copies a NumPy array to
    device `index`. `kernels` names the module that registers specialised kernels (`Op.on`), which
    is imported when the first operation runs. What only some have:

    `explain(error)`                          what to raise for an error of the library's own
    `in_range(op_name, index, low, size)`     checks indices without waiting for the device, and
                                              raises IndexValueError later
    `combine_at(out, place, value, how)`      `ufunc.at` of the name `how`, for places in the flat
                                              `out`, always in the same order
    `at(array)`                               a context in which the array's device is the current
                                              one, where there are several
    `refuse(op_name, array)`                  raises: no operation takes its arrays
    `between(array, index)`                   a copy on another device of the library's, for which
                                              the host does not wait
    `pinned(array)`, `is_pinned(array)`       memory of the host that the device reads by itself
    `random_blocks(index)`                    random numbers are drawn there, by this many blocks
                                              of 256 threads at most on device `index`
    """

    name: str
    xp: ModuleType
    array_type: type
    to_host: Callable[[Any], np.ndarray]
    from_host: Callable[..., Any]
    device_of: Callable[[Any], device]
    synchronize: Callable[[], None]
    scalar_types: tuple[type, ...] = ()
    kernels: str | None = None
    explain: Callable[[Exception], Exception | None] | None = None
    in_range: Callable[[str, Any, int, int], None] | None = None
    combine_at: Callable[[Any, Any, Any, str], None] | None = None
    pinned: Callable[[np.ndarray], np.ndarray] | None = None
    is_pinned: Callable[[np.ndarray], bool] | None = None
    random_blocks: Callable[[int | None], int] | None = None
    at: Callable[[Any], AbstractContextManager] | None = None
    between: Callable[[Any, int | None], Any] | None = None
    refuse: Callable[[str, Any], None] | None = None


def is_array_type(kind):
    """True for the types of arrays, and of what reductions return in their place."""
    return kind in _by_type


ARRAY_TYPES: set[type] = set()  # whole arrays, not what reductions may return in place of 0-d ones

HERE = nullcontext()
_by_name: dict[str, Backend] = {}
_by_type: dict[type, Backend] = {}


def register(backend):
    """Make a backend known under its device name and its array types."""
    TYPES.add(backend.name)
    _by_name[backend.name] = backend
    ARRAY_TYPES.add(backend.array_type)
    for array_type in (backend.array_type, *backend.scalar_types):
        _by_type[array_type] = backend


def register_type(array_type, backend):
    """Make a type of array known that is no device's own."""
    ARRAY_TYPES.add(array_type)
    _by_type[array_type] = backend


def refuse(op_name, arrays):
    """Raise if there is an array among some that no operation takes."""
    for array in arrays:
        where = _by_type.get(type(array))
        if where is not None and where.refuse is not None:
            where.refuse(op_name, array)


def for_device(where):
    """The backend of a device, opened now if need be; DeviceError if there is none."""
    name = where.type if isinstance(where, device) else device(where).type
    if name not in _by_name:
        if name not in MODULES:
            known = ", ".join({*_by_name, *MODULES})
            raise DeviceError(f"device: expected one of {known}, got {name!r}")
        import_module(MODULES[name])
    return _by_name[name]


def is_open(name):
    """True if the backend of that name has been used."""
    return name in _by_name


def for_array(array):
    """The backend that an array (or a NumPy scalar) belongs to; TypeError if it is none's."""
    return for_array_type(type(array))


def for_array_type(array_type):
    try:
        return _by_type[array_type]
    except KeyError:
        for base in array_type.__mro__[1:]:
            if base in _by_type:
                return _by_type.setdefault(array_type, _by_type[base])
        raise TypeError(f"expected a tensor or an array, got {array_type.__name__}") from None


def as_array(value):
    """A 0-d array for what a library's reduction returned in its place; an array as it is."""
    return value if type(value) in ARRAY_TYPES else for_array(value).xp.asarray(value)


def at(array):
    """A context in which an array's device is the current one of its kind."""
    if type(array) is np.ndarray:
        return HERE
    where = for_array(array)
    return HERE if where.at is None else where.at(array)


def there(function):
    """Decorator: a function that runs on the device of the first tensor among its arguments."""

    @wraps(function)
    def run(*args, **kwargs):
        for value in (*args, *kwargs.values()):
            array = getattr(value, "array", None)
            if array is not None:
                with at(array):
                    return function(*args, **kwargs)
        return function(*args, **kwargs)

    return run


def at_home(name, kernel, where):
    """A kernel that runs on the one device of its operands, if the backend has several."""

    def run(*arrays, **params):
        homes = {where.device_of(x): x for x in arrays if isinstance(x, where.array_type)}
        if len(homes) != 1:
            same_device(name, arrays)
        with where.at(next(iter(homes.values()))):
            return kernel(*arrays, **params)

    return run if where.at else kernel


def same_device(op_name, operands):
    """Raise DeviceError if the operands live on different devices."""
    places = [(x, for_array(x).device_of(x)) for x in operands if type(x) in _by_type]
    if len({where for _, where in places}) > 1:
        found = ", ".join(f"{describe(x)} on {where}" for x, where in places)
        raise DeviceError(
            f"{op_name}: expected all operands on one device, got {found}; move them with "
            ".to(device)"
        )


register(
    Backend(
        name="cpu",
        xp=np,
        array_type=np.ndarray,
        to_host=lambda array: array,
        from_host=lambda array, index, non_blocking=False: array,
        device_of=lambda array: CPU,
        synchronize=lambda: None,
        scalar_types=(np.generic,),
        kernels="tallow.kernels.cpu",
    )
)
