"""The methods of Tensor, attached to it by rule.

A public function (in the `__all__` of one of `MODULES`) whose first parameter is called `input` is
also a method, but for those in `FUNCTIONS_ONLY`; what PyTorch has as a method alone is in the
module's `METHODS`. What is in `IN_PLACE` also gets its `name_` form, which computes out of place
and writes the result, with its history, into the tensor.
"""

import operator
from types import FunctionType

import numpy as np

import tallow.ops.elementwise as ops
import tallow.ops.logic as tests
from tallow import (
    activations,
    attributes,
    casting,
    changes,
    complex_parts,
    conversion,
    creation,
    diagonals,
    dtypes,
    graph,
    indexing,
    joining,
    logic,
    math,
    matrices,
    ordering,
    products,
    random,
    reductions,
    running,
    scattering,
    shaping,
    shortcuts,
    spectral,
    statistics,
)
from tallow.elementwise import named
from tallow.errors import TypeMismatchError, describe
from tallow.tensor import Tensor

MODULES = (
    math, logic, activations, complex_parts, creation, random, reductions, running, ordering,
    statistics, shaping, joining, diagonals, indexing, scattering, products, matrices, spectral,
    conversion, graph, attributes, changes,
)  # fmt: skip
casting.cast_by_policy(*MODULES)

FUNCTIONS_ONLY = {
    "bucketize", "combinations", "empty_like", "fill", "frobenius_norm", "full_like", "gradient",
    "histogramdd", "imag", "nuclear_norm", "ones_like", "poisson", "rand_like", "randint_like",
    "randn_like", "real", "rsub", "std_mean", "var_mean", "view_as_complex", "view_as_real",
    "zeros_like",
}  # fmt: skip

IN_PLACE = """
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr arccos arccosh arcsin
    arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh baddbmm bitwise_and
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor ceil clamp clamp_max
    clamp_min clip conj_physical copysign cos cosh cumprod cumsum deg2rad digamma div divide eq erf
    erfc erfinv exp exp2 expm1 fix float_power floor floor_divide fmod frac gcd ge greater
    greater_equal gt heaviside hypot i0 igamma igammac index_add index_copy index_fill index_put
    index_reduce lcm ldexp le lerp less less_equal lgamma log log10 log1p log2 logical_and
    logical_not logical_or logical_xor logit lt masked_fill masked_scatter mul multiply mvlgamma
    nan_to_num ne neg negative nextafter not_equal polygamma pow put rad2deg reciprocal remainder
    renorm round rsqrt scatter scatter_add scatter_reduce sgn sigmoid sign sin sinc sinh sqrt square
    sub subtract tan tanh tril triu true_divide trunc xlogy
"""

VIEWS_IN_PLACE = (
    "as_strided", "squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze",
)  # fmt: skip

# In place on the arrays themselves, where nothing is recorded.
ARRAY_UPDATES = {
    math.add: operator.iadd, math.sub: operator.isub, math.mul: operator.imul,
    math.div: operator.itruediv,
}  # fmt: skip

BINARY_OPERATORS = {
    "add": math.add, "sub": math.sub, "mul": math.mul, "truediv": math.div,
    "floordiv": math.floor_divide, "mod": math.remainder, "pow": math.pow,
    "and": logic.bitwise_and, "or": logic.bitwise_or, "xor": logic.bitwise_xor,
    "lshift": logic.bitwise_left_shift, "rshift": logic.bitwise_right_shift,
}  # fmt: skip
DIRECT = {
    "add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div, "eq": tests.equal,
    "ne": tests.not_equal, "lt": tests.less, "le": tests.less_equal, "gt": tests.greater,
    "ge": tests.greater_equal,
}  # fmt: skip
OPERANDS = (Tensor, int, float, complex, np.ndarray, np.generic)


def _attach_functions():
    for module in MODULES:
        for name in getattr(module, "__all__", ()):
            function = getattr(module, name)
            if name not in FUNCTIONS_ONLY and _takes_input(function):
                setattr(Tensor, name, function)
        for name in getattr(module, "METHODS", ()):
            setattr(Tensor, name, getattr(module, name))
    for name in IN_PLACE.split():
        setattr(Tensor, name + "_", _in_place(name + "_", getattr(Tensor, name)))
    for name in VIEWS_IN_PLACE:
        setattr(Tensor, name + "_", changes.view_in_place(name + "_", getattr(shaping, name)))
    for name, function in conversion.CASTS.items():
        setattr(Tensor, name, function)


def _takes_input(function):
    while (wrapped := getattr(function, "__wrapped__", None)) is not None:
        function = wrapped
    return type(function) is FunctionType and function.__code__.co_varnames[:1] == ("input",)


def _in_place(name, function):
    return changes.in_place(name, function, ARRAY_UPDATES.get(function))


def _attach_attributes():
    for name, getter in attributes.PROPERTIES.items():
        setattr(Tensor, name, property(getter))
    Tensor.data = property(graph.data, graph.set_data)
    Tensor.real = property(complex_parts.real, complex_parts.set_real)
    Tensor.imag = property(complex_parts.imag, complex_parts.set_imag)
    for name, method in attributes.PROTOCOLS.items():
        setattr(Tensor, name, method)


def _where(self, condition, y):
    """Elements of this tensor where `condition` holds, else of `y`."""
    return math.where(condition, self, y)


def _polygamma(self, n):
    """The derivative of order n, 0 or more, of digamma."""
    return math.polygamma(n, self)


# Operators


def _operator(function, reflected=False, direct=None):
    """A binary operator: NotImplemented for what is no operand, so that the other side is tried.

    `direct` is the op to call for two real floating tensors of one dtype, or one and a number,
    which need no preparation.
    """

    def method(self, other):
        if direct is not None and self.array.dtype.kind == "f":
            if isinstance(other, Tensor):
                if other.array.dtype is self.array.dtype:
                    return direct(self, other)
            elif type(other) is float or type(other) is int:
                return direct(self, other)
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return function(other, self) if reflected else function(self, other)

    method = named(method, f"__r{function.__name__}__" if reflected else function.__name__)
    return method if direct is None else shortcuts.direct(direct, numbers=True)(method)


def _invert(self):
    if self.dtype.category > dtypes.INTEGER:
        raise TypeMismatchError(f"~: expected integers or bool, got {describe(self)}")
    return logic.bitwise_not(self)


def _attach_operators():
    for name, function in BINARY_OPERATORS.items():
        setattr(Tensor, f"__{name}__", _operator(function, direct=DIRECT.get(name)))
        setattr(Tensor, f"__r{name}__", _operator(function, reflected=True))
        setattr(Tensor, f"__i{name}__", _in_place(f"__i{name}__", function))
    Tensor.__matmul__ = _operator(products.matmul)
    Tensor.__rmatmul__ = _operator(products.matmul, reflected=True)
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Tensor, f"__{name}__", _operator(getattr(logic, name), direct=DIRECT[name]))
    Tensor.__neg__ = math.neg
    Tensor.__pos__ = math.positive
    Tensor.__abs__ = math.abs
    Tensor.__invert__ = _invert
    for name, function in {"getitem": indexing.getitem, "setitem": indexing.setitem}.items():
        setattr(Tensor, f"__{name}__", function)
        function.__name__ = f"__{name}__"


Tensor.where, Tensor.polygamma = _where, _polygamma
_attach_functions()
_attach_attributes()
_attach_operators()
