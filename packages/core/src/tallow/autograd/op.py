"""`op`: an operation defined once. It picks the kernel for a backend, and records for autograd.

    @op
    def mul(x, y):                 # arrays of one backend; positional names are operands
        return x * y

    mul.vjp(lambda g, y: g * y, lambda g, x: g * x)    # one rule per operand

A rule gets the gradient `g` of the output and what it names: operands, `out`, `shapes` (of the
operands), keyword parameters, and `needs` (which operands get a gradient). Nothing else is kept for
it. Called on arrays an operation returns arrays; called with a Tensor among the operands it returns
Tensors and records. So the one rule runs on arrays in `backward()`, and on Tensors under
`create_graph=True`. A rule returns new arrays, or `g`, or views: never an operand, nor one array
twice, since the engine may hand what a rule returns to the user as a leaf's gradient.
"""

import inspect
import linecache
from functools import partial
from importlib import import_module
from types import FunctionType
from typing import Any

from tallow import backend
from tallow.autograd.modes import state
from tallow.autograd.node import NOTHING, Node, Pick, SeveralNode
from tallow.errors import ShapeError, TallowError, listing
from tallow.kernels.loading import compiled
from tallow.tensor import UNRECORDED, Tensor, View, refresh, tick, wrap

_new = object.__new__


class batches:
    """Where operations on the arrays of `vmap` are done: `alive` is how many of these there are."""

    alive = 0
    call: Any = None
    pull: Any = None
    refuse: Any = None


REGISTRY: dict[str, "Op"] = {}


def op(body=None, *, name=None, **traits):
    """Make an operation of a function on arrays. Use as `@op` or `@op(view=True)`.

    A short one is an expression: `neg = op(lambda x: -x, name="neg").vjp(lambda g: neg(g))`.
    The result is a function with the body's operands and parameters, and with the attributes `vjp`,
    `joint_vjp`, `on` and `op` (the `Op` behind it).
    """
    if body is None:
        return partial(op, name=name, **traits)
    if name is not None:
        body.__name__ = name
    made = Op(body, **traits)
    REGISTRY[made.name] = made
    return made.call


