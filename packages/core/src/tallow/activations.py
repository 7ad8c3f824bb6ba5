"""The activations that torch also has as functions of its own and as methods of Tensor."""

from tallow import dtypes
from tallow.autograd import inplace
from tallow.autograd.modes import state
from tallow.elementwise import one_tensor
from tallow.errors import DtypeError, describe
from tallow.ops.activation import relu as relu_op
from tallow.ops.softmax import log_softmax as log_softmax_op
from tallow.ops.softmax import softmax as softmax_op
from tallow.promotion import axis_of, to_dtype
from tallow.shortcuts import direct

__all__ = ["log_softmax", "relu", "relu_", "softmax"]


@direct(relu_op)
def relu(input):
    """max(input, 0), elementwise.

    >>> tallow.relu(tallow.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return relu_op(input)


def relu_(input):
    """`relu`, in place."""
    return in_place(relu_op, input)


def softmax(input, dim, dtype=None):
    """exp(input) / sum(exp(input)) along `dim`: positive numbers that sum to 1.

    >>> tallow.softmax(tallow.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return along("softmax", softmax_op, input, dim, dtype)


def log_softmax(input, dim, dtype=None):
    """log(softmax(input)) along `dim`, without overflow."""
    return along("log_softmax", log_softmax_op, input, dim, dtype)


def along(name, op, input, dim, dtype=None):
    """An op along one dim of a floating-point tensor, which is first converted to `dtype`."""
    if dtype is not None:
        input = to_dtype(input, dtype)
    if one_tensor(name, input).array.dtype.kind != "f":
        check_floating(name, input)
    axis = axis_of(name, dim, input.array.ndim)
    if not input.array.ndim:
        return op(input.reshape(1), axis=0).reshape(())
    return op(input, axis=axis)


def check_floating(name, x):
    """Raise unless x is a floating-point tensor."""
    if one_tensor(name, x).dtype.category < dtypes.FLOATING:
        raise DtypeError(
            f"{name}: expected a floating-point tensor, got {describe(x)}; convert with .float()"
        )


def in_place(op, x, **params):
    """op(x, **params) written into x itself, with its history."""
    name, old = op.op.name + "_", x
    alone = inplace.is_alone(x)
    if state.enabled and x.requires_grad:
        inplace.check(x, name, True)
        old = inplace.snapshot(x, copy=not alone)
    return inplace.assign(x, op(old, **params), name, alone)
