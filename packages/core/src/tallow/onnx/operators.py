"""How an operation is written in ONNX's operators: those that work on each element.

A writer gets the graph, the operands and the parameters of an operation, adds nodes, and returns
the name of the result, or of several.
"""

import math

import numpy as np

from tallow.errors import NotSupportedError
from tallow.onnx.trace import Filled, Value

WRITERS = {}


def writes(*names):
    """Decorator: the writer of operations."""

    def register(writer):
        WRITERS.update(dict.fromkeys(names, writer))
        return writer

    return register


def write(graph, step):
    """Add the nodes for a step."""
    writer = WRITERS.get(step.name)
    if writer is None:
        raise NotSupportedError(
            f"onnx.export: expected operations that ONNX is known to have, got {step.name}"
        )
    out = writer(graph, *step.operands, **step.params)
    for value, name in zip(step.out, [out] if isinstance(out, str) else out, strict=False):
        graph.names[value.number] = name


# One operator for one operation

_UNARY = """
    absolute=Abs acos=Acos acosh=Acosh asin=Asin asinh=Asinh atan=Atan atanh=Atanh ceil=Ceil
    copy=Identity cos=Cos cosh=Cosh erf=Erf exp=Exp floor=Floor hardswish=HardSwish isinf=IsInf
    isnan=IsNaN log=Log mish=Mish neg=Neg reciprocal=Reciprocal relu=Relu sigmoid=Sigmoid sign=Sign
    sin=Sin sinh=Sinh sqrt=Sqrt tan=Tan tanh=Tanh
"""
_BINARY = """
    add=Add div=Div equal=Equal greater=Greater greater_equal=GreaterOrEqual integer_power=Pow
    less=Less less_equal=LessOrEqual matmul=MatMul maximum=Max minimum=Min mul=Mul power=Pow
    prelu=PRelu sub=Sub
"""


def _register(table, writer):
    for pair in table.split():
        name, _, kind = pair.partition("=")
        WRITERS[name] = writer(kind)


_register(_UNARY, lambda kind: lambda g, x, **ignored: g.add(kind, x))
_register(_BINARY, lambda kind: lambda g, x, y: g.add(kind, *g.typed([x, y])))


def _bits(kind):
    """Of integers the bits, of bools the values."""

    def writer(g, *operands):
        operands = g.typed(operands)
        bools = g.dtype_of(operands[0]).kind == "b"
        return g.add(kind if bools else f"Bitwise{kind}", *operands)

    return writer


def _truth(kind):
    """Of bools, and of whether numbers are other than 0."""

    def writer(g, *operands):
        truth = g.element_type(bool)
        return g.add(kind, *[g.add("Cast", x, to=truth) for x in operands])

    return writer


_register("bitwise_and=And bitwise_not=Not bitwise_or=Or bitwise_xor=Xor", _bits)
_register("logical_and=And logical_not=Not logical_or=Or logical_xor=Xor", _truth)


@writes("not_equal")
def _(g, x, y):
    return g.add("Not", g.add("Equal", *g.typed([x, y])))


@writes("remainder")
def _(g, x, y):
    """The remainder has the sign of the divisor, which Mod has for integers only."""
    x, y = g.typed([x, y])
    if g.dtype_of(x).kind in "iu":
        return g.add("Mod", x, y)
    return g.add("Sub", x, g.add("Mul", y, g.add("Floor", g.add("Div", x, y))))


@writes("fmod")
def _(g, x, y):
    return g.add("Mod", *g.typed([x, y]), fmod=1)


@writes("floor_divide")
def _(g, x, y):
    x, y = g.typed([x, y])
    if g.dtype_of(x).kind not in "iu":
        return g.add("Floor", g.add("Div", x, y))
    return g.add("Div", g.add("Sub", x, g.add("Mod", x, y)), y)  # Div of integers truncates


@writes("square")
def _(g, x):
    return g.add("Mul", x, x)


@writes("rsqrt")
def _(g, x):
    return g.add("Reciprocal", g.add("Sqrt", x))


@writes("log1p")
def _(g, x):
    return g.add("Log", g.add("Add", *g.typed([x, 1])))


