"""Names of PyTorch's compiler, for programs that set it up: here nothing is ever compiled."""

from types import SimpleNamespace

from tallow.compiler import allow_in_graph, disable, is_compiling, reset

config = SimpleNamespace()  # whatever is set makes no difference

__all__ = ["allow_in_graph", "config", "disable", "is_compiling", "mark_dynamic", "reset"]


def mark_dynamic(t, index, **bounds):
    """Nothing: every size may change."""
