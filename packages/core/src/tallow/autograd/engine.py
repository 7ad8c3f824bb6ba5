"""The backward pass: one walk over the recorded graph, from the newest node to the oldest.

Nodes are numbered as they are made, and an operand is always older than its result, so the order of
creation, reversed, is an order in which every node has received all of its gradient when its turn
comes. The walk works on arrays; with `create_graph` it works on tensors, so that it is itself
recorded.
"""

from itertools import count, repeat
from operator import attrgetter
from threading import Lock

import numpy as np

from tallow import backend
from tallow.autograd.builtin import cast, stack, sum_to, unstack
from tallow.autograd.inplace import bump
from tallow.autograd.modes import state
from tallow.autograd.node import Pick
from tallow.autograd.op import batches
from tallow.errors import ArgumentError, GradientError, ShapeError, TypeMismatchError, describe
from tallow.tensor import Tensor, refresh, wrap

_newest_first = attrgetter("sequence")
_accumulating = Lock()  # threads may share leaves


class Walk:
    """One backward pass. Gradients of the tensors `wanted` are captured rather than accumulated.

    `kind` is the class of the passes to make: another one looks for anomalies.
    """

    def __init__(self, create_graph, retain_graph, wanted=None):
        self.create_graph = create_graph
        self.retain_graph = retain_graph
        self.gradients = {}  # node -> gradient, or a list of them for a node with several outputs
        self.leaves = {}  # id of a leaf -> (leaf, gradient so far, is it ours alone)
        self.pending = {}  # id of a leaf -> how many nodes will still send it a gradient
        self.captured = None
        self.wanted_nodes = self.wanted_leaves = ()
        self.ends = ()  # wanted nodes before which nothing is wanted: not differentiated
        if wanted is not None:
            self.captured = {}
            self.wanted_nodes = {x.node for x in wanted if x.node is not None}
            self.wanted_leaves = {id(x) for x in wanted if x.node is None}

    def run(self, roots, gradients):
        """Send `gradients` (arrays, or tensors under create_graph) into the tensors `roots`."""
        self.order = order = self._order([root.node for root in roots if root.node is not None])
        before = state.enabled, state.walk
        state.enabled, state.walk = self.create_graph, self
        try:
            for root in roots:
                if root.node is None:
                    self.pending[id(root)] = self.pending.get(id(root), 0) + 1
            for root, g in zip(roots, gradients, strict=True):
                if type(g) is np.ndarray:
                    self._send(root.node or root, g, False)
                else:
                    with _home(g):
                        self._send(root.node or root, g, False)
            for node in order:
                if node in self.gradients:
                    g = self.gradients.pop(node)
                    if type(g) is np.ndarray:
                        self._visit(node, g)
                    else:
                        with _home(g):
                            self._visit(node, g)
            for leaf, g, ours in list(self.leaves.values()):
                with _home(g):
                    self._finish_leaf(leaf, g, ours)
        finally:
            state.enabled, state.walk = before
            self.order = None

    def reaches(self, x):
        """True if this pass will give a gradient to the tensor x."""
        if x.node is not None:
            return x.node in self.order
        return id(x) in (self.pending if self.captured is None else self.wanted_leaves)

    def _order(self, roots):
        """All nodes to visit, newest first; counts how many gradients each leaf will get."""
        seen = set(roots)
        stack = list(seen)
        pending = self.pending
        while stack:
            for edge in stack.pop().edges:
                if isinstance(edge, Tensor):
                    pending[id(edge)] = pending.get(id(edge), 0) + 1
                elif edge not in seen:
                    seen.add(edge)
                    stack.append(edge)
        order = sorted(seen, key=_newest_first)
        if self.captured is not None:
            order = self._leading_to_wanted(order)
        order.reverse()
        return order

    def _leading_to_wanted(self, oldest_first):
        """Only the nodes through which a wanted tensor is reached."""
        leads = set(self.wanted_nodes)
        self.ends = set(leads)
        for node in oldest_first:
            if any(
                id(edge) in self.wanted_leaves if isinstance(edge, Tensor) else edge in leads
                for edge in node.edges
            ):
                leads.add(node)
                self.ends.discard(node)
        return [node for node in oldest_first if node in leads]

    def _visit(self, node, g):
        """Turn the gradient of a node's output into those of its operands, and send them on."""
        hooks = node.hooks
        if hooks is not None or node.retained or node in self.wanted_nodes:
            g = self._observe(node, g)
            if node in self.ends:
                return
        if type(g) is list:
            g = tuple(map(self._zeros, repeat(node), count(), g)) if node.materialize else tuple(g)
        parts = node.vjp(g, self.create_graph)
        if hooks is not None and hooks.after:
            parts = self._after(node, parts, g)
        if type(node) is Pick:
            slots = self.gradients.setdefault(node.edges[0], [None] * node.edges[0].outputs)
            before = slots[node.index]  # set where a rule's own use of the output came first
            slots[node.index] = parts[0] if before is None else before + parts[0]
        else:
            for edge, part in zip(node.edges, parts, strict=True):
                if part is not None:
                    self._send(edge, part, part is not g)
        if not self.retain_graph:
            node.release()

    def _send(self, edge, part, fresh):
        """Add `part` to the gradient of an edge; `fresh` if nobody else holds this array."""
        leaf = isinstance(edge, Tensor)
        target = edge.array if leaf else edge
        array = part.array if self.create_graph else part
        if array.shape != target.shape:
            part = sum_to(part, shape=target.shape)
            fresh = True
        if array.dtype is not target.dtype and array.dtype != target.dtype:
            part = cast(part, dtype=target.dtype)
            fresh = True
        if leaf:
            self._send_to_leaf(edge, part, fresh)
        else:
            before = self.gradients.get(edge)
            self.gradients[edge] = part if before is None else before + part

    def _send_to_leaf(self, leaf, part, fresh):
        key = id(leaf)
        entry = self.leaves.get(key)
        if entry is None:
            entry = (leaf, part, fresh and not self.create_graph and part.base is None)
        elif entry[2] and part.ndim:
            total = entry[1]
            total += part  # of a dense and a sparse one a new one
            entry = (leaf, total, True)
        else:
            entry = (leaf, entry[1] + part, not self.create_graph)
        self.leaves[key] = entry
        self.pending[key] -= 1
        if self.pending[key] == 0:
            del self.leaves[key]
            self._finish_leaf(*entry)

    def _finish_leaf(self, leaf, g, ours):
        """All of a leaf's gradient is here: run its hooks, then capture or accumulate it."""
        if self.captured is not None and id(leaf) not in self.wanted_leaves:
            return
        if not self.create_graph:
            g = _tensor(backend.as_array(g) if ours else _own_copy(g))
        hooks = leaf.hooks
        if hooks is not None and hooks.before:
            g = _run(hooks.before, g)
            if not self.create_graph:  # hooks may have kept it, and what is in `grad` will change
                g = _tensor(g.array.copy())
        if self.captured is not None:
            self.captured[id(leaf)] = g
            return
        accumulate(leaf, g, self.create_graph)
        if hooks is not None:
            for hook in list(hooks.after.values()):
                hook(leaf)

    def _observe(self, node, g):
        """Show the gradient of a node's output to hooks, `retain_grad` and `autograd.grad`."""
        if type(g) is list:  # each has a Pick of its own, which is observed
            for hook in list(node.hooks.before.values()) if node.hooks else ():
                replaced = hook(tuple(map(self._shown, g)))
                g = g if replaced is None else list(map(self._hidden, replaced))
            return g
        tensor = g if self.create_graph else wrap(backend.as_array(g))
        if node.hooks is not None:
            tensor = _run(node.hooks.before, tensor)
        for reference in node.retained or ():
            retaining = reference()
            if retaining is not None:
                accumulate(
                    retaining, tensor if self.create_graph else wrap(tensor.array.copy()), True
                )
        if node in self.wanted_nodes:
            self.captured[node] = tensor
        return tensor if self.create_graph else tensor.array

    def _after(self, node, parts, g):
        """Show the gradients of a node's operands to its hooks, which may replace them."""
        inputs = tuple(map(self._shown, node.spread(parts)))
        outputs = tuple(map(self._shown, g if type(g) is tuple else (g,)))
        for hook in list(node.hooks.after.values()):
            inputs = hook(inputs, outputs) or inputs
        return list(map(self._hidden, node.gathered(inputs)))

    def _shown(self, g):
        return g if g is None or self.create_graph else wrap(backend.as_array(g))

    def _hidden(self, g):
        return g if g is None or self.create_graph else g.array

    def _zeros(self, node, index, g):
        """The gradient of one of several outputs: zeros where nothing used it."""
        if g is not None or node.output_types[index] is None:  # the output is no tensor
            return g
        shape, dtype, xp = node.output_types[index]
        zeros = xp.zeros(shape, dtype)
        return wrap(zeros) if self.create_graph else zeros


