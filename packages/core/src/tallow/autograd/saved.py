"""Nodes that hand what they keep to hooks, and remember where they were made.

`Plan.node` makes plain nodes; while hooks on saved tensors or the search for anomalies is on in any
thread, it makes these instead, so that otherwise neither costs anything.
"""

from threading import Lock

from tallow.autograd import op
from tallow.autograd.modes import anomaly, no_grad, state
from tallow.autograd.node import Node, SeveralNode
from tallow.errors import TypeMismatchError
from tallow.tensor import Tensor, wrap

_users = 0
_lock = Lock()


def watch(change):
    """Count the users of watched nodes: +1 on entering, -1 on leaving."""
    global _users
    with _lock:
        _users += change
        classes = (WatchedNode, WatchedSeveral) if _users else (Node, SeveralNode)
        op.Plan.node, op.Plan.several = classes


class Packed:
    """A saved tensor in the form that a hook gave it, and what it takes to be one again."""

    __slots__ = ("value", "unpack", "node", "leaf", "itself")

    def __init__(self, x):
        pack, self.unpack = state.packing[-1]
        self.node = x.node
        self.leaf = x if x.node is None and x._requires_grad else None
        with no_grad():
            self.value = pack(x)
        self.itself = self.value is x

    def restored(self, create_graph):
        """The tensor, with its history where the backward pass is itself recorded."""
        if create_graph and self.leaf is not None:
            return self.leaf
        with no_grad():
            found = self.unpack(self.value)
        if not isinstance(found, Tensor):
            raise TypeMismatchError(
                "saved_tensors_hooks: expected a tensor from the unpack hook, got "
                f"{type(found).__name__}"
            )
        if self.itself and found is self.value:
            return found
        recorded = create_graph and self.node is not None
        found = wrap(found.array, requires_grad=recorded)  # when a copy changed says nothing
        found.node = self.node if recorded else None
        return found


def _stack():
    """Where the operation was called: the frames without those of its call."""
    import traceback  # here alone, and slow to import

    stack, inner = traceback.extract_stack(), (__file__, op.__file__)
    while stack[-1].filename in inner or stack[-1].filename.startswith(op.WRITTEN):
        stack.pop()
    return stack


class Watched:
    """What watched nodes add to others: tensors are packed, and where the call was is kept."""

    __slots__ = ()

    def __init__(self, plan, operands, params, out):
        super().__init__(plan, operands, params, out)
        self.trace = _stack() if anomaly.enabled else None
        self.packed = bool(state.packing)
        if self.packed:
            self.tensors = [Packed(x) if isinstance(x, Tensor) else x for x in self.tensors]
            if plan.keeps_out:
                self.extras = self._exchanged(lambda array: Packed(wrap(array)))

    def _exchanged(self, function):
        """The extras with `function` of each kept output in its place."""
        extras, i = list(self.extras), self.plan.extras.index("out")
        out = extras[i]
        extras[i] = tuple(map(function, out)) if type(out) is tuple else function(out)
        return extras

    def vjp(self, g, create_graph):
        if not self.packed or self.tensors is None:
            return super().vjp(g, create_graph)
        kept = self.tensors, self.extras
        self.tensors = [
            x.restored(create_graph) if isinstance(x, Packed) else x for x in self.tensors
        ]
        if self.plan.keeps_out:
            self.extras = self._exchanged(lambda packed: packed.restored(False).array)
        try:
            return super().vjp(g, create_graph)
        finally:
            self.tensors, self.extras = kept


class WatchedNode(Watched, Node):
    __slots__ = ("packed", "trace")


class WatchedSeveral(Watched, SeveralNode):
    __slots__ = ("packed", "trace")
