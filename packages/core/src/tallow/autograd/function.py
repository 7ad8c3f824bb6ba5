"""`Function`: an operation whose forward and backward the user writes with tensors."""

from weakref import ref

from tallow import backend
from tallow.autograd import inplace
from tallow.autograd.modes import no_grad, state
from tallow.autograd.node import BaseNode, Pick
from tallow.autograd.op import batches
from tallow.autograd.saved import Packed
from tallow.errors import GradientError, TypeMismatchError, describe
from tallow.tensor import Tensor, last_change, root_of, tick, wrap


class FunctionCtx:
    """What `forward` leaves for `backward`: saved tensors and any attributes."""

    def __init__(self, needs_input_grad):
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self.to_save = ()
        self.non_differentiable = set()
        self.dirty = set()
        self.node = None  # a weak reference, once there is one

    def save_for_backward(self, *tensors):
        """Keep inputs or outputs for `backward`, checked for in-place changes; None is allowed."""
        for i, x in enumerate(tensors):
            if x is not None and not isinstance(x, Tensor):
                raise TypeMismatchError(
                    f"save_for_backward: expected tensors, got {type(x).__name__} at position {i}; "
                    "keep other things as attributes of ctx"
                )
        self.to_save = tensors

    @property
    def saved_tensors(self):
        """The tensors given to `save_for_backward`."""
        return self.to_save if self.node is None else self.node().unpack()

    def mark_non_differentiable(self, *outputs):
        """Outputs that get no gradient."""
        self.non_differentiable.update(map(id, outputs))

    def mark_dirty(self, *inputs):
        """Inputs that `forward` changed in place and returns."""
        self.dirty.update(map(id, inputs))

    def set_materialize_grads(self, value):
        """False: `backward` gets None, not zeros, for outputs that nothing used."""
        self.materialize_grads = value


class FunctionNode(BaseNode):
    """A recorded call of a user's `Function`. Attributes of its ctx are its own, too."""

    __slots__ = (
        "function", "context", "slots", "saved", "outputs", "output_types", "freed", "spoiled",
    )  # fmt: skip

    def __init__(self, function, context, operands, parts):
        self.slots = [
            i for i, x in enumerate(operands) if isinstance(x, Tensor) and x._requires_grad
        ]
        first = next(x for x in parts if isinstance(x, Tensor))
        super().__init__([operands[i].node or operands[i] for i in self.slots], first.array)
        self.function = function
        self.context = context
        self.outputs = len(parts)
        self.output_types = [_type_of(x) for x in parts]
        self.freed = False
        self.spoiled = None
        self.saved = ()

    def __getattr__(self, name):
        if name == "context":
            raise AttributeError(name)
        return getattr(self.context, name)

    @property
    def materialize(self):
        return self.context.materialize_grads

    @property
    def title(self):
        """The function's name, for messages."""
        return self.function.__name__

    def keep(self, outputs):
        """Hold what was saved: inputs as they are, own outputs by number, against cycles."""
        numbers = {id(x): i for i, x in enumerate(outputs) if isinstance(x, Tensor)}
        self.saved = [
            (numbers[id(x)], x.array) if id(x) in numbers else (None, x)
            for x in self.context.to_save
        ]
        if state.packing:
            self.saved = [
                (number, x if x is None else Packed(x if number is None else wrap(x)))
                for number, x in self.saved
            ]
        self.context.to_save = ()
        self.context.node = ref(self)
        self.sequence = tick()

    def unpack(self):
        if self.freed:
            raise GradientError(
                f"{self.title}: its saved tensors were freed by an earlier backward(); call that "
                "one with retain_graph=True"
            )
        return tuple(self._restore(number, x) for number, x in self.saved)

    def _restore(self, number, x):
        if isinstance(x, Packed):
            x = x.restored(state.enabled and number is None)
            x = x if number is None else x.array
        if number is None:
            if x is not None and last_change(x) > self.sequence:
                raise GradientError(
                    f"backward: a tensor that {self.title} saved was modified by an in-place "
                    f"operation (it is at version {x._version}); use the out-of-place form, or "
                    "clone() it first"
                )
            return x
        if self.spoiled:
            raise GradientError(
                f"backward: an output that {self.title} saved was modified by an in-place "
                f"operation ({self.spoiled}); use the out-of-place form, or clone() it first"
            )
        tensor = wrap(x, requires_grad=True)
        tensor.node = self if self.outputs == 1 else Pick(self, number, x)
        return tensor

    def vjp(self, g, create_graph):
        parts = g if type(g) is tuple else (g,)
        tensors = [p if create_graph or p is None else wrap(p) for p in parts]
        rule = getattr(self.function, "vjp", None) or self.function.backward
        once = create_graph and getattr(rule, "once_differentiable", False)
        before, state.enabled = state.enabled, create_graph and not once
        try:
            results = self._checked(rule(self.context, *tensors))
        finally:
            state.enabled = before
        chosen = [results[i] for i in self.slots]
        if once:
            return [None if r is None else self._refusing(r) for r in chosen]
        return chosen if create_graph else [None if r is None else r.array for r in chosen]

    def _checked(self, results):
        results = results if isinstance(results, tuple | list) else (results,)
        count = len(self.context.needs_input_grad)
        if len(results) < count or any(r is not None for r in results[count:]):
            raise GradientError(
                f"{self.title}.backward: expected {count} gradients, one per argument of forward "
                f"(None where there is none), got {len(results)}"
            )
        for r in results:
            if r is not None and not isinstance(r, Tensor):
                raise GradientError(
                    f"{self.title}.backward: expected tensors or None, got {type(r).__name__}"
                )
        return results

    def _refusing(self, gradient):
        """A gradient that cannot be differentiated again."""
        tensor = wrap(gradient.array, requires_grad=True)
        tensor.node = OnceNode(self, gradient.array)
        return tensor

    def release(self):
        if self.saved:
            self.freed, self.saved = True, ()

    def spoil(self, op_name):
        if any(number is not None for number, _ in self.saved):
            self.spoiled = op_name


