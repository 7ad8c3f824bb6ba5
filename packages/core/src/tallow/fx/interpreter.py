"""Running a GraphModule step by step."""

from tallow.errors import ArgumentError
from tallow.fx._symbolic_trace import Tracer
from tallow.fx.graph import Graph
from tallow.fx.graph_module import GraphModule, reached
from tallow.fx.node import map_arg

__all__ = ["Interpreter", "Transformer"]


class Interpreter:
    """Runs a GraphModule step by step. Subclasses change what a step does (`call_function`, ...).

    >>> import tallow
    >>> class Shapes(tallow.fx.Interpreter):
    ...     def run_node(self, n):
    ...         result = super().run_node(n)
    ...         print(n.name, tuple(result.shape))
    ...         return result
    >>> traced = tallow.fx.symbolic_trace(lambda x: x.sum(0))
    >>> _ = Shapes(traced).run(tallow.ones(2, 3))
    x (2, 3)
    sum_1 (3,)
    output (3,)
    """

    def __init__(self, module, garbage_collect_values=True, graph=None):
        self.module = module
        self.submodules = dict(module.named_modules())
        self.graph = module.graph if graph is None else graph
        self.garbage_collect_values = garbage_collect_values
        self.env = {}

    def run(self, *args, initial_env=None, enable_io_processing=True):
        """The result of the module. Values in `initial_env` are not computed."""
        self.env = dict(initial_env or {})
        self.args_iter = iter(args)
        last = {}
        for node in self.graph.nodes:
            last.update(dict.fromkeys(node.all_input_nodes, node))
        for node in self.graph.nodes:
            if node not in self.env:
                try:
                    self.env[node] = self.run_node(node)
                except Exception as error:
                    error.add_note(f"While executing {node.format_node()}")
                    raise
            if node.op == "output":
                return self.env[node]
            for used in node.all_input_nodes if self.garbage_collect_values else ():
                if last[used] is node:
                    del self.env[used]
        return None

    def run_node(self, n):
        """What one step gives."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def placeholder(self, target, args, kwargs):
        """The next argument."""
        if target.startswith("*"):
            return list(self.args_iter)
        found = next(self.args_iter, self)
        if found is not self:
            return found
        if not args:
            raise ArgumentError(f"run: expected an argument {target}, got none")
        return args[0]

    def get_attr(self, target, args, kwargs):
        """An attribute of the module."""
        return self.fetch_attr(target)

    def call_function(self, target, args, kwargs):
        """A call of a function."""
        return target(*args, **kwargs)

    def call_method(self, target, args, kwargs):
        """A call of a method."""
        return getattr(args[0], target)(*args[1:], **kwargs)

    def call_module(self, target, args, kwargs):
        """A call of a module."""
        return self.fetch_attr(target)(*args, **kwargs)

    def output(self, target, args, kwargs):
        """What is returned."""
        return args[0]

    def fetch_attr(self, target):
        """What is at a path of the module."""
        return reached(self.module, target)

    def fetch_args_kwargs_from_env(self, n):
        """The arguments of a step, with values for Nodes."""
        return self.map_nodes_to_values((n.args, n.kwargs), n)

    def map_nodes_to_values(self, args, n):
        """A structure with values for Nodes."""
        return map_arg(args, self.env.__getitem__)


class Transformer(Interpreter):
    """Makes another GraphModule of one: what its methods do with Proxies is the new graph."""

    def __init__(self, module):
        super().__init__(module, False)
        self.new_graph = Graph()
        self.tracer = Tracer()
        self.tracer.root, self.tracer.graph = module, self.new_graph

    def placeholder(self, target, args, kwargs):
        """An argument."""
        return self.tracer.create_proxy("placeholder", target, args, kwargs)

    def get_attr(self, target, args, kwargs):
        """An attribute."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_function(self, target, args, kwargs):
        """A call of a function."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def call_module(self, target, args, kwargs):
        """A call of a module."""
        return self.tracer.create_proxy("call_module", target, args, kwargs)

    def transform(self):
        """The new module."""
        result = super().run()
        if result is not None:
            found = map_arg(result, lambda n: n)
            self.new_graph.output(self.tracer.create_arg(found))
        return GraphModule(self.module, self.new_graph, type(self.module).__name__)
