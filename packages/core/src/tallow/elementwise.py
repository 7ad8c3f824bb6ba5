"""How elementwise functions are declared: a name, the op behind it, and the numbers it takes.

A declared function refuses the kinds of dtype that PyTorch refuses, promotes its operands, calls
the op, and gives the result.
"""

from tallow.dtypes import BOOL, COMPLEX, of_number
from tallow.errors import DtypeError, TypeMismatchError, listing
from tallow.promotion import as_operand, floating, give, pair
from tallow.tensor import Tensor

KINDS = ("bool", "integer", "floating-point", "complex")  # by their category


def unary(name, op, doc, low=BOOL, high=COMPLEX, prepare=floating):
    """A function of one tensor, of kinds from `low` to `high`; `prepare` converts the operand.

    `floating` makes integers and bool the default floating dtype; `one_tensor` leaves them.
    """
    everything = (low, high) == (BOOL, COMPLEX)

    def function(input, *, out=None):
        x = prepare(name, input)
        if not everything:
            check_kinds(name, low, high, input)
        return op(x) if out is None else give(op(x), out, name)

    return named(function, name, doc)


def binary(name, op, doc, low=BOOL, high=COMPLEX, prepare=pair):
    """A function of two tensors or numbers that broadcast.

    `pair` promotes the operands, `tensor_pair` takes no numbers, `floating_pair` makes them
    floating as well, `floating_tensors` also makes a tensor of a number.
    """
    everything = (low, high) == (BOOL, COMPLEX)

    def function(input, other, *, out=None):
        x, y = prepare(name, input, other)
        if not everything:
            check_kinds(name, low, high, input, other)
        result = op(x, y)
        return result if out is None else give(result, out, name)

    return named(function, name, doc)


def named(function, name, doc):
    """The function, under a name and with a docstring."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def one_tensor(name, x):
    """x, if it is a tensor."""
    if not isinstance(x, Tensor):
        raise TypeMismatchError(f"{name}: expected a tensor, got {type(x).__name__}")
    return x


def tensor_pair(name, x, y):
    """Two tensors in one dtype."""
    return pair(name, one_tensor(name, x), one_tensor(name, y))


def check_kinds(name, low, high, *operands):
    """Raise DtypeError unless the highest category among the operands lies in [low, high]."""
    kind = max([_category(name, x) for x in operands])
    if not low <= kind <= high:
        raise DtypeError(
            f"{name}: expected {' or '.join(KINDS[low : high + 1])} operands, "
            f"got {listing(operands)}"
        )


def _category(name, x):
    if not isinstance(x, Tensor) and type(x) not in (int, float):
        x = as_operand(name, x)
    return (x.dtype if isinstance(x, Tensor) else of_number(x)).category
