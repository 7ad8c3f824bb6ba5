"""The steps of a Graph."""

import builtins
import functools
import operator
import sys
from types import BuiltinFunctionType, FunctionType
from typing import Any

from tallow import names, overrides
from tallow.errors import ArgumentError
from tallow.size import Size

__all__ = ["Node", "map_aggregate", "map_arg"]

Argument = Target = Any  # for programs' annotations
OPS = ("placeholder", "get_attr", "call_function", "call_method", "call_module", "output")
_IMPURE = set()  # functions that are called for what they do, besides what they return


# Functions of nn.functional that PyTorch calls as they are called; others are called with what has
# a default by name.
AS_CALLED = set(
    """
    avg_pool1d avg_pool2d avg_pool3d bilinear celu_ channel_shuffle conv1d conv2d conv3d
    conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc cosine_similarity gelu hardshrink
    hardtanh_ leaky_relu_ linear logsigmoid native_channel_shuffle one_hot pairwise_distance pdist
    pixel_shuffle pixel_unshuffle prelu relu_ rrelu_ scaled_dot_product_attention selu_ softplus
    softshrink threshold_ elu_ pad
""".split()
)


def has_keywords(function):
    """True for a function that PyTorch's graphs call with keywords, being written in Python."""
    ours = function.__module__.startswith("tallow.nn.functional")
    return ours and function.__name__ not in AS_CALLED


def has_side_effect(fn):
    """Have calls of a function stay in graphs, though nothing uses what they return."""
    _IMPURE.add(fn)
    return fn


def map_aggregate(a, fn):
    """A structure of tuples, lists, dicts and slices, with `fn` of each of its leaves."""
    if isinstance(a, tuple):
        parts = [map_aggregate(x, fn) for x in a]
        return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)
    if isinstance(a, list):
        return [map_aggregate(x, fn) for x in a]
    if isinstance(a, dict):
        return {key: map_aggregate(x, fn) for key, x in a.items()}
    if isinstance(a, slice):
        return slice(*(map_aggregate(x, fn) for x in (a.start, a.stop, a.step)))
    return fn(a)


def map_arg(a, fn):
    """A structure with `fn` of each Node in it."""
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def package():
    """tallow, with the names that programs use."""
    return sys.modules["tallow"]


@functools.cache
def _public():
    """The names of public functions, by the function."""
    found = {}
    for owner, functions in overrides.get_overridable_functions().items():
        place = owner if isinstance(owner, str) else owner.__name__
        for function in functions if place != "Tensor" else ():
            name = function.__name__
            top = _at_the_top(function) and not has_keywords(function)
            found.setdefault(id(function), f"{'' if top else place[6:]}.{name}")
    return found


def _at_the_top(function):
    return getattr(package(), getattr(function, "__name__", ""), None) is function


def is_public(function):
    """True for a function of tallow's or of one of its modules, not a method of tensors alone."""
    return id(function) in _public() or _at_the_top(function)


def qualified(target):
    """The name of a function or a class, with that of its module, as programs write it."""
    if id(target) in _public():
        return names.package + _public()[id(target)]
    if _at_the_top(target):
        return f"{names.package}.{target.__name__}"
    name, module = target.__qualname__, getattr(target, "__module__", None) or "builtins"
    if module.startswith("tallow"):
        module = names.package + module.removeprefix("tallow")
    return f"{'operator' if module == '_operator' else module}.{name}"


def found_by_name(name):
    """The public function of a name that begins with a dot, as `public_name` gives it."""
    return operator.attrgetter(name.removeprefix("."))(package())


def public_name(function):
    """The name of a public function; anything else itself."""
    return _public().get(id(function), function)


def type_name(kind):
    """The name of an annotation, which may be a text itself."""
    if isinstance(kind, str):
        return kind
    if not isinstance(kind, type):
        return repr(kind).replace("typing.", "")
    return kind.__name__ if kind.__module__ == builtins.__name__ else qualified(kind)


