"""The graph: a `Node` per recorded operation, with edges to what its operands came from.

An edge is a Node, or a leaf Tensor itself. A node keeps the operands its rules name, as tensors,
and other values: outputs as arrays, so that no reference cycle arises. It never refers to the
tensor it computed. Nodes and in-place changes draw from one clock, so "was this operand changed
after I was recorded" is one comparison.
"""

from tallow import backend
from tallow.errors import GradientError, describe
from tallow.tensor import Tensor, last_change, tick, wrap

NOTHING: list = []


class BaseNode:
    """What the engine needs of a node: `edges`, `sequence` (when it was made), `shape` and `dtype`
    of its output, `hooks` (on the gradient of the output), and `retained` (weak references to
    tensors that want it in `grad`).
    """

    __slots__ = ("edges", "sequence", "shape", "dtype", "hooks", "retained", "__weakref__")

    outputs = 1
    materialize = True  # False: an output that nothing used has None, not zeros, as its gradient

    def __init__(self, edges, out):
        self.edges = edges
        self.sequence = tick()
        self.shape = out.shape
        self.dtype = out.dtype
        self.hooks = self.retained = None

    @property
    def next_functions(self):
        """Where this node sends gradients, as torch's pairs `(function, input_nr)`."""
        return tuple((edge, 0) for edge in self.edges)

    def release(self):
        """Let go of what was kept for the backward pass."""

    def spoil(self, op_name):
        """The output was changed in place by `op_name`."""


class Node(BaseNode):
    """A recorded call of an `Op`: the plan says what to keep and which rules to run."""

    __slots__ = ("plan", "tensors", "extras", "spoiled")

    def __init__(self, plan, operands, params, out):
        self.plan = plan
        self.edges = edges = []
        for i in plan.active:
            x = operands[i]
            edges.append(x.node or x)
        self.tensors = tensors = []
        for i in plan.kept:
            tensors.append(operands[i])
        self.extras = plan.extra_values(operands, params, out) if plan.extras else NOTHING
        self.shape = out.shape
        self.dtype = out.dtype
        self.hooks = self.retained = self.spoiled = None
        self.sequence = tick()

    def name(self):
        return self.plan.op.name

    def __repr__(self):
        return f"<{self.plan.op.name} backward>"

    def vjp(self, g, create_graph):
        """The gradients for `edges`, given that of the output (a tuple if there are several)."""
        tensors = self.tensors
        if tensors is None:
            raise GradientError(
                f"backward: expected what {self.plan.op.name} kept for its gradient, but an "
                "earlier backward() freed it; call that one with retain_graph=True"
            )
        values = []
        for x in tensors:
            if isinstance(x, Tensor):
                if (x.changed if x.alias is None else last_change(x)) > self.sequence:
                    self._modified(x)
                if not create_graph:
                    x = x.array
            values.append(x)
        if self.spoiled:
            self._spoiled()
        if self.extras:
            values += self._rewrapped() if create_graph else self.extras
        if self.dtype.kind == "c" and self.plan.op.holomorphic:
            parts = self.plan.pull(g.conj(), values)
            return [None if part is None else part.conj() for part in parts]
        return self.plan.pull(g, values)

    def _rewrapped(self):
        """The kept values, outputs as tensors of this node: to record the backward pass itself."""
        values = list(self.extras)
        if self.plan.keeps_out:
            i = self.plan.extras.index("out")
            if self.outputs == 1:
                values[i] = wrap(values[i], requires_grad=True)
                values[i].node = self
            else:
                values[i] = tuple(
                    self._rewrapped_output(n, array) for n, array in enumerate(values[i])
                )
        return values

    def _rewrapped_output(self, index, array):
        tensor = wrap(array)
        if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
            tensor._requires_grad = True
            tensor.node = Pick(self, index, array)
        return tensor

    def _modified(self, x):
        name = self.plan.op.name
        kept = next(i for i, y in zip(self.plan.kept, self.tensors, strict=True) if y is x)
        raise GradientError(
            f"backward: the operand `{self.plan.op.operands[kept]}` that {name} kept for its "
            f"gradient, {describe(x)}, was modified by an in-place operation after {name} (it is "
            f"at version {x._version}); use the out-of-place form, or clone() it first"
        )

    def _spoiled(self):
        name = self.plan.op.name
        raise GradientError(
            f"backward: the output that {name} kept for its gradient was modified by an in-place "
            f"operation ({self.spoiled}); use the out-of-place form, or clone() it first"
        )

    def release(self):
        if self.tensors or self.extras:
            self.tensors, self.extras = None, NOTHING

    def spoil(self, op_name):
        if self.plan.keeps_out:
            self.spoiled = op_name


class SeveralNode(Node):
    """A recorded call with several outputs; the node of a differentiable one is a `Pick` of it."""

    __slots__ = ("outputs", "output_types")

    def __init__(self, plan, operands, params, out):
        super().__init__(plan, operands, params, out[0])
        if plan.extras:
            self.extras = plan.extra_values(operands, params, out)
        self.outputs = len(out)
        self.output_types = [(a.shape, a.dtype, backend.for_array(a).xp) for a in out]

    @property
    def materialize(self):
        return self.plan.op.materialize


class Pick(BaseNode):
    """One output of a node that has several."""

    __slots__ = ("index",)

    def __init__(self, node, index, out):
        super().__init__([node], out)
        self.index = index

    def name(self):
        return self.edges[0].name()

    def __repr__(self):
        return f"<{self.name()} backward, output {self.index}>"

    def vjp(self, g, create_graph):
        return [g]

    def spoil(self, op_name):
        self.edges[0].spoil(op_name)
