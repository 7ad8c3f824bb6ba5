"""Chains as CUDA C++: a formula (`tallow.kernels.chain`) in one pass over memory, in registers.

    silu = Pass(lambda xp, x: x * xp.sigmoid(x))

A `Pass` takes arrays that broadcast as rows, channels or numbers do to the largest. It computes in
`Wide` and rounds what it stores; threads take 16 bytes of an array at once. `update_text` is the
same for the steps of optimizers.
"""

import ast
import re

import numpy as np

from tallow import backend
from tallow.autograd.op import Op
from tallow.kernels.chain import ARRAY, Number, known, specialised
from tallow.kernels.cuda.launch import COMPILERS, THREADS, Source, empty, is_real, size
from tallow.ops import activation, dropout, elementwise, loss, norm

FORMS = {
    "copy": "{}", "negative": "-{}", "abs": "fabs({})", "sqrt": "sqrt({})", "exp": "exp({})",
    "tanh": "tanh({})", "sigmoid": "1 / (1 + exp(-{}))", "sign": "{0} > 0 ? 1 : {0} < 0 ? -1 : {0}",
    "normal_cdf": "(Wide)0.5 + (Wide)0.5 * erf({} * (Wide)0.70710678118654752)",
    "expm1": "expm1({})", "log": "log({})", "log1p": "log1p({})", "copysign": "copysign({}, {})",
    "normal_density": "exp({0} * {0} * (Wide)-0.5) * (Wide)0.39894228040143268",
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}",
    "maximum": "Max::of({}, {})", "minimum": "Min::of({}, {})", "less": "{} < {}",
    "less_equal": "{} <= {}", "where": "{} ? {} : {}", "multiply_add": "{} * {} + {}",
    "multiply_sub": "{2} - {0} * {1}", "follow": "{2} + ({0} - {2}) * {1}",
}  # fmt: skip
READABLE = {np.dtype(bool): "bool", np.dtype(np.uint8): "unsigned char"}
KERNEL = f'extern "C" __global__ void __launch_bounds__({THREADS})'
WHOLE, REPEATED, ONE = "whole", "repeated", "one"  # how an operand lies along the largest

# The text


def loop(chain, shapes):
    """The loop of a chain over `count` elements of arrays a0, a1, ... and of results o0, o1, ...

    Numbers are n0, n1, ...; `shapes` has (how it lies, the type of an element) of each operand.
    """
    read, before, each, after = [], [], [], []
    changed = {to for _, to, *_ in chain.steps}
    tiles = {*changed, *range(chain.inputs)}
    for k, (shape, kind) in enumerate(shapes):
        if shape is WHOLE:
            read.append(f"Pack<{kind}> p{k} = pack_of(a{k}, first, count);")
        elif shape is REPEATED:
            before.append(f"Spread s{k}(first, middle{k}, inner{k});")
        value = {WHOLE: f"p{k}.at[i]", REPEATED: f"a{k}[s{k}.next()]", ONE: f"a{k}[0]"}[shape]
        each.append(f"t{k} = {value};")
    for name, to, *from_ in chain.steps:
        operands = [f"t{x}" if x >= 0 else f"n{~x}" for x in from_]
        each.append(f"t{to} = {FORMS[name].format(*operands)};")
    for k in sorted(changed & set(range(chain.inputs + chain.outputs))):
        own = k < chain.inputs
        place, pack = (f"a{k}", f"p{k}") if own else (f"o{k - chain.inputs}", f"q{k}")
        each.append(f"{pack}.at[i] = t{k};")
        after.append(f"put({place}, first, count, {pack});")
        if not own:
            read.append(f"Pack<Real> q{k};")
    names = ", ".join(f"t{tile}" for tile in sorted(tiles))
    lines = ["EACH(k, (count + AT_ONCE - 1) / AT_ONCE) {", "Int first = k * AT_ONCE;"]
    lines += [*read, *before, "#pragma unroll", "for (int i = 0; i < AT_ONCE; i++) {"]
    lines += [f"Wide {names};", *each, "}", *after, "}"]
    return "\n".join([f"  {line}" for line in lines])


def pass_text(chain, shapes):
    """The kernel `pass` of a chain on operands of some shapes."""
    given = ["Int count"]
    for k, (shape, kind) in enumerate(shapes):
        given.append(f"const {kind}* a{k}")
        if shape is REPEATED:
            given += [f"Int middle{k}", f"Int inner{k}"]
    given += [f"Real* o{k}" for k in range(chain.outputs)]
    given += [f"double given{k}" for k in range(len(chain.texts))]
    numbers = "\n".join(f"Wide n{k} = given{k};" for k in range(len(chain.texts)))
    head = f"{KERNEL} pass({', '.join(given)}) {{"
    return "\n".join([head, numbers, loop(chain, shapes), "}\n"])


