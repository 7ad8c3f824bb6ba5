"""How elementwise functions are declared: the op behind it, and the numbers it takes.

A declared function refuses the kinds of dtype that PyTorch refuses, promotes its operands, calls
the op, and gives the result.
"""

from functools import partial

from tallow.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, of_number
from tallow.errors import DtypeError, TypeMismatchError, listing
from tallow.promotion import as_operand, floating, floating_pair, floating_tensors, give, pair
from tallow.shortcuts import direct
from tallow.tensor import Tensor

NAMES = ("bool", "integer", "floating-point", "complex")  # by their category

# From which to which category an operand may be
ANY, NUMBERS, INEXACT = (BOOL, COMPLEX), (INTEGER, COMPLEX), (FLOATING, COMPLEX)
REAL, ORDERED, FLOATS = (BOOL, FLOATING), (INTEGER, FLOATING), (FLOATING, FLOATING)
BITS, INTEGERS = (BOOL, INTEGER), (INTEGER, INTEGER)


def one_tensor(name, x):
    """x, if it is a tensor."""
    if not isinstance(x, Tensor):
        raise TypeMismatchError(f"{name}: expected a tensor, got {type(x).__name__}")
    return x


def tensor_pair(name, x, y):
    """Two tensors in one dtype."""
    return pair(name, one_tensor(name, x), one_tensor(name, y))


def unary(op, doc, kinds=ANY, prepare=floating, name=None):
    """A function of one tensor, which `prepare` converts; its name is the op's unless told.

    `floating` makes integers and bool the default floating dtype; `one_tensor` leaves them.
    """
    name = name or op.__name__

    def function(input, *, out=None):
        x = prepare(name, input)
        if kinds is not ANY:
            check_kinds(name, kinds, input)
        return op(x) if out is None else give(op(x), out, name)

    return _declared(function, name, doc, op, kinds)


def binary(op, doc, kinds=ANY, prepare=pair, name=None):
    """A function of two tensors or numbers that broadcast; its name is the op's unless told.

    `pair` promotes the operands, `tensor_pair` takes no numbers, `floating_pair` makes them
    floating as well, `floating_tensors` also makes a tensor of a number.
    """
    name = name or op.__name__

    def function(input, other, *, out=None):
        x, y = prepare(name, input, other)
        if kinds is not ANY:
            check_kinds(name, kinds, input, other)
        result = op(x, y)
        return result if out is None else give(result, out, name)

    return _declared(function, name, doc, op, kinds, numbers=prepare in (pair, floating_pair))


def _declared(function, name, doc, op, kinds, numbers=False):
    """The function under its name; floats are operands as they are, if it is of one op on them."""
    function = named(function, name, doc)
    low, high = kinds
    takes_floats = hasattr(op, "op") and low <= FLOATING <= high
    return direct(op, numbers)(function) if takes_floats else function


def named(function, name, doc=None):
    """The function, under a name and with a docstring."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


real = partial(unary, kinds=REAL)
of_floats = partial(binary, kinds=FLOATS, prepare=tensor_pair)
of_reals = partial(binary, kinds=REAL, prepare=floating_tensors)


def check_kinds(name, kinds, *operands):
    """Raise DtypeError unless the highest category among the operands is within `kinds`."""
    low, high = kinds
    kind = max([_category(name, x) for x in operands])
    if not low <= kind <= high:
        raise DtypeError(
            f"{name}: expected {' or '.join(NAMES[low : high + 1])} operands, "
            f"got {listing(operands)}"
        )


def _category(name, x):
    if not isinstance(x, Tensor) and type(x) not in (int, float):
        x = as_operand(name, x)
    return (x.dtype if isinstance(x, Tensor) else of_number(x)).category
