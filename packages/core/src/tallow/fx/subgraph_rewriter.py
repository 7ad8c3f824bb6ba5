"""Replacing one pattern of steps by another."""

from typing import NamedTuple

from tallow.fx._symbolic_trace import symbolic_trace
from tallow.fx.graph import Graph
from tallow.fx.node import Node, map_aggregate

__all__ = ["Match", "replace_pattern"]


class Match(NamedTuple):
    """Where a pattern was found: its last step, and which step each of the pattern's is."""

    anchor: Node
    nodes_map: dict


def _graph_of(pattern):
    if isinstance(pattern, Graph):
        return pattern
    return getattr(pattern, "graph", None) or symbolic_trace(pattern).graph


def _fits(pattern, node, found):
    """Match a step, and those it uses, with the pattern's; `found` gets the pairs."""
    if not isinstance(pattern, Node) or not isinstance(node, Node):
        return type(pattern) is type(node) and pattern == node
    if pattern in found:
        return found[pattern] is node
    found[pattern] = node
    if pattern.op == "placeholder":
        return True
    if (pattern.op, pattern.target) != (node.op, node.target):
        return False
    mine, theirs = [], []
    map_aggregate((pattern.args, pattern.kwargs), mine.append)
    map_aggregate((node.args, node.kwargs), theirs.append)
    same_form = len(mine) == len(theirs) and list(pattern.kwargs) == list(node.kwargs)
    return same_form and all(_fits(a, b, found) for a, b in zip(mine, theirs, strict=True))


def _used_outside(found, last):
    """True if a step within a match, but for its last one, has other users."""
    inside = {node for pattern, node in found.items() if pattern.op != "placeholder"}
    return any(node is not last and not inside.issuperset(node.users) for node in inside)


def replace_pattern(gm, pattern, replacement):
    """Replace the steps of one function in a GraphModule by those of another.

    Both take the same arguments. Returns a `Match` for each place, and recompiles.

    >>> import tallow
    >>> gm = tallow.fx.symbolic_trace(lambda x: tallow.relu(x) * 2)
    >>> matches = tallow.fx.replace_pattern(gm, lambda x: tallow.relu(x), lambda x: x.abs())
    >>> len(matches), gm(tallow.tensor(-3.0))
    (1, tensor(6.))
    """
    pattern, replacement = _graph_of(pattern), _graph_of(replacement)
    inputs = [n for n in pattern.nodes if n.op == "placeholder"]
    ends = pattern.output_node().args[0]
    matches, taken = [], set()
    for node in list(gm.graph.nodes):
        found = {}
        if not _fits(ends, node, found) or _used_outside(found, node):
            continue
        inner = {n for p, n in found.items() if p.op != "placeholder"}
        if inner & taken:
            continue
        taken |= inner
        new_inputs = [n for n in replacement.nodes if n.op == "placeholder"]
        values = {n: found[p] for n, p in zip(new_inputs, inputs, strict=True)}
        with gm.graph.inserting_before(node):
            made = gm.graph.graph_copy(replacement, values)
        node.replace_all_uses_with(made)
        for gone in reversed(list(gm.graph.nodes)):
            if gone in inner:
                gm.graph.erase_node(gone)
        matches.append(Match(node, found))
    gm.recompile()
    return matches