class Op:
    """An operation: a generic body, kernels for backends, and rules for its gradient.

    `view`         the output may share the memory of the first operand
    `holomorphic`  for complex operands, the rules are those of a complex-differentiable function;
                   the engine conjugates around them (PyTorch's convention). False: the rules do.
    `materialize`  where there are several outputs, the rule gets zeros as the gradient of those
                   that nothing used. False: None.
    `differentiable`  where there are several outputs, how many of them have gradients, the first;
                   `out` is then the others, so that the first may change in place. None: all.
    """

    def __init__(
        self, body, *, view=False, holomorphic=True, materialize=True, differentiable=None
    ):
        self.name = body.__name__
        self.body = body
        self.view = view
        self.holomorphic = holomorphic
        self.materialize = materialize
        self.differentiable = differentiable
        names, self.params, self.variadic = _parameters(body)
        self.takes_xp = names[0] == "xp"
        self.operands = names[self.takes_xp :]
        self.rules = ()
        self.joint = None
        self.kernels = {}
        self.special = {}
        self.plans = {}
        self.call = _callable(self)

    def __repr__(self):
        return f"<op {self.name}({', '.join(self.operands)})>"

    # Definition

    def vjp(self, *rules):
        """One rule per operand, in order; None, or none given, where there is no gradient."""
        self.rules = tuple(rule and Rule(self, rule) for rule in rules)
        return self.call

    def joint_vjp(self, rule):
        """One rule that returns the gradients of all operands: a tuple, None for no gradient."""
        self.joint = Rule(self, rule)
        return rule

    def on(self, name):
        """Decorator: a kernel for backend `name`, called as the body without `xp`.

        It may return NotImplemented for a layout or dtype that it does not do; then one that was
        registered before runs, and at last the body.
        """

        def register(kernel):
            earlier = self.special.get(name)
            self.special[name] = Op.first_of(kernel, earlier) if earlier else kernel
            self.kernels.clear()
            return kernel

        return register

    def has_kernel(self, array):
        """True if the backend of an array has a kernel of its own for this operation."""
        where = backend.for_array(array)
        if where.kernels:
            import_module(where.kernels)
        return where.name in self.special

    def grad_on(self, kernel):
        """Decorator: a kernel for the joint rule, called as the rule, which runs where it declines.

        That is for layouts, dtypes, other backends, and for Tensors, when the rule is recorded.
        """
        self.joint.function = Op.first_of(kernel, self.joint.function)
        self.plans.clear()
        return kernel

    @staticmethod
    def first_of(special, generic):
        """A backend's kernel, and the generic body where that declines."""

        def kernel(*arrays, **params):
            out = special(*arrays, **params)
            return generic(*arrays, **params) if out is NotImplemented else out

        return kernel

    # Calling: the parts of `call` that are not on its fast path

    def bind(self, arrays):
        """The kernel for these operands, remembered for their array type."""
        array = next((x for x in arrays if hasattr(x, "dtype")), None)
        if array is None:
            raise TypeError(f"{self.name}: expected a tensor, got {listing(arrays) or 'nothing'}")
        backend.refuse(self.name, arrays)
        where = backend.for_array(array)
        if where.kernels:
            import_module(where.kernels)
        kernel = partial(self.body, where.xp) if self.takes_xp else self.body
        if where.name in self.special:
            kernel = Op.first_of(self.special[where.name], kernel)
        kernel = backend.at_home(self.name, kernel, where)
        self.kernels[type(array)] = kernel
        return kernel

    def recorded(self, operands, params, out):
        """The recorded tensor around `out`, an array that is what the call would compute."""
        mask = sum(1 << i for i, x in enumerate(operands) if getattr(x, "_requires_grad", False))
        return self.wrap(operands, params, out, mask)

    def wrap(self, operands, params, out, mask):
        """The tensors around `out`, with a node where operands in `mask` need gradients."""
        if type(out) is tuple:
            return self._wrap_several(operands, params, out, mask)
        out = backend.as_array(out)
        tensor = _new(Tensor)
        tensor.array = out
        tensor.node = tensor.grad = tensor.alias = tensor.hooks = None
        tensor._requires_grad = False
        tensor.version = tensor.changed = 0
        if mask:
            plan = self.plans.get(mask) or self.plan(mask)
            if plan.active:
                tensor._requires_grad = True
                tensor.node = plan.node(plan, operands, params, out)
        if self.view:
            base, parent = out.base, operands[0]
            while base is not None:
                if base is parent.array or base is parent.array.base:
                    source = parent.node if state.enabled else UNRECORDED
                    tensor.alias = View(parent, self, params, source)
                    break
                base = getattr(base, "base", None)
        return tensor

    def _wrap_several(self, operands, params, out, mask):
        tensors = tuple(wrap(array) for array in out)
        plan = mask and (self.plans.get(mask) or self.plan(mask))
        if plan and plan.active:
            node = plan.several(plan, operands, params, out)
            for index, tensor in enumerate(tensors[: self.differentiable]):
                if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
                    tensor._requires_grad = True
                    tensor.node = Pick(node, index, tensor.array)
        return tensors

    def raised(self, error, arrays):
        """Raise the exception for one that a kernel raised."""
        raise self.explain(error, arrays) from error

    def explain(self, error, arrays):
        """The exception for one that a kernel raised, naming the operation and its operands."""
        if isinstance(error, TallowError):
            return error
        try:
            backend.refuse(self.name, arrays)
            backend.same_device(self.name, arrays)
        except TallowError as better:
            return better
        if isinstance(error, ValueError) and "broadcast" in str(error):
            return ShapeError(
                f"{self.name}: expected shapes that broadcast together (equal or 1, aligned at the "
                f"last dimension), got {listing(arrays)}"
            )
        known = next((x for x in arrays if hasattr(x, "dtype")), None)
        where = known is not None and backend.for_array(known)
        if where and where.explain and (better := where.explain(error)):
            error = better
        error.add_note(f"in {self.name} on {listing(arrays)}")
        return error

    def plan(self, mask):
        """The backward plan for operands in `mask`, made at its first use."""
        plan = self.plans[mask] = Plan(self, mask)
        return plan


# A call is on the path of every operation, so its loop over operands is written out for each op, as
# dataclasses writes out __init__: for `add(x, y)` the text is one an author could have typed. It is
# compiled at the first call, which keeps `import tallow` quick. Debuggers and tracebacks show it.
# Where the compiled kernels are loaded, they do the same without it (`compiled.operation`), and
# leave to it what is out of the ordinary: vmap, a profiler or a tape, wrong arguments.

WRITTEN = "<tallow op"  # how the names of their files begin