Walk.kind = Walk


def _home(g):
    """The context of a gradient's device: of an array, a tensor or several."""
    g = next(x for x in g if x is not None) if type(g) is list else g
    return backend.at(g.array if isinstance(g, Tensor) else g)


def accumulate(leaf, g, create_graph):
    """Add the tensor `g` to `leaf.grad`, in place: the tensor in `grad` stays the same one."""
    with _accumulating:
        if leaf.grad is None:
            leaf.grad = g
        elif create_graph or type(leaf.grad.array) is not type(g.array):
            leaf.grad = leaf.grad + g
        else:
            leaf.grad.array += g.array
            bump(leaf.grad)


def _tensor(array):
    """The tensor of a leaf's gradient, of the class that goes with the kind of array."""
    return wrap(array, cls=getattr(array, "kind", Tensor))


def _own_copy(g):
    """A contiguous array that shares no memory: gradients are handed to the user."""
    return backend.as_array(g).copy()


def _run(hooks, g):
    for hook in list(hooks.values()):
        replaced = hook(g)
        if replaced is not None:
            if not isinstance(replaced, Tensor):
                found = type(replaced).__name__
                raise TypeMismatchError(f"hook: expected a tensor or None, got {found}")
            if replaced.shape != g.shape or replaced.dtype is not g.dtype:
                raise ShapeError(f"hook: expected {describe(g)}, got {describe(replaced)}")
            g = replaced
    return g


