"""Choosing how attention is computed, as PyTorch programs do: here there is one way."""

from contextlib import contextmanager
from enum import IntEnum

from tallow.errors import TypeMismatchError

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """PyTorch's ways to compute `scaled_dot_product_attention`."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends, set_priority=False):
    """Takes a backend, or a list of them, and changes nothing: all give the same.

    >>> from tallow.nn.attention import SDPBackend, sdpa_kernel
    >>> x = tallow.ones(1, 2)
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     tallow.nn.functional.scaled_dot_product_attention(x, x, x)
    tensor([[1., 1.]])
    """
    for backend in [backends] if isinstance(backends, SDPBackend) else backends:
        if not isinstance(backend, SDPBackend):
            raise TypeMismatchError(
                f"sdpa_kernel: expected SDPBackend members, got {type(backend).__name__}"
            )
    yield