_CALL = """\
def {name}({signature}):
    if _batches.alive:
        _out = _batches.call(_op, ({operands}), {params})
        if _out is not NotImplemented:
            return _out
    if type({first}) is not Tensor:
        _kernel = _kernels.get(type({first}))
        if _kernel is not None:
            return _kernel({operands}{arguments})
    _mask = 0
{unwrap}
    _kernel = _kernels.get(type({first_array}))
    if _kernel is None:
        _kernel = _op.bind(({arrays}))
        if not ({taped}):
            return _kernel({arrays}{arguments})
    try:
        _out = _kernel({arrays}{arguments})
    except Exception as error:
        _op.raised(error, ({arrays}))
    return _wrap(({operands}), {params}, _out, _mask if _mask and _state.enabled else 0)
"""

_UNWRAP = """\
    if type({x}) is Tensor or isinstance({x}, Tensor):
        if {x}.alias is not None:
            _refresh({x})
        if {x}._requires_grad:
            _mask |= {bit}
        {x}_array = {x}.array
    else:
        {x}_array = {x}"""

_CALL_VARIADIC = """\
def {name}({signature}):
    if _batches.alive:
        _out = _batches.call(_op, {operands}, {params})
        if _out is not NotImplemented:
            return _out
    if type({operands}[0]) is not Tensor and not any(isinstance(x, Tensor) for x in {operands}):
        return (_kernels.get(type({operands}[0])) or _op.bind({operands}))(*{operands}{arguments})
    _mask, _bit, arrays = 0, 1, []
    for x in {operands}:
        if x.alias is not None:
            _refresh(x)
        if x._requires_grad:
            _mask |= _bit
        _bit += _bit
        arrays.append(x.array)
    _kernel = _kernels.get(type(arrays[0])) or _op.bind(arrays)
    try:
        _out = _kernel(*arrays{arguments})
    except Exception as error:
        _op.raised(error, arrays)
    return _wrap({operands}, {params}, _out, _mask if _mask and _state.enabled else 0)
"""


def _parameters(function):
    """The names of a function's positional and of its keyword-only parameters; has it *args?"""
    code = getattr(function, "__wrapped__", function).__code__
    names, positional = code.co_varnames, code.co_argcount
    keyword = positional + code.co_kwonlyargcount
    star = names[keyword : keyword + 1] if code.co_flags & inspect.CO_VARARGS else ()
    return names[:positional] + star, names[positional:keyword], bool(star)


def _first_call(*operands, **params):
    """What an operation does when first called: compile its call, and do that from then on."""
    compile_call(_op)  # noqa: F821 - the scope it is given has `_op`
    return _op.call(*operands, **params)  # noqa: F821


def _callable(made):
    """The function that users of an operation call."""
    scope = {
        "Tensor": Tensor, "_batches": batches,
        "_kernels": made.kernels, "_op": made, "_refresh": refresh, "_state": state,
        "_wrap": made.wrap, "compile_call": compile_call,
    }  # fmt: skip
    call = made.written = FunctionType(_first_call.__code__, scope, made.name)
    call.__doc__, call.__module__ = made.body.__doc__, made.body.__module__
    if compiled is not None:
        call = compiled.operation(made, call, _defaults(made))
    call.__wrapped__ = made.body
    call.op, call.vjp, call.joint_vjp, call.on = made, made.vjp, made.joint_vjp, made.on
    return call


def _defaults(made):
    return getattr(made.body, "__wrapped__", made.body).__kwdefaults__ or {}


def compile_call(made):
    """Give the function of an operation its code, written out for the operands and parameters."""
    names, defaults = made.operands, _defaults(made)
    arrays = [f"{x}_array" for x in names]
    words = [f"{p}={defaults[p]!r}" if p in defaults else p for p in made.params]
    star = "*" if made.variadic else ""
    separator = [] if made.variadic or not words else ["*"]
    parts = {
        "name": made.name,
        "signature": ", ".join([star + names[0], *names[1:], *separator, *words]),
        "first": names[0],
        "first_array": arrays[0],
        "operands": names[0]
        if made.variadic
        else ", ".join(names) + ("," if len(names) == 1 else ""),
        "arrays": ", ".join(arrays) + ("," if len(arrays) == 1 else ""),
        "taped": " or ".join(f"isinstance({x}, Tensor)" for x in names),
        "arguments": "".join(f", {p}={p}" for p in made.params),
        "params": "{" + ", ".join(f"{p!r}: {p}" for p in made.params) + "}",
        "unwrap": "\n".join(_UNWRAP.format(x=x, bit=1 << i) for i, x in enumerate(names)),
    }
    source = (_CALL_VARIADIC if made.variadic else _CALL).format(**parts).replace(",, ", ", ")
    filename = f"{WRITTEN} {made.name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = {}
    exec(compile(source, filename, "exec"), namespace)
    written = namespace[made.name]
    made.written.__kwdefaults__, made.written.__code__ = written.__kwdefaults__, written.__code__


