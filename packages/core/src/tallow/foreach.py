"""`_foreach_add_` and its kin, which optimizers call: an operation on each tensor of a list."""

from tallow.errors import ArgumentError
from tallow.linalg import vector_norm
from tallow.tensor import Tensor

NAMES = """
    abs acos add addcdiv addcmul asin atan ceil clamp_max clamp_min clone copy_ cos cosh div erf
    erfc exp expm1 floor frac lerp lgamma log log10 log1p log2 max maximum minimum mul neg norm pow
    reciprocal round rsqrt sigmoid sign sin sinh sqrt sub tan tanh trunc zero_
""".split()
METHODS = {
    "maximum": "clamp_min",
    "minimum": "clamp_max",
}  # which take numbers, too, and work in place
ONLY_NEW = ("clone", "max", "norm")


def _norm(x, ord=2, dtype=None):
    return vector_norm(x, ord, dtype=dtype)


def _method(name):
    """The method that works on one tensor."""
    base = name.removesuffix("_")
    if base == "norm":
        return _norm
    return getattr(Tensor, METHODS.get(base, base) + name[len(base) :])


def _scaled(method):
    """With the factor of the product, a number or a list, as the last positional argument."""
    return lambda x, first, second, value=1: method(x, first, second, value=value)


def _each(name):
    """The function for lists of the method for one tensor."""
    method = _method(name)
    if name.startswith("addc"):
        method = _scaled(method)

    def function(self, *args, **kwargs):
        size = len(next(x for x in (self, *args) if isinstance(x, tuple | list)))
        columns = [x if isinstance(x, tuple | list) else [x] * size for x in (self, *args)]
        if any(len(column) != size for column in columns):
            raise ArgumentError(
                f"_foreach_{name}: expected lists of one length, got {[*map(len, columns)]}"
            )
        rows = zip(*columns, strict=True)
        if name == "pow":  # of a number to tensors, too
            made = tuple(x**y for x, y in rows)
        else:
            made = tuple(method(*row, **kwargs) for row in rows)
        return self if name.endswith("_") else made

    function.__name__ = function.__qualname__ = f"_foreach_{name}"
    function.__doc__ = f"`{name}` of each tensor of a list, with one argument for all or a list."
    return function


IN_PLACE = [f"{name}_" for name in NAMES if name not in ONLY_NEW and not name.endswith("_")]
FUNCTIONS = {f"_foreach_{name}": _each(name) for name in [*NAMES, *IN_PLACE]}
