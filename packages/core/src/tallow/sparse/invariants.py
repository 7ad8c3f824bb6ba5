"""Checks of invariants and of gradients, and constructors of PyTorch's early days."""

from functools import wraps

from tallow import names
from tallow.legacy import TYPES, TensorType
from tallow.sparse.making import _zeros, sparse_coo_tensor, to_dense
from tallow.sparse.tensor import SparseTensor, like
from tallow.tensor import Tensor


class check_sparse_tensor_invariants:
    """A context manager and a decorator: are indices checked? Here they always are.

    >>> with tallow.sparse.check_sparse_tensor_invariants():
    ...     x = tallow.sparse_coo_tensor([[0]], [1.0])
    """

    def __init__(self, enable=True):
        self.state = enable

    @staticmethod
    def is_enabled():
        """True: indices are checked where a sparse tensor is made of them."""
        return True

    @staticmethod
    def enable():
        """Nothing, as indices are checked."""

    @staticmethod
    def disable():
        """Nothing: indices are checked all the same."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def __call__(self, function):
        return function


def as_sparse_gradcheck(gradcheck):
    """Decorator: a `gradcheck` that also takes sparse inputs, whose values it varies.

    >>> from tallow.autograd import gradcheck
    >>> x = tallow.eye(2, dtype=tallow.float64).to_sparse().requires_grad_()
    >>> tallow.sparse.as_sparse_gradcheck(gradcheck)(lambda x: tallow.sparse.sum(x * x), x)
    True
    """

    @wraps(gradcheck)
    def check(func, inputs, **options):
        options.pop("masked", None)
        inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
        varied = [_values(x) if isinstance(x, SparseTensor) else x for x in inputs]

        def dense(*values):
            pairs = zip(inputs, values, strict=True)
            out = func(*[like(x, v) if isinstance(x, SparseTensor) else v for x, v in pairs])
            return to_dense(out) if isinstance(out, SparseTensor) else out

        return gradcheck(dense, varied, **options)

    return check


def _values(x):
    return x.held.detach().requires_grad_(x.requires_grad)


class SparseType(TensorType):
    """A constructor for one dtype: takes indices, values and a size, or sizes.

    >>> x = tallow.sparse.FloatTensor(tallow.tensor([[0, 1]]), tallow.tensor([1.0, 2.0]), (3,))
    >>> isinstance(x, tallow.sparse.FloatTensor)
    True
    """

    def __call__(self, *args, device=None):
        device = device or self.device
        if args and isinstance(args[0], Tensor):
            return sparse_coo_tensor(*args, dtype=self.dtype, device=device)
        size = args[0] if len(args) == 1 and not isinstance(args[0], int) else args or (0,)
        return _zeros(size, self.dtype, device)

    def __instancecheck__(self, x):
        return isinstance(x, SparseTensor) and x.is_sparse and super().__instancecheck__(x)

    def __repr__(self):
        return f"<class '{names.package}.sparse.{self.name}'>"


LEGACY = {x.name: SparseType(x.name, x.dtype) for x in TYPES}