class Node:
    """A step: its `op` and `target`, what it is given (`args`, `kwargs`), and its `users`.

    `placeholder`     an argument of the function; `args` may hold its default
    `get_attr`        a parameter, a buffer or another attribute, `target` its path
    `call_function`   `target(*args, **kwargs)`
    `call_method`     the method `target` of `args[0]`
    `call_module`     the module at the path `target`
    `output`          returns `args[0]`

    `meta` is a dict for programs' own notes, `type` an annotation.
    """

    def __init__(self, graph, name, op, target, args, kwargs, return_type=None):
        if op not in OPS:
            raise ArgumentError(f"Node: expected op {', '.join(OPS)}, got {op!r}")
        if op == "call_function" and not callable(target):
            raise ArgumentError(f"Node: expected a function as target, got {target!r}")
        self.graph, self.name, self.op, self.target = graph, name, op, target
        self.type = return_type
        self.meta, self.users = {}, {}
        self._next = self._prev = self
        self._args, self._kwargs = (), {}
        self._set(args, kwargs)

    def _set(self, args, kwargs):
        for node in self.all_input_nodes:
            node.users.pop(self, None)
        self._args, self._kwargs = map_arg(tuple(args), lambda n: n), map_arg(kwargs, lambda n: n)
        for node in self.all_input_nodes:
            node.users[self] = None

    @property
    def args(self):
        """Positional arguments, with Nodes among them."""
        return self._args

    @args.setter
    def args(self, args):
        self._set(args, self._kwargs)

    @property
    def kwargs(self):
        """Arguments by name."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs):
        self._set(self._args, kwargs)

    @property
    def all_input_nodes(self):
        """The Nodes among the arguments, each once."""
        found = {}
        map_arg((self._args, self._kwargs), lambda n: found.setdefault(n))
        return list(found)

    @property
    def next(self):
        """The step after this one."""
        return self._next

    @property
    def prev(self):
        """The step before this one."""
        return self._prev

    @property
    def stack_trace(self):
        """Where the program made it, if that was noted."""
        return self.meta.get("stack_trace")

    def prepend(self, x):
        """Move another step before this one."""
        x._unlink()
        x._prev, x._next = self._prev, self
        self._prev._next = self._prev = x

    def append(self, x):
        """Move another step after this one."""
        self._next.prepend(x)

    def _unlink(self):
        self._prev._next, self._next._prev = self._next, self._prev

    def update_arg(self, idx, arg):
        """Replace one positional argument."""
        self.args = (*self._args[:idx], arg, *self._args[idx + 1 :])

    def insert_arg(self, idx, arg):
        """Put an argument before the positional one at `idx`."""
        self.args = (*self._args[:idx], arg, *self._args[idx:])

    def update_kwarg(self, key, arg):
        """Replace one argument by name."""
        self.kwargs = {**self._kwargs, key: arg}

    def replace_input_with(self, old_input, new_input):
        """Use another Node wherever this one uses `old_input`."""
        given = self._args, self._kwargs
        self._set(*map_arg(given, lambda n: new_input if n is old_input else n))

    def replace_all_uses_with(self, replace_with, delete_user_cb=lambda user: True):
        """Have those that use this Node use another; returns who did."""
        used = [user for user in self.users if user is not replace_with and delete_user_cb(user)]
        for user in used:
            user.replace_input_with(self, replace_with)
        return used

    def is_impure(self):
        """True if it must stay though nothing uses it."""
        if self.op in ("placeholder", "output"):
            return True
        return self.op == "call_function" and self.target in _IMPURE

    def format_node(self, placeholder_names=None, maybe_return_typename=None):
        """The step as a line of the graph."""
        if self.op == "output":
            return f"return {self._args[0]}"
        kind = f"{type_name(self.type)} " if self.type else ""
        named = qualified(self.target) if callable(self.target) else self.target
        line = f"%{self.name} : {kind}[num_users={len(self.users)}] = {self.op}[target={named}]"
        if self.op == "placeholder":
            return f"{line}(default={self._args[0]})" if self._args else line
        if self.op == "get_attr":
            return line
        return f"{line}(args = {_shown(self._args)}, kwargs = {_shown(self._kwargs)})"

    def __repr__(self):
        return self.name


def _shown(x):
    if isinstance(x, list):
        return f"[{', '.join(map(_shown, x))}]"
    if isinstance(x, tuple):
        return f"({', '.join(map(_shown, x))}{',' if len(x) == 1 else ''})"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{key}: {_shown(value)}" for key, value in x.items()) + "}"
    return f"%{x}" if isinstance(x, Node) else str(x)


# Nodes as a program's text

BINARY = {
    "add": "+", "sub": "-", "mul": "*", "floordiv": "//", "truediv": "/", "mod": "%", "pow": "**",
    "lshift": "<<", "rshift": ">>", "and_": "&", "or_": "|", "xor": "^", "matmul": "@",
}  # fmt: skip
COMPARED = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
UNARY = {"neg": "-", "invert": "~", "pos": "+"}
_INFIX = {getattr(operator, name): sign for name, sign in {**BINARY, **COMPARED}.items()}
_PREFIX = {getattr(operator, name): sign for name, sign in UNARY.items()}


class Writer:
    """Writes nodes as lines of Python, and gathers the names that the text uses (`scope`)."""

    def __init__(self):
        self.scope = {"inf": float("inf"), "nan": float("nan"), "NoneType": type(None)}

    def word(self, x):
        """An argument."""
        if isinstance(x, Node):
            return x.name
        if isinstance(x, Size):
            x = tuple(x)
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return f"{self.name(type(x))}({', '.join(map(self.word, x))})"
        if isinstance(x, tuple):
            return f"({', '.join(map(self.word, x))}{',' if len(x) == 1 else ''})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.word, x))}]"
        if isinstance(x, dict):
            return "{" + ", ".join(f"{k!r}: {self.word(v)}" for k, v in x.items()) + "}"
        if isinstance(x, slice):
            return f"slice({', '.join(map(self.word, (x.start, x.stop, x.step)))})"
        if isinstance(x, FunctionType | BuiltinFunctionType | type):
            return self.name(x)
        if type(x).__module__ == "tallow.device":
            self.scope["device"] = type(x)
        return repr(x)

    def name(self, function):
        """A function or a class; what is not tallow's or builtin under a name of its own."""
        name = qualified(function)
        if name.startswith(f"{names.package}."):
            return name
        name = name.removeprefix("builtins.").replace(".<locals>", "").replace(".", "_")
        name = name.replace("<lambda>", "_lambda_")
        while self.scope.setdefault(name, function) is not function:
            name += "_"
        return name

    def call(self, callee, args, kwargs):
        words = [*map(self.word, args), *(f"{k} = {self.word(v)}" for k, v in kwargs.items())]
        return f"{callee}({', '.join(words)})"

    def value(self, node):
        """What a step computes."""
        args, kwargs, target = node.args, node.kwargs, node.target
        if node.op == "get_attr":
            return path("self", target)
        if node.op == "call_module":
            return self.call(path("self", target), args, kwargs)
        if node.op == "call_method":
            return self.call(f"{self.word(args[0])}.{target}", args[1:], kwargs)
        if target in _PREFIX:
            return _PREFIX[target] + self.word(args[0])
        if target in _INFIX:
            return f"{self.word(args[0])} {_INFIX[target]} {self.word(args[1])}"
        if target is operator.getitem:
            return f"{self.word(args[0])}[{self.word(args[1])}]"
        if target is getattr and str(args[1]).isidentifier() and len(args) == 2:
            return f"{self.word(args[0])}.{args[1]}"
        return self.call(self.name(target), args, kwargs)


def path(text, target):
    """An attribute of an attribute, `self.layers.0`, as Python writes it."""
    for part in target.split("."):
        text = f"{text}.{part}" if part.isidentifier() else f'getattr({text}, "{part}")'
    return text
