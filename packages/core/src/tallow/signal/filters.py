"""Linear filters of signals."""

from tallow.errors import DtypeError, ShapeError, describe
from tallow.ops import recursion
from tallow.promotion import result_type
from tallow.tensor import Tensor

__all__ = ["recursive_filter"]


def recursive_filter(input: Tensor, b: Tensor, a: Tensor) -> Tensor:
    """Filter a signal (..., T): a[0] y[t] = sum of b[k] x[t - k] - sum of a[k] y[t - k], k from 1.

    The coefficients are (K,), or (C, K) for a signal (..., C, T), those of each channel. All of it
    is differentiable. Raises ShapeError for coefficients that do not fit.

    >>> x, b, a = tallow.ones(4), tallow.tensor([1.0]), tallow.tensor([1.0, -0.5])
    >>> tallow.signal.recursive_filter(x, b, a)
    tensor([1.0000, 1.5000, 1.7500, 1.8750])
    """
    if not input.is_floating_point():
        raise DtypeError(f"recursive_filter: expected a floating signal, got {describe(input)}")
    channels = a.shape[0] if a.ndim == 2 else 1
    fits = a.ndim in (1, 2) and a.ndim == b.ndim and input.ndim >= a.ndim and 0 not in a.shape
    if not fits or (a.ndim == 2 and not channels == b.shape[0] == input.shape[-2]):
        raise ShapeError(
            "recursive_filter: expected coefficients (K,) for a signal (..., T) or (C, K) for "
            f"(..., C, T), got {describe(b)} and {describe(a)} for {describe(input)}"
        )
    dtype = result_type(input, a) if input.dtype is not a.dtype else input.dtype
    first = a[..., :1]
    b, a = ((k / first).reshape(channels, -1).to(dtype) for k in (b, a))
    a = a[:, 1:] if a.shape[1] > 1 else a * 0
    x = input.to(dtype).reshape(-1, channels, input.shape[-1])
    return recursion.recursive_filter(x, b, a).reshape(input.shape)