@writes("expm1")
def _(g, x):
    return g.add("Sub", g.add("Exp", x), g.typed([x, 1])[1])


WRITERS["log2"] = lambda g, x: g.add("Div", g.add("Log", x), g.typed([x, math.log(2)])[1])
WRITERS["log10"] = lambda g, x: g.add("Div", g.add("Log", x), g.typed([x, math.log(10)])[1])


@writes("round_half_even")
def _(g, x, *, decimals):
    if decimals:
        raise NotSupportedError(f"onnx.export: expected round() to integers, got {decimals=}")
    return g.add("Round", x)


@writes("trunc")
def _(g, x):
    return g.add("Mul", g.add("Sign", x), g.add("Floor", g.add("Abs", x)))


@writes("clip", "hardtanh")
def _(g, x, *, low, high):
    limits = [None if n is None or abs(n) == math.inf else g.typed([x, n])[1] for n in (low, high)]
    return g.add("Clip", x, *limits)


@writes("clip_to")
def _(g, x, low, high):
    x, low, high = g.typed([x, low, high])
    return g.add("Min", g.add("Max", x, low), high)


@writes("where")
def _(g, condition, x, y):
    dtype = next((g.dtype_of(v) for v in (x, y) if g.dtype_of(v) is not None), np.float32)
    x, y = (v if isinstance(v, Value) else _constant(v, dtype) for v in (x, y))
    return g.add("Where", condition, x, y)


def _constant(x, dtype):
    return x if isinstance(x, Filled) else np.asarray(x, dtype)


@writes("lerp")
def _(g, x, y, weight):
    x, y, weight = g.typed([x, y, weight])
    return g.add("Add", x, g.add("Mul", g.add("Sub", y, x), weight))


@writes("fill")
def _(g, x, value):
    return g.add("Expand", g.typed([value, x])[0], g.shape(g.shape_of(x)))


@writes("cast", "convert")
def _(g, x, *, dtype):
    return g.add("Cast", x, to=g.element_type(getattr(dtype, "numpy", dtype)))


# Activations


@writes("leaky_relu")
def _(g, x, *, slope):
    return g.add("LeakyRelu", x, alpha=float(slope))


@writes("elu")
def _(g, x, *, alpha, scale, inner):
    if inner != 1:
        return g.add("Celu", x, alpha=1 / inner)
    kind, more = ("Elu", {}) if scale == 1 else ("Selu", {"gamma": float(scale)})
    return g.add(kind, x, alpha=float(alpha), **more)


@writes("hardsigmoid")
def _(g, x):
    return g.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@writes("hardshrink")
def _(g, x, *, limit):
    return g.add("Shrink", x, lambd=float(limit))


@writes("softshrink")
def _(g, x, *, limit):
    return g.add("Shrink", x, lambd=float(limit), bias=float(limit))


@writes("threshold")
def _(g, x, *, limit, value):
    x, limit, value = g.typed([x, limit, value])
    return g.add("Where", g.add("Greater", x, limit), x, value)


@writes("softplus")
def _(g, x, *, beta, threshold):
    if beta == 1:
        return g.add("Softplus", x)
    factor = g.typed([x, beta])[1]
    return g.add("Div", g.add("Softplus", g.add("Mul", x, factor)), factor)


@writes("logsigmoid")
def _(g, x):
    return g.add("Neg", g.add("Softplus", g.add("Neg", x)))


@writes("silu")
def _(g, x):
    return g.add("Mul", x, g.add("Sigmoid", x))


@writes("gelu")
def _(g, x):
    half, root = g.typed([x, 0.5, math.sqrt(0.5)])[1:]
    inner = g.add("Erf", g.add("Mul", x, root))
    return g.add("Mul", x, g.add("Add", g.add("Mul", inner, half), half))


@writes("gelu_tanh")
def _(g, x):
    half, one, factor, root = g.typed([x, 0.5, 1, 0.044715, math.sqrt(2 / math.pi)])[1:]
    cubic = g.add("Add", g.add("Mul", g.add("Mul", x, x), factor), one)
    inner = g.add("Tanh", g.add("Mul", g.add("Mul", x, cubic), root))
    return g.add("Mul", g.add("Mul", x, half), g.add("Add", inner, one))
