"""The graph: a `Node` per recorded operation, with edges to what its operands came from.

An edge is a Node, or a leaf Tensor itself. A node keeps the operands its rules name, as tensors,
and other values: outputs as arrays, so that no reference cycle arises. It never refers to the
tensor it computed. Nodes and in-place changes draw from one clock, so "was this operand changed
after I was recorded" is one comparison.

Programs see nodes as PyTorch's: `AddBackward0`, its `next_functions`, its `_saved_self`. A node
takes a class of that name when it is first shown (`shown`), so recording does not pay for it.
"""

from functools import cache
from weakref import WeakKeyDictionary

from tallow import backend
from tallow.autograd import names
from tallow.autograd.hooks import Hooks, register
from tallow.errors import GradientError, describe
from tallow.tensor import Tensor, last_change, tick, wrap

NOTHING: list = []

_metadata: WeakKeyDictionary = WeakKeyDictionary()


class BaseNode:
    """What the engine needs of a node: `edges`, `sequence` (when it was made), `shape` and `dtype`
    of its output, `hooks` (on the gradient of the output), and `retained` (weak references to
    tensors that want it in `grad`).
    """

    __slots__ = ("edges", "sequence", "shape", "dtype", "hooks", "retained", "__weakref__")

    outputs = 1
    materialize = True  # False: an output that nothing used has None, not zeros, as its gradient
    named = False  # True: its class has PyTorch's name

    def __init__(self, edges, out):
        self.edges = edges
        self.sequence = tick()
        self.shape = out.shape
        self.dtype = out.dtype
        self.hooks = self.retained = None

    def name(self):
        """PyTorch's name for it, that of its class when a program sees it."""
        return f"{self.title}Backward"

    def __repr__(self):
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self):
        """The nodes that this one sends gradients to, each with the number of its output.

        There is one for each operand, `(None, 0)` where it needs no gradient.
        """
        return tuple(map(numbered, self.spread(self.edges)))

    def spread(self, parts):
        """What is by edge as it is by operand, None where that has no edge."""
        return parts

    def gathered(self, parts):
        """What is by operand as it is by edge."""
        return parts

    @property
    def metadata(self):
        """A dict to keep things in that belong to this node."""
        return _metadata.setdefault(self, {})

    def register_prehook(self, fn):
        """Call `fn(gradients)` of the outputs before the rule runs; it may return others."""

        def hook(g):
            if self.outputs > 1:
                return fn(g)
            return (fn((g,)) or (None,))[0]

        self.hooks = self.hooks or Hooks()
        return register(self.hooks.before, hook)

    def register_hook(self, fn):
        """Call `fn(grad_inputs, grad_outputs)` after the rule ran; it may return grad_inputs.

        Of `grad_inputs`, tensors or None, there is one for each operand.
        """
        self.hooks = self.hooks or Hooks()
        return register(self.hooks.after, fn)

    def release(self):
        """Let go of what was kept for the backward pass."""

    def spoil(self, op_name):
        """The output was changed in place by `op_name`."""


def _conj(g):
    return None if g is None else g.conj()


def numbered(edge):
    """An edge as torch's pair `(function, input_nr)`."""
    if edge is None:
        return None, 0
    if isinstance(edge, Pick):
        return shown(edge), edge.index
    return (AccumulateGrad(edge) if isinstance(edge, Tensor) else shown(edge)), 0


def shown(node):
    """A node as programs see it: with PyTorch's name, and one for all outputs of a call."""
    if isinstance(node, Pick):
        node = node.edges[0]
    if not node.named:
        node.__class__ = _named(type(node), node.name())
    return node


@cache
def _named(kind, name):
    return type(name, (kind,), {"__slots__": (), "__module__": "builtins", "named": True})


class AccumulateGrad:
    """A leaf, `variable`, among the `next_functions` of a node."""

    __slots__ = ("variable",)

    next_functions = ()

    def __init__(self, variable):
        self.variable = variable

    def name(self):
        return "torch::autograd::AccumulateGrad"

    def register_prehook(self, fn):
        """Call `fn((gradient,))` before it is added; it may return another."""
        return self.variable.register_hook(lambda g: (fn((g,)) or (None,))[0])

    def register_hook(self, fn):
        """Call `fn((), (gradient,))` after a gradient was added to that of the leaf."""
        return self.variable.register_post_accumulate_grad_hook(lambda x: fn((), (x.grad,)))

    def __eq__(self, other):
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self):
        return id(self.variable)


class Node(BaseNode):
    """A recorded call of an `Op`: the plan says what to keep and which rules to run."""

    __slots__ = ("plan", "tensors", "extras", "spoiled")

    def __init__(self, plan, operands, params, out, results=None):
        self.plan = plan
        self.edges = edges = []
        for i in plan.active:
            x = operands[i]
            edges.append(x.node or x)
        self.tensors = tensors = []
        for i in plan.kept:
            tensors.append(operands[i])
        kept = out if results is None else results
        self.extras = plan.extra_values(operands, params, kept) if plan.extras else NOTHING
        self.shape = out.shape
        self.dtype = out.dtype
        self.hooks = self.retained = self.spoiled = None
        self.sequence = tick()

    @property
    def title(self):
        """The operation's name, for messages."""
        return self.plan.op.name

    def name(self):
        return type(self).__name__ if self.named else names.name_of(self)

    @property
    def next_functions(self):
        inner = names.inner_of(self)
        return super().next_functions if inner is None else inner.next_functions

    def __getattr__(self, name):
        if not name.startswith("_saved_"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return names.saved(self, name.removeprefix("_saved_"))

    def __dir__(self):
        return [*super().__dir__(), *map("_saved_{}".format, names.saved_names(self))]

    def spread(self, parts):
        if self.plan.op.variadic:
            return parts
        found = dict(zip(self.plan.active, parts, strict=True))
        return [found.get(i) for i in range(len(self.plan.op.operands))]

    def gathered(self, parts):
        return parts if self.plan.op.variadic else [parts[i] for i in self.plan.active]

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
            values += self.rewrapped() if create_graph else self.extras
        if self.dtype.kind == "c" and self.plan.op.holomorphic:
            g = tuple(map(_conj, g)) if type(g) is tuple else g.conj()
            return list(map(_conj, self.plan.pull(g, values)))
        return self.plan.pull(g, values)

    def rewrapped(self):
        """The kept values, outputs as tensors of this node: to record the backward pass itself."""
        values = list(self.extras)
        if self.plan.keeps_out:
            i = self.plan.extras.index("out")
            if type(values[i]) is not tuple:
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
        if self.tensors or self.plan.keeps_out:
            self.tensors, self.extras = None, NOTHING

    def spoil(self, op_name):
        if self.plan.keeps_out:
            self.spoiled = op_name


class SeveralNode(Node):
    """A recorded call with several outputs; the node of a differentiable one is a `Pick` of it."""

    __slots__ = ("outputs", "output_types", "materialize")

    def __init__(self, plan, operands, params, out):
        super().__init__(plan, operands, params, out[0], out)
        self.outputs = len(out)
        self.materialize = plan.op.materialize
        self.output_types = self.materialize and [
            (a.shape, a.dtype, backend.for_array(a).xp) for a in out
        ]


class Pick(BaseNode):
    """One output of a node that has several."""

    __slots__ = ("index",)

    def __init__(self, node, index, out):
        super().__init__([node], out)
        self.index = index

    def name(self):
        return self.edges[0].name()

    def vjp(self, g, create_graph):
        return [g]

    def spoil(self, op_name):
        self.edges[0].spoil(op_name)
