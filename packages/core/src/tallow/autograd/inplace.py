"""In-place changes: versions, and the history of tensors that share memory.

`assign(x, out)` is what every in-place operation ends in: `out` was computed out of place, and `x`
takes its values and its history. If x is a view, its parent's history becomes that of "parent with
this part replaced", and views of the same parent find their history outdated when next used, and
renew it (`tensor.refresh`).
"""

import sys

import numpy as np

from tallow import backend
from tallow.autograd.builtin import patch
from tallow.autograd.modes import state
from tallow.errors import GradientError, ShapeError
from tallow.tensor import UNRECORDED, Tensor, View, parent_of, tick, wrap

watchers = []  # called with a tensor that changes in place, and its new value, None if not known


def bump(tensor, op_name="an in-place operation", value=None):
    """Count a change of the tensor's memory, and tell the nodes that kept it as their output."""
    for watcher in watchers:
        watcher(tensor, value)
    x = tensor
    while True:
        if x.node is not None:
            x.node.spoil(op_name)
        if x.alias is None:
            break
        x = x.alias.parent
    x.version += 1
    x.changed = tick()


def check(x, op_name, recording):
    """Raise if `x` may not change in place: a leaf that requires gradients, or a view of one."""
    if not state.enabled:
        return
    root = x
    while root.alias is not None and root.alias.op is not None:
        if root.alias.source is UNRECORDED and (recording or root.alias.parent._requires_grad):
            raise GradientError(
                f"{op_name}: expected a view made with gradients enabled, got one made under "
                "no_grad; make the view outside, or change it under no_grad as well"
            )
        root = root.alias.parent
    if root._requires_grad and root.node is None:
        what = "a leaf" if root is x else "a view of a leaf"
        raise GradientError(
            f"{op_name}: expected a tensor that may change in place, got {what} that requires "
            "gradients; use no_grad() or .data to change it without a record, or work on a clone()"
        )


def check_memory(x, op_name):
    """Raise if the memory of `x` is read-only: NumPy's own, or that of an expanded tensor."""
    if not getattr(x.array.flags, "writeable", True):
        raise ShapeError(
            f"{op_name}: expected memory that may be written to, got that of an expanded or "
            "read-only tensor; use clone()"
        )


def is_alone(x):
    """True if nothing but `x` refers to its memory, so that another array may take its place.

    A view, an array of NumPy's made from it, a node that keeps it: each holds a reference.
    """
    return (
        references(x) == ALONE
        and type(x.array) is np.ndarray
        and x.array.base is None
        and x.array.flags.c_contiguous
        and x.alias is None
    )


def references(x):
    """How many references there are to the array of `x`; 0 where Python cannot count them."""
    array = x.array
    return sys.getrefcount(array) if hasattr(sys, "getrefcount") else 0


ALONE = references(wrap(np.empty(1))) or None  # a number that depends on Python's version


def snapshot(x, copy=True):
    """A tensor with a copy of x's values and x's history, for an op that keeps its operand.

    Without a copy it has the values themselves: where `assign` will give x another array.
    """
    with backend.at(x.array):
        old = wrap(x.array.copy() if copy else x.array, x._requires_grad)
    old.node = x.node
    return old


def assign(x, out, op_name, alone=False):
    """Give `x` the values and the history of `out`, its very array if x `is_alone`; returns x."""
    value = out.array if isinstance(out, Tensor) else out
    check(x, op_name, getattr(out, "_requires_grad", False))
    check_memory(x, op_name)
    bump(x, op_name, out)
    if alone:
        x.array = value.astype(x.array.dtype, order="C", copy=False)
    elif type(x.array) is np.ndarray:
        if value is not x.array:
            x.array[...] = value
    elif value is not x.array:
        with backend.at(x.array):
            x.array[...] = value
    if isinstance(out, Tensor):
        adopt(x, out)
    return x


def adopt(x, out):
    """Make the history of `out` that of `x`, and pass it up to the tensors whose memory x shows."""
    recorded = state.enabled and out._requires_grad
    view = x.alias
    through = view is not None and view.op is not None and view.source is not UNRECORDED
    if not (recorded or (state.enabled and x._requires_grad)):
        return
    if through:
        parent = parent_of(view)
        adopt(parent, replace_part(parent, out, view))
        view.source = parent.node
    _keep_retaining(x, out)
    x.node, x._requires_grad = out.node, out._requires_grad
    if x.node is None and x._requires_grad:
        raise GradientError(
            "in-place operation: the new value is itself a leaf; use clone() on it first"
        )


def _keep_retaining(x, out):
    """After `x.retain_grad()` it is the gradient of the new value that x keeps."""
    retained = x.node is not None and x.node.retained
    if retained and out.node is not None:
        own = [reference for reference in retained if reference() is x]
        out.node.retained = [*(out.node.retained or ()), *own]
        x.node.retained = [reference for reference in retained if reference not in own]


def replace_part(parent, part, view):
    """`parent` with what `view` shows replaced by `part`: values are there, history is made."""
    params = {"cut": view.op.call, "arguments": view.params}
    return patch.op.recorded((parent, part), params, parent.array)


def alias_without_history(x):
    """`x.detach()`: the same memory, no history."""
    tensor = wrap(x.array)
    tensor.alias = View(x, None, None, None)
    return tensor
