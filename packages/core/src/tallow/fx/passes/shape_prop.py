"""The shapes of what each step of a graph gives."""

from typing import NamedTuple

from tallow.fx.interpreter import Interpreter
from tallow.fx.node import map_aggregate
from tallow.tensor import Tensor

__all__ = ["ShapeProp", "TensorMetadata"]


class TensorMetadata(NamedTuple):
    """What is known of a tensor without its values."""

    shape: tuple
    dtype: object
    requires_grad: bool
    stride: tuple
    memory_format: object
    is_quantized: bool
    qparams: dict


def _extract_tensor_metadata(result):
    return TensorMetadata(
        result.shape, result.dtype, result.requires_grad, result.stride(), None, False, {}
    )


class ShapeProp(Interpreter):
    """Runs a GraphModule and notes in each Node's `meta` what it gave.

    `meta["tensor_meta"]` is a TensorMetadata, or a structure of them, and `meta["type"]` the class.

    >>> import tallow
    >>> from tallow.fx.passes.shape_prop import ShapeProp
    >>> traced = tallow.fx.symbolic_trace(tallow.nn.Linear(3, 2))
    >>> _ = ShapeProp(traced).propagate(tallow.ones(5, 3))
    >>> traced.graph.output_node().meta["tensor_meta"].shape
    tallow.Size([5, 2])
    """

    def run_node(self, n):
        result = super().run_node(n)
        found = []

        def noted(x):
            if not isinstance(x, Tensor):
                return x
            found.append(x)
            return _extract_tensor_metadata(x)

        meta = map_aggregate(result, noted)
        if found:
            n.meta["tensor_meta"] = meta
        n.meta["type"] = type(result)
        return result

    def propagate(self, *args):
        """Run with these arguments; returns the result."""
        return self.run(*args)
