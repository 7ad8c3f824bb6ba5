"""`Function`: an operation whose forward and backward the user writes with tensors."""

from tallow import backend
from tallow.autograd.modes import no_grad, state
from tallow.autograd.node import BaseNode, Pick
from tallow.errors import GradientError
from tallow.tensor import Tensor, last_change, tick, wrap


class Context:
    """What `forward` leaves for `backward`: saved tensors and any attributes."""

    def __init__(self, needs_input_grad):
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self.to_save = ()
        self.non_differentiable = set()
        self.dirty = set()

    def save_for_backward(self, *tensors):
        """Keep inputs or outputs for `backward`, checked for in-place changes; None is allowed."""
        self.to_save = tensors

    @property
    def saved_tensors(self):
        """The tensors given to `save_for_backward`."""
        return self.unpack()

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
    """A recorded call of a user's `Function`."""

    __slots__ = ("function", "context", "slots", "saved", "outputs", "output_types", "freed")

    def __init__(self, function, context, operands, arrays, xp):
        leaves = [x for x in operands if isinstance(x, Tensor)]
        self.slots = [
            i for i, x in enumerate(operands) if isinstance(x, Tensor) and x._requires_grad
        ]
        super().__init__([x.node or x for x in leaves if x._requires_grad], arrays[0])
        self.function = function
        self.context = context
        self.outputs = len(arrays)
        self.output_types = [(a.shape, a.dtype, xp) for a in arrays]
        self.freed = False
        self.saved = ()

    @property
    def materialize(self):
        return self.context.materialize_grads

    def name(self):
        return self.function.__name__

    def __repr__(self):
        return f"<{self.name()} backward>"

    def keep(self, context, outputs):
        """Hold what was saved: inputs as they are, own outputs by number, against cycles."""
        numbers = {id(x): i for i, x in enumerate(outputs)}
        self.saved = [
            (numbers.get(id(x)), x if id(x) not in numbers else x.array) for x in context.to_save
        ]
        context.to_save = ()
        context.unpack = self.unpack
        self.sequence = tick()

    def unpack(self):
        if self.freed:
            raise GradientError(
                f"{self.name()}: its saved tensors were freed by an earlier backward(); call that "
                "one with retain_graph=True"
            )
        return tuple(self._restore(number, x) for number, x in self.saved)

    def _restore(self, number, x):
        if number is not None:
            tensor = wrap(x, requires_grad=True)
            tensor.node = self if self.outputs == 1 else Pick(self, number, x)
            return tensor
        if x is not None and last_change(x) > self.sequence:
            raise GradientError(
                f"backward: a tensor that {self.name()} saved was modified by an in-place "
                f"operation (it is at version {x._version}); use the out-of-place form, or clone() "
                "it first"
            )
        return x

    def vjp(self, g, create_graph):
        parts = g if self.outputs > 1 else (g,)
        tensors = [p if create_graph or p is None else wrap(p) for p in parts]
        results = self.function.backward(self.context, *tensors)
        results = results if isinstance(results, tuple | list) else (results,)
        count = len(self.context.needs_input_grad)
        if len(results) < count or any(r is not None for r in results[count:]):
            raise GradientError(
                f"{self.name()}.backward: expected {count} gradients, one per argument of forward "
                f"(None where there is none), got {len(results)}"
            )
        chosen = [results[i] for i in self.slots]
        return chosen if create_graph else [None if r is None else r.array for r in chosen]

    def release(self):
        if self.saved:
            self.freed, self.saved = True, ()


class Function:
    """Base of user-defined operations: static methods `forward(ctx, ...)` and `backward(ctx, ...)`.

    `apply(...)` runs forward without recording, and backward in its place. `backward` gets the
    gradient of each output and returns one gradient per argument of forward, None where there is
    none. With `setup_context(ctx, inputs, output)`, forward takes no ctx.

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
        context = Context(needs)
        context.unpack = lambda: tuple(context.to_save)
        with no_grad():
            if "setup_context" in dir(cls):
                outputs = cls.forward(*args, **kwargs)
                cls.setup_context(context, args, outputs)
            else:
                outputs = cls.forward(context, *args, **kwargs)
        if not any(needs) or not state.enabled:
            return outputs
        return cls._record(context, args, outputs)

    @classmethod
    def _record(cls, context, args, outputs):
        single = not isinstance(outputs, tuple | list)
        tensors = [x for x in ((outputs,) if single else outputs) if isinstance(x, Tensor)]
        given = {id(x) for x in args}
        fresh = {
            id(x): x if id(x) not in given or id(x) in context.dirty else wrap(x.array)
            for x in tensors
        }
        tensors = [fresh[id(x)] for x in tensors]
        xp = backend.for_array(tensors[0].array).xp
        node = FunctionNode(cls, context, args, [x.array for x in tensors], xp)
        node.keep(context, tensors)
        for number, x in enumerate(tensors):
            floating = x.dtype.is_floating_point or x.dtype.is_complex
            if floating and id(x) not in context.non_differentiable:
                x.node = node if len(tensors) == 1 else Pick(node, number, x.array)
                x._requires_grad = True
                x.alias = None
        whole = [fresh.get(id(x), x) for x in ((outputs,) if single else outputs)]
        return whole[0] if single else tuple(whole)


def once_differentiable(backward):
    """Decorator for a `backward` that cannot be differentiated: it runs without recording."""

    def run(ctx, *gradients):
        with no_grad():
            return backward(ctx, *gradients)

    return run
