"""`Op`: an operation defined once. It picks the kernel for a backend, and records for autograd.

    @op
    def mul(x, y):                 # arrays of one backend; positional names are operands
        return x * y

    mul.vjp(lambda g, y: g * y, lambda g, x: g * x)    # one rule per operand

A rule gets the gradient `g` of the output and what it names: operands, `out`, `shapes` (of the operands),
keyword parameters, and in a joint rule `needs`. Nothing else is kept for it. Called on arrays an op returns
arrays; called with a Tensor among the operands it returns Tensors and records. So the one rule runs on arrays
in `backward()`, and on Tensors under `create_graph=True`.
"""

import inspect
from functools import partial

from tallow import backend
from tallow.autograd.modes import state
from tallow.autograd.node import Node, Pick, SeveralNode
from tallow.errors import DeviceError, ShapeError, TallowError, listing
from tallow.tensor import UNRECORDED, Tensor, View, refresh, wrap

_new = object.__new__

REGISTRY: dict[str, "Op"] = {}


def op(body=None, **traits):
    """Make an operation of a function on arrays. Use as `@op` or `@op(view=True)`."""
    return Op(body, **traits) if body is not None else partial(op, **traits)


class Op:
    """An operation: a generic body, kernels for backends, and rules for its gradient.

    `view`         the output may share the memory of the first operand
    `holomorphic`  for complex operands, the rules are those of a complex-differentiable function; the engine
                   conjugates around them (PyTorch's convention). False: the rules do it themselves.
    """

    def __init__(self, body, *, view=False, holomorphic=True):
        self.name = body.__name__
        self.__doc__ = body.__doc__
        self.__name__ = self.__qualname__ = self.name
        self.__module__ = body.__module__
        self.body = body
        self.view = view
        self.holomorphic = holomorphic
        self._read_signature()
        self.rules = ()
        self.joint = None
        self.kernels = {}
        self.special = {}
        self.plans = {}
        REGISTRY[self.name] = self

    def _read_signature(self):
        parameters = list(inspect.signature(self.body).parameters.values())
        self.takes_xp = parameters[0].name == "xp"
        parameters = parameters[self.takes_xp :]
        self.params = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self.operands = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)

    def __repr__(self):
        return f"<op {self.name}({', '.join(self.operands)})>"

    # Definition

    def vjp(self, *rules):
        """One rule per operand, in order; None where there is no gradient; missing ones count as None."""
        self.rules = tuple(rule and Rule(self, rule) for rule in rules)
        return self

    def joint_vjp(self, rule):
        """One rule that returns the gradients of all operands (a tuple, None where there is none)."""
        self.joint = Rule(self, rule)
        return rule

    def on(self, name):
        """Decorator: a kernel for backend `name`, called as the body without `xp`.

        It may return NotImplemented for a layout or dtype that it does not do; then the body runs.
        """

        def register(kernel):
            self.special[name] = kernel
            self.kernels.clear()
            return kernel

        return register

    # Calling

    def __call__(self, *operands, **params):
        kernel = self.kernels.get(type(operands[0])) if operands else None
        if kernel is not None:
            return kernel(*operands, **params)
        mask, bit, arrays = 0, 1, []
        for x in operands:
            if isinstance(x, Tensor):
                arrays.append(x.array)
                if x.alias is not None:
                    refresh(x)
                if x._requires_grad:
                    mask |= bit
            else:
                arrays.append(x)
            bit += bit
        kernel = self.kernels.get(type(arrays[0])) if arrays else None
        if kernel is None:
            kernel = self._bind(arrays)
            if not any(isinstance(x, Tensor) for x in operands):
                return kernel(*arrays, **params)
        try:
            out = kernel(*arrays, **params)
        except Exception as error:
            raise self._explain(error, arrays) from error
        if type(out) not in backend.RESULT_TYPES:
            out = backend.as_array(out)
        return self._record(operands, params, out, mask if mask and state.enabled else 0)

    def recorded(self, operands, params, out):
        """The tensor (or tensors) around `out`, an array known to be what the call would compute."""
        mask = sum(1 << i for i, x in enumerate(operands) if getattr(x, "_requires_grad", False))
        return self._record(operands, params, out, mask if state.enabled else 0)

    def _record(self, operands, params, out, mask):
        """The tensors around `out`, with a node where operands in `mask` need gradients."""
        if type(out) is tuple:
            return self._record_several(operands, params, out, mask)
        tensor = _new(Tensor)
        tensor.array = out
        tensor.node = tensor.grad = tensor.alias = tensor.hooks = None
        tensor._requires_grad = False
        tensor._version = tensor.changed = 0
        if mask:
            plan = self.plans.get(mask) or self._plan(mask)
            if plan.active:
                tensor._requires_grad = True
                tensor.node = Node(plan, operands, params, out)
        if self.view:
            self._mark_view(tensor, operands[0], params)
        return tensor

    def _record_several(self, operands, params, out, mask):
        tensors = tuple(wrap(array) for array in out)
        plan = mask and (self.plans.get(mask) or self._plan(mask))
        if plan and plan.active:
            node = SeveralNode(plan, operands, params, out)
            for index, tensor in enumerate(tensors):
                if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
                    tensor._requires_grad = True
                    tensor.node = Pick(node, index, tensor.array)
        return tensors

    def _mark_view(self, tensor, parent, params):
        base, owner = tensor.array.base, parent.array
        if base is not None and (base is owner or base is owner.base):
            source = parent.node if state.enabled else UNRECORDED
            tensor.alias = View(parent, self, params, source)

    def _bind(self, arrays):
        """The first call for an array type, or one whose first operand is a Python number."""
        array = next((x for x in arrays if hasattr(x, "dtype")), None)
        if array is None:
            raise TypeError(f"{self.name}: expected a tensor, got {listing(arrays) or 'nothing'}")
        where = backend.for_array(array)
        kernel = partial(self.body, where.xp) if self.takes_xp else self.body
        if where.name in self.special:
            kernel = _first_of(self.special[where.name], kernel)
        self.kernels.setdefault(type(array), kernel)
        return kernel

    def _explain(self, error, arrays):
        """The exception to raise for one that a kernel raised, naming the operation and its operands."""
        if isinstance(error, TallowError):
            return error
        try:
            backend.same_device(self.name, arrays)
        except DeviceError as mixed:
            return mixed
        if isinstance(error, ValueError) and "broadcast" in str(error):
            return ShapeError(
                f"{self.name}: expected shapes that broadcast together (equal or 1, aligned at the last "
                f"dimension), got {listing(arrays)}"
            )
        error.add_note(f"in {self.name} on {listing(arrays)}")
        return error

    # Planning the backward pass

    def _plan(self, mask):
        plan = self.plans[mask] = Plan(self, mask)
        return plan