def first_gradients(outputs, gradients):
    """The gradients to start from: those given, or 1 for an output with one element."""
    given = [None] * len(outputs) if gradients is None else as_tuple(gradients)
    if len(given) != len(outputs):
        raise GradientError(f"backward: expected {len(outputs)} gradients, got {len(given)}")
    return [_first_gradient(x, g) for x, g in zip(outputs, given, strict=True)]


def _first_gradient(x, g):
    if x.alias is not None:
        refresh(x)
    if not x._requires_grad:
        raise GradientError(
            "backward: expected a tensor computed from tensors that require gradients, got one "
            "that was not; set requires_grad=True on what you differentiate by, and compute "
            "outside no_grad()"
        )
    if g is None:
        if x.array.size != 1:
            raise GradientError(
                f"backward: expected a scalar, got {describe(x)}; reduce it with .sum() or "
                ".mean(), or pass the gradient of this tensor"
            )
        if x.dtype.is_complex:
            raise GradientError(
                f"backward: expected a real scalar, got {describe(x)}; take .real or .abs(), or "
                "pass the gradient of this tensor"
            )
        with backend.at(x.array):
            return wrap(backend.for_array(x.array).xp.ones_like(x.array))
    if not isinstance(g, Tensor):
        raise TypeMismatchError(f"backward: expected tensors as gradients, got {type(g).__name__}")
    if g.array.shape != x.array.shape:
        raise ShapeError(
            f"backward: expected a gradient of shape {tuple(x.array.shape)}, got {describe(g)}"
        )
    return g


