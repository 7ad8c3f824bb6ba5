"""Names of PyTorch's tracing of modules, for programs that ask: here nothing is ever traced.

`tallowvision.models.feature_extraction` takes the outputs of inner layers, `tallow.onnx.export`
writes a model's graph.
"""

from tallow.errors import LeftOutError
from tallow.left_out import LEFT_OUT, missing

__all__ = ["Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "wrap"]


class _Never:
    """What nothing is: `isinstance(x, GraphModule)` is False, and making one is an error."""

    def __init__(self, *args, **kwargs):
        name = f"torch.fx.{type(self).__name__}"
        raise LeftOutError(f"fx: expected no {name}; {LEFT_OUT['torch.fx.symbolic_trace']}")


class Graph(_Never):
    """A program as a list of nodes."""


class GraphModule(_Never):
    """A module that was made from a Graph."""


class Interpreter(_Never):
    """What runs a GraphModule, node by node."""


class Node(_Never):
    """A step of a Graph."""


class Proxy(_Never):
    """What stands for a tensor while a module is traced."""


class Tracer(_Never):
    """What traces a module."""


def wrap(fn_or_name):
    """The function, or its name: as nothing is traced, nothing has to be kept from it."""
    return fn_or_name


def __getattr__(name):
    raise missing("tallow.fx", name)
