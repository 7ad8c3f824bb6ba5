"""PyTorch's `__torch_function__`: classes that say themselves what functions do with their objects.

A subclass of Tensor, or any class with that method, is asked in place of each public function that
gets one of its objects; so is a `TorchFunctionMode` within its context. Nobody is asked before
there is such a class or mode, so that programs without them do not pay for it. Then `ask_arguments`
puts a look at the arguments before each public function, in the function's own code, as programs
have taken the functions from their modules by then and compare them by identity.

Reference: PyTorch's notes "Extending PyTorch" describe the protocol.
"""

import functools
import sys
from types import FunctionType

from tallow import fft, linalg, special
from tallow.autograd import op
from tallow.autograd.modes import asking
from tallow.errors import TypeMismatchError
from tallow.methods import MODULES
from tallow.nn import functional
from tallow.shortcuts import FUNCTIONS, written
from tallow.tensor import Tensor, disabled_torch_function

__all__ = [
    "BaseTorchFunctionMode", "TorchFunctionMode", "ask_arguments", "get_default_nowrap_functions",
    "get_ignored_functions", "get_overridable_functions", "handle_torch_function",
    "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
    "is_tensor_like", "is_tensor_method_or_property", "resolve_name", "wrap_torch_function",
]  # fmt: skip

PROPERTIES = ("H", "T", "data", "imag", "mH", "mT", "real")  # those that are tensors
NEVER_ASKED = {
    "__getattr__", "__init_subclass__", "__new__", "__reduce__", "__torch_function__",
    "as_subclass", "as_tensor", "asarray", "from_dlpack", "from_numpy", "frombuffer", "is_tensor",
}  # fmt: skip


class DisableTorchFunctionSubclass:
    """A context in which no class is asked; modes still are."""

    def __enter__(self):
        self.before, asking.asks = asking.asks, False

    def __exit__(self, *exc):
        asking.asks = self.before


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """A context in which neither classes nor modes are asked."""

    def __enter__(self):
        super().__enter__()
        self.modes, asking.modes = asking.modes, []

    def __exit__(self, *exc):
        super().__exit__(*exc)
        asking.modes = self.modes


class TorchFunctionMode:
    """A context whose `__torch_function__(func, types, args, kwargs)` is called for functions.

    Within that method the mode is off. A mode that only looks on returns `func(*args, **kwargs)`.

    >>> import tallow
    >>> class Names(tallow.overrides.TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Names():
    ...     x = tallow.ones(2) * 3
    ones
    mul
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError(f"{type(self).__name__}: expected a __torch_function__, got none")

    def __enter__(self):
        ask_arguments()
        asking.modes = [*asking.modes, self]
        return self

    def __exit__(self, *exc):
        asking.modes = asking.modes[:-1]


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that only looks on."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


# Who is asked


def _asks(kind):
    """Has a class a `__torch_function__` that is to be asked?"""
    own = getattr(kind, "__torch_function__", None)
    return own is not None and kind is not Tensor and own is not disabled_torch_function


def _overloaded(values):
    """Of values, and of those in lists and tuples, one of each class that is asked.

    A class comes before those that it is derived from, else the order is that of the values.
    """
    found = []
    for value in values:
        kind = type(value)
        if kind is Tensor or kind is int or kind is float:
            continue
        if kind is tuple or kind is list:
            inner = [x for x in value if type(x) is not Tensor and type(x) is not int]
            found += _overloaded(inner) if inner else ()
        elif _asks(kind):
            found.append(value)
    if len(found) < 2:
        return found
    chosen = []
    for value in found:
        if all(type(value) is not type(other) for other in chosen):
            derived = [i for i, x in enumerate(chosen) if issubclass(type(value), type(x))]
            chosen.insert(derived[0] if derived else len(chosen), value)
    return chosen


def has_torch_function(relevant_args):
    """True if an argument is of a class, or a mode is on, that is to be asked."""
    return bool(asking.modes or asking.asks and _overloaded(relevant_args))


def has_torch_function_unary(obj):
    """`has_torch_function` for one argument."""
    return has_torch_function((obj,))


def has_torch_function_variadic(*args):
    """`has_torch_function` for several arguments."""
    return has_torch_function(args)


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """What the first of those says that are asked about a function and its arguments.

    Modes first, then the classes of `relevant_args`; TypeError if all return NotImplemented.
    """
    overloaded = _overloaded(relevant_args)
    types = tuple(map(type, overloaded))
    if asking.modes:
        modes = asking.modes
        asking.modes = modes[:-1]
        try:
            result = modes[-1].__torch_function__(public_api, types, args, kwargs)
        finally:
            asking.modes = modes
        if result is not NotImplemented:
            return result
    for value in overloaded:
        result = value.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = getattr(public_api, "__name__", public_api)
    raise TypeMismatchError(
        f"{name}: expected a class whose __torch_function__ knows it, got "
        + ", ".join(f"{kind.__module__}.{kind.__qualname__}" for kind in types)
    )


def default_torch_function(cls, func, types, args=(), kwargs=None):
    """Tensor's own: the function itself, its results as objects of the subclass."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
        if cls is Tensor or func in get_default_nowrap_functions():
            return result
        return _converted(result, cls, args)


