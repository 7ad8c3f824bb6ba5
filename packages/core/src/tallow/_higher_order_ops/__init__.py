"""Operators of PyTorch's compiler that take functions."""

from tallow.errors import TypeMismatchError


def cond(pred, true_fn, false_fn, operands=()):
    """`true_fn(*operands)` if `pred`, a bool or a tensor of one, else `false_fn(*operands)`.

    >>> tallow.cond(tallow.tensor(True), lambda x: x + 1, lambda x: x - 1, (tallow.zeros(1),))
    tensor([1.])
    """
    if not callable(true_fn) or not callable(false_fn):
        raise TypeMismatchError("cond: expected two functions")
    return true_fn(*operands) if pred else false_fn(*operands)


def while_loop(cond_fn, body_fn, carried_inputs):
    """`carried = body_fn(*carried)` while `cond_fn(*carried)`: what was carried last, as a tuple.

    >>> tallow._higher_order_ops.while_loop(
    ...     lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (tallow.tensor(0), tallow.ones(1))
    ... )
    (tensor(3), tensor([8.]))
    """
    carried = tuple(carried_inputs)
    while cond_fn(*carried):
        found = body_fn(*carried)
        carried = tuple(found) if isinstance(found, tuple | list) else (found,)
    return carried
