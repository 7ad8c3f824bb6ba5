"""Modules that run as one where nobody looks between them."""

from tallow.autograd.modes import asking
from tallow.nn.functional.dropout import dropout_sum
from tallow.nn.functional.normalization import batch_norm_relu
from tallow.nn.location import locate
from tallow.nn.modules.activation import ReLU
from tallow.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tallow.nn.modules.dropout import Dropout
from tallow.nn.parameter import Parameter
from tallow.tensor import Tensor

NORMS = {BatchNorm1d, BatchNorm2d, BatchNorm3d}
TENSORS = {Tensor, Parameter}  # classes that nobody asks what functions do


def in_turn(input, *modules):
    """Modules called one after the other, each with the output of the one before.

    Batch norm and ReLU after it run in one pass over memory, forward and backward, unless somebody
    looks between: a hook, a subclass, a `forward` that was replaced.

    >>> from tallow import nn
    >>> tuple(nn.utils.in_turn(tallow.ones(2, 3), nn.BatchNorm1d(3), nn.ReLU()).shape)
    (2, 3)
    """
    norm = None  # waits for what comes after it
    for module in modules:
        if norm is not None:
            if _are_one(norm, module, input):
                input, norm = _norm_relu(norm, input), None
                continue
            input, norm = norm(input), None
        if type(module) in NORMS:
            norm = module
        else:
            input = module(input)
    return input if norm is None else norm(input)


def _are_one(norm, after, input):
    if type(after) is not ReLU or not (is_plain(norm) and is_plain(after)):
        return False
    parts = [p for p in (norm.weight, norm.running_mean) if p is not None]
    if not TENSORS.issuperset(map(type, (input, *parts))):
        return False
    return all(p.dtype is input.dtype for p in parts)  # of another under autocast, which converts


def _norm_relu(norm, input):
    """Batch norm's output above 0; an error names the module, as when it is called."""
    try:
        return norm._by(batch_norm_relu, input)
    except Exception as error:
        locate(error, norm)
        raise


def dropped_sum(residual, dropout, input):
    """`residual + dropout(input)` of a module, in one pass if it is a plain `Dropout`.

    Without a residual, None, what dropout leaves.
    """
    if residual is None:
        return dropout(input)
    plain = type(dropout) is Dropout and is_plain(dropout) and not dropout.inplace
    if not plain or not TENSORS.issuperset(map(type, (input, residual))):
        return residual + dropout(input)
    return dropout_sum(input, residual, dropout.p, dropout.training)


def is_plain(module):
    """True if calling a module does what its class says and nobody looks on."""
    return module._hooks is None and "forward" not in module.__dict__ and not asking.modes
