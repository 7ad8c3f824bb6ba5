"""Programs as graphs: tracing modules, reading and changing their graphs, running them.

The names are PyTorch's. There is nothing of its compiler: a GraphModule runs as any module does.
"""

from tallow.fx._symbolic_trace import Tracer, symbolic_trace, wrap
from tallow.fx.graph import Graph
from tallow.fx.graph_module import GraphModule
from tallow.fx.interpreter import Interpreter, Transformer
from tallow.fx.node import Node, has_side_effect, map_arg
from tallow.fx.proxy import Proxy, TraceError
from tallow.fx.subgraph_rewriter import replace_pattern

__all__ = [
    "Graph", "GraphModule", "Interpreter", "Node", "Proxy", "TraceError", "Tracer", "Transformer",
    "has_side_effect", "map_arg", "replace_pattern", "symbolic_trace", "wrap",
]  # fmt: skip
