"""Batch normalization folded into the layers before it."""

import copy

from tallow.fx._symbolic_trace import symbolic_trace
from tallow.fx.graph_module import GraphModule, reached
from tallow.nn import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    Conv1d,
    Conv2d,
    Conv3d,
    Linear,
)
from tallow.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

__all__ = ["fuse"]

PAIRS = {
    (Conv1d, BatchNorm1d): fuse_conv_bn_eval,
    (Conv2d, BatchNorm2d): fuse_conv_bn_eval,
    (Conv3d, BatchNorm3d): fuse_conv_bn_eval,
    (Linear, BatchNorm1d): fuse_linear_bn_eval,
}


def fuse(model, inplace=False, no_trace=False):
    """A model in evaluation as a GraphModule, with layers and their batch norms as one.

    >>> from tallow import nn
    >>> from tallow.fx.experimental.optimization import fuse
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval()
    >>> [node.op for node in fuse(model).graph.nodes]
    ['placeholder', 'call_module', 'output']
    """
    model = model if inplace else copy.deepcopy(model)
    made = model if no_trace and isinstance(model, GraphModule) else symbolic_trace(model)
    for node in made.graph.nodes:
        before = node.args[0] if node.op == "call_module" else None
        if getattr(before, "op", "") != "call_module" or len(before.users) > 1:
            continue
        layer, norm = reached(made, before.target), reached(made, node.target)
        fusing = PAIRS.get((type(layer), type(norm)))
        if fusing is None or not norm.track_running_stats:
            continue
        made.add_submodule(before.target, fusing(layer, norm))
        node.replace_all_uses_with(before)
        made.graph.erase_node(node)
    made.delete_all_unused_submodules()
    made.recompile()
    return made