def _converted(result, cls, args):
    """A result as an object of a class: itself, as nobody else has it, unless it is an argument."""
    if isinstance(result, Tensor):
        if isinstance(result, cls):
            return result
        if any(result is value for value in args) or type(result) is not Tensor:
            return result.as_subclass(cls)
        result.__class__ = cls
    elif isinstance(result, tuple | list):
        parts = [_converted(part, cls, args) for part in result]
        named = hasattr(result, "_fields")
        return type(result)(*parts) if named else type(result)(parts)
    return result


def is_tensor_like(inp):
    """True for a Tensor, and for objects of classes that are asked."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def wrap_torch_function(dispatcher):
    """Decorator: a function that is asked about. `dispatcher(*args)` gives the arguments to ask.

    >>> import tallow
    >>> @tallow.overrides.wrap_torch_function(lambda x: (x,))
    ... def twice(x):
    ...     return x * 2
    >>> twice(tallow.ones(1))
    tensor([2.])
    """

    def decorate(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(call, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return call

    return decorate


# Subclasses


def join(cls):
    """A subclass of Tensor is asked from now on."""
    ask_arguments()
    for name in set(Tensor.__slots__) & set(vars(cls)):
        if hasattr(vars(cls)[name], "__get__"):
            setattr(cls, name, _Shared(vars(cls)[name], vars(Tensor)[name]))


class _Shared:
    """An attribute of a subclass whose name Tensor has for a part of its own.

    What belongs to tallow sees that part, as by the name `array`; the program sees its attribute.
    """

    def __init__(self, own, part):
        self.own = own
        self.part = part

    def _seen(self):
        caller = sys._getframe(2).f_globals.get("__name__", "tallow")
        return self.part if caller.startswith("tallow") else self.own

    def __get__(self, tensor, cls):
        return self.own if tensor is None else self._seen().__get__(tensor, cls)

    def __set__(self, tensor, value):
        self._seen().__set__(tensor, value)


# Which functions are


@functools.cache
def get_overridable_functions():
    """The functions about which classes are asked, by the module or class that has them."""
    functions = {module: _public(module) for module in (functional, linalg, fft, special)}
    functions["tallow"] = [
        f for module in MODULES if hasattr(module, "__all__") for f in _public(module)
    ]
    functions[Tensor] = [
        value for name, value in vars(Tensor).items()
        if isinstance(value, FUNCTIONS) and name not in NEVER_ASKED
    ]  # fmt: skip
    return functions


def _public(module):
    names = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    values = [vars(module).get(name) for name in names]
    ours = [f for f in values if isinstance(f, FUNCTIONS) and f.__module__.startswith("tallow")]
    return [f for f in ours if f.__name__ not in NEVER_ASKED]


@functools.cache
def get_ignored_functions():
    """Public functions about which nobody is asked."""
    own = [vars(Tensor)[name] for name in NEVER_ASKED if name in vars(Tensor)]
    return {f for f in own if isinstance(f, FUNCTIONS)}


@functools.cache
def get_default_nowrap_functions():
    """Those whose results Tensor's own `__torch_function__` leaves plain tensors."""
    return {vars(Tensor)[name].__get__ for name in ("_base", "grad")}


