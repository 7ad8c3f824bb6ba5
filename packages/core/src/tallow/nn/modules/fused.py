"""Modules that run as one where nobody looks between them."""

from functools import partial

from tallow.autograd.modes import asking
from tallow.nn.functional.activation import relu as relu_function
from tallow.nn.functional.dropout import dropout_sum
from tallow.nn.functional.normalization import batch_norm_add_relu, batch_norm_relu
from tallow.nn.location import locate
from tallow.nn.modules.activation import ReLU
from tallow.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tallow.nn.modules.dropout import Dropout
from tallow.nn.parameter import Parameter
from tallow.ops.activation import add_relu
from tallow.tensor import Tensor

NORMS = {BatchNorm1d, BatchNorm2d, BatchNorm3d}
TENSORS = {Tensor, Parameter}  # classes that nobody asks what functions do


def in_turn(input, *modules):
    """Modules called one after the other, each with the output of the one before.

    Batch norm and ReLU after it, the module or `F.relu`, run in one pass over memory, forward and
    backward, unless somebody looks between: a hook, a subclass, a `forward` that was replaced.

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
    if not (_is_relu(after) and is_plain(norm)):
        return False
    parts = [p for p in (norm.weight, norm.running_mean) if p is not None]
    if not TENSORS.issuperset(map(type, (input, *parts))):
        return False
    return all(p.dtype is input.dtype for p in parts)  # of another under autocast, which converts


def _is_relu(module):
    return module is relu_function or (type(module) is ReLU and is_plain(module))


def _norm_relu(norm, input):
    """Batch norm's output above 0."""
    return _by(norm, batch_norm_relu, input)


def _by(norm, function, input):
    """What a function makes in the place of a module; an error names that, as when it is called."""
    try:
        return norm._by(function, input)
    except Exception as error:
        locate(error, norm)
        raise


def _add_residual(residual, input, *how):
    return batch_norm_add_relu(input, residual, *how)


def norm_add_relu(input, norm, residual, relu):
    """`relu(norm(input) + residual)`, the end of a residual block, by modules as `in_turn` has.

    In one pass where that makes one of them; sum and ReLU are one for any other norm.

    >>> from tallow import nn
    >>> x = tallow.ones(2, 3)
    >>> nn.utils.norm_add_relu(x, nn.BatchNorm1d(3).eval(), -2 * x, nn.ReLU()).sum().item()
    0.0
    """
    plain = type(residual) in TENSORS and residual.shape == input.shape
    if plain and residual.dtype is input.dtype and type(norm) in NORMS:
        if _are_one(norm, relu, input):
            return _by(norm, partial(_add_residual, residual), input)
    out = norm(input)
    plain = _is_relu(relu) and not asking.modes and TENSORS.issuperset(map(type, (out, residual)))
    if plain and out.dtype is residual.dtype:
        return add_relu(out, residual)
    return relu(out + residual)


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
