"""Running a program once with Proxies in place of tensors, to have its steps as a Graph.

Modules come to the tracer by a call of `Module` that looks out for it while tracing.
"""

import builtins
import contextlib
import inspect
import math
import sys
from types import FunctionType

from tallow import compiler
from tallow.fx.graph import Graph
from tallow.fx.graph_module import GraphModule
from tallow.fx.node import map_aggregate
from tallow.fx.proxy import Proxy, TracerBase
from tallow.nn.module import Module
from tallow.tensor import Tensor

__all__ = ["Tracer", "symbolic_trace", "wrap"]


class Tracer(TracerBase):
    """Traces modules and functions. Subclasses say what is a step of its own (`is_leaf_module`).

    >>> import tallow
    >>> graph = tallow.fx.Tracer().trace(lambda x: (x + 1).relu())
    >>> [node.name for node in graph.nodes]
    ['x', 'add', 'relu', 'output']
    """

    def __init__(
        self, autowrap_modules=(math,), autowrap_functions=(), param_shapes_constant=False
    ):
        super().__init__()
        self.modules = tuple(autowrap_modules)
        self.functions = tuple(autowrap_functions)

    def is_leaf_module(self, m, module_qualified_name):
        """True for a module whose call is one step: those of `nn`, but for Sequential."""
        ours = type(m).__module__.startswith("tallow.nn.")
        return ours and type(m).__name__ != "Sequential"

    def path_of_module(self, mod):
        """The path from the root to a module."""
        for name, module in self.root.named_modules():
            if module is mod:
                return name
        raise NameError(f"trace: expected a submodule of the root, got {type(mod).__name__}")

    def call_module(self, m, forward, args, kwargs):
        """What a call of a module gives while tracing."""
        name = self.path_of_module(m)
        if self.is_leaf_module(m, name):
            return self.create_proxy("call_module", name, args, kwargs)
        return forward(*args, **kwargs)

    def _leaf(self, a):
        if isinstance(a, Tensor):
            return self.create_node("get_attr", self._path_of(a), (), {})
        if isinstance(a, Module):
            return self.create_node("get_attr", self.path_of_module(a), (), {})
        return super()._leaf(a)

    def _path_of(self, tensor):
        """The path to a parameter, a buffer or another tensor, which is kept at the root."""
        for held in (self.root.named_parameters, self.root.named_buffers):
            for name, x in held():
                if x is tensor:
                    return name
        for module_name, module in self.root.named_modules():
            for name, x in vars(module).items():
                if x is tensor:
                    return f"{module_name}.{name}".lstrip(".")
        number = 0
        while hasattr(self.root, f"_tensor_constant{number}"):
            number += 1
        setattr(self.root, f"_tensor_constant{number}", tensor)
        return f"_tensor_constant{number}"

    def create_args_for_root(self, root_fn, is_module, concrete_args=None):
        """A function without `*` and `**`, and its arguments: Proxies but for those with values."""
        function = inspect.unwrap(root_fn)
        code, given = function.__code__, concrete_args or {}
        known = inspect.signature(function).parameters
        stars = [s for s, flag in (("*", inspect.CO_VARARGS), ("**", inspect.CO_VARKEYWORDS))
                 if code.co_flags & flag]  # fmt: skip
        plain = code.co_argcount + code.co_kwonlyargcount
        names = code.co_varnames[: plain + len(stars)]
        args = [self.root] if is_module else []
        for name, star in zip(names, [""] * plain + stars, strict=True):
            if is_module and name == names[0]:
                continue
            parameter = known[name]
            default = () if parameter.default is parameter.empty else (parameter.default,)
            kind = None if parameter.annotation is parameter.empty else parameter.annotation
            x = self.create_proxy("placeholder", star + name, default, {}, type_expr=kind)
            if name in given:
                self._specialize(name, x, given[name])
            args.append(given.get(name, x))
        flags = code.co_flags & ~(inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
        code = code.replace(co_argcount=len(names), co_kwonlyargcount=0, co_flags=flags)
        return FunctionType(code, function.__globals__, closure=function.__closure__), args

    def _specialize(self, name, x, value):
        """An argument that had a value while tracing must have it in calls."""
        if value is not None:
            said = f"{name} has been specialized to have value {value} but got another value"
            self.create_proxy("call_function", compiler._assert, (x == value, said), {})

    def trace(self, root, concrete_args=None):
        """The Graph of a module or of a function."""
        is_module = isinstance(root, Module)
        self.root = root if is_module else Module()
        self.graph = Graph()
        function = type(root).forward if is_module else root
        annotations = getattr(function, "__annotations__", {})
        function, args = self.create_args_for_root(function, is_module, concrete_args)
        with contextlib.ExitStack() as patches:
            self._patch(patches)
            result = self.create_arg(function(*args))
        kind = annotations.get("return")
        self.create_node("output", "output", (result,), {}, type_expr=kind)
        return self.graph

    def _patch(self, patches):
        """Have calls of modules, and of functions that know no Proxies, come to the tracer."""
        call = Module.__call__

        def module_call(module, *args, **kwargs):
            def forward(*args, **kwargs):
                return call(module, *args, **kwargs)

            return self.call_module(module, forward, args, kwargs)

        _replace(patches, Module.__call__, "__call__", module_call, vars_of=Module)
        for module in self.modules:
            for name, function in list(vars(module).items()):
                if callable(function) and not name.startswith("_"):
                    _replace(patches, function, name, self._recorded(function), vars_of=module)
        for scope, name in _WRAPPED:
            function = scope.get(name, getattr(builtins, name, None))
            patches.callback(
                *([scope.update, {name: function}] if name in scope else [scope.pop, name])
            )
            scope[name] = self._recorded(function)

    def _recorded(self, function):
        """A function whose calls with Proxies are steps."""

        def call(*args, **kwargs):
            found = []
            map_aggregate((args, kwargs), lambda x: isinstance(x, Proxy) and found.append(x))
            if found:
                return found[0].tracer.create_proxy("call_function", function, args, kwargs)
            return function(*args, **kwargs)

        return call


def _replace(patches, old, name, new, vars_of):
    patches.callback(setattr, vars_of, name, old)
    setattr(vars_of, name, new)


_WRAPPED: list = []  # (the globals of a program, the name of a function there)


def wrap(fn_or_name):
    """Have calls of a function with Proxies be steps of their own: at the top of a program.

    `wrap("len")` for a function by its name in the program, or as a decorator.
    """
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    scope = sys._getframe(1).f_globals
    if not any(known is scope and name == other for known, other in _WRAPPED):
        _WRAPPED.append((scope, name))
    return fn_or_name


def symbolic_trace(root, concrete_args=None):
    """A module or a function as a GraphModule, whose graph can be read and changed.

    Arguments in `concrete_args` have these values while tracing. What a program does must not
    depend on values, so sizes, flags and loops over layers are fine where they are known.

    >>> import tallow
    >>> traced = tallow.fx.symbolic_trace(tallow.nn.Sequential(tallow.nn.ReLU()))
    >>> print(traced.code.strip())
    def forward(self, input):
        input_1 = input
        _0 = getattr(self, "0")(input_1);  input_1 = None
        return _0
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
