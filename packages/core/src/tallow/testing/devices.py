"""Devices other than the CPU to test on: CUDA where there is one, and a stand-in always.

The stand-in, devices "standin:0" and "standin:1", is NumPy behind a wall: its arrays have a type of
their own, NumPy's functions refuse them, its functions refuse NumPy's arrays and those of a device
that is not the current one, and it lacks what CuPy lacks. What runs on it keeps to its own device,
so most of a CUDA backend's host logic is tested without a GPU.
"""

import operator
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from tallow import backend, cuda
from tallow.device import device

# What CuPy 14 has not, of what one might think to use in an operation.
MISSING = set("""
    block einsum_path frompyfunc geomspace insert matvec nanpercentile nanquantile nditer spacing
    unstack vecdot vecmat longdouble
""".split())  # fmt: skip
MISSING_OPTIONS = {"argsort": {"stable"}, "sort": {"stable"}, "count_nonzero": {"keepdims"}}


def devices():
    """The names of the devices besides "cpu" to test on."""
    return ("standin", "cuda") if cuda.is_available() else ("standin",)


class Current:
    """The device that work is done on: as a context, another one."""

    index = 0

    def __init__(self, index):
        self.chosen = index

    def __enter__(self):
        self.before, Current.index = Current.index, self.chosen

    def __exit__(self, *exception):
        Current.index = self.before


class Flags(NamedTuple):
    """How an array lies in memory."""

    c_contiguous: bool
    f_contiguous: bool
    owndata: bool


class Array:
    """An array of the stand-in device. `base` is the array whose memory this one shows, or None."""

    __array_ufunc__ = None  # so that NumPy leaves operators to us

    def __init__(self, host, base=None):
        self.memory = host
        self.base = base
        self.index = Current.index

    @property
    def host(self):
        """NumPy's array, for what computes on this device, which then must be the current one."""
        if self.index != Current.index:
            raise TypeError(
                f"standin: an array of device {self.index} met work on device {Current.index}"
            )
        return self.memory

    def __array__(self, *args, **kwargs):
        raise TypeError("standin: an array was converted to NumPy's without asking the backend")

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"standin: numpy.{function.__name__} was called on an array of this device")

    def __getitem__(self, key):
        return _shown(self, self.host[_inner(key)])

    def __setitem__(self, key, value):
        self.host[_inner(key)] = _inner(value)

    def __len__(self):
        return len(self.memory)

    def __repr__(self):
        return f"standin{self.memory!r}"

    @property
    def flags(self):
        """Those that CuPy's arrays have, which nobody can set."""
        flags = self.memory.flags
        return Flags(flags.c_contiguous, flags.f_contiguous, flags.owndata)

    @property
    def data(self):
        """Where the memory is, as CuPy's arrays say it."""
        return SimpleNamespace(ptr=self.memory.ctypes.data)

    __hash__ = object.__hash__


def _inner(value):
    """NumPy's array in one of ours, also within tuples, lists and dicts; NumPy's own raise."""
    if isinstance(value, Array):
        return value.host
    if isinstance(value, np.ndarray):
        raise TypeError(f"standin: expected arrays of this device, got NumPy's {value!r}")
    if type(value) in (tuple, list):
        return type(value)(map(_inner, value))
    return {k: _inner(v) for k, v in value.items()} if type(value) is dict else value


def _outer(value):
    """An array of ours around NumPy's, also within tuples and lists. Numbers become 0-d arrays."""
    if isinstance(value, np.ndarray | np.generic):
        return Array(np.asarray(value))
    if isinstance(value, tuple):  # a named one, too, as numpy.linalg returns them
        return tuple(map(_outer, value))
    return list(map(_outer, value)) if type(value) is list else value


def _shown(owner, value):
    """`_outer`, with `base` set where the result is a view of the owner's memory."""
    result = _outer(value)
    if isinstance(result, Array) and np.may_share_memory(result.host, owner.host):
        result.base = owner if owner.base is None else owner.base
    return result


