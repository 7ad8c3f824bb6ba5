"""What distributions share: parameters that broadcast, lazy attributes, triangles of matrices."""

from functools import update_wrapper

from tallow.autograd import enable_grad
from tallow.creation import arange, tensor
from tallow.dtypes import get_default_dtype
from tallow.errors import ArgumentError
from tallow.info import finfo
from tallow.math import clamp, log, log1p, sigmoid
from tallow.nn.functional import softmax
from tallow.random import randn
from tallow.shaping import broadcast_tensors
from tallow.tensor import Tensor

EULER = 0.5772156649015329


def is_number(x):
    """True for a Python number."""
    return isinstance(x, int | float | complex)


def broadcast_all(*values):
    """Tensors and numbers as tensors of one shape; numbers take the dtype of the first tensor."""
    if not all(isinstance(v, Tensor) or is_number(v) for v in values):
        kinds = ", ".join(type(v).__name__ for v in values)
        raise ArgumentError(f"broadcast_all: expected numbers and tensors, got {kinds}")
    like = next((v for v in values if isinstance(v, Tensor)), None)
    dtype = get_default_dtype() if like is None else like.dtype
    where = None if like is None else like.device
    return broadcast_tensors(
        *(v if isinstance(v, Tensor) else tensor(v, dtype=dtype, device=where) for v in values)
    )


class lazy_property:
    """A property computed at its first use and then an attribute of the object."""

    def __init__(self, wrapped):
        self.wrapped = wrapped
        update_wrapper(self, wrapped)

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        with enable_grad():
            value = instance.__dict__[self.__name__] = self.wrapped(instance)
        return value


def sum_rightmost(value, dim):
    """The sum over the last `dim` dims."""
    return value.reshape(value.shape[: value.dim() - dim] + (-1,)).sum(-1) if dim else value


_sum_rightmost = sum_rightmost


def _standard_normal(shape, dtype, device):
    """Samples of the normal distribution."""
    return randn(shape, dtype=dtype, device=device)


def logits_to_probs(logits, is_binary=False):
    """Probabilities of log odds, or of log weights along the last dim."""
    return sigmoid(logits) if is_binary else softmax(logits, dim=-1)


def clamp_probs(probs):
    """Probabilities at least eps from 0 and from 1."""
    eps = finfo(probs.dtype).eps
    return clamp(probs, min=eps, max=1 - eps)


def probs_to_logits(probs, is_binary=False):
    """Log odds of probabilities, or their logarithms."""
    probs = clamp_probs(probs)
    return log(probs) - log1p(-probs) if is_binary else log(probs)


def tril_matrix_to_vec(mat, diag=0):
    """(..., n * m) row by row from the lower triangles, up to a diagonal, of (..., n, n)."""
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ArgumentError(f"tril_matrix_to_vec: expected diag from {-n} to {n - 1}, got {diag}")
    return mat[..., _triangle(mat, n, diag)]


def vec_to_tril_matrix(vec, diag=0):
    """Lower triangular matrices (..., n, n) from their elements row by row."""
    count = vec.shape[-1]
    shift = 1 + 2 * diag
    n = round((-shift + (shift**2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2)
    mask = _triangle(vec, n, diag)
    if int(mask.sum()) != count:
        raise ArgumentError(
            f"vec_to_tril_matrix: expected the length of a triangle, got {count} elements"
        )
    mat = vec.new_zeros(vec.shape[:-1] + (n, n))
    mat[..., mask] = vec
    return mat


def _triangle(like, n, diag):
    index = arange(n, device=like.device)
    return index < index.view(-1, 1) + (diag + 1)
