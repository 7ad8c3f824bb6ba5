"""Modules that hold modules or parameters: lists, dictionaries and chains of them."""

import operator
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping

from tallow.errors import ArgumentError, TypeMismatchError
from tallow.nn.members import MODULE
from tallow.nn.module import Module
from tallow.nn.modules.fused import in_turn
from tallow.nn.parameter import Parameter
from tallow.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Ordered(Module):
    """Children with an order, reached by index and by slice."""

    def _names(self):
        return [name for name, _ in self._own(MODULE)]

    def _name_at(self, index):
        """The name of the child at an index, which may be negative."""
        names = self._names()
        index = operator.index(index)
        if not -len(names) <= index < len(names):
            raise IndexError(
                f"{type(self).__name__}: expected an index within {len(names)} modules, got {index}"
            )
        return names[index]

    def _renumber(self, modules):
        """Make `modules` the children, named by their positions."""
        for name in self._names():
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._sliced(self._own(MODULE)[index])
        return self.__dict__[self._name_at(index)]

    def __setitem__(self, index, module):
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index):
        names = self._names()[index] if isinstance(index, slice) else [self._name_at(index)]
        for name in names:
            delattr(self, name)
        self._renumber(list(self))

    def __len__(self):
        return len(self._names())

    def __iter__(self):
        return iter([module for _, module in self._own(MODULE)])

    def append(self, module):
        """Add a module at the end. Returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules):
        """Add several modules at the end. Returns the container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index, module):
        """Put a module before the one at `index`. Returns the container."""
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, index=-1):
        """Remove the module at an index and return it."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, other):
        return self.extend(other)


class Sequential(_Ordered):
    """Modules called one after the other, each with the output of the one before.

    Takes modules, or one OrderedDict that names them.

    >>> from tallow import nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> tuple(net(tallow.ones(3, 4)).shape)
    (3, 2)
    >>> net[1]
    ReLU()
    """

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self.extend(args)

    def _sliced(self, pairs):
        return type(self)(OrderedDict(pairs))

    def __add__(self, other):
        return Sequential(*self, *other)

    def __mul__(self, count):
        if not isinstance(count, int) or count < 1:
            raise ArgumentError(
                f"Sequential: expected a positive number of repetitions, got {count!r}"
            )
        return Sequential(*list(self) * count)

    __rmul__ = __mul__

    def __imul__(self, count):
        return self.extend(list(self * count)[len(self) :])

    def forward(self, input):
        return in_turn(input, *[module for _, module in self._own(MODULE)])


class ModuleList(_Ordered):
    """A list of modules, which are registered as children. It has no forward.

    >>> from tallow import nn
    >>> layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
    )
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _sliced(self, pairs):
        return type(self)(module for _, module in pairs)

    def __add__(self, other):
        return ModuleList([*self, *other])

    def __repr__(self):
        """As torch's: neighbours with equal reprs are shown once, with their number."""
        groups = []
        for i, module in enumerate(self):
            text = repr(module).replace("\n", "\n  ")
            if groups and groups[-1][2] == text:
                groups[-1][1] = i
            else:
                groups.append([i, i, text])
        lines = [
            f"\n  ({first}): {text}"
            if first == last
            else f"\n  ({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in groups
        ]
        return f"{self._get_name()}({''.join(lines)}\n)" if lines else f"{self._get_name()}()"


class _Keyed(Module, MutableMapping):
    """A module that is a dictionary too. It is compared by identity, as modules are."""

    __eq__ = Module.__eq__
    __hash__ = Module.__hash__

    def __reversed__(self):
        return reversed(list(self))

    def update(self, other=(), /):
        """Take over the items of a mapping or of an iterable of (key, value) pairs."""
        for key, value in other.items() if isinstance(other, Mapping) else other:
            self[key] = value


class ModuleDict(_Keyed):
    """A dictionary of modules, which are registered as children. It has no forward.

    >>> from tallow import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(8, 10), "parity": nn.Linear(8, 2)})
    >>> list(heads), heads["parity"]
    (['digit', 'parity'], Linear(in_features=8, out_features=2, bias=True))
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __contains__(self, key):
        return key in self._modules

    def __iter__(self):
        return iter(self._modules)

    def __len__(self):
        return len(self._modules)


class ParameterList(Module):
    """A list of parameters, which are registered. A plain tensor becomes a parameter.

    >>> from tallow import nn
    >>> scales = nn.ParameterList([tallow.ones(2), tallow.ones(3)])
    >>> len(list(scales.parameters()))
    2
    """

    def __init__(self, values=None):
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _name_at(self, index):
        index = operator.index(index)
        if not -self._size <= index < self._size:
            raise IndexError(
                f"ParameterList: expected an index within {self._size} values, got {index}"
            )
        return str(index % self._size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self.__dict__[self._name_at(index)]

    def __setitem__(self, index, value):
        setattr(self, self._name_at(index), _as_parameter(value))

    def __len__(self):
        return self._size

    def __iter__(self):
        return iter([self.__dict__[str(i)] for i in range(self._size)])

    def append(self, value):
        """Add a value at the end. Returns the list."""
        setattr(self, str(self._size), _as_parameter(value))
        self._size += 1
        return self

    def extend(self, values):
        """Add several values at the end. Returns the list."""
        if isinstance(values, Tensor):
            raise TypeMismatchError(
                "ParameterList: expected an iterable of values, got a tensor; put it in a list"
            )
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values):
        return self.extend(values)

    def __repr__(self):
        return _values_repr(self, enumerate(self))


class ParameterDict(_Keyed):
    """A dictionary of parameters, which are registered. A plain tensor becomes a parameter.

    >>> from tallow import nn
    >>> scales = nn.ParameterDict({"left": tallow.ones(2), "right": tallow.ones(3)})
    >>> [name for name, _ in scales.named_parameters()]
    ['left', 'right']
    """

    def __init__(self, parameters=None):
        super().__init__()
        self._keys = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key):
        if key not in self._keys:
            raise KeyError(key)
        return self.__dict__[key]

    def __setitem__(self, key, value):
        if not isinstance(key, str):
            raise TypeMismatchError(
                f"ParameterDict: expected a string as key, got {type(key).__name__}"
            )
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key):
        del self._keys[key]
        delattr(self, key)

    def __contains__(self, key):
        return key in self._keys

    def __iter__(self):
        return iter(self._keys)

    def __len__(self):
        return len(self._keys)

    def copy(self):
        """A new ParameterDict with the same parameters."""
        return type(self)(self)

    def fromkeys(self, keys, default=None):
        """A new ParameterDict with one value for all of these keys."""
        return type(self)(dict.fromkeys(keys, default))

    def __or__(self, other):
        merged = self.copy()
        merged.update(other)
        return merged

    def __ior__(self, other):
        self.update(other)
        return self

    def __repr__(self):
        return _values_repr(self, self.items())


def _as_parameter(value):
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value, requires_grad=value.is_floating_point() or value.is_complex())
    return value


def _values_repr(module, items):
    """A module with one line for each of the values it holds."""
    lines = []
    for key, value in items:
        if isinstance(value, Tensor):
            size = "x".join(str(n) for n in value.shape)
            kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
            text = f"{kind} containing: [{value.dtype} of size {size}]"
        else:
            text = f"Object of type: {type(value).__name__}"
        lines.append(f"\n    ({key}): {text}")
    return f"{type(module).__name__}({''.join(lines)}\n)" if lines else f"{type(module).__name__}()"