def update_text(chain, names):
    """The kernel `step` of a chain that changes the columns of a `Chunk` (optimizers.cu).

    Without `names` it is given the numbers. With the names of settings, as the numbers' texts have
    them, it is given these, and a thread of each block computes the numbers, with the count of
    steps, `step`, where that is.
    """
    count = len(chain.texts)
    if names is None:
        given = [f"double given{k}" for k in range(count)]
        numbers = [f"Wide n{k} = given{k};" for k in range(count)]
    else:
        given = [f"double {name}" for name in names]
        texts = [in_c(ast.parse(text, mode="eval").body) for text in chain.texts]
        numbers = [f"__shared__ double made[{count}];", "if (threadIdx.x == 0) {"]
        if any(re.search(r"\bstep\b", text) for text in texts):
            numbers.append("double step = *c.counter[blockIdx.y];")
        numbers += [f"made[{k}] = {text};" for k, text in enumerate(texts)]
        numbers += ["}", "__syncthreads();"]
        numbers += [f"Wide n{k} = made[{k}];" for k in range(count)]
    arrays = [f"Real* a{k} = c.column({k});" for k in range(chain.inputs)]
    given = ", ".join(["Chunk c", "const float* found", *given])
    lines = [f"{KERNEL} step({given}) {{", "if (found && *found) return;"]
    lines += [*numbers, *arrays]
    lines.append("Int count = c.size[blockIdx.y];")
    return "\n".join([*lines, loop(chain, [(WHOLE, "Real")] * chain.inputs), "}\n"])


SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Lt: "<", ast.LtE: "<=",
}  # fmt: skip


def in_c(node):
    """The text of a chain's number, Python, as C."""
    match node:
        case ast.BinOp(x, sign, y) | ast.Compare(x, [sign], [y]):
            return f"({in_c(x)} {SIGNS[type(sign)]} {in_c(y)})"
        case ast.UnaryOp(ast.USub(), x):
            return f"(-{in_c(x)})"
        case ast.IfExp(condition, x, y):
            return f"({in_c(condition)} ? {in_c(x)} : {in_c(y)})"
        case ast.Call(_, [x, y]):
            return f"pow({in_c(x)}, {in_c(y)})"
        case ast.Subscript(ast.Name(name), ast.Constant(place)):
            return f"{name}_{place}"
        case ast.Name("inf"):
            return "(double)INFINITE"
        case ast.Name(name):
            return name
        case ast.Constant(value):
            return repr(float(value))
    raise TypeError(f"chain: expected a number's text, got {ast.unparse(node)}")


# Passes of operations


class Pass:
    """A chain's body on the device. Call it with arrays, numbers or None, and settings by name."""

    def __init__(self, body):
        self.body = body
        self.chains, self.sources = {}, {}

    def chain(self, kinds, settings):
        """The chain for operands that are ARRAY, Number or None, and such settings."""
        key = kinds, *map(known, settings.values())
        if key not in self.chains:
            names = [f"operand{i}" for i in range(len(kinds))]
            self.chains[key] = specialised(self.body, names, kinds, settings)
        return self.chains[key]

    def __call__(self, *operands, **settings):
        kinds = tuple(map(_kind, operands))
        arrays = [x for x, kind in zip(operands, kinds, strict=True) if kind is ARRAY]
        if not _are_ours(arrays):
            return NotImplemented
        reals = [x for x in arrays if x.dtype not in READABLE]
        if not all([x.size for x in arrays]) or not reals or not is_real(*reals):
            return NotImplemented
        whole = max(arrays, key=lambda x: (x.size, x.ndim)).shape
        lies = [_lies(x, whole) for x in arrays]
        if None in lies:
            return NotImplemented
        chain = self.chain(kinds, settings)
        shapes = tuple(
            (how, READABLE.get(x.dtype, "Real")) for x, (how, *_) in zip(arrays, lies, strict=True)
        )
        if (chain, shapes) not in self.sources:
            self.sources[chain, shapes] = Source(text=pass_text(chain, shapes))
        made = [empty(whole, reals[0]) for _ in range(chain.outputs)]
        told = [part for x, (_, *steps) in zip(arrays, lies, strict=True) for part in (x, *steps)]
        numbers = [x for x, kind in zip(operands, kinds, strict=True) if kind is Number]
        row = map(float, chain.row(*settings.values(), *numbers))
        source, pack = self.sources[chain, shapes], 16 // reals[0].itemsize
        source.each("pass", reals[0], size(whole), *told, *made, *row, pack=pack)
        return made[0] if len(made) == 1 else tuple(made)