class OnceNode(BaseNode):
    """The gradient of a function whose backward is marked `once_differentiable`."""

    __slots__ = ("of",)

    def __init__(self, node, out):
        super().__init__(node.edges, out)
        self.of = node.title

    @property
    def title(self):
        return f"gradient of {self.of}"

    def vjp(self, g, create_graph):
        raise GradientError(
            f"backward: expected to differentiate {self.of} once, as its backward is marked "
            "once_differentiable, got a second time"
        )


def _type_of(x):
    """What a zero gradient of an output is made of, None where the output is no tensor."""
    if isinstance(x, Tensor):
        return x.array.shape, x.array.dtype, backend.for_array(x.array).xp
    return None


class Function:
    """Base of user-defined operations: give `forward` and `backward` as static methods.

    `apply(...)` runs `forward(ctx, ...)` without recording, and `backward(ctx, ...)` in its place,
    which gets the gradient of each output and returns one per argument of forward, None where there
    is none. With `setup_context(ctx, inputs, output)`, forward takes no ctx.

    >>> import tallow
    >>> class Double(tallow.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = tallow.ones(1, requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor([2.])
    """

    @staticmethod
    def forward(ctx, *args, **kwargs):
        raise NotImplementedError("Function: define forward as a static method")

    @staticmethod
    def backward(ctx, *grad_outputs):
        raise NotImplementedError("Function: define backward as a static method")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Run the function and record it."""
        needs = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)
        context = FunctionCtx(needs)
        with no_grad():
            if hasattr(cls, "setup_context"):
                outputs = cls.forward(*args, **kwargs)
                cls.setup_context(context, args, outputs)
            else:
                outputs = cls.forward(context, *args, **kwargs)
        parts = outputs if isinstance(outputs, tuple | list) else (outputs,)
        if any(needs) and state.enabled and any(isinstance(x, Tensor) for x in parts):
            parts = cls._recorded(context, args, parts)
        return tuple(parts) if isinstance(outputs, tuple | list) else parts[0]

    @classmethod
    def _recorded(cls, context, args, parts):
        """The outputs with this call as their history."""
        if state.batch:  # who wrote `backward` did not think of batches: each example has a call
            batches.refuse()
        for x, needed in zip(args, context.needs_input_grad, strict=True):
            if needed and not x._requires_grad:  # a sparse tensor, whose values have the history
                raise GradientError(
                    f"{cls.__name__}: expected dense tensors where gradients are required, got "
                    f"{describe(x)} of layout {x.layout.name}; pass its values()"
                )
        given = {id(x): x for x in args if isinstance(x, Tensor)}
        changed = [given[key] for key in context.dirty if key in given]
        for x in changed:
            inplace.check(x, cls.__name__, True)
            if all(part is not x for part in parts):
                raise GradientError(
                    f"{cls.__name__}: expected inputs that mark_dirty names among the outputs, got "
                    "one that is not"
                )
        fresh = [
            inplace.alias_without_history(x) if id(x) in given and id(x) not in context.dirty else x
            for x in parts
        ]
        node = FunctionNode(cls, context, args, fresh)
        node.keep(parts)
        roots = {id(root_of(x)) for x in given.values()}
        for number, (x, part) in enumerate(zip(fresh, parts, strict=True)):
            if isinstance(x, Tensor) and id(part) not in context.non_differentiable:
                edge = node if len(parts) == 1 else Pick(node, number, x.array)
                _give_history(x, edge, cls.__name__, id(part) in context.dirty, roots)
        return fresh


def _give_history(x, node, name, dirty, roots):
    """Make `node` what computed the output x, which may be an input changed in place (`dirty`)."""
    if not (x.dtype.is_floating_point or x.dtype.is_complex):
        return
    if dirty:
        out = wrap(x.array, requires_grad=True)
        out.node = node
        inplace.bump(x, name)
        inplace.adopt(x, out)
        return
    if x.alias is not None and id(root_of(x)) not in roots:
        x.alias = None  # a view of memory that nobody else sees
    x.node, x._requires_grad = node, True


def once_differentiable(backward):
    """Decorator for a `backward` that is not itself differentiable: a second order raises."""
    backward.once_differentiable = True
    return backward
