"""Values that are not known yet: what is done with a Proxy becomes a step of a Graph.

A Proxy notes what is done with it: operators and methods by being asked for them, functions by
`__torch_function__`.
"""

import dis
import inspect
import operator
from types import BuiltinFunctionType, FunctionType

from tallow import overrides
from tallow.device import device
from tallow.dtypes import dtype
from tallow.errors import ArgumentError, TallowError
from tallow.fx.node import BINARY, COMPARED, UNARY, Node, has_keywords, is_public, map_aggregate
from tallow.layout import layout, memory_format

__all__ = ["Attribute", "GraphAppendingTracer", "Proxy", "TraceError", "TracerBase"]

BASE = (
    int, float, complex, str, bytes, type(None), type(...), dtype, device, layout, memory_format,
    type, FunctionType, BuiltinFunctionType, Node,
)  # fmt: skip


class TraceError(TallowError, ValueError):
    """What a program does while it is traced depends on values."""


class Proxy:
    """What stands for a value while a program is traced: what is done with it becomes a Node."""

    def __init__(self, node, tracer=None):
        self.node = node
        self.tracer = tracer or TracerBase(node.graph)

    def __repr__(self):
        return f"Proxy({self.node.name})"

    def __getattr__(self, name):
        return Attribute(self, name)

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self):
        """Unpacking, `a, b = proxy`, of as many parts as the program takes; no loops."""
        frame = inspect.currentframe().f_back
        code = list(dis.get_instructions(frame.f_code))
        step = next((i for i in code if i.offset == frame.f_lasti), None)
        if step is not None and step.opname == "UNPACK_SEQUENCE":
            return (self[i] for i in range(step.argval))
        return self.tracer.iter(self)

    def __bool__(self):
        return self.tracer.to_bool(self)

    def __len__(self):
        raise ArgumentError(
            "len: expected a length that is known while tracing, got a Proxy; "
            "tallow.fx.wrap('len') at the top of the program records the call"
        )

    def keys(self):
        """Parts of a Proxy as keyword arguments: not known."""
        return self.tracer.keys(self)

    def __torch_function__(self, orig_method, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if is_public(orig_method):
            args, kwargs = _as_pytorch(orig_method, args, kwargs)
            return self.tracer.create_proxy("call_function", orig_method, args, kwargs)
        if getattr(orig_method, "__name__", "") == "__get__":
            return Attribute(args[0], orig_method.__self__.fget.__name__)
        return self.tracer.create_proxy("call_method", orig_method.__name__, args, kwargs)


class Attribute(Proxy):
    """An attribute of a Proxy: a method if it is called, else a step of its own."""

    def __init__(self, root, attr):
        self.root, self.attr, self.tracer = root, attr, root.tracer

    @property
    def node(self):
        if "_node" not in self.__dict__:
            args = (self.root, self.attr)
            self._node = self.tracer.create_proxy("call_function", getattr, args, {}).node
        return self._node

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


def _operators():
    """Attach the operators to Proxy."""

    def attach(name, function, reflected):
        def method(self, *others):
            args = (*others, self) if reflected else (self, *others)
            return self.tracer.create_proxy("call_function", function, args, {})

        setattr(Proxy, name, method)

    for name in (*BINARY, *COMPARED, *UNARY, "getitem"):
        function, plain = getattr(operator, name), name.strip("_")
        attach(f"__{plain}__", function, False)
        if name in BINARY:
            attach(f"__r{plain}__", function, True)
    Proxy.__hash__ = object.__hash__


_operators()


def _as_pytorch(function, args, kwargs):
    """Arguments as PyTorch's function of the same name passes them on."""
    if function.__name__ == "einsum" and isinstance(args[-1], list | tuple):
        args = (*args[:-1], *args[-1])
    if has_keywords(function):
        signature = inspect.signature(function)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        required = [p.name for p in signature.parameters.values() if p.default is p.empty]
        given = bound.arguments
        args = tuple(given[name] for name in required)
        kwargs = {name: value for name, value in given.items() if name not in required}
    return args, kwargs


class TracerBase:
    """Makes Nodes of what is done with Proxies, in `graph`."""

    def __init__(self, graph=None):
        self.graph = graph
        overrides.ask_arguments()

    def create_node(self, kind, target, args, kwargs, name=None, type_expr=None):
        """A new step."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node):
        """The Proxy for a step."""
        return Proxy(node, self)

    def create_proxy(self, kind, target, args, kwargs, name=None, type_expr=None):
        """A new step with arguments that have Proxies in them, as a Proxy."""
        args, kwargs = self.create_arg(tuple(args)), self.create_arg(dict(kwargs))
        return self.proxy(self.create_node(kind, target, args, kwargs, name, type_expr))

    def create_arg(self, a):
        """An argument as a Node takes it: Nodes for Proxies."""
        return map_aggregate(a, self._leaf)

    def _leaf(self, a):
        if isinstance(a, Proxy):
            return a.node
        if isinstance(a, range):
            return self._leaf_of_function(range, (a.start, a.stop, a.step))
        if isinstance(a, BASE):
            return a
        raise NotImplementedError(f"trace: expected an argument of a simple type, got {type(a)}")

    def _leaf_of_function(self, function, args):
        args = tuple(map(self._leaf, args))
        if not any(isinstance(x, Node) for x in args):
            return function(*args)
        return self.create_node("call_function", function, args, {})

    def to_bool(self, obj):
        """What a Proxy is as a condition: not known."""
        raise TraceError(
            "trace: expected a program whose way does not depend on values, got a Proxy as a "
            "condition"
        )

    def iter(self, obj):
        """The parts of a Proxy: it is not known how many."""
        raise TraceError(
            "trace: expected no loops over tensors and no *args of one, as its length is not known"
        )

    def keys(self, obj):
        """The parts of a Proxy as keyword arguments: `**proxy`."""
        return Attribute(obj, "keys")()


GraphAppendingTracer = TracerBase
