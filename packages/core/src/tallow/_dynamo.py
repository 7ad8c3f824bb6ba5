"""Names of PyTorch's compiler, for programs that set it up: here nothing is ever compiled."""

from contextlib import nullcontext
from types import SimpleNamespace

from tallow.compiler import allow_in_graph, assume_constant_result, disable, is_compiling, reset
from tallow.left_out import Never

__all__ = [
    "OptimizedModule", "TransformGetItemToIndex", "allow_in_graph", "assume_constant_result",
    "config", "disable", "eval_frame", "is_compiling", "mark_dynamic", "mark_static_address",
    "reset",
]  # fmt: skip


class OptimizedModule(Never):
    """What a compiled module is."""

    why = "`compile` gives back the module itself"


class TransformGetItemToIndex(nullcontext):
    """Nothing: `vmap` takes indexing by tensors as it is."""


config = SimpleNamespace()  # whatever is set makes no difference
eval_frame = SimpleNamespace(OptimizedModule=OptimizedModule)


def mark_dynamic(t, index, **bounds):
    """Nothing: every size may change."""


def mark_static_address(t, guard=True):
    """Nothing: addresses are not built into programs."""
