"""Operations on tensors and arrays of which some are batched: one call for all examples.

By the operation's rule (`func.batch_rules`), or where it has none once for each example.
"""

import numpy as np

from tallow import backend
from tallow.autograd.builtin import stack
from tallow.autograd.modes import state
from tallow.autograd.op import batches
from tallow.func.batch_rules import by_rule
from tallow.func.batched import (
    GATES,
    BatchedArray,
    innermost,
    is_batched,
    refuse,
    rewrapped,
    spread,
)
from tallow.ops.index import getitem
from tallow.tensor import Tensor, refresh


def call(made, operands, params):
    """An operation on operands of which some are batched; NotImplemented if none is."""
    arrays = [x.array if isinstance(x, Tensor) else x for x in operands]
    level, size = outermost([*arrays, *params.values()])
    if not level:
        return NotImplemented
    gate = made.name in GATES and params["level"] >= level
    operands, mask = list(operands), 0
    for i, x in enumerate(operands):
        if isinstance(x, Tensor):
            if x.alias is not None:
                refresh(x)
            if x._requires_grad and state.enabled:
                mask |= 1 << i
                if not gate and not is_batched(x.array, level):
                    operands[i] = spread(x, level=level, size=size)
                    arrays[i] = operands[i].array
    out = made.body(*arrays, **params) if gate else compute(made, arrays, params, level, size)
    if not any(isinstance(x, Tensor) for x in operands):
        return out
    if made.view and not gate:
        _mark_view(out, arrays[0])
    return made.wrap(tuple(operands), params, out, mask)


def _mark_view(out, parent):
    """Let a change of `out` be one of `parent`; where it is a copy, refuse to change it.

    It may be one only since the examples lie apart: a view for each of them.
    """
    if out.base is not None and _share(innermost(out), innermost(parent)):
        out.owner = parent
    elif hasattr(out.flags, "writeable"):  # CuPy's have no such flag
        out.flags.writeable = False


def _share(x, y):
    return backend.for_array(x).xp.may_share_memory(x, y)


def outermost(values):
    """The highest level among arrays and what tuples hold, and the size of its batch."""
    level, size = 0, 0
    for x in values:
        if type(x) is BatchedArray and x.level > level:
            level, size = x.level, len(x.data)
        elif type(x) is tuple:
            level, size = max((level, size), outermost(x))
    return level, size


def compute(made, arrays, params, level, size):
    """The batched result of an operation, by its rule or for each example."""
    plain = [_alike(x, level) for x in arrays]
    if not outermost([*plain, *params.values()])[0] == level:  # the same for all examples
        out = made.call(*plain, **params)
        many = out if type(out) is tuple else (out,)
        spread_out = tuple([spread(x, level=level, size=size) for x in many])
        return spread_out if type(out) is tuple else spread_out[0]
    if not outermost(params.values())[0] == level:
        found = by_rule(made, plain, params, level, size)
        if found is not NotImplemented:
            return rewrapped(found, level)
    parts = [made.call(*_at(plain, level, i), **_at(params, level, i)) for i in range(size)]
    return _joined(parts, level)


def _alike(x, level):
    """One example of a batch whose examples share their memory; else x."""
    if is_batched(x, level) and type(x.data) is np.ndarray and x.data.strides[0] == 0:
        return x.data[0] if len(x.data) > 1 else x
    return x


def _at(x, level, i):
    """What is batched in x, for example i."""
    if type(x) in (list, tuple):
        return type(x)([_at(part, level, i) for part in x])
    if type(x) is dict:
        return {name: _at(part, level, i) for name, part in x.items()}
    return getitem(x.data, key=(i, ...)) if is_batched(x, level) else x


def _joined(parts, level):
    """The results of all examples as one."""
    if parts[0] is None:
        return None
    if type(parts[0]) in (tuple, list):
        return tuple([_joined(list(column), level) for column in zip(*parts, strict=True)])
    return BatchedArray(stack(*map(backend.as_array, parts), axis=0), level)


def pull(plan, g, values):
    """Gradients of operands by the rules of an operation, some of what these name being batched."""
    given = [x.array if isinstance(x, Tensor) else x for x in (g, *values)]
    level, size = outermost(given)
    if not level:
        return NotImplemented
    try:
        return plan.by_rules(g, values, plan.written)
    except Exception:
        if any(isinstance(x, Tensor) for x in (g, *values)):
            raise
    return list(
        _joined(
            [plan.by_rules(*_at((g, values), level, i), plan.calls) for i in range(size)], level
        )
    )


batches.call, batches.pull, batches.refuse = call, pull, refuse
