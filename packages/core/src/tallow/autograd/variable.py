"""`Variable`, which tensors were wrapped in before PyTorch 0.4."""

from tallow.tensor import Tensor


class _Variables(type):
    def __instancecheck__(cls, x):
        return isinstance(x, Tensor)


class Variable(metaclass=_Variables):
    """Every tensor is one; calling it gives the tensor's memory as a new leaf. For old code.

    >>> import tallow
    >>> isinstance(tallow.ones(1), tallow.autograd.Variable)
    True
    """

    def __new__(cls, data, requires_grad=False):
        return data.detach().requires_grad_(requires_grad)