def as_tuple(tensors):
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


def _walk(outputs, gradients, retain_graph, create_graph, wanted):
    if state.batch and wanted is None:
        batches.refuse()
    outputs = as_tuple(outputs)
    roots = first_gradients(outputs, gradients)
    retain_graph = create_graph if retain_graph is None else retain_graph
    walk = Walk.kind(create_graph, retain_graph, wanted)
    walk.run(outputs, roots if create_graph else [g.array for g in roots])
    return walk


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """Add to `grad` of every leaf (or of `inputs`) the gradient of the sum of `tensors`.

    `grad_tensors` are the gradients of the tensors themselves; a scalar needs none. What was kept
    for the backward pass is freed unless `retain_graph`; `create_graph` records the pass so that it
    can be differentiated in turn.

    >>> import tallow
    >>> x = tallow.tensor([1.0, 2.0], requires_grad=True)
    >>> tallow.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if inputs is None:
        _walk(tensors, grad_tensors, retain_graph, create_graph, None)
        return
    inputs = as_tuple(inputs)
    if not inputs:
        raise GradientError("backward: expected at least one tensor in inputs, got none")
    gradients = grad(tensors, inputs, grad_tensors, retain_graph, create_graph, allow_unused=True)
    for x, g in zip(inputs, gradients, strict=True):
        retained = x.node is not None and any(r() is x for r in x.node.retained or ())
        if g is not None and not retained:
            accumulate(x, g, create_graph)


def grad(
    outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True,
    allow_unused=None, is_grads_batched=False, materialize_grads=False,
):  # fmt: skip
    """The gradients of the sum of `outputs` by `inputs`, as a tuple; `grad` is not touched.

    An input that was not used raises GradientError, unless `allow_unused` (gives None) or
    `materialize_grads` (gives zeros). With `is_grads_batched` each of `grad_outputs` has a batch
    dim in front, and so has each result: one backward pass per element. `only_inputs` makes no
    difference.

    >>> import tallow
    >>> x = tallow.tensor(3.0, requires_grad=True)
    >>> tallow.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    inputs = as_tuple(inputs)
    if not inputs:
        raise GradientError("grad: expected at least one input, got none")
    if materialize_grads and allow_unused is False:
        raise ArgumentError("grad: expected allow_unused True with materialize_grads, got False")
    for x in inputs:
        if not x.requires_grad:
            raise GradientError(
                "grad: expected inputs that require gradients, got one that does not"
            )
    if is_grads_batched:
        found = _batched(outputs, inputs, grad_outputs, retain_graph, create_graph)
    else:
        found = _captured(outputs, inputs, grad_outputs, retain_graph, create_graph)
    if materialize_grads:
        return tuple(_zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True))
    if not allow_unused and any(g is None for g in found):
        position = next(i for i, g in enumerate(found) if g is None)
        raise GradientError(
            f"grad: expected every input to be used by the outputs, but input {position} was not; "
            "pass allow_unused=True to get None for it"
        )
    return tuple(found)


def _captured(outputs, inputs, gradients, retain_graph, create_graph):
    """The gradient of each input, None where there is none."""
    walk = _walk(outputs, gradients, retain_graph, create_graph, inputs)
    return [walk.captured.get(id(x) if x.node is None else x.node) for x in inputs]


def _batched(outputs, inputs, gradients, retain_graph, create_graph):
    """`_captured` for each element of a batch of gradients, stacked."""
    *rows, last = zip(*[unstack(g, axis=0) for g in as_tuple(gradients)], strict=True)
    found = [_captured(outputs, inputs, row, True, create_graph) for row in rows]
    found.append(_captured(outputs, inputs, last, retain_graph, create_graph))
    columns = zip(*found, strict=True)
    return [None if parts[0] is None else stack(*parts, axis=0) for parts in columns]


@backend.there
def _zeros_like(x):
    return wrap(backend.for_array(x.array).xp.zeros_like(x.array))