class Rule:
    """A gradient rule and the names of what it needs, checked against the op's signature."""

    def __init__(self, owner, function):
        self.function = self.written = function  # the former may become a kernel's
        self.names = _parameters(function)[0][1:]
        known = {*owner.operands, *owner.params, "out", "shapes", "needs"}
        unknown = [name for name in self.names if name not in known]
        if unknown:
            raise TypeError(
                f"{owner.name}.vjp: a rule names {', '.join(unknown)}; known are "
                f"{', '.join(sorted(known))}"
            )


INDICES = {"key", "index"}  # parameters that hold arrays, which their owner may change in place


def _own(key):
    """An index with copies of the arrays in it."""
    if type(key) is tuple:
        return tuple([_own(part) for part in key])
    if not hasattr(key, "dtype"):
        return key
    with backend.at(key):
        return key.copy()


class Plan:
    """What to keep and what to run when the operands in `mask` need gradients: made once per mask.

    `active`  the positions of operands that get a gradient
    `kept`    the positions of operands that some active rule names
    `extras`  the other names that are kept: out, shapes, needs, parameters
    `node`    the class of the nodes to make, and `several` where there are several outputs
    `calls`   for each active operand its rule, and where what it names is in the kept values
    """

    node, several = Node, SeveralNode
    __slots__ = (
        "op", "active", "kept", "extras", "keeps_out", "calls", "written", "joint", "needs",
    )  # fmt: skip

    def __init__(self, owner, mask):
        self.op = owner
        wanted = [i for i in range(mask.bit_length()) if mask >> i & 1]
        if owner.joint:
            self.active, rules = tuple(wanted), [owner.joint]
        else:
            self.active = tuple(i for i in wanted if i < len(owner.rules) and owner.rules[i])
            rules = [owner.rules[i] for i in self.active]
        names = list(dict.fromkeys(name for rule in rules for name in rule.names))
        self.kept = tuple(i for i, operand in enumerate(owner.operands) if operand in names)
        self.extras = tuple(n for n in names if n not in owner.operands)
        self.keeps_out = "out" in self.extras and owner.differentiable is None
        order = [owner.operands[i] for i in self.kept] + list(self.extras)
        places = [tuple(order.index(n) for n in rule.names) for rule in rules]
        self.calls = list(zip([rule.function for rule in rules], places, strict=True))
        self.written = list(zip([rule.written for rule in rules], places, strict=True))
        self.joint = owner.joint is not None
        self.needs = tuple(i in self.active for i in range(len(owner.operands)))

    def extra_values(self, operands, params, out):
        """The values of `extras` for one call."""
        values = []
        for name in self.extras:
            if name == "out":
                values.append(out if self.keeps_out else out[self.op.differentiable :])
            elif name == "shapes":
                values.append(
                    tuple([x.array.shape if isinstance(x, Tensor) else () for x in operands])
                )
            elif name in INDICES and not self.op.view:  # whose keys hold no arrays
                values.append(_own(params[name]))
            else:
                values.append(self.needs if name == "needs" else params[name])
        return values

    def pull(self, g, values):
        """The gradients of the active operands, given that of the output."""
        if batches.alive:
            gradients = batches.pull(self, g, values)
            if gradients is not NotImplemented:
                return gradients
        return self.by_rules(g, values, self.calls)

    def by_rules(self, g, values, calls):
        """The same by the functions in `calls`, each with where what it names is in `values`."""
        if self.joint:
            function, positions = calls[0]
            gradients = function(g, *[values[i] for i in positions])
            return [gradients[i] for i in self.active]
        parts = []
        for function, positions in calls:
            if len(positions) == 1:
                parts.append(function(g, values[positions[0]]))
            else:
                parts.append(function(g, *[values[i] for i in positions]))
        return parts


if compiled is not None:
    compiled.know(
        Tensor, View, Node, Plan, state, batches, tick.__self__, UNRECORDED, NOTHING, refresh
    )
