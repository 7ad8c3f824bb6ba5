"""Programs as lists of steps."""

import builtins
import contextlib
import keyword
import re
from typing import NamedTuple

from tallow import names
from tallow.errors import ArgumentError
from tallow.fx.node import Node, Writer, found_by_name, map_arg, public_name, type_name

__all__ = ["Graph"]


class PythonCode(NamedTuple):
    """A graph as the text of a function, and what its names stand for."""

    src: str
    globals: dict


class Nodes:
    """The steps of a graph from first to last, also while they change."""

    def __init__(self, root, reverse=False):
        self.root, self.reverse = root, reverse

    def __iter__(self):
        link = "_prev" if self.reverse else "_next"
        node = getattr(self.root, link)
        while node is not self.root:
            if node.graph is not None:  # else it has been erased meanwhile
                yield node
            node = getattr(node, link)

    def __reversed__(self):
        return Nodes(self.root, not self.reverse)

    def __len__(self):
        return sum(1 for _ in self)


class Graph:
    """A program as a list of Nodes, with methods to make, change, check and print it.

    >>> import tallow
    >>> graph = tallow.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> y = graph.call_function(tallow.relu, (x,))
    >>> graph.output(y)
    output
    >>> print(graph)
    graph():
        %x : [num_users=1] = placeholder[target=x]
        %relu : [num_users=1] = call_function[target=tallow.relu](args = (%x,), kwargs = {})
        return relu
    """

    def __init__(self, owning_module=None):
        self.owning_module = owning_module
        self._root = Node(self, "", "output", "", (), {})
        self._insert = self._root.prepend
        self._used = {}

    @property
    def nodes(self):
        """The steps in order; steps may be added and erased while one goes through them."""
        return Nodes(self._root)

    def output_node(self):
        """The step that returns."""
        return next(n for n in reversed(self.nodes) if n.op == "output")

    def find_nodes(self, *, op, target=None, sort=True):
        """The steps of a kind, of those with a target if one is given."""
        return [n for n in self.nodes if n.op == op and target in (None, n.target)]

    # Making

    def _name(self, wanted):
        """A name that is not taken, and is none of Python's."""
        base = re.sub(r"[^0-9a-zA-Z_]+", "_", wanted)
        base = f"_{base}" if base[:1].isdigit() else base
        base, number = re.fullmatch(r"(.*?)(?:_(\d+))?", base).groups()
        number = number and int(number)
        name = base if number is None else f"{base}_{number}"
        taken = {names.package, "inf", "nan", "device", *vars(builtins)}
        while name in taken or name in self._used or keyword.iskeyword(name):
            number = (number or 0) + 1
            name = f"{base}_{number}"
        self._used[name] = None
        return name

    def create_node(self, op, target, args=None, kwargs=None, name=None, type_expr=None):
        """A new step, at the place where steps are inserted."""
        args, kwargs = args or (), kwargs or {}
        wanted = name or (target.__name__ if callable(target) else str(target))
        wanted = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", wanted.replace(".", "_")).lower()
        wanted = re.sub(r"^__(.*)__$", r"\1", wanted)
        node = Node(self, self._name(name or wanted), op, target, args, kwargs, type_expr)
        self._insert(node)
        return node

    def placeholder(self, name, type_expr=None, default_value=...):
        """An argument."""
        args = () if default_value is ... else (default_value,)
        return self.create_node("placeholder", name, args, type_expr=type_expr)

    def get_attr(self, qualified_name, type_expr=None):
        """An attribute of the module, by its path."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_function(self, the_function, args=None, kwargs=None, type_expr=None, name=None):
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def call_method(self, method_name, args=None, kwargs=None, type_expr=None):
        """A call of a method of `args[0]`."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_module(self, module_name, args=None, kwargs=None, type_expr=None):
        """A call of a module, by its path."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def output(self, result, type_expr=None):
        """Return this."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def node_copy(self, node, arg_transform=lambda node: node):
        """A step of another graph in this one, with `arg_transform` of each Node it uses."""
        args, kwargs = map_arg((node.args, node.kwargs), arg_transform)
        made = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        made.meta = dict(node.meta)
        return made

    def graph_copy(self, g, val_map, return_output_node=False):
        """All steps of another graph here; returns what that returns, as Nodes of this one.

        `val_map` gets what each step became; steps that are in it are not copied.
        """
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], val_map.__getitem__)
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, val_map.__getitem__)
        return None

    # Changing

    @contextlib.contextmanager
    def _inserting(self, insert):
        before, self._insert = self._insert, insert
        try:
            yield
        finally:
            self._insert = before

    def inserting_before(self, n=None):
        """A context in which new steps come before a Node (the first one if none is given)."""
        return self._inserting((n or self._root.next).prepend)

    def inserting_after(self, n=None):
        """A context in which new steps come after a Node, in the order in which they are made."""
        place = [n or self._root]

        def insert(node):
            place[0].append(node)
            place[0] = node

        return self._inserting(insert)

    def erase_node(self, to_erase):
        """Take out a step that nothing uses."""
        if to_erase.users:
            raise ArgumentError(
                f"erase_node: expected a node that nothing uses, got {to_erase}, which "
                f"{', '.join(map(repr, to_erase.users))} uses"
            )
        if to_erase.graph is not self:
            raise ArgumentError(f"erase_node: expected a node of this graph, got {to_erase}")
        to_erase._unlink()
        to_erase._set((), {})
        to_erase.graph = None

    def eliminate_dead_code(self, is_impure_node=Node.is_impure):
        """Take out the steps that nothing uses; True if there were some."""
        before = len(self.nodes)
        for node in reversed(self.nodes):
            if not node.users and not is_impure_node(node):
                self.erase_node(node)
        return len(self.nodes) != before

    def lint(self):
        """ArgumentError if a step uses one that is not before it, or what the module lacks."""
        seen, module = {}, self.owning_module
        for node in self.nodes:
            for used in node.all_input_nodes:
                if used.graph is not self:
                    raise ArgumentError(f"lint: {node} uses {used}, which is of another graph")
                if used not in seen.values():
                    raise ArgumentError(f"lint: {node} uses {used}, which is not before it")
            if seen.setdefault(node.name, node) is not node:
                raise ArgumentError(f"lint: two nodes are called {node.name}")
            if node.op in ("get_attr", "call_module") and module is not None:
                found = module
                for part in node.target.split("."):
                    if not hasattr(found, part):
                        raise ArgumentError(f"lint: {node} needs {node.target}, which is not there")
                    found = getattr(found, part)

    # Printing

    def __str__(self):
        return "graph():" + "".join(f"\n    {node.format_node()}" for node in self.nodes)

    def print_tabular(self):
        """Print the steps as a table."""
        rows = [["opcode", "name", "target", "args", "kwargs"]]
        rows += [[str(x) for x in (n.op, n.name, n.target, n.args, n.kwargs)] for n in self.nodes]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, ["-" * width for width in widths])
        for row in rows:
            padded = [x.ljust(width) for x, width in zip(row, widths, strict=True)]
            print("  ".join(padded).rstrip())

    def python_code(self, root_module="self", *, verbose=False):
        """The graph as the text of a function `forward`."""
        writer, lines, heads, returned = Writer(), [], [root_module], ""
        last = {}  # node -> those that nothing needs after it
        seen = set()
        for node in reversed(self.nodes):
            last[node] = [n for n in node.all_input_nodes if n not in seen]
            seen.update(last[node])
        for node in self.nodes:
            if node.op == "placeholder":
                kind = f" : {type_name(node.type)}" if node.type else ""
                default = f" = {writer.word(node.args[0])}" if node.args else ""
                heads.append(f"{node.target}{kind}{default}")
                target = node.target.lstrip("*")
                if node.name != target:
                    lines.append(f"{node.name} = {target}")
                continue
            if node.op == "output":
                returned = f" -> {type_name(node.type)}" if node.type else ""
                lines.append(f"return {writer.word(node.args[0])}")
                continue
            free = [n.name for n in last[node]] + ([] if node.users else [node.name])
            freed = f";  {' = '.join(free)} = None" if free else ""
            lines.append(f"{node.name} = {writer.value(node)}{freed}")
        body = "\n    ".join(lines or ["pass"])
        head = f"def forward({', '.join(heads)}){returned}:"
        return PythonCode(f"\n\n\n{head}\n    {body}\n    ", writer.scope)

    # Copies

    def __deepcopy__(self, memo):
        made, known = Graph(), {}
        for node in self.nodes:
            known[node] = made.node_copy(node, known.__getitem__)
        return made

    def __getstate__(self):
        number = {node: i for i, node in enumerate(self.nodes)}
        steps = []
        for n in number:
            given = map_arg((n.args, n.kwargs), lambda used: _Place(number[used]))
            steps.append((n.op, public_name(n.target), *given, n.name, n.type))
        return {"steps": steps}

    def __setstate__(self, state):
        self.__init__()
        made = []
        for op, target, args, kwargs, name, kind in state["steps"]:
            args, kwargs = _places(args, made), _places(kwargs, made)
            if op == "call_function" and isinstance(target, str):
                target = found_by_name(target)
            made.append(self.create_node(op, target, args, kwargs, name, kind))


class _Place(Node):
    """A Node in a file, by its number."""

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return _Place, (self.number,)


def _places(x, nodes):
    return map_arg(x, lambda place: nodes[place.number])