def _are_ours(arrays):
    """True for arrays of a backend that kernels can be compiled for."""
    types = set(map(type, arrays))
    return len(types) == 1 and all(
        backend.is_array_type(x) and backend.for_array_type(x).name in COMPILERS for x in types
    )


def _kind(x):
    """What an operand is: an array, a number or None."""
    return x if x is None else Number if isinstance(x, float | int | np.generic) else ARRAY


def _lies(x, whole):
    """How an array lies along one of the shape `whole`, with (middle, inner) where repeated.

    None unless it is in order and broadcasts as rows, channels or a number do.
    """
    if not x.flags.c_contiguous:
        return None
    if x.shape == whole:
        return (WHOLE,)
    if x.size == 1:
        return (ONE,)
    wide = [axis - x.ndim for axis, n in enumerate(x.shape) if n != 1]
    first, last = wide[0], wide[-1] + 1
    stop = last or None
    if x.ndim > len(whole) or x.shape[first:stop] != whole[first:stop]:
        return None
    return REPEATED, x.size, size(whole[last:]) if last else 1


# Which operations run in a pass, by formulas of the instructions that chains have


def _gelu_inner(x):
    return x * (1 + 0.044715 * x * x) * 0.7978845608028654


def normalized(xp, x, average, variance, weight, bias, *, eps):
    y = (x - average) / xp.sqrt(variance + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def normalized_relu(xp, *operands, eps):
    return xp.maximum(normalized(xp, *operands, eps=eps), 0)


def normalized_add_relu(xp, x, y, *others, eps):
    return xp.maximum(normalized(xp, x, *others, eps=eps) + y, 0)


PASSES = {
    elementwise.sigmoid: lambda xp, x: xp.sigmoid(x),
    elementwise.sigmoid_grad: lambda xp, g, out: g * (out * (1 - out)),
    elementwise.tanh_grad: lambda xp, g, out: g * (1 - out * out),
    activation.silu: lambda xp, x: x * xp.sigmoid(x),
    activation.silu_grad: lambda xp, g, x: (
        g * xp.sigmoid(x) * (1 + x * (1 - xp.sigmoid(x)))
    ),
    activation.gelu: lambda xp, x: x * xp.normal_cdf(x),
    activation.gelu_grad: lambda xp, g, x: g * (xp.normal_cdf(x) + x * xp.normal_density(x)),
    activation.gelu_tanh: lambda xp, x: x * (0.5 + 0.5 * xp.tanh(_gelu_inner(x))),
    activation.relu_grad: lambda xp, g, out: xp.where(out <= 0, g * 0, g),  # NaN lets it through
    activation.add_relu: lambda xp, x, y: xp.maximum(x + y, 0),
    dropout.masked: lambda xp, x, keep, *, p: x * xp.where(keep, 1 / (1 - p), 0.0),
    dropout.masked_sum: lambda xp, x, keep, y, *, p: x * xp.where(keep, 1 / (1 - p), 0.0) + y,
    norm.standardize: lambda xp, x, average, deviation, *, scale: (x * scale - average) / deviation,
}  # fmt: skip
TRACED = (  # by their own bodies, and so the rules of their gradients
    activation.leaky_relu, activation.prelu, activation.prelu_slope, activation.hardtanh,
    activation.hardtanh_grad, activation.hardsigmoid, activation.hardsigmoid_grad,
    activation.hardswish, activation.hardswish_grad, activation.softshrink, activation.hardshrink,
    activation.threshold, activation.elu, activation.softplus, activation.logsigmoid,
    activation.mish, loss.logistic_loss, loss.smooth_l1, loss.squared_error,
)  # fmt: skip


def traced(function):
    """The pass of a function that calls operations."""
    return Pass(lambda xp, *operands, **settings: function(*operands, **settings))


def _by_channels(op, made, full):
    @op.on("cuda")
    def kernel(*operands, factor, eps):
        others = [y if y is None else y.reshape(factor) for y in operands[full:]]
        return made(*operands[:full], *others, eps=eps)


for op, formula in PASSES.items():
    op.on("cuda")(Pass(formula))

for op in TRACED:
    op.on("cuda")(traced(op))
    for rule in filter(None, op.op.rules):
        rule.function = Op.first_of(traced(rule.written), rule.function)
    op.op.plans.clear()

for op, formula, full in (  # with how many operands of full shape
    (norm.normalize_by, normalized, 1), (norm.normalize_relu_by, normalized_relu, 1),
    (norm.normalize_add_relu_by, normalized_add_relu, 2),
):  # fmt: skip
    _by_channels(op, Pass(formula), full)
