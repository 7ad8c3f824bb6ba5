"""Objects of any class to pickles, by what their `__reduce_ex__` says, as Python's pickle does it.

Reference: PEP 307, which defines that, and the comments in Python's pickletools.
"""

import copyreg
import pickle
import sys
from types import BuiltinFunctionType

from tallow.errors import TypeMismatchError
from tallow.nn.module import Module
from tallow.serialization.module_state import to_torch
from tallow.shortcuts import FUNCTIONS

NAMED = (type, *FUNCTIONS, BuiltinFunctionType)  # written as their names


def write_object(pickler, value):
    """Write an object: the call that makes it, then its state and what it contains."""
    if isinstance(value, NAMED) and not hasattr(value, "__self__"):
        return _global(pickler, value.__qualname__, value)
    reduced = _reduced(pickler, value)
    if isinstance(reduced, str):  # a global of this name
        return _global(pickler, reduced, value)
    function, args, state, items, pairs, setter = (*reduced, *(None,) * (6 - len(reduced)))
    _call(pickler, function, args)
    pickler.remember(value)
    if items is not None:
        pickler.out += b"("
        for i, item in enumerate(items):
            pickler.below(i, item)
        pickler.out += b"e"
    if pairs is not None:
        pickler.out += b"("
        for key, item in pairs:
            pickler.write(key)
            pickler.below(key, item)
        pickler.out += b"u"
    if setter is not None:
        _call(pickler, setter, (value, state))
        pickler.out += b"0"
    elif state is not None:
        pickler.write(to_torch(value, state) if isinstance(value, Module) else state)
        pickler.out += b"b"


def _reduced(pickler, value):
    """What `__reduce_ex__` of protocol 2 returns: a name, or two to six values."""
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        return reduce(value) if reduce else value.__reduce_ex__(2)
    except (TypeError, pickle.PicklingError) as error:
        raise TypeMismatchError(
            f"save: expected what can be pickled, got {type(value).__name__} at "
            f"{pickler.place()} ({error})"
        ) from error


def _call(pickler, function, args):
    """Write the call of a function; that of `cls.__new__` has opcodes of its own."""
    if function is copyreg.__newobj_ex__:
        for part in args:
            pickler.write(part)
        code = b"\x92"
    elif function is copyreg.__newobj__:
        pickler.write(args[0])
        pickler.write(args[1:])
        code = b"\x81"
    else:
        pickler.write(function)
        pickler.write(args)
        code = b"R"
    pickler.out += code


def _global(pickler, path, value):
    """Write the name of a class or function; of one within a class, how it is got from that."""
    module = _place(pickle.whichmodule(value, path), path, value)
    if module is None:
        raise TypeMismatchError(
            f"save: expected what can be found by its name, got {path} "
            f"at {pickler.place()}; define it at the top of a module"
        )
    outer, _, name = path.rpartition(".")
    if outer:
        pickler.call("__builtin__", "getattr", _found(module, outer), name)
    else:
        pickler.name(_theirs(module), name)
    pickler.remember(value)


def _place(module, path, value):
    """The module that a value is found in by its name, None if there is none.

    Of tallow's packages that its module is in, the outermost: PyTorch has it in the same.
    """
    places = [module]
    if module.startswith("tallow"):
        parts = module.split(".")
        places = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
        places.append("tallow.nn.functional")
    return next((place for place in places if _found(place, path) is value), None)


def _found(module, path):
    value = sys.modules.get(module)
    for part in path.split("."):
        value = getattr(value, part, None)
    return value


def _theirs(module):
    """What PyTorch, and Python 2, call a module."""
    if module.startswith("tallow"):
        return module.replace("tallow", "torch", 1)
    return "__builtin__" if module == "builtins" else module
