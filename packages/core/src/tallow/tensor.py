"""The Tensor shell: an array and what autograd must know about it. No arithmetic.

Methods are attached by `tallow.methods`; what is here is state.
"""

from itertools import count

from tallow import backend, dtypes
from tallow.errors import GradientError

_new = object.__new__

tick = count(1).__next__  # the clock of the graph: nodes and in-place changes take its numbers


class Tensor:
    """An n-dimensional array of one dtype on one device that can record how it was computed.

    `array`           the backend's array (numpy.ndarray on the CPU)
    `node`            the node that computed it, None for a leaf
    `grad`            the gradient, accumulated by `backward()` on leaves
    `alias`           for a view: `View`, how it is cut from which tensor; else None
    `hooks`           a leaf's gradient hooks, None if there are none
    `version`         how often its memory was changed in place (counted where it is not a view)
    `changed`         when that was last, by the clock `tick`
    """

    __slots__ = (
        "array", "node", "grad", "alias", "hooks", "version", "changed",
        "_requires_grad", "__weakref__", "__dict__",
    )  # fmt: skip

    @property
    def requires_grad(self):
        """True if gradients reach this tensor. Only floating and complex leaves can change it."""
        if self.alias is not None:
            refresh(self)
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, flag):
        if flag and not self.dtype.is_floating_point and not self.dtype.is_complex:
            raise GradientError(
                f"requires_grad: expected a floating-point or complex tensor, got {self.dtype}"
            )
        if not flag and self.node is not None:
            raise GradientError(
                "requires_grad: expected a leaf, got the result of an operation; use .detach()"
            )
        self._requires_grad = bool(flag)

    @property
    def dtype(self):
        """The type of the elements."""
        return dtypes.FROM_NUMPY[self.array.dtype]

    @property
    def device(self):
        """Where the elements are."""
        return backend.for_array(self.array).device_of(self.array)

    @property
    def is_leaf(self):
        """True if no recorded operation made this tensor: its gradient is kept in `grad`."""
        if self.alias is not None:
            refresh(self)
        return self.node is None

    @property
    def _version(self):
        """How often the memory of this tensor was changed in place."""
        return root_of(self).version


def disabled_torch_function(func, types, args=(), kwargs=None):
    """The `__torch_function__` of classes that are not asked (`tallow.overrides`)."""
    return func(*args, **(kwargs or {}))


UNRECORDED = object()


class View:
    """How a tensor is cut from its parent: `op(parent, **params)`, or op None for `detach()`.

    `source` is the parent's node when the view's own node was made: if the parent is changed in
    place since, the view's history is made anew before it is used (`refresh`). It is UNRECORDED for
    a view made under `no_grad`, which has no history. `shown` is the array that the parent had.
    """

    __slots__ = ("parent", "shown", "op", "params", "source")

    def __init__(self, parent, op, params, source):
        self.parent = parent
        self.shown = parent.array
        self.op = op
        self.params = params
        self.source = source


def wrap(array, requires_grad=False, cls=Tensor):
    """A leaf around an array, which is shared, not copied."""
    tensor = _new(cls)
    tensor.array = array
    tensor.node = tensor.grad = tensor.alias = tensor.hooks = None
    tensor._requires_grad = requires_grad
    tensor.version = tensor.changed = 0
    return tensor


def root_of(tensor):
    """The tensor that owns the memory this one shows."""
    while tensor.alias is not None:
        tensor = tensor.alias.parent
    return tensor


def last_change(tensor):
    """When the memory of a tensor was last changed in place, by the clock `tick`; 0 for never."""
    return root_of(tensor).changed


def parent_of(view):
    """The tensor that a view is cut from.

    Where that has come to show a view of itself since, as by `transpose_`, what it was before.
    """
    while view.parent.array is not view.shown and view.parent.alias is not None:
        view.parent = view.parent.alias.parent
    return view.parent


def refresh(x):
    """Renew the history of a view whose parent has been changed in place since it was made."""
    view = x.alias
    if view.op is None or view.source is UNRECORDED:
        return
    parent = parent_of(view)
    if parent.alias is not None:
        refresh(parent)
    if parent.node is not view.source:
        renewed = view.op.recorded((parent,), view.params, x.array)
        x.node, x._requires_grad, view.source = renewed.node, renewed._requires_grad, parent.node