def _attach():
    """Give `Array` the operators, methods and attributes that arrays have."""

    def operation(function):
        return lambda self, *others: _outer(function(self.host, *map(_inner, others)))

    def reflected(function):
        return lambda self, other: _outer(function(_inner(other), self.host))

    def updating(function):
        def update(self, other):
            function(self.host, _inner(other))
            return self

        return update

    def method(name):
        def call(self, *args, **kwargs):
            return _shown(self, getattr(self.host, name)(*_inner(args), **_inner(kwargs)))

        return call

    for name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
        function = getattr(operator, f"__{name}__")
        setattr(Array, f"__{name}__", operation(function))
        setattr(Array, f"__r{name}__", reflected(function))
        setattr(Array, f"__i{name}__", updating(getattr(operator, f"__i{name}__")))
    for name in "eq ne lt le gt ge neg pos abs invert".split():
        setattr(Array, f"__{name}__", operation(getattr(operator, f"__{name}__")))
    for name in "bool int float complex index".split():
        setattr(Array, f"__{name}__", lambda self, name=name: getattr(self.host, f"__{name}__")())
    methods = """
        all any argmax argmin astype conj copy cumsum dot fill item max mean min prod ravel repeat
        reshape round sort sum swapaxes take tolist transpose view
    """
    for name in methods.split():
        setattr(Array, name, method(name))
    for name in "T real imag".split():
        setattr(
            Array, name, property(lambda self, name=name: _shown(self, getattr(self.host, name)))
        )
    for name in "dtype shape ndim size itemsize nbytes strides".split():
        setattr(Array, name, property(lambda self, name=name: getattr(self.memory, name)))


class Function:
    """A function of NumPy's for arrays of the stand-in; a ufunc's `reduce` and `at` likewise."""

    def __init__(self, function, name):
        self.function = function
        self.name = name

    def __call__(self, *args, **kwargs):
        unknown = MISSING_OPTIONS.get(self.name, set()) & kwargs.keys()
        if unknown:
            raise TypeError(f"standin: {self.name} has no {', '.join(unknown)} here, as in CuPy")
        result = self.function(*_inner(args), **_inner(kwargs))
        return _shown(args[0], result) if args and isinstance(args[0], Array) else _outer(result)

    def __getattr__(self, name):
        return Function(getattr(self.function, name), f"{self.name}.{name}")

    def __getitem__(self, key):
        return _outer(self.function[_inner(key)])


class Library:
    """The array API of the stand-in: NumPy's names, less what CuPy lacks."""

    def __init__(self, module, name):
        self._module = module
        self._name = name

    def __getattr__(self, name):
        if name in MISSING:
            raise AttributeError(f"standin: {self._name} has no {name}, as in CuPy")
        found = getattr(self._module, name)
        if isinstance(found, type) or np.isscalar(found) or found is None:
            return found
        if type(found) is type(np):
            return Library(found, f"{self._name}.{name}")
        return Function(found, name)

    @staticmethod
    def array(value, dtype=None):
        """A copy on this device, also of NumPy's arrays."""
        return Array(np.array(value if isinstance(value, np.ndarray) else _inner(value), dtype))

    @classmethod
    def asarray(cls, value, dtype=None):
        """The value on this device, copied if need be."""
        here = isinstance(value, Array) and dtype in (None, value.dtype)
        return value if here else cls.array(value, dtype)


def from_host(array, index, non_blocking=False):
    """A copy of a NumPy array on a device, the current one unless told."""
    with Current(Current.index if index is None else index):
        return Array(np.array(array))


def between(array, index):
    """A copy of an array on device `index`, the current one unless told."""
    return from_host(array.memory, index)


_attach()
backend.register(
    backend.Backend(
        name="standin",
        xp=Library(np, "standin"),
        array_type=Array,
        to_host=lambda array: array.memory.copy(),
        from_host=from_host,
        device_of=lambda array: HOMES[array.index],
        synchronize=lambda: None,
        at=lambda array: Current(array.index),
        between=between,
    )
)

HOMES = [device("standin", index) for index in range(2)]