def is_tensor_method_or_property(func):
    """True if a function that a class is asked about is a method or property of Tensor."""
    return getattr(func, "__name__", None) == "__get__" or func in set(vars(Tensor).values())


def resolve_name(f):
    """The name under which programs know a function, such as torch.nn.functional.relu."""
    for owner, functions in get_overridable_functions().items():
        if any(f is function for function in functions):
            place = owner if isinstance(owner, str) else getattr(owner, "__name__", "")
            place = "torch.Tensor" if owner is Tensor else place.replace("tallow", "torch", 1)
            return f"{place}.{f.__name__}"
    return None


# The look at the arguments

_asked: set = set()
_TEXT = """\
def outer({cells}):
    def {name}(*args, **kwargs):
        call = "dispatch"
        return call(args, kwargs); {cells}
    return {name}
"""


def ask_arguments():
    """From now on public functions look whether their arguments are of classes that are asked.

    Subclasses of Tensor and modes turn this on themselves, and in a program for PyTorch any class
    with a `__torch_function__`; with `import tallow` such another class needs this call.
    """
    if ask_arguments in _asked:
        return
    _asked.add(ask_arguments)
    for functions in get_overridable_functions().values():
        ask_about(functions)
    for name in PROPERTIES:
        member = vars(Tensor)[name]
        if isinstance(member.fget, FunctionType) and id(member.fget) not in _asked:
            _asked.add(id(member.fget))
            _look_first(member.fget, member.__get__)


def ask_about(functions):
    """From now on these functions look whether their arguments are of classes that are asked."""
    for function in functions:
        if isinstance(function, FUNCTIONS) and id(function) not in _asked:
            _asked.add(id(function))
            _look_first(written(function), function)


def _look_first(function, public):
    """Put a look at the arguments before what a function does; `public` is what programs call."""
    if hasattr(function, "op"):
        op.compile_call(function.op)  # else its first call would take the look away
    original = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__,
        function.__closure__,
    )  # fmt: skip
    original.__kwdefaults__ = function.__kwdefaults__
    original.__dict__.update(function.__dict__)

    def dispatch(args, kwargs):
        if asking.asks or asking.modes:
            values = (*args, *kwargs.values()) if kwargs else args
            if asking.modes or _overloaded(values):
                if asking.asks:
                    return handle_torch_function(public, values, *args, **kwargs)
                return handle_torch_function(public, (), *args, **kwargs)
        return original(*args, **kwargs)

    cells = ", ".join(f"cell{i}" for i in range(len(function.__code__.co_freevars)))
    outer = compile(
        _TEXT.format(cells=cells, name="looking"), "<tallow.overrides>", "exec"
    ).co_consts[0]
    inner = next(part for part in outer.co_consts if hasattr(part, "co_consts"))
    consts = tuple(dispatch if const == "dispatch" else const for const in inner.co_consts)
    function.__code__ = inner.replace(
        co_consts=consts, co_name=function.__code__.co_name,
        co_qualname=function.__code__.co_qualname, co_freevars=function.__code__.co_freevars,
    )  # fmt: skip
    function.__defaults__ = function.__kwdefaults__ = None
    function.__dict__.setdefault("__wrapped__", original)
