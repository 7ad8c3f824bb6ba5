"""What a file may name beside data: what the program has listed, and what it has imported itself.

`add_safe_globals` lists classes and functions for every file. `load(weights_only=False)` says that
a file is trusted with more. Python's pickle would import and call whatever such a file names; here
it may name the classes and functions of modules that the program has imported already, of Python's
own modules only those of data. A class is made by its `__new__`, and called only if its objects say
that this is how they are made (`__reduce__`); functions can be referred to, and are not called.
"""

import copyreg
import re
import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from types import BuiltinFunctionType, MethodType, ModuleType

from tallow.imitation import PACKAGES
from tallow.layout import layout
from tallow.nn.module import Module
from tallow.serialization import globals as data
from tallow.serialization.module_state import from_torch
from tallow.serialization.placeholder import Global
from tallow.serialization.safe_globals import get_safe_globals
from tallow.serialization.storage import StorageType
from tallow.shortcuts import FUNCTIONS

# Of Python's own modules: those that have nothing but data and functions of it.
STANDARD = set("""
    argparse array collections dataclasses datetime decimal enum fractions functools ipaddress
    itertools math numbers operator pathlib random statistics string time typing uuid zoneinfo
""".split())  # fmt: skip
BUILTINS = set("""
    abs all any bool bytearray bytes complex dict divmod enumerate filter float format frozenset
    getattr hash int isinstance issubclass iter len list map max min next object ord pow range repr
    reversed round set slice sorted str sum tuple zip
""".split())  # fmt: skip
CALLED = re.compile(
    r"copyreg\._reconstructor$|logging\.getLogger$|re\._compile$"
    r"|numpy\.random\.(_pickle|bit_generator)\.__\w+$|tallow\.generator\._from_state_bytes$"
    r"|tallow\.size\.Size$|tallow\.nn\.parameter\.Parameter$"
)  # what only makes objects
REFUSED = {"argparse.FileType", "numpy.memmap"}  # to make one opens a file
KEPT = re.compile(r"torch\.(_utils|_tensor|serialization)\.|_codecs\.|numpy\.")  # of data.BUILDERS

NO_OBJECTS = (type, ModuleType, MethodType, BuiltinFunctionType, *FUNCTIONS)


class Names:
    """The classes and functions that a file may name; `trusted` as by `weights_only=False`."""

    def __init__(self, trusted=False):
        self.trusted = trusted
        self.listed = dict(map(_listed, get_safe_globals()))
        self.found = {}  # id -> class or function

    def find(self, module, name):
        """What a file means by `module.name`; ValueError if that could only do harm."""
        if module not in sys.modules:  # perhaps one of Python 2's, as in protocol 2
            module, name = NAME_MAPPING.get((module, name), (module, name))
            module = IMPORT_MAPPING.get(module, module)
        path = f"{module}.{name}"
        if self.listed:
            found = self.listed.get(path, _lookup(module, name))
            if any(found is value for value in self.listed.values()):
                return self._known(found)
        if not self.trusted or path in data.CONSTANTS or _has_builder(path):
            return data.find(module, name)
        found = _lookup(module, name)
        if found is None:
            if module.partition(".")[0] in PACKAGES:  # of PyTorch's own, which is not here
                return data.find(module, name)
            raise ValueError(
                f"expected a class that the program has imported, got {path}; import it before, "
                "or leave weights_only=False out and get a placeholder"
            )
        return found if isinstance(found, layout) else self._known(_screened(found, path))

    def _known(self, value):
        self.found[id(value)] = value
        return value

    def knows(self, value):
        """Is it one of the classes and functions that were found?"""
        return id(value) in self.found and self.found[id(value)] is value

    def call(self, function, args):
        """`function(*args)`, where that is how an object is made."""
        if function is getattr:
            return self._attribute(*args)
        listed = any(function is value for value in self.listed.values())
        if not (listed or CALLED.match(_path(function)) or _is_called(function)):
            raise ValueError(
                f"expected no call of {_path(function)}; add_safe_globals([...]) allows it"
            )
        return function(*args)

    def new(self, cls, args, keywords):
        """`cls.__new__(cls, *args, **keywords)`."""
        if not isinstance(cls, type) or issubclass(cls, type):
            raise ValueError(f"expected a class of objects, got {_path(cls)}")
        return cls.__new__(cls, *args, **keywords)

    def _attribute(self, owner, name):
        """A class within a class, or a method of an object."""
        value = None if name.startswith("_") else getattr(owner, name)
        if not isinstance(value, type | MethodType):
            raise ValueError(f"expected a method or a class within a class, got {name!r}")
        return self._known(_screened(value, name)) if isinstance(value, type) else value


def _listed(entry):
    """The name of what is in the list of safe classes, which may come with it, and the class."""
    if isinstance(entry, tuple):
        return entry[1], entry[0]
    return _path(entry), entry


def _has_builder(path):
    """Is it made as in any file?"""
    known = data.BUILDERS.get(path)
    return isinstance(known, StorageType) or isinstance(known, Global) and KEPT.match(path)


def _lookup(module, name):
    """What an imported module has under a name, None if nothing.

    What PyTorch has in a module of its own is here in one of the packages around it.
    """
    package, dot, rest = module.partition(".")
    ours = PACKAGES.get(package, package)
    place = ours + dot + rest
    while place:
        found = sys.modules.get(place)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not None or ours == package:
            return found
        place = place.rpartition(".")[0]
    return None


def _path(value):
    """The name of a class or function, by where it was defined."""
    name = getattr(value, "__qualname__", type(value).__name__)
    return f"{getattr(value, '__module__', None)}.{name}"


def _screened(value, path):
    """A class or function, if it is none of those that do more than compute."""
    if not callable(value) or not hasattr(value, "__qualname__"):
        raise ValueError(f"expected a class or function, got {path}, a {type(value).__name__}")
    own = _path(value)
    package, _, name = own.partition(".")
    if data.HOSTILE.match(own) or own in REFUSED:
        raise ValueError(f"expected the names of data, got {path}, which runs code")
    known = package.lstrip("_") in STANDARD or package not in sys.stdlib_module_names
    if package == "builtins":
        known = name in BUILTINS or isinstance(value, type) and issubclass(value, BaseException)
    if not known and not CALLED.match(own):
        raise ValueError(f"expected names of data, got {path}; add_safe_globals([...]) allows it")
    return value


def _is_called(cls):
    """Do the objects of a class say that they are made by a call of it?"""
    if not isinstance(cls, type) or issubclass(cls, type):
        return False
    own = (cls.__reduce__, cls.__reduce_ex__) != (object.__reduce__, object.__reduce_ex__)
    return own or cls in copyreg.dispatch_table


# What is done to an object that was made


def append_items(target, items):
    """Put items into a list, or into what has a list's methods."""
    if hasattr(target, "extend"):
        target.extend(items)
    else:
        for item in items:
            target.append(item)


def set_state(target, state):
    """Give an object its state: by its `__setstate__`, else to its dictionary and its slots."""
    if isinstance(target, NO_OBJECTS):
        raise ValueError(f"expected an object to give a state to, got {_path(target)}")
    if isinstance(target, Module):
        state = from_torch(state)
    own = getattr(type(target), "__setstate__", None)
    if own is not None:
        own(target, state)
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if attributes:
        target.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        setattr(target, name, value)
