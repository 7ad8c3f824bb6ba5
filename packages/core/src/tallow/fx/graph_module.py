"""Modules that are made of a Graph."""

import __future__

import copy
import itertools

from tallow import names
from tallow.fx.graph import Graph
from tallow.fx.node import package
from tallow.nn.module import Module
from tallow.tensor import Tensor

__all__ = ["GraphModule"]


def reached(module, path):
    """What is at a dotted path."""
    for part in path.split("."):
        module = getattr(module, part)
    return module


def _place(root, path, value):
    """Put a module, a tensor or something else at a dotted path, with modules on the way."""
    *parents, name = path.split(".")
    for part in parents:
        if not hasattr(root, part):
            root.add_module(part, Module())
        root = getattr(root, part)
    if type(value) is Tensor:
        root.register_buffer(name, value)
    else:
        setattr(root, name, value)


class GraphModule(Module):
    """A module whose `forward` is written by a Graph, and written anew by `recompile`.

    Of `root`, a module or a dict, it has what the graph names. Each is of a class of its own.

    >>> import tallow
    >>> made = tallow.fx.symbolic_trace(lambda x: tallow.relu(x) + 1)
    >>> for node in made.graph.nodes:
    ...     if node.target is tallow.relu:
    ...         node.target = tallow.sigmoid
    >>> _ = made.recompile()
    >>> made(tallow.zeros(1))
    tensor([1.5000])
    """

    def __new__(cls, *args, **kwargs):
        own = next(c for c in cls.__mro__ if "forward" not in vars(c) or c is GraphModule)
        return super().__new__(type("GraphModuleImpl", (own,), {"__module__": cls.__module__}))

    def __init__(self, root, graph, class_name="GraphModule"):
        super().__init__()
        type(self).__name__ = class_name
        self.training = getattr(root, "training", True)
        self.meta = {}
        for node in graph.nodes:
            if node.op in ("get_attr", "call_module"):
                given = root[node.target] if isinstance(root, dict) else reached(root, node.target)
                _place(self, node.target, given)
        self.graph = graph

    @property
    def graph(self):
        """The Graph. Another one may be set, which recompiles."""
        return self._graph

    @graph.setter
    def graph(self, graph):
        self._graph, graph.owning_module = graph, self
        self.recompile()

    @property
    def code(self):
        """The text of `forward`."""
        return self._code

    def recompile(self):
        """Write `forward` anew, after the graph has changed; returns the text and its names."""
        made = self._graph.python_code()
        scope = {names.package: package(), **made.globals}
        text = compile(made.src, "<tallow.fx graph>", "exec", __future__.annotations.compiler_flag)
        exec(text, scope)
        type(self).forward, self._code = scope["forward"], made.src
        return made

    def add_submodule(self, target, m):
        """Put a module at a path, and modules on the way; True."""
        _place(self, target, m)
        return True

    def delete_submodule(self, target):
        """Take out the module at a path; False if there is none."""
        parent, _, name = target.rpartition(".")
        try:
            delattr(reached(self, parent) if parent else self, name)
        except AttributeError:
            return False
        return True

    def delete_all_unused_submodules(self):
        """Take out the modules that no step uses."""
        used = [n.target for n in self._graph.nodes if n.op in ("call_module", "get_attr")]
        kept = set()
        for target in used:
            kept.update(itertools.accumulate(target.split("."), "{}.{}".format))
        for name, _ in list(self.named_modules()):
            inside = any(name.startswith(f"{target}.") for target in used)
            if name and name not in kept and not inside:
                self.delete_submodule(name)

    def print_readable(self, print_output=True):
        """The module as a class; prints it."""
        body = self.code.strip().replace("\n", "\n    ")
        text = f"class {type(self).__name__}({names.package}.nn.Module):\n    {body}\n"
        if print_output:
            print(text)
        return text

    def __str__(self):
        return f"{super().__str__()}\n{self._code}"

    def __deepcopy__(self, memo):
        held = {key: value for key, value in self.__dict__.items() if key != "_graph"}
        return _restored(type(self).__name__, copy.deepcopy(held, memo), copy.deepcopy(self._graph))

    def __copy__(self):
        return _restored(type(self).__name__, dict(self.__dict__), self._graph)

    def __reduce__(self):
        held = {key: value for key, value in self.__dict__.items() if key != "_graph"}
        return _restored, (type(self).__name__, held, self._graph)


def _restored(name, held, graph):
    """A GraphModule with these attributes."""
    made = GraphModule({}, Graph(), name)
    made.__dict__.update(held)
    made.graph = graph
    return made
