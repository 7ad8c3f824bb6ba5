"""Tensors that a module registers when they are assigned to it: `Parameter` and `Buffer`."""

from tallow.creation import empty
from tallow.tensor import Tensor, wrap


class Parameter(Tensor):
    """A tensor that is trained: assigned to a module, it appears in the module's `parameters()`.

    It shares the memory of `data`, and is a leaf whatever computed `data`.

    >>> import tallow
    >>> weight = tallow.nn.Parameter(tallow.ones(2))
    >>> weight.requires_grad, weight.is_leaf
    (True, True)
    """

    def __new__(cls, data=None, requires_grad=True):
        parameter = _leaf(cls, data)
        if requires_grad:
            parameter.requires_grad = True
        return parameter

    def __init__(self, data=None, requires_grad=True):
        pass  # __new__ did it; this only takes the arguments

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that belongs to a module's state and is not trained.

    Assigned to a module it is registered as by `register_buffer`; with `persistent=False` it stays
    out of the `state_dict`.

    >>> import tallow
    >>> module = tallow.nn.Module()
    >>> module.steps = tallow.nn.Buffer(tallow.tensor(0))
    >>> list(module.state_dict())
    ['steps']
    """

    persistent: bool

    def __new__(cls, data=None, *, persistent=True):
        buffer = _leaf(cls, data)
        buffer.persistent = persistent
        return buffer

    def __init__(self, data=None, *, persistent=True):
        pass  # __new__ did it; this only takes the arguments

    def __repr__(self):
        return f"Buffer containing:\n{super().__repr__()}"


def _leaf(cls, data):
    """A leaf of type `cls` that shares the array of `data`; None gives an empty one."""
    if data is None:
        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__}: expected a tensor, got {type(data).__name__}; "
            "convert it with tallow.tensor(...)"
        )
    return wrap(data.array, cls=cls)
