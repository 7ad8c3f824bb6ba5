"""Tensors that a module registers when they are assigned to it: `Parameter` and `Buffer`.

An uninitialized one has no shape yet; its lazy module finds that at its first forward.
"""

from tallow.creation import empty
from tallow.errors import ShapeError, TypeMismatchError
from tallow.tensor import Tensor, disabled_torch_function, wrap


class Parameter(Tensor):
    """A tensor that is trained: assigned to a module, it appears in the module's `parameters()`.

    It shares the memory of `data`, and is a leaf whatever computed `data`.

    >>> weight = tallow.nn.Parameter(tallow.ones(2))
    >>> weight.requires_grad, weight.is_leaf
    (True, True)
    """

    __torch_function__ = staticmethod(disabled_torch_function)

    def __new__(cls, data=None, requires_grad=True):
        parameter = _leaf(cls, data)
        if requires_grad:
            parameter.requires_grad = True
        return parameter

    def __init__(self, *args, **kwargs):
        pass  # __new__ did it, with what arguments a subclass has for it

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that belongs to a module's state and is not trained.

    Assigned to a module it is registered as by `register_buffer`; with `persistent=False` it stays
    out of the `state_dict`.

    >>> module = tallow.nn.Module()
    >>> module.steps = tallow.nn.Buffer(tallow.tensor(0))
    >>> list(module.state_dict())
    ['steps']
    """

    persistent: bool
    __torch_function__ = staticmethod(disabled_torch_function)

    def __new__(cls, data=None, *, persistent=True):
        buffer = _leaf(cls, data)
        buffer.persistent = persistent
        return buffer

    def __init__(self, data=None, *, persistent=True):
        pass  # __new__ did it; this only takes the arguments

    def __repr__(self):
        return f"Buffer containing:\n{super().__repr__()}"


class UninitializedTensorMixin:
    """A parameter or buffer without a shape; `materialize(shape)` gives it one, and its class."""

    cls_to_become: type

    def __init__(self, *args, **kwargs):
        pass  # __new__ did it; this only takes the arguments

    def materialize(self, shape, device=None, dtype=None):
        """Become an ordinary one, with memory for `shape`."""
        made = empty(shape, device=device or self.device, dtype=dtype or self.dtype)
        self.array = made.array
        self.__class__ = self.cls_to_become

    @property
    def shape(self):
        raise ShapeError(
            f"{type(self).__name__}: expected a shape, got none yet; call the lazy module once, on "
            "an input like those to come"
        )

    def detach(self):
        """The same object: there is nothing to share."""
        return self

    def to(self, *args, **kwargs):
        """The same object, which will have memory of another dtype or on another device."""
        self.array = super().to(*args, **kwargs).array
        return self

    def __repr__(self):
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is found at the first forward of its lazy module.

    >>> weight = tallow.nn.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, tuple(weight.shape)
    ('Parameter', (2, 3))
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return Parameter.__new__(cls, empty(0, device=device, dtype=dtype), requires_grad)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A buffer whose shape is found at the first forward of its lazy module."""

    cls_to_become = Buffer

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        data = empty(0, device=device, dtype=dtype)
        buffer = Buffer.__new__(cls, data, persistent=persistent)
        buffer.requires_grad = requires_grad
        return buffer


def is_lazy(param):
    """True for an uninitialized parameter or buffer."""
    return isinstance(param, UninitializedTensorMixin)


def _leaf(cls, data):
    """A leaf of type `cls` that shares the array of `data`; None gives an empty one."""
    if data is None:
        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeMismatchError(
            f"{cls.__name__}: expected a tensor, got {type(data).__name__}; "
            "convert it with tallow.tensor(...)"
        )
    return wrap(data.array, cls=cls)