def _first_of(special, generic):
    def kernel(*arrays, **params):
        out = special(*arrays, **params)
        return generic(*arrays, **params) if out is NotImplemented else out

    return kernel


class Rule:
    """A gradient rule and the names of what it needs, checked against the op's signature."""

    def __init__(self, owner, function):
        self.function = function
        self.names = tuple(inspect.signature(function).parameters)[1:]
        known = {*owner.operands, *owner.params, "out", "shapes", "needs"}
        unknown = [name for name in self.names if name not in known]
        if unknown:
            raise TypeError(
                f"{owner.name}.vjp: a rule names {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )


class Plan:
    """What to keep and what to run when the operands in `mask` need gradients: made once per mask.

    `active`  the positions of operands that get a gradient
    `kept`    the positions of operands that some active rule names
    `extras`  the other names that are kept: out, shapes, needs, parameters
    `calls`   (function, positions in the kept values) for each active operand
    """

    def __init__(self, owner, mask):
        self.op = owner
        wanted = [i for i in range(mask.bit_length()) if mask >> i & 1]
        if owner.joint:
            self.active, rules = tuple(wanted), [owner.joint]
        else:
            self.active = tuple(i for i in wanted if i < len(owner.rules) and owner.rules[i])
            rules = [owner.rules[i] for i in self.active]
        names = list(dict.fromkeys(name for rule in rules for name in rule.names))
        self.kept = tuple(owner.operands.index(n) for n in names if n in owner.operands)
        self.extras = tuple(n for n in names if n not in owner.operands)
        self.keeps_out = "out" in self.extras
        order = [owner.operands[i] for i in self.kept] + list(self.extras)
        self.calls = [(rule.function, tuple(order.index(n) for n in rule.names)) for rule in rules]
        self.needs = tuple(i in self.active for i in range(len(owner.operands)))

    def extra_values(self, operands, params, out):
        """The values of `extras` for one call."""
        known = {"out": out, "needs": self.needs}
        if "shapes" in self.extras:
            known["shapes"] = tuple(getattr(x, "shape", ()) for x in operands)
        return [known[name] if name in known else params[name] for name in self.extras]

    def pull(self, g, values):
        """The gradients of the active operands, given that of the output."""
        if self.op.joint:
            function, positions = self.calls[0]
            gradients = function(g, *[values[i] for i in positions])
            return [gradients[i] for i in self.active]
        return [function(g, *[values[i] for i in positions]) for function, positions in self.calls]
