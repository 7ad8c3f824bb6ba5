"""Names of PyTorch's tracing of modules, for programs that ask: here nothing is ever traced.

`tallowvision.models.feature_extraction` takes the outputs of inner layers, `tallow.onnx.export`
writes a model's graph.
"""

from tallow.left_out import LEFT_OUT, Never, missing

__all__ = [
    "FakeTensor", "Graph", "GraphModule", "Interpreter", "Node", "Proxy", "SymFloat", "SymInt",
    "Tracer", "get_proxy_mode", "is_fake", "wrap",
]  # fmt: skip


class _Traced(Never):
    why = LEFT_OUT["torch.fx.symbolic_trace"]


class Graph(_Traced):
    """A program as a list of nodes."""


class GraphModule(_Traced):
    """A module that was made from a Graph."""


class Interpreter(_Traced):
    """What runs a GraphModule, node by node."""


class Node(_Traced):
    """A step of a Graph."""


class Proxy(_Traced):
    """What stands for a tensor while a module is traced."""


class Tracer(_Traced):
    """What traces a module."""


class FakeTensor(_Traced):
    """A tensor of a shape without values."""


class SymInt(_Traced):
    """What stands for an integer while a module is traced."""


class SymFloat(_Traced):
    """What stands for a float while a module is traced."""


def is_fake(x):
    """False: no tensor is without values but those of the device "meta"."""
    return False


def get_proxy_mode():
    """None: nothing is being traced."""


def wrap(fn_or_name):
    """The function, or its name: as nothing is traced, nothing has to be kept from it."""
    return fn_or_name


def __getattr__(name):
    raise missing("tallow.fx", name)
